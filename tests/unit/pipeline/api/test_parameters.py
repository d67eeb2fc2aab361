import pytest

from pipeline.api.parameters import DEFAULT_LIMIT, LAST_MS, MAX_LIMIT, MAX_SYMBOLS
from pipeline.api.query import BadParameter, read_query
from pipeline.api.route_specs import ROUTES
from pipeline.intervals import INTERVALS
from pipeline.tables import STATS

# Of the parameters with one name the first route's: /depth takes one symbol only.
EVERY_PARAMETER = tuple({e.name: e for route in reversed(ROUTES.values()) for e in route.parameters}.values())

MOMENT_MS = 1_795_461_947_000


def refused(**arguments):
    """The parameter that is named in the refusal of these (`from_` stands for from)."""
    with pytest.raises(BadParameter) as caught:
        asked(**arguments)
    assert str(caught.value)
    return caught.value.parameter


def asked(**arguments):
    return read_query([(name.rstrip("_"), value) for name, value in arguments.items()], EVERY_PARAMETER)


def test_request_without_parameters_is_valid_and_wants_the_newest():
    found = asked()
    assert (found.symbols, found.from_ms, found.to_ms, found.limit, found.interval) == ((), None, None, 100, "1m")
    assert (found.sort, found.forward) == (None, False)


def test_parameter_that_is_repeated_is_refused_even_with_the_same_value():
    with pytest.raises(BadParameter, match="twice"):
        read_query([("symbol", "ETHUSDT"), ("limit", "3"), ("symbol", "ETHUSDT")], EVERY_PARAMETER)


@pytest.mark.parametrize("name", ["simbol", "Symbol", "", "limit ", "from_ms"])
def test_parameter_that_the_route_does_not_have_is_refused_with_those_it_has(name):
    with pytest.raises(BadParameter, match="symbol, from, to") as caught:
        read_query([(name, "1")], ROUTES["/klines"].parameters)
    assert caught.value.parameter == name


def test_parameter_that_must_be_given_is_named_when_it_is_not():
    with pytest.raises(BadParameter, match="must be given") as caught:
        read_query([("levels", "5")], ROUTES["/depth"].parameters, ROUTES["/depth"].required)
    assert caught.value.parameter == "symbol"


def test_points_are_no_more_than_the_limit_that_is_given_beside_them():
    assert asked(symbol="A", points="500").points == 500
    assert asked(symbol="A", points="500", limit="20").points == 20


@pytest.mark.parametrize("text", ["1:A:0", "1700000000000:1000SATSUSDT:123456789"])
def test_cursor_is_read_as_it_was_written(text):
    assert str(asked(symbol="A", cursor=text).cursor) == text


@pytest.mark.parametrize("text", ["", "1", "1:A", "x:A:0", "1:a:0", "1:A:-1", "1:A:0:0", "1:A:" + "9" * 19])
def test_cursor_that_no_link_has_is_refused(text):
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


def test_values_of_choices_and_names_are_read():
    found = asked(tracked="true", quote_asset="usdt", levels="5")
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
    ],
)
def test_symbols_are_trimmed_upper_case_and_without_repeats(text, symbols):
    assert asked(symbol=text).symbols == symbols


@pytest.mark.parametrize(
    "text", ["", " ", ",", "ETH USDT", "ETH/USDT", "ETHUSDT;DROP TABLE", "ETHUSDT'", "X" * 21, "ETH\nUSDT", "Ω", "*"]
)
def test_symbol_that_cannot_be_one_is_refused(text):
    assert refused(symbol=text) == "symbol"


