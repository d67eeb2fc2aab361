"""The rules about panels that show a channel of Grafana Live: what a real Grafana was seen to need.
Each rule yields one complaint per place that breaks it."""

import re
from collections.abc import Iterator

from tests.support.grafana.files import panels
from tests.support.grafana.options import option

LIVE = {"type": "datasource", "uid": "grafana"}
STREAM = "stream/crypto/"
# The fields of each channel, as the browser gets them: sorted by name. A test compares them with
# what the pusher sends.
FIELDS: dict[str, tuple[str, ...]] = {
    "price": ("price",),
    "prices": ("price",),
    "book": ("ask", "bid", "spread"),
    "trades": ("price", "quantity", "side"),
    "candle": ("close", "high", "low", "open", "trades", "volume"),
}
CHANNEL = re.compile(rf"{STREAM}(prices|(price|book|trades|candle)_\$\{{live_name\}})")
MIN_PRICE_DECIMALS = 8
MAX_STAT_VALUES = 3


def streams(dashboard: dict) -> Iterator[tuple[dict, dict]]:
    """(panel, target) of every channel."""
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            if target.get("datasource") == LIVE:
                yield panel, target


def fields_of(target: dict) -> tuple[str, ...]:
    return FIELDS[target["channel"].removeprefix(STREAM).split("_")[0]]


def channels(dashboard: dict) -> Iterator[str]:
    """A channel that is pushed, by the name that symbols of every script have, in the query model
    of the source."""
    for panel, target in streams(dashboard):
        if not CHANNEL.fullmatch(target.get("channel", "")):
            yield f"{panel['title']}: nobody pushes {target.get('channel')}"
        if target.get("queryType") != "measurements" or not target.get("buffer"):
            yield f"{panel['title']}: not a query for a channel"
        if "filter" in target:
            yield f"{panel['title']}: a variable in a filter does not work"


def alone(dashboard: dict) -> Iterator[str]:
    """A channel and another query in one panel: it stays empty and loads forever."""
    for panel, _ in streams(dashboard):
        if len(panel["targets"]) > 1:
            yield f"{panel['title']}: a channel with another query"


def moving(dashboard: dict) -> Iterator[str]:
    """The time axis moves between frames; the range is short, because nothing older is there."""
    if any(streams(dashboard)):
        if not dashboard.get("liveNow"):
            yield "liveNow is off"
        if not re.fullmatch(r"now-([1-9]|1[0-5])m", dashboard["time"]["from"]):
            yield f"range {dashboard['time']['from']}: a stream begins when the page is opened"
    for panel, _ in streams(dashboard):
        if panel["type"] == "timeseries" and not re.fullmatch(r"([1-9]|1[0-5])m", panel.get("timeFrom", "")):
            yield f"{panel['title']}: a range of hours that a link brings would make a dot of it"


def digits(dashboard: dict) -> Iterator[str]:
    """All numbers of a stream are prices or amounts: shown with all their digits."""
    for panel, _ in streams(dashboard):
        defaults = panel["fieldConfig"]["defaults"]
        if defaults.get("unit") != "locale" or defaults.get("decimals", 0) < MIN_PRICE_DECIMALS:
            yield f"{panel['title']}: prices would be rounded"


def values(dashboard: dict) -> Iterator[str]:
    """At most three values in a stat; on a phone, more are unreadable."""
    for panel, target in streams(dashboard):
        if panel["type"] == "stat":
            pattern = panel["options"]["reduceOptions"]["fields"].strip("/")
            shown = [name for name in fields_of(target) if re.search(pattern, name)]
            if not 1 <= len(shown) <= MAX_STAT_VALUES:
                yield f"{panel['title']}: {len(shown)} values in one panel"


def names(dashboard: dict) -> Iterator[str]:
    """Overrides and columns are of fields that the channel has; a table names each column."""
    for panel, target in streams(dashboard):
        known = {*fields_of(target), "time"}
        organised = [each["options"] for each in panel["transformations"] if each["id"] == "organize"]
        reduced = any(each["id"] == "reduce" for each in panel["transformations"])
        if reduced:
            known = {"Field", "symbol", "Last *"}
        for options in organised:
            for name in sorted((set(options["renameByName"]) | set(options["excludeByName"])) - known):
                yield f"{panel['title']}: no field {name}"
            shown = set(options["renameByName"].values())
            for name in sorted(known - set(options["excludeByName"]) - set(options["renameByName"])):
                yield f"{panel['title']}: the column {name} has no title"
            known = shown
        for override in panel["fieldConfig"]["overrides"]:
            if override["matcher"]["options"] not in known:
                yield f"{panel['title']}: no field {override['matcher']['options']}"
        if panel["type"] == "table" and sum(option(panel, name, "custom.minWidth") or 150 for name in known) > 380:
            yield f"{panel['title']}: its columns do not fit a phone"


def empty(dashboard: dict) -> Iterator[str]:
    """Before the first frame a panel says that it waits for one."""
    for panel, _ in streams(dashboard):
        if "frame" not in panel["fieldConfig"]["defaults"]["noValue"]:
            yield f"{panel['title']}: does not say why it is empty"


def standstill(dashboard: dict) -> Iterator[str]:
    """A stream that stands still looks like one that moves, so the dashboard says how old it is."""
    if any(streams(dashboard)):
        expressions = [target.get("expr", "") for panel in panels(dashboard) for target in panel.get("targets", [])]
        if not any("live_last_frame_timestamp_seconds" in each for each in expressions) or not dashboard["refresh"]:
            yield "does not say that the stream stands still"


RULES = (channels, alone, moving, digits, values, names, empty, standstill)
