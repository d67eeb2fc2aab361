"""InfluxDB's line protocol, as far as Grafana Live reads it: a measurement (the channel), labels,
fields, a time. Grafana drops a whole message for one bad line, so nothing that it would not parse
may pass. Knows nothing of what is pushed."""

import math
import re
from collections.abc import Mapping

# Grafana's own rule for the last part of a channel is ^[A-z0-9_\-/=.,]*$; a comma or a backslash
# would need escaping in a measurement.
MEASUREMENT = re.compile(r"[A-Za-z0-9_\-/=.]{1,140}")
# Strings are quoted; these would end the line or the string.
STRING_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": " ", "\r": " "})
# In the value of a label. A backslash at its end would escape what follows, so none is allowed.
LABEL_ESCAPES = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\\": "/", "\n": "\\ ", "\r": "\\ "})

Value = float | str


def is_measurement(name: str) -> bool:
    """Whether Grafana accepts the name as the last part of a channel."""
    return MEASUREMENT.fullmatch(name) is not None


def series(measurement: str, labels: Mapping[str, str]) -> str:
    """What precedes the fields. Names of labels are the program's own. Raises ValueError for a name
    that is no channel, or an empty label, which the protocol does not have."""
    if not is_measurement(measurement):
        raise ValueError(f"not the name of a channel: {measurement!r}")
    if not all(labels.values()):
        raise ValueError(f"an empty label in {measurement}")
    return "".join([measurement, *(f",{name}={text.translate(LABEL_ESCAPES)}" for name, text in labels.items())])


def fields(values: Mapping[str, Value]) -> str:
    """The fields of a line, numbers as the double that a browser makes of them. Names are the
    program's own. Raises ValueError for a number that is not finite: the protocol has none."""
    return ",".join(f"{name}={_value(value)}" for name, value in values.items())


def _value(value: Value) -> str:
    if isinstance(value, str):
        return f'"{value.translate(STRING_ESCAPES)}"'
    if not math.isfinite(value):
        raise ValueError(f"not a finite number: {value}")
    return repr(value)


def line(series_text: str, fields_text: str, time_ms: int) -> str:
    """One line; its time is in ns, as Grafana expects it."""
    return f"{series_text} {fields_text} {time_ms}000000"