def test_symbols_are_limited_in_number():
    many = [f"S{number}USDT" for number in range(MAX_SYMBOLS)]
    assert len(asked(symbol=",".join(many)).symbols) == MAX_SYMBOLS
    assert refused(symbol=",".join([*many, "ONEMORE"])) == "symbol"
    assert len(asked(symbol=",".join(many * 3)).symbols) == MAX_SYMBOLS


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        (str(MOMENT_MS), MOMENT_MS),
        ("0", 0),
        (str(LAST_MS), LAST_MS),
        ("2026-11-23T19:25:47Z", MOMENT_MS),
        ("2026-11-23T19:25:47.000Z", MOMENT_MS),
        ("2026-11-23T19:25:47", MOMENT_MS),
        ("2026-11-24T00:55:47+05:30", MOMENT_MS),
        ("2026-11-24T00:55:47 05:30", MOMENT_MS),  # a + in a query string that was not encoded
        ("2026-11-23T14:25:47-05:00", MOMENT_MS),
        ("2026-11-23", 1_795_392_000_000),
        ("1970-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59.999Z", LAST_MS),
    ],
)
@pytest.mark.parametrize("name", ["from_", "to"])
def test_time_is_epoch_ms_or_iso_8601(name, text, ms):
    found = asked(**{name: text})
    assert (found.from_ms if name == "from_" else found.to_ms) == ms


@pytest.mark.parametrize("text", ["2026-11-23 19:25:47", "2026-11-23 19:25:47Z"])
def test_time_with_a_blank_instead_of_t_is_taken_as_people_write_it(text):
    """What PostgreSQL, Python's str() and spreadsheets print; ISO 8601 profiles (RFC 3339) allow
    it."""
    assert asked(from_=text).from_ms == MOMENT_MS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "-1",
        str(LAST_MS + 1),
        str(MOMENT_MS * 1000),
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
def test_time_that_is_none_or_out_of_range_is_refused_by_its_name(name, text):
    assert refused(**{name: text}) == name.rstrip("_")


def test_range_that_ends_before_it_begins_is_refused():
    assert refused(from_="2000", to="1999") == "from"
    assert asked(from_="2000", to="2000").to_ms == 2000


def test_from_means_paging_forward_and_to_alone_does_not():
    assert asked(from_="0").forward
    assert not asked(to="5").forward


@pytest.mark.parametrize(("text", "limit"), [("1", 1), ("100", 100), (str(MAX_LIMIT), 5000), ("007", 7)])
def test_limit_from_one_to_the_most_is_taken(text, limit):
    assert DEFAULT_LIMIT == 100
    assert asked(limit=text).limit == limit


@pytest.mark.parametrize("text", ["", "0", "-1", "5001", "1.5", "ten", "1e3", " 5", "9" * 30, "٣"])
def test_limit_outside_its_range_is_refused(text):
    assert refused(limit=text) == "limit"


@pytest.mark.parametrize("interval", INTERVALS)
def test_every_interval_of_the_exchange_is_taken(interval):
    assert asked(interval=interval).interval == interval


@pytest.mark.parametrize("text", ["", "1s", "0m", "01m", "1D", "1minute", "1m,1h", "99999m", "400d", "2M", "m"])
def test_unknown_interval_is_refused_and_case_matters(text):
    assert refused(interval=text) == "interval"
    assert asked(interval="1M").interval != asked(interval="1m").interval


@pytest.mark.parametrize("column", list(STATS.columns))
def test_ranking_by_any_column_is_descending_unless_said_otherwise(column):
    assert (asked(sort=column).sort, asked(sort=column).descending) == (column, True)
    assert asked(sort=column, order="asc").descending is False


@pytest.mark.parametrize("text", ["", "price", "volume desc", "__class__", "volume;"])
def test_ranking_by_an_unknown_column_is_refused(text):
    assert refused(sort=text) == "sort"


@pytest.mark.parametrize("text", ["", "down", "DESCENDING"])
def test_order_other_than_asc_and_desc_is_refused(text):
    assert refused(sort="volume", order=text) == "order"


def test_first_bad_parameter_is_named_and_not_the_good_ones():
    assert refused(symbol="ETHUSDT", limit="0", interval="1m") == "limit"
