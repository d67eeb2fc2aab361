"""The panel that says on every dashboard whether the market is real. A simulated price looks like a
real one."""

from grafana.generator.fields import text_mappings
from grafana.generator.palette import LIVE_TILE, REPLAYED_TILE, SIMULATED_TILE, UNKNOWN_TILE
from grafana.generator.panels import Panel, stat
from grafana.generator.targets import TEXT, api, column

KINDS = text_mappings(
    ("live.*", "LIVE", LIVE_TILE),
    ("simulator: replay.*", "REPLAYED", REPLAYED_TILE),
    ("simulator.*", "SIMULATED", SIMULATED_TILE),
)


def data_source() -> Panel:
    return stat(
        "Data source",
        "LIVE: the real exchange. SIMULATED: an invented market, no price is real. REPLAYED: recorded data, moved to "
        "the present.",
        [api("/symbols", [column("source", TEXT, "Source")], {"symbol": "${symbol}"})],
        "string",
        background=True,
        text_mode="value",
        colour=UNKNOWN_TILE,
        mappings=KINDS,
        noValue="not known yet",
    )
