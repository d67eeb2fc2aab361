"""The rules about what a panel shows of its data: all digits, bars from 0, in the intended order,
and words where there is nothing. Each rule yields one complaint per place that breaks it."""

import re
from collections.abc import Iterator

from tests.support.grafana.files import panels, targets
from tests.support.grafana.options import columns, option

# Columns of the API that hold prices: they are shown with all their digits.
PRICE = re.compile(r"(^|_)price$|^(spread|best_bid|best_ask|ma_\d+)$")
AS_IT_IS_UNITS = ("string", "dateTimeFromNow", "time:")
MIN_PRICE_DECIMALS = 8
ORDERED_BY_NAME = {"stat", "barchart", "trend", "timeseries"}
FROM = "timeFrom"
CASSANDRA = "hadesarchitect-cassandra-datasource"


def decimals(dashboard: dict) -> Iterator[str]:
    """Every number says how many decimals it has; Grafana would round it to three or four digits.
    A price is shown with all of them: as text, or with the unit `locale` and eight decimals."""
    for panel in panels(dashboard):
        for column in columns(panel):
            if column["type"] != "number" or is_hidden(panel, column["text"]):
                continue
            unit, places = (option(panel, column["text"], name) for name in ("unit", "decimals"))
            if str(unit).startswith(AS_IT_IS_UNITS):
                continue
            if places is None:
                yield f"{panel['title']}: {column['text']} has no decimals"
            elif PRICE.search(column["selector"]) and (unit != "locale" or places < MIN_PRICE_DECIMALS):
                yield f"{panel['title']}: {column['text']} is a price and would be rounded"
    for panel, target in targets(dashboard):
        if target["datasource"]["type"] == CASSANDRA and panel["fieldConfig"]["defaults"].get("decimals") is None:
            yield f"{panel['title']}: no decimals"


def is_hidden(panel: dict, name: str) -> bool:
    return any(name in each["options"].get("excludeByName", {}) for each in panel.get("transformations", []))


def units(dashboard: dict) -> Iterator[str]:
    """The unit `short` says Mil and Bil."""
    for panel in panels(dashboard):
        config = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
        found = [config["defaults"].get("unit")]
        found += [each["value"] for override in config["overrides"] for each in override["properties"]]
        if "short" in found:
            yield f"{panel['title']}: unit short"


def bars_from_zero(dashboard: dict) -> Iterator[str]:
    """A bar that starts above 0 looks several times its neighbour when it is not, and the axis
    jumps at each refresh."""
    for panel in panels(dashboard):
        custom = panel.get("fieldConfig", {}).get("defaults", {}).get("custom", {})
        is_bars = panel["type"] == "barchart" or custom.get("drawStyle") == "bars"
        if is_bars and panel["fieldConfig"]["defaults"].get("min") != 0:
            yield f"{panel['title']}: bars that do not start at 0"


def order(dashboard: dict) -> Iterator[str]:
    """The plugin returns columns sorted by name; so they are named in the order in which they are
    to stand."""
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            names = [column["text"] for column in target.get("columns", [])]
            if panel["type"] in ORDERED_BY_NAME and names != sorted(names):
                yield f"{panel['title']}: {names} would stand in the order {sorted(names)}"


def bids_step_down(dashboard: dict) -> Iterator[str]:
    """The depth of a bid holds down to its price, not up to the next better one."""
    for panel in panels(dashboard):
        for column in columns(panel):
            steps = option(panel, column["text"], "custom.lineInterpolation")
            if panel["type"] == "trend" and column["selector"] == "bid_depth" and steps != "stepBefore":
                yield f"{panel['title']}: the bids are one step too deep"


def empty_ranges(dashboard: dict) -> Iterator[str]:
    """A panel whose queries have a time range says, when it is empty, that the range may be the
    reason. "No data yet" would promise what never comes."""
    for panel, target in targets(dashboard):
        queries = str(target.get("url_options", "")) + str(target.get("target", "")) + str(target.get("expr", ""))
        is_ranged = FROM in queries or target.get("range")
        if is_ranged and "range" not in panel["fieldConfig"]["defaults"]["noValue"]:
            yield f"{panel['title']}: does not say why it is empty"


def counts_in_words(dashboard: dict) -> Iterator[str]:
    """A panel that is empty or at 0 when all is well says so in a word."""
    for panel, target in targets(dashboard):
        if re.search(r"dead_letters|retries_total|failures_total|api_errors", target.get("expr", "")):
            words = [each["options"].get("0", {}).get("text") for each in panel["fieldConfig"]["defaults"]["mappings"]]
            if panel["type"] != "stat" or not any(words):
                yield f"{panel['title']}: looks empty when all is well"


def no_own_scrapes(dashboard: dict) -> Iterator[str]:
    """Prometheus' own requests for metrics are not what the API's panels are about."""
    for panel, target in targets(dashboard):
        expression = target.get("expr", "")
        if re.search(r"\bapi_request", expression) and 'route!="/metrics"' not in expression:
            yield f"{panel['title']}: counts Prometheus' own requests"


def candles_in_order(dashboard: dict) -> Iterator[str]:
    """Open, high, low, close: a tooltip sorted by value would mix them."""
    for panel in panels(dashboard):
        if panel["type"] == "candlestick" and panel["options"]["tooltip"]["sort"] != "none":
            yield f"{panel['title']}: tooltip sorted by value"


def names_the_source(dashboard: dict) -> Iterator[str]:
    """Every dashboard says whether the market is live, simulated or replayed."""
    if not any(column["selector"] == "source" for panel in panels(dashboard) for column in columns(panel)):
        yield "does not say where the data come from"


RULES = (
    decimals,
    units,
    bars_from_zero,
    order,
    bids_step_down,
    empty_ranges,
    counts_in_words,
    no_own_scrapes,
    candles_in_order,
    names_the_source,
)
