"""Every panel of every dashboard, resolved against the stack with recorded data: it has rows within
a minute, with the right types, in ascending order of time, and sends few requests. The queries of
Cassandra direct are sent as CQL, as its plugin would."""

import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
import requests
from cassandra.cluster import Session
from prometheus_client.parser import text_string_to_metric_families

from pipeline import cassandra_session
from pipeline.settings import load
from pipeline.times import now_ms
from tests.support.grafana import checks
from tests.support.grafana.files import alert_rules, dashboards, panels, recording_rules, targets
from tests.support.grafana.infinity import Field
from tests.support.grafana.metric_names import PROMETHEUS_OWN, metrics_in, names_of
from tests.support.grafana.monitored_stack import MonitoredStack
from tests.support.grafana.resolver import has_values
from tests.support.grafana.server import Prometheus
from tests.support.waiting import seconds_passed, wait_until

READY_SECONDS = 60
CACHE_SECONDS = 1.1  # the API caches responses for a second
METRICS_CACHE_SECONDS = 0.4  # and its metrics for 0.3 s
DASHBOARDS = dashboards()
CASSANDRA_DIRECT = "cassandra-direct"
QUERYING_PANELS = [
    (uid, panel)
    for uid in DASHBOARDS
    for panel in panels(DASHBOARDS[uid])
    if panel.get("targets") and panel["datasource"]["type"] != checks.CASSANDRA
]
CASSANDRA_PANELS = [
    panel for panel in panels(DASHBOARDS[CASSANDRA_DIRECT]) if panel["datasource"]["type"] == checks.CASSANDRA
]
# These routes have recorded data of one symbol only; the others have data of every symbol.
RECORDED_SYMBOL = {"/recent_trades": "XRPETH", "/order_book": "NKNUSDT", "/depth": "NKNUSDT"}


def panels_of(kind: str) -> list:
    return [
        pytest.param(uid, panel, id=f"{uid}: {panel['title']}")
        for uid, panel in QUERYING_PANELS
        if panel["datasource"]["type"] == kind
    ]


def symbol_of(panel: dict) -> str:
    """One that has the requested data."""
    urls = [target.get("url") for target in panel.get("targets", [])]
    return next((RECORDED_SYMBOL[url] for url in urls if url in RECORDED_SYMBOL), "ALGOUSDT")


def frames(monitored: MonitoredStack, uid: str, panel: dict) -> list[list[list[Field]]]:
    """The frames of each target, with a symbol that has the requested data."""
    resolver = monitored.resolver()
    view = resolver.open(DASHBOARDS[uid], now_ms(), symbol=symbol_of(panel))
    return [resolver.frames(target, view) for target in panel["targets"]]


def all_have_values(targets: list[list[list[Field]]]) -> object:
    """For wait_until: True when every target has a value to show, else the frames."""
    return all(map(has_values, targets)) or targets


def assert_shown_in_time(monitored: MonitoredStack, uid: str, panel: dict) -> list[list[list[Field]]]:
    remaining = READY_SECONDS - (time.monotonic() - monitored.ready_at)
    what = f"{panel['title']} within {READY_SECONDS} s of READY"
    wait_until(lambda: all_have_values(frames(monitored, uid, panel)), remaining, what)
    return frames(monitored, uid, panel)


@pytest.mark.parametrize(("uid", "panel"), panels_of(checks.INFINITY))
def test_panel_of_the_api_has_rows_within_a_minute_of_ready(monitored: MonitoredStack, uid: str, panel: dict) -> None:
    for target, target_frames in zip(panel["targets"], assert_shown_in_time(monitored, uid, panel)):
        (fields,) = target_frames
        kinds = {field.name: field.kind for field in fields}
        wanted = {column["text"]: column["type"].removesuffix("stamp_epoch") for column in target["columns"]}
        if target["format"] == "timeseries":  # a name becomes the label of a series
            wanted = {title: kind for title, kind in wanted.items() if kind != "string"}
        assert kinds == wanted
        assert len({len(field.values) for field in fields}) == 1
        for field in fields:
            # A level is on one side of the order book, so its depth on the other side is null; a
            # series may lack a time that another one has; the first candles of a recording have no
            # average; a forecast has no score before there were others, and no outcome before its
            # window has closed. No other field may be null.
            may_be_null = target["url"] in ("/depth", "/forecasts") or field.labels or field.name.startswith("MA ")
            assert may_be_null or None not in field.values, field.name
            if field.kind == "time" and uid != "pipeline-health":
                assert list(field.values) == sorted(field.values)


@pytest.mark.parametrize(("uid", "panel"), panels_of(checks.PROMETHEUS))
def test_panel_of_prometheus_has_values_within_a_minute_of_ready(
    monitored: MonitoredStack, prometheus: Prometheus, uid: str, panel: dict
) -> None:
    assert_shown_in_time(monitored, uid, panel)


def test_candles_are_consistent_and_a_minute_apart(monitored: MonitoredStack) -> None:
    panel = next(panel for uid, panel in QUERYING_PANELS if panel["type"] == "candlestick")
    ((fields,),) = frames(monitored, "symbol", panel)
    columns = {field.name: field.values for field in fields}
    rows = list(zip(*(columns[name] for name in ("open", "high", "low", "close"))))
    assert len(rows) > 100
    assert all(low <= min(first, last) and max(first, last) <= high for first, high, low, last in rows)
    times = columns["time"]
    assert {(later - earlier).total_seconds() for earlier, later in pairwise(times)} == {60.0}


