"""Every panel of every dashboard, resolved against the stack with recorded data: rows within a
minute, of the right types, ascending by time, from few and quick requests. Cassandra direct is
asked in CQL, as its plugin would."""

import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from pipeline import cassandra_session
from pipeline.settings import load
from pipeline.times import now_ms
from tests.support.grafana import checks
from tests.support.grafana.files import alert_rules, dashboards, panels, recording_rules, targets
from tests.support.grafana.infinity import Field
from tests.support.grafana.metric_names import OF_PROMETHEUS, metrics_in, names_of
from tests.support.grafana.resolver import has_values
from tests.support.grafana.server import Prometheus
from tests.support.grafana.whole import Whole
from tests.support.waiting import wait_until

READY_SECONDS = 60
KEPT_SECONDS = 1.1  # the API keeps answers for a second
DASHBOARDS = dashboards()
DIRECT = "cassandra-direct"
ASKING = [
    (uid, panel) for uid in DASHBOARDS if uid != DIRECT for panel in panels(DASHBOARDS[uid]) if panel.get("targets")
]
# What was recorded of which symbol; everything else is there for each.
RECORDED_OF = {"/recent_trades": "XRPETH", "/order_book": "NKNUSDT", "/depth": "NKNUSDT"}


def of(kind: str) -> list:
    return [
        pytest.param(uid, panel, id=f"{uid}: {panel['title']}")
        for uid, panel in ASKING
        if panel["datasource"]["type"] == kind
    ]


def frames(whole: Whole, uid: str, panel: dict) -> list[list[list[Field]]]:
    """Of each target its frames, with a symbol that has what it asks for."""
    resolver = whole.resolver()
    symbol = next((RECORDED_OF[t["url"]] for t in panel["targets"] if t.get("url") in RECORDED_OF), "ALGOUSDT")
    seen = resolver.open(DASHBOARDS[uid], now_ms(), symbol=symbol)
    return [resolver.frames(target, seen) for target in panel["targets"]]


def shown(found: list[list[list[Field]]]) -> object:
    """True when every target has a value to show, else what there is."""
    return all(map(has_values, found)) or found


def assert_shown_in_time(whole: Whole, uid: str, panel: dict) -> list[list[list[Field]]]:
    left = READY_SECONDS - (time.monotonic() - whole.ready_at)
    wait_until(lambda: shown(frames(whole, uid, panel)), left, f"{panel['title']} within {READY_SECONDS} s of READY")
    return frames(whole, uid, panel)


@pytest.mark.parametrize(("uid", "panel"), of(checks.INFINITY))
def test_panel_of_the_api_has_rows_within_a_minute_of_ready(whole: Whole, uid: str, panel: dict) -> None:
    for target, found in zip(panel["targets"], assert_shown_in_time(whole, uid, panel)):
        (fields,) = found
        kinds = {field.name: field.kind for field in fields}
        wanted = {column["text"]: column["type"].removesuffix("stamp_epoch") for column in target["columns"]}
        assert kinds == wanted
        assert len({len(field.values) for field in fields}) == 1
        for field in fields:
            # A book's level is on one side, so the other depth is null; nothing else may be.
            assert target["url"] == "/depth" or None not in field.values, field.name
            if field.kind == "time" and uid != "pipeline-health":
                assert list(field.values) == sorted(field.values)


@pytest.mark.parametrize(("uid", "panel"), of(checks.PROMETHEUS))
def test_panel_of_prometheus_has_values_within_a_minute_of_ready(
    whole: Whole, prometheus: Prometheus, uid: str, panel: dict
) -> None:
    assert_shown_in_time(whole, uid, panel)


def test_candles_are_candles(whole: Whole) -> None:
    panel = next(panel for uid, panel in ASKING if panel["type"] == "candlestick")
    ((fields,),) = frames(whole, "symbol", panel)
    columns = {field.name: field.values for field in fields}
    rows = list(zip(*(columns[name] for name in ("open", "high", "low", "close"))))
    assert len(rows) > 100
    assert all(low <= min(first, last) and max(first, last) <= high for first, high, low, last in rows)
    times = columns["time"]
    assert {(later - earlier).total_seconds() for earlier, later in pairwise(times)} == {60.0}


