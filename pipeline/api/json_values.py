"""Cassandra's values as JSON: exact, and the same form as in a query string. Knows the driver's
Python types; knows no table."""

import math
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from cassandra.util import Date, Duration, Time

from pipeline.times import cassandra_datetime_to_ms

MIN_INT64, MAX_INT64 = -(2**63), 2**63 - 1


def to_json(value: Any) -> Any:
    """Decimals and integers of more than 64 bits as text, because many clients read a JSON number
    as a double; blobs as 0x and hexadecimal digits; dates, times and durations as text; timestamps
    as epoch ms. NaN and infinity have no form in JSON and become null. A map becomes an object if
    its keys are text, else an array of pairs."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if MIN_INT64 <= value <= MAX_INT64 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes | bytearray):
        return "0x" + value.hex()
    if isinstance(value, datetime):
        return cassandra_datetime_to_ms(value)
    if isinstance(value, Decimal | UUID | Date | Time | Duration):
        return str(value)
    return of_collection(value)


def of_collection(value: Any) -> Any:
    if hasattr(value, "_asdict"):  # a user-defined type
        return {name: to_json(part) for name, part in value._asdict().items()}
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {key: to_json(part) for key, part in value.items()}
        return [[to_json(key), to_json(part)] for key, part in value.items()]
    if isinstance(value, Sequence | Set) or hasattr(value, "__iter__"):
        return [to_json(part) for part in value]
    return str(value)  # an address
