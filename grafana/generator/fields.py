"""How values are displayed: units, decimals, colours and thresholds, for all fields of a panel or
for one. Knows Grafana's field options; knows nothing of panel types."""

from typing import Any

from grafana.generator.palette import BAD_TILE, DOWN_TEXT, GOOD_TILE, PLAIN_TEXT, UP_TEXT

NO_DATA = "No data yet"
EMPTY_RANGE = "No rows in this time range: it may lie before the pipeline's first row"
NO_FRAMES = "No frame yet: the next change brings one"
NO_SAMPLES = "No samples in this time range: Prometheus or the program may not have run"

# Shows a number with thousands separators and as many decimals as it has, up to 8. Without explicit
# decimals Grafana rounds to three or four digits: 3361.24 would be 3361.
EXACT: dict[str, Any] = {"unit": "locale", "decimals": 8}
# Thousands as K, M, B without a currency sign: 7.13B. (The unit `short` says "Bil".)
AMOUNT: dict[str, Any] = {"unit": "currency:", "decimals": 2}


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


def text_mappings(*mappings: tuple[str, str, str]) -> list[dict[str, Any]]:
    """Text displayed as a coloured word: (regular expression for the whole text, word, colour). The
    first that matches applies."""
    return [
        {
            "type": "regex",
            "options": {"pattern": f"/^{pattern}$/", "result": {"index": at, "text": word, "color": tile}},
        }
        for at, (pattern, word, tile) in enumerate(mappings)
    ]


# A number that says up or down by its sign. 0 is neither, so it has no colour.
BY_SIGN: dict[str, Any] = {
    "color": {"mode": "thresholds"},
    "thresholds": threshold_steps((None, DOWN_TEXT), (0, PLAIN_TEXT), (1e-9, UP_TEXT)),
}
OK_OR_NOT = value_mappings(("1", "OK", GOOD_TILE), ("0", "NOT OK", BAD_TILE))
NONE_IS_WELL = value_mappings(("0", "none", GOOD_TILE))


def defaults(unit: str, **options: Any) -> dict[str, Any]:
    """The options of all fields of a panel."""
    colour = options.pop("colour", None)
    standard: dict[str, Any] = {
        "unit": unit,
        "noValue": NO_DATA,
        "color": {"mode": "fixed", "fixedColor": colour} if colour else {"mode": "thresholds"},
        "thresholds": threshold_steps((None, PLAIN_TEXT)),
        "mappings": [],
        "custom": {},
    }
    return {**standard, **options}


def override(field: str, **options: Any) -> dict[str, Any]:
    """Options of the field with this name: `colour`, or any option by its id, where `custom_`
    stands for `custom.`."""
    return _override("byName", field, options)


def override_matching(pattern: str, **options: Any) -> dict[str, Any]:
    """The same for the fields whose name matches a regular expression."""
    return _override("byRegexp", f"/{pattern}/", options)


def _override(matcher: str, field: str, options: dict[str, Any]) -> dict[str, Any]:
    properties: list[dict[str, Any]] = []
    for key, value in options.items():
        if key == "colour":
            properties.append({"id": "color", "value": {"mode": "fixed", "fixedColor": value}})
        else:
            properties.append({"id": key.replace("custom_", "custom."), "value": value})
    return {"matcher": {"id": matcher, "options": field}, "properties": properties}


def colours(of: dict[str, str]) -> list[dict[str, Any]]:
    """A colour per field name."""
    return [override(name, colour=colour) for name, colour in of.items()]