def test_depth_rises_by_price_with_bids_below_asks(whole: Whole) -> None:
    panel = next(panel for uid, panel in ASKING if panel["type"] == "trend")
    ((fields,),) = frames(whole, "symbol", panel)
    columns = {field.name: field.values for field in fields}
    assert list(columns["Price"]) == sorted(set(columns["Price"])), "the panel shows an error otherwise"
    bids = [depth for depth in columns["Bids"] if depth is not None]
    asks = [depth for depth in columns["Asks"] if depth is not None]
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert len(bids) + len(asks) == len(columns["Price"])


@pytest.mark.parametrize("uid", [uid for uid in DASHBOARDS if uid != DIRECT])
def test_refresh_is_one_request_a_target(whole: Whole, uid: str) -> None:
    """Prints the API's own time for three refreshes (`-s` shows it; a figure and no assertion,
    because others may use this machine). Between two of them so much time passes that nothing is
    answered from memory that a refresh every five seconds would have read."""
    resolver = whole.resolver()
    asked = [target for _, target in targets(DASHBOARDS[uid]) if target["datasource"]["type"] == checks.INFINITY]
    took = []
    for _ in range(3):
        expired = time.monotonic() + KEPT_SECONDS
        wait_until(lambda end=expired: time.monotonic() > end, 5, "answers kept in memory expire")
        seen = resolver.open(DASHBOARDS[uid], now_ms())
        requests_before, seconds_before = resolver.requests, api_seconds(whole)
        for target in asked:
            resolver.frames(target, seen)
        assert resolver.requests - requests_before == len(asked)
        took.append(api_seconds(whole) - seconds_before)
    print(f"\n{uid}: {len(asked)} requests, ms of API time: {[round(seconds * 1000) for seconds in took]}")


def api_seconds(whole: Whole) -> float:
    """Time that the API has spent on answers, Prometheus' own requests apart."""
    samples = (sample for family in live(whole, "api") for sample in family.samples)
    return sum(s.value for s in samples if s.name == "api_request_seconds_sum" and s.labels["route"] != "/metrics")


def live(whole: Whole, job: str) -> list:
    return list(text_string_to_metric_families(requests.get(whole.metrics[job], timeout=5).text))


def test_every_metric_asked_for_is_exported_by_a_running_program(whole: Whole) -> None:
    families = [family for job in whole.metrics for family in live(whole, job)]
    exported = names_of(families) | {sample.name for family in families for sample in family.samples} | OF_PROMETHEUS
    asked = [expression for made in DASHBOARDS.values() for _, expression in checks.expressions(made)]
    asked += [rule["data"][0]["model"]["expr"] for rule in alert_rules()]
    asked += [expression for expressions in recording_rules().values() for expression in expressions]
    names = set().union(*map(metrics_in, asked))
    assert names - exported - set(recording_rules()) == set()


@pytest.fixture(scope="module")
def reader(whole: Whole) -> Iterator:
    settings = load("api", environ=whole.stack.environ, dotenv="/dev/null")
    session = cassandra_session.login(settings, "crypto_reader", settings.CASSANDRA_READER_PASSWORD)
    yield session
    session.cluster.shutdown()


@pytest.mark.parametrize("panel", list(panels(DASHBOARDS[DIRECT])), ids=lambda panel: panel["title"])
def test_statement_reads_name_value_and_time_as_reader(whole: Whole, reader, panel: dict) -> None:
    seen = whole.resolver().open(DASHBOARDS[DIRECT], now_ms(), symbol="ALGOUSDT")
    (target,) = panel["targets"]
    macros = {"$__timeFrom": str(seen.from_ms), "$__timeTo": str(seen.to_ms), "${symbol}": seen.values["symbol"]}
    statement = target["target"]
    for macro, value in macros.items():
        statement = statement.replace(macro, value)
    rows = [tuple(row) for row in reader.execute(statement)]
    assert rows
    name, value, moment = zip(*rows)
    assert set(name) == {"ALGOUSDT"}
    assert all(isinstance(each, int | float) for each in value)
    assert all(each.timestamp() * 1000 >= seen.from_ms for each in moment)
