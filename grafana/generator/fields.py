"""How values look: units, decimals, colours, thresholds, and the same for one field of a panel.
Knows Grafana's field options; knows nothing of panel types."""

from typing import Any

from grafana.generator.palette import BAD, GOOD, GREY

NO_DATA = "No data yet"


def steps(*pairs: tuple[float | None, str]) -> dict[str, Any]:
    """Thresholds: from each value upwards its colour; the first value is None."""
    return {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in pairs]}


def texts(*shown: tuple[str, str, str]) -> list[dict[str, Any]]:
    """Values shown as a word in a colour: (value, word, colour)."""
    options = {
        value: {"index": index, "text": word, "color": colour} for index, (value, word, colour) in enumerate(shown)
    }
    return [{"type": "value", "options": options}]


OK_OR_NOT = texts(("1", "OK", GOOD), ("0", "NOT OK", BAD))


def defaults(unit: str, **options: Any) -> dict[str, Any]:
    """The options of all fields of a panel. `none` as unit: a plain number, with as many decimals
    as it needs."""
    colour = options.pop("colour", None)
    found = {
        "unit": unit,
        "noValue": NO_DATA,
        "color": {"mode": "fixed", "fixedColor": colour} if colour else {"mode": "thresholds"},
        "thresholds": steps((None, GREY)),
        "mappings": [],
        "custom": {},
    }
    return {**found, **options}


def only(name: str, **properties: Any) -> dict[str, Any]:
    """Options of the field called `name`: `colour`, or any option by its id with `_` for `.` after
    custom."""
    found = []
    for key, value in properties.items():
        if key == "colour":
            found.append({"id": "color", "value": {"mode": "fixed", "fixedColor": value}})
        else:
            found.append({"id": key.replace("custom_", "custom."), "value": value})
    return {"matcher": {"id": "byName", "options": name}, "properties": found}
