import pytest

from pipeline.api.parameters import DEFAULT_LIMIT, MAX_LIMIT, MAX_MS, MAX_SYMBOLS
from pipeline.api.query import BadParameter, read_query
from pipeline.api.route_specs import ROUTES
from pipeline.intervals import INTERVALS
from pipeline.tables import STATS

# Of parameters with the same name, that of the first route: /depth takes one symbol only.
EVERY_PARAMETER = tuple({e.name: e for route in reversed(ROUTES.values()) for e in route.parameters}.values())

INSTANT_MS = 1_795_461_947_000


def refused(**arguments):
    """The parameter that the error for these arguments names (`from_` stands for from)."""
    with pytest.raises(BadParameter) as caught:
        parsed(**arguments)
    assert str(caught.value)
    return caught.value.parameter


def parsed(**arguments):
    return read_query([(name.rstrip("_"), value) for name, value in arguments.items()], EVERY_PARAMETER)


def test_request_without_parameters_is_valid_and_asks_for_the_newest_rows():
    found = parsed()
    assert (found.symbols, found.from_ms, found.to_ms, found.limit, found.interval) == ((), None, None, 100, "1m")
    assert (found.sort, found.forward) == (None, False)


def test_repeated_parameter_is_refused_even_with_the_same_value():
    with pytest.raises(BadParameter, match="twice"):
        read_query([("symbol", "ETHUSDT"), ("limit", "3"), ("symbol", "ETHUSDT")], EVERY_PARAMETER)


@pytest.mark.parametrize("name", ["simbol", "Symbol", "", "limit ", "from_ms"])
def test_unknown_parameter_is_refused_with_a_list_of_those_the_route_takes(name):
    with pytest.raises(BadParameter, match="symbol, from, to") as caught:
        read_query([(name, "1")], ROUTES["/klines"].parameters)
    assert caught.value.parameter == name


def test_missing_required_parameter_is_named():
    with pytest.raises(BadParameter, match="must be given") as caught:
        read_query([("levels", "5")], ROUTES["/depth"].parameters, ROUTES["/depth"].required)
    assert caught.value.parameter == "symbol"


def test_points_are_capped_by_an_explicit_limit():
    assert parsed(symbol="A", points="500").points == 500
    assert parsed(symbol="A", points="500", limit="20").points == 20


@pytest.mark.parametrize(
    "text", ["1:A:0", "1700000000000:1000SATSUSDT:123456789", "1:币安人生USDT:0", "1:%61%20%3A%22:5"]
)
def test_cursor_is_parsed_as_it_was_written(text):
    assert str(parsed(symbol="A", cursor=text).cursor) == text


@pytest.mark.parametrize("text", ["", "1", "1:A", "x:A:0", "1:a:0", "1:A:-1", "1:A:0:0", "1:A:" + "9" * 19])
def test_malformed_cursor_is_refused(text):
    assert refused(symbol="A", cursor=text) == "cursor"


@pytest.mark.parametrize(
    ("more", "parameter"),
    [
        ({"points": "5"}, "points"),
        ({"points": "5", "symbol": "A", "cursor": "1:A:0"}, "cursor"),
        ({"sort": "volume", "from_": "1"}, "from"),
        ({"sort": "volume", "symbol": "A", "points": "5"}, "points"),
    ],
)
def test_parameters_that_exclude_each_other_are_refused(more, parameter):
    assert refused(**more) == parameter


def test_choices_and_names_are_parsed():
    found = parsed(tracked="true", quote_asset="usdt", levels="5")
    assert (found.tracked, found.quote_asset, found.levels) == (True, "USDT", 5)
    assert refused(tracked="yes") == "tracked"
    assert refused(quote_asset="US DT") == "quote_asset"


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("ETHUSDT", ("ETHUSDT",)),
        ("ethusdt", ("ETHUSDT",)),
        ("ETHUSDT,BTCUSDT", ("ETHUSDT", "BTCUSDT")),
        (" BTCUSDT , ETHUSDT ,", ("BTCUSDT", "ETHUSDT")),
        ("ETHUSDT,ethusdt,ETHUSDT", ("ETHUSDT",)),
        ("1000SATSUSDT", ("1000SATSUSDT",)),
        ("A-B_C.D", ("A-B_C.D",)),
        ("X" * 20, ("X" * 20,)),
        ("币安人生usdt, ΩUSDT", ("币安人生USDT", "ΩUSDT")),
        ("криптоusdt", ("криптоUSDT",)),
    ],
)
def test_symbols_are_trimmed_upper_case_and_without_repeats(text, symbols):
    assert parsed(symbol=text).symbols == symbols


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ",",
        "ETH USDT",
        "ETH/USDT",
        "ETHUSDT;DROP TABLE",
        "ETHUSDT'",
        "X" * 21,
        "ETH\nUSDT",
        "*",
        "<script>",
        'A"B',
        "A%B",
        "A&B",
        "币\u200b",
        "币\u3000安",
        "币，安",
        "A\ufffd",
        "A\x00",
        "币" * 21,
    ],
)
def test_malformed_symbol_is_refused(text):
    assert refused(symbol=text) == "symbol"


