"""The rules about colours: text can be read in both themes, and the series of a panel can be told
apart. Each rule yields one complaint per place that breaks it."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from tests.support.grafana.colours import contrast_as_text, contrast_as_tile, distance
from tests.support.grafana.files import panels
from tests.support.grafana.options import columns, matches

MIN_CONTRAST = 4.5
MIN_DISTANCE = 60
SERIES_PANELS = {"timeseries", "barchart", "trend", "candlestick"}
BY_NAME = "palette-classic-by-name"


def contrast(dashboard: dict) -> Iterator[str]:
    """Text in a colour, and text on a coloured tile, in the dark and in the light theme."""
    for panel in panels(dashboard):
        for colour, is_tile in text_colours(panel):
            try:
                found = contrast_as_tile(colour) if is_tile else contrast_as_text(colour)
            except KeyError:
                yield f"{panel['title']}: colour {colour} is not known, write it as #rrggbb"
                continue
            if found < MIN_CONTRAST:
                yield f"{panel['title']}: {'text on ' if is_tile else 'text in '}{colour} has a contrast of {found:.2f}"


def text_colours(panel: dict) -> Iterator[tuple[str, bool]]:
    """(colour, whether it is the background) of all text in a panel."""
    config = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
    if panel["type"] in ("stat", "state-timeline"):
        is_tile = panel["type"] == "state-timeline" or panel["options"]["colorMode"].startswith("background")
        yield from ((colour, is_tile) for colour in colours_in(config["defaults"]))
        for override in config["overrides"]:
            yield from ((colour, is_tile) for colour in colours_in(properties(override)))
    if panel["type"] == "table":
        yield from ((colour, False) for colour in colours_in(config["defaults"]))
        for override in config["overrides"]:
            cell = properties(override).get("custom.cellOptions", {}).get("type", "")
            if cell.startswith("color-"):
                is_tile = cell == "color-background"
                yield from ((colour, is_tile) for colour in colours_in(properties(override)))


def properties(override: dict) -> dict[str, Any]:
    return {each["id"]: each["value"] for each in override["properties"]}


def colours_in(options: dict[str, Any]) -> Iterator[str]:
    """The colours that these options can give to a value."""
    colour = options.get("color", {})
    if colour.get("mode") == "fixed":
        yield colour["fixedColor"]
    elif "thresholds" in options:
        yield from (step["color"] for step in options["thresholds"]["steps"])
    for mapping in options.get("mappings", []):
        results = [mapping["options"]["result"]] if mapping["type"] == "regex" else mapping["options"].values()
        yield from (result["color"] for result in results if "color" in result)


def series(dashboard: dict) -> Iterator[str]:
    """Each series of a panel has its own colour, in both themes. Colours by name are hashes: two
    names may get the same one."""
    for panel in panels(dashboard):
        if panel["type"] not in SERIES_PANELS:
            continue
        colour = panel["fieldConfig"]["defaults"].get("color", {})
        if colour.get("mode") == BY_NAME:
            yield f"{panel['title']}: {BY_NAME} gives two names the same colour now and then"
        fixed = fixed_colours(panel)
        for (one, its), (other, others) in combinations(fixed.items(), 2):
            if distance(its, others) < MIN_DISTANCE:
                yield f"{panel['title']}: {one} and {other} look the same"
        if colour.get("mode") == "fixed":
            uncoloured = [name for name in series_names(panel) if not has_colour(panel, name)]
            if len(uncoloured) > 1:
                yield f"{panel['title']}: {', '.join(uncoloured)} have one colour"


def fixed_colours(panel: dict) -> dict[str, str]:
    overrides = [(each["matcher"]["options"], properties(each)) for each in panel["fieldConfig"]["overrides"]]
    return {name: found["color"]["fixedColor"] for name, found in overrides if "color" in found}


def series_names(panel: dict) -> list[str]:
    """The names of the series, as far as the panel's queries tell them."""
    numbers = [column["text"] for column in columns(panel) if column["type"] == "number"]
    x = panel["options"].get("xField")
    legends = [target["legendFormat"] for target in panel["targets"] if "legendFormat" in target]
    return [name for name in numbers if name != x] + legends


def has_colour(panel: dict, name: str) -> bool:
    overrides = panel["fieldConfig"]["overrides"]
    return any(matches(each["matcher"], name) and "color" in properties(each) for each in overrides)