def test_depth_rises_by_price_with_bids_below_asks(monitored: MonitoredStack) -> None:
    panel = next(panel for uid, panel in QUERYING_PANELS if panel["type"] == "trend")
    ((fields,),) = frames(monitored, "symbol", panel)
    columns = {field.name: field.values for field in fields}
    assert list(columns["Price"]) == sorted(set(columns["Price"])), "otherwise the panel shows an error"
    bids = [depth for depth in columns["1 Bids"] if depth is not None]
    asks = [depth for depth in columns["2 Asks"] if depth is not None]
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert len(bids) + len(asks) == len(columns["Price"])


@pytest.mark.parametrize("uid", [uid for uid in DASHBOARDS if uid != CASSANDRA_DIRECT])
def test_refresh_sends_one_request_per_target(monitored: MonitoredStack, uid: str) -> None:
    """Prints the API's own time for three refreshes (shown with `-s`; not asserted, because other
    programs may use this machine). Between two refreshes the API's cache expires, as it does when a
    dashboard refreshes every five seconds."""
    resolver = monitored.resolver()
    api_targets = [t for _, t in targets(DASHBOARDS[uid]) if t["datasource"]["type"] == checks.INFINITY]
    durations = []
    for _ in range(3):
        wait_until(seconds_passed(CACHE_SECONDS), 30, "the API's cache expires")
        view = resolver.open(DASHBOARDS[uid], now_ms())
        requests_before, seconds_before = resolver.requests, api_seconds(monitored)
        for target in api_targets:
            resolver.frames(target, view)
        assert resolver.requests - requests_before == len(api_targets)
        durations.append(api_seconds(monitored) - seconds_before)
    print(f"\n{uid}: {len(api_targets)} requests, ms of API time: {[round(seconds * 1000) for seconds in durations]}")


# KiB that the browser got per refresh of a dashboard before its panels requested `fields`, and how
# much of that they may be now.
EARLIER_KIB = {"market-overview": 229, "symbol": 242}
MAX_SHARE = 1 / 3


@pytest.mark.parametrize("uid", EARLIER_KIB)
def test_browser_gets_a_third_of_what_it_once_got_per_refresh(monitored: MonitoredStack, uid: str) -> None:
    """Responses, which Infinity copies to the browser, and the frames made of them. With symbols
    that have all that is shown; the stack has four symbols, a live one has a few hundred."""
    total = 0
    for panel in panels(DASHBOARDS[uid]):
        resolver = monitored.resolver()
        view = resolver.open(DASHBOARDS[uid], now_ms(), symbol=symbol_of(panel))
        before = resolver.browser_bytes
        for target in panel.get("targets", []):
            resolver.frames(target, view)
        print(f"\n{uid}: {panel['title']}: {(resolver.browser_bytes - before) / 1024:.1f} KiB", end="")
        total += resolver.browser_bytes - before
    print(f"\n{uid}: {total / 1024:.1f} KiB per refresh, once {EARLIER_KIB[uid]}")
    assert total / 1024 < MAX_SHARE * EARLIER_KIB[uid]


def api_seconds(monitored: MonitoredStack) -> float:
    """Time that the API has spent on responses, except those to Prometheus."""
    wait_until(seconds_passed(METRICS_CACHE_SECONDS), 5, "a new text of the API's metrics")
    samples = (sample for family in metric_families(monitored, "api") for sample in family.samples)
    return sum(s.value for s in samples if s.name == "api_request_seconds_sum" and s.labels["route"] != "/metrics")


def metric_families(monitored: MonitoredStack, job: str) -> list:
    return list(text_string_to_metric_families(requests.get(monitored.metrics_urls[job], timeout=5).text))


def test_every_queried_metric_is_exported_by_a_running_program(monitored: MonitoredStack) -> None:
    families = [family for job in monitored.metrics_urls for family in metric_families(monitored, job)]
    exported = names_of(families) | {sample.name for family in families for sample in family.samples} | PROMETHEUS_OWN
    queries = [query for dashboard in DASHBOARDS.values() for _, query in checks.expressions(dashboard)]
    queries += [rule["data"][0]["model"]["expr"] for rule in alert_rules()]
    queries += [query for expressions in recording_rules().values() for query in expressions]
    names = set().union(*map(metrics_in, queries))
    assert names - exported - set(recording_rules()) == set()


@pytest.fixture(scope="module")
def reader(monitored: MonitoredStack) -> Iterator[Session]:
    settings = load("api", environ=monitored.stack.environ, dotenv="/dev/null")
    session = cassandra_session.login(settings, "crypto_reader", settings.CASSANDRA_READER_PASSWORD)
    yield session
    session.cluster.shutdown()


@pytest.mark.parametrize("panel", CASSANDRA_PANELS, ids=lambda panel: panel["title"])
def test_statement_reads_name_value_and_time_as_reader(monitored: MonitoredStack, reader: Session, panel: dict) -> None:
    view = monitored.resolver().open(DASHBOARDS[CASSANDRA_DIRECT], now_ms(), symbol="ALGOUSDT")
    (target,) = panel["targets"]
    statement = view.filled(target["target"])
    rows = [tuple(row) for row in reader.execute(statement)]
    assert rows
    names, values, times = zip(*rows)
    assert set(names) == {"ALGOUSDT"}
    assert all(isinstance(each, int | float) for each in values)
    assert all(each.timestamp() * 1000 >= view.from_ms for each in times)