def test_symbols_are_limited_in_number():
    many = [f"S{number}USDT" for number in range(MAX_SYMBOLS)]
    assert len(parsed(symbol=",".join(many)).symbols) == MAX_SYMBOLS
    assert refused(symbol=",".join([*many, "ONEMORE"])) == "symbol"
    assert len(parsed(symbol=",".join(many * 3)).symbols) == MAX_SYMBOLS


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        (str(INSTANT_MS), INSTANT_MS),
        ("0", 0),
        (str(MAX_MS), MAX_MS),
        ("2026-11-23T19:25:47Z", INSTANT_MS),
        ("2026-11-23T19:25:47.000Z", INSTANT_MS),
        ("2026-11-23T19:25:47", INSTANT_MS),
        ("2026-11-24T00:55:47+05:30", INSTANT_MS),
        ("2026-11-24T00:55:47 05:30", INSTANT_MS),  # a + in a query string that was not encoded
        ("2026-11-23T14:25:47-05:00", INSTANT_MS),
        ("2026-11-23", 1_795_392_000_000),
        ("1970-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59.999Z", MAX_MS),
    ],
)
@pytest.mark.parametrize("name", ["from_", "to"])
def test_time_is_epoch_ms_or_iso_8601(name, text, ms):
    found = parsed(**{name: text})
    assert (found.from_ms if name == "from_" else found.to_ms) == ms


@pytest.mark.parametrize("text", ["2026-11-23 19:25:47", "2026-11-23 19:25:47Z"])
def test_time_with_a_space_instead_of_t_is_accepted(text):
    """PostgreSQL, Python's str() and spreadsheets print it so; RFC 3339, a profile of ISO 8601,
    allows it."""
    assert parsed(from_=text).from_ms == INSTANT_MS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "-1",
        str(MAX_MS + 1),
        str(INSTANT_MS * 1000),
        "1e12",
        "1700000000000.5",
        "9" * 21,
        "2026-13-01",
        "2026-11-23T25:00",
        "1969-12-31T23:59:59Z",
        "0001-01-01",
        "٢٠٢٦",
        " ",
        "NaN",
        "0x10",
    ],
)
@pytest.mark.parametrize("name", ["from_", "to"])
def test_malformed_or_out_of_range_time_is_refused_by_its_parameters_name(name, text):
    assert refused(**{name: text}) == name.rstrip("_")


def test_range_that_ends_before_it_begins_is_refused():
    assert refused(from_="2000", to="1999") == "from"
    assert parsed(from_="2000", to="2000").to_ms == 2000


def test_pages_go_forward_with_from_and_backward_with_to_alone():
    assert parsed(from_="0").forward
    assert not parsed(to="5").forward


@pytest.mark.parametrize(("text", "limit"), [("1", 1), ("100", 100), (str(MAX_LIMIT), 5000), ("007", 7)])
def test_limit_from_one_to_the_maximum_is_accepted(text, limit):
    assert DEFAULT_LIMIT == 100
    assert parsed(limit=text).limit == limit


@pytest.mark.parametrize("text", ["", "0", "-1", "5001", "1.5", "ten", "1e3", " 5", "9" * 30, "٣"])
def test_limit_outside_its_range_is_refused(text):
    assert refused(limit=text) == "limit"


@pytest.mark.parametrize("interval", INTERVALS)
def test_every_interval_of_the_exchange_is_accepted(interval):
    assert parsed(interval=interval).interval == interval


@pytest.mark.parametrize("text", ["", "1s", "0m", "01m", "1D", "1minute", "1m,1h", "99999m", "400d", "2M", "m"])
def test_unknown_interval_is_refused_and_case_matters(text):
    assert refused(interval=text) == "interval"
    assert parsed(interval="1M").interval != parsed(interval="1m").interval


@pytest.mark.parametrize("column", list(STATS.columns))
def test_ranking_by_any_column_is_descending_by_default(column):
    assert (parsed(sort=column).sort, parsed(sort=column).descending) == (column, True)
    assert parsed(sort=column, order="asc").descending is False


@pytest.mark.parametrize("text", ["", "price", "volume desc", "__class__", "volume;"])
def test_ranking_by_an_unknown_column_is_refused(text):
    assert refused(sort=text) == "sort"


@pytest.mark.parametrize("text", ["", "down", "DESCENDING"])
def test_order_other_than_asc_and_desc_is_refused(text):
    assert refused(sort="volume", order=text) == "order"


def test_error_names_the_bad_parameter_and_not_the_valid_ones():
    assert refused(symbol="ETHUSDT", limit="0", interval="1m") == "limit"
