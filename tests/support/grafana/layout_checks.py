"""The rules about space: what a panel shows fits a phone (420 px), where panels are stacked at full
width, and a laptop (1600 px with the menu open). Widths are those that a real Grafana was seen to
need. Each rule yields one complaint per place that breaks it."""

import re
from collections.abc import Iterator

from tests.support.grafana.files import panels
from tests.support.grafana.options import option, shown_columns

# What a panel of the full width leaves for its content on a phone of 420 px.
PHONE_PX = 380
# A column of the grid at 1600 px, with the menu open.
GRID_COLUMN_PX = 54
PANEL_PADDING_PX = 20
DEFAULT_COLUMN_PX = 150  # a table's column, unless it says otherwise
MAX_STAT_VALUES = 3
MONOSPACE_PX = 8.4
TITLE_PX, TITLE_EXTRA_PX = 7.5, 60  # a character; the padding and the symbol of the description
GRID_ROW_PX, GRID_GAP_PX = 30, 8
TABLE_ROW_PX, PANEL_HEADER_PX = 36, 40
# The longest usual value, for a variable in a title.
SYMBOL = "1000SATSUSDT"


def column_px(panel: dict, name: str) -> int:
    return option(panel, name, "custom.width") or option(panel, name, "custom.minWidth") or DEFAULT_COLUMN_PX


def table_width(dashboard: dict) -> Iterator[str]:
    """All columns of a table are in sight, on a phone and on a laptop."""
    for panel in panels(dashboard):
        if panel["type"] == "table":
            needed = sum(column_px(panel, name) for name in shown_columns(panel))
            for available, where in ((PHONE_PX, "a phone"), (panel_px(panel), "a laptop")):
                if needed > available:
                    yield f"{panel['title']}: its columns need {needed} px, {where} has {available}"


def panel_px(panel: dict) -> int:
    return panel["gridPos"]["w"] * GRID_COLUMN_PX - PANEL_PADDING_PX


def table_height(dashboard: dict) -> Iterator[str]:
    """A table of at most twelve rows shows all of them without scrolling."""
    for panel in panels(dashboard):
        if panel["type"] != "table":
            continue
        parameters = [each for target in panel["targets"] for each in target.get("url_options", {}).get("params", [])]
        rows = min((int(each["value"]) for each in parameters if each["key"] == "limit"), default=0)
        height = panel["gridPos"]["h"] * (GRID_ROW_PX + GRID_GAP_PX) - GRID_GAP_PX - PANEL_HEADER_PX
        if rows <= 12 and height < (rows + 1) * TABLE_ROW_PX:
            yield f"{panel['title']}: {rows} rows do not fit its height"


def stat_values(dashboard: dict) -> Iterator[str]:
    """The values of a stat panel stand side by side; on a phone, more than three are unreadable."""
    for panel in panels(dashboard):
        if panel["type"] == "stat" and len(shown_columns(panel)) > MAX_STAT_VALUES:
            yield f"{panel['title']}: {len(shown_columns(panel))} values in one panel"


def text_width(dashboard: dict) -> Iterator[str]:
    """No line of a drawing in characters wraps on a phone."""
    for panel in panels(dashboard):
        for block in re.findall(r"```(.*?)```", panel.get("options", {}).get("content", ""), re.DOTALL):
            longest = max(map(len, block.splitlines()))
            if longest * MONOSPACE_PX > PHONE_PX:
                yield f"{panel['title']}: a line of {longest} characters wraps on a phone"


def titles(dashboard: dict) -> Iterator[str]:
    """No title is cut on a laptop or a phone."""
    for panel in panels(dashboard):
        title = re.sub(r"\$\{?symbol\}?", SYMBOL, panel["title"])
        if len(title) * TITLE_PX + TITLE_EXTRA_PX > min(panel_px(panel) + PANEL_PADDING_PX, PHONE_PX):
            yield f"{panel['title']}: the title is cut"


RULES = (table_width, table_height, stat_values, text_width, titles)
