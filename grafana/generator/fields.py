"""How values are displayed: units, decimals, colours and thresholds, for all fields of a panel or
for one. Knows Grafana's field options; knows nothing of panel types."""

from typing import Any

from grafana.generator.palette import BAD, GOOD, GREY

NO_DATA = "No data yet"


def threshold_steps(*steps: tuple[float | None, str]) -> dict[str, Any]:
    """Thresholds as (value, colour): the colour applies from the value upwards. The first value is
    None."""
    return {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in steps]}


def value_mappings(*mappings: tuple[str, str, str]) -> list[dict[str, Any]]:
    """Values displayed as a coloured word: (value, word, colour)."""
    options = {
        value: {"index": index, "text": word, "color": colour} for index, (value, word, colour) in enumerate(mappings)
    }
    return [{"type": "value", "options": options}]


OK_OR_NOT = value_mappings(("1", "OK", GOOD), ("0", "NOT OK", BAD))


def defaults(unit: str, **options: Any) -> dict[str, Any]:
    """The options of all fields of a panel. The unit `none` is a plain number with as many decimals
    as it needs."""
    colour = options.pop("colour", None)
    standard: dict[str, Any] = {
        "unit": unit,
        "noValue": NO_DATA,
        "color": {"mode": "fixed", "fixedColor": colour} if colour else {"mode": "thresholds"},
        "thresholds": threshold_steps((None, GREY)),
        "mappings": [],
        "custom": {},
    }
    return {**standard, **options}


def override(field: str, **options: Any) -> dict[str, Any]:
    """Options of the field with this name: `colour`, or any option by its id, where `custom_`
    stands for `custom.`."""
    properties: list[dict[str, Any]] = []
    for key, value in options.items():
        if key == "colour":
            properties.append({"id": "color", "value": {"mode": "fixed", "fixedColor": value}})
        else:
            properties.append({"id": key.replace("custom_", "custom."), "value": value})
    return {"matcher": {"id": "byName", "options": field}, "properties": properties}
