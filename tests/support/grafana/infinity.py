"""What the plugin's backend parser makes of an answer: root selector, columns, types, format, as
its source has it. Knows JSON and the query model; asks nobody."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NoFrame(Exception):
    """The plugin shows an error instead of rows."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column as Grafana gets it; `kind` is time, number, string or boolean, None a null."""

    name: str
    kind: str
    values: tuple[Any, ...]
    labels: Mapping[str, str] | None = None


def text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def number(value: Any) -> float | None:
    # A boolean is no number for the plugin: it becomes null.
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
    found = number(value)
    return None if found is None else EPOCH + timedelta(milliseconds=int(found))


TYPES = {
    "string": ("string", text),
    "number": ("number", number),
    "boolean": ("boolean", boolean),
    "timestamp_epoch": ("time", epoch_ms),
}


def frame(answer: Any, query: Mapping[str, Any]) -> list[Field]:
    """The fields of one frame, sorted by title. No rows: no fields. Raises NoFrame."""
    rows = _selected(answer, query.get("root_selector", ""))
    rows = rows if isinstance(rows, list) else [rows]
    if not rows:
        return []
    fields = []
    for column in query["columns"]:
        values = [_path(row, column["selector"]) for row in rows]
        if any(isinstance(value, list | dict) for value in values):
            raise NoFrame(f"{column['selector']} is no single value: it would be shown as JSON")
        kind, convert = TYPES[column["type"]]
        fields.append(Field(column["text"] or column["selector"], kind, tuple(map(convert, values))))
    fields.sort(key=lambda field: field.name)
    return _wide(fields) if query["format"] == "timeseries" else fields


def _selected(answer: Any, selector: str) -> Any:
    if not selector:
        return answer
    found = _path(answer, selector)
    if found is None:
        raise NoFrame(f"root_selector {selector}: no results found")
    return found


def _path(value: Any, selector: str) -> Any:
    """A path of names, as GJSON and JSONata both understand it; null where it leads nowhere."""
    for part in selector.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _wide(fields: list[Field]) -> list[Field]:
    """Time and numbers stay; with strings beside them each combination becomes fields of its own,
    with labels. Times that are null or go back leave the long frame as it is, as in the plugin,
    where nobody is told."""
    time = next((field for field in fields if field.kind == "time"), None)
    names = [field for field in fields if field.kind == "string"]
    if time is None or not names or None in time.values or list(time.values) != sorted(time.values):
        return fields
    moments = sorted(set(time.values))
    series: dict[tuple, dict[datetime, Any]] = {}
    for field in fields:
        if field.kind in ("number", "boolean"):
            for index, moment in enumerate(time.values):
                labels = tuple((name.name, name.values[index]) for name in names)
                series.setdefault((field.name, field.kind, labels), {})[moment] = field.values[index]
    made = [
        Field(name, kind, tuple(values.get(moment) for moment in moments), dict(labels))
        for (name, kind, labels), values in series.items()
    ]
    return [Field(time.name, "time", tuple(moments)), *made]
