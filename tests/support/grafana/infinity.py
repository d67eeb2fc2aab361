"""Converts a response as the plugin's backend parser does, according to its source: root selector,
columns, types, format. Knows JSON and the query model; sends nothing."""

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NoFrame(Exception):
    """The plugin shows an error instead of rows."""


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """A column as Grafana receives it. `kind` is time, number, string or boolean; None is null."""

    name: str
    kind: str
    values: tuple[Any, ...]
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)


def text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def number(value: Any) -> float | None:
    # The plugin turns a boolean in a number column into null.
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def boolean(value: Any) -> bool | None:
    if isinstance(value, str):
        return True if value.lower() == "true" else None
    return value if isinstance(value, bool) else None


def epoch_ms(value: Any) -> datetime | None:
    ms = number(value)
    return None if ms is None else EPOCH + timedelta(milliseconds=int(ms))


TYPES = {
    "string": ("string", text),
    "number": ("number", number),
    "boolean": ("boolean", boolean),
    "timestamp_epoch": ("time", epoch_ms),
}


def frame(response: Any, query: Mapping[str, Any]) -> list[Field]:
    """The fields of one frame, sorted by title; none if there are no rows. Raises NoFrame."""
    rows = _selected(response, query.get("root_selector", ""))
    rows = rows if isinstance(rows, list) else [rows]
    if not rows:
        return []
    fields = []
    for column in query["columns"]:
        values = [_path(row, column["selector"]) for row in rows]
        if any(isinstance(value, list | dict) for value in values):
            raise NoFrame(f"{column['selector']} is not a single value: it would be shown as JSON")
        kind, convert = TYPES[column["type"]]
        fields.append(Field(column["text"] or column["selector"], kind, tuple(map(convert, values))))
    fields.sort(key=lambda field: field.name)
    return _wide(fields) if query["format"] == "timeseries" else fields


def _selected(response: Any, selector: str) -> Any:
    if not selector:
        return response
    value = _path(response, selector)
    if value is None:
        raise NoFrame(f"root_selector {selector}: no results found")
    return value


def _path(value: Any, selector: str) -> Any:
    """The value at a path of names, as GJSON and JSONata both define it; None if there is none."""
    for part in selector.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _wide(fields: list[Field]) -> list[Field]:
    """Long to wide format: each combination of the string fields becomes a series with labels. A
    frame without strings stays as it is. So does, silently, a frame whose times are null or not
    ascending: the plugin does the same."""
    time = next((field for field in fields if field.kind == "time"), None)
    names = [field for field in fields if field.kind == "string"]
    if time is None or not names or None in time.values or list(time.values) != sorted(time.values):
        return fields
    times = sorted(set(time.values))
    series: dict[tuple, dict[datetime, Any]] = {}
    for field in fields:
        if field.kind in ("number", "boolean"):
            for index, instant in enumerate(time.values):
                labels = tuple((name.name, name.values[index]) for name in names)
                series.setdefault((field.name, field.kind, labels), {})[instant] = field.values[index]
    fields_of_series = [
        Field(name, kind, tuple(values.get(instant) for instant in times), dict(labels))
        for (name, kind, labels), values in series.items()
    ]
    return [Field(time.name, "time", tuple(times)), *fields_of_series]
