"""Query parameters, checked. Knows what a valid request is; knows nothing of Flask's app or of Cassandra."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.settings import INTERVALS
from pipeline.tables import STATS
from pipeline.times import iso_to_ms

DEFAULT_LIMIT, MAX_LIMIT = 100, 5000
MAX_SYMBOLS = 50
SYMBOL = re.compile(r"[A-Z0-9._-]{1,20}")
# Cassandra holds any 64-bit ms; these are the years 1970 to 9999, which every reader can show.
FIRST_MS, LAST_MS = 0, 253_402_300_799_999


class BadParameter(Exception):
    """A parameter cannot be used: `parameter` is its name, the message says what is allowed. Becomes a 400."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class Query:
    """What a data route was asked for. Times in ms; `to_ms` is exclusive. No symbols: all."""

    symbols: tuple[str, ...]
    from_ms: int | None
    to_ms: int | None
    limit: int
    interval: str
    sort: str | None = None
    descending: bool = True

    @property
    def forward(self) -> bool:
        """With `from` a reader pages forward from there; without it the newest rows are wanted."""
        return self.from_ms is not None


def query(arguments: Mapping[str, str]) -> Query:
    """The parameters symbol, from, to, limit, interval, sort and order. Raises BadParameter."""
    from_ms, to_ms = moment(arguments, "from"), moment(arguments, "to")
    if from_ms is not None and to_ms is not None and from_ms > to_ms:
        raise BadParameter("from", "from must not be after to")
    sort, descending = ranking(arguments)
    return Query(symbols(arguments), from_ms, to_ms, limit(arguments), interval(arguments), sort, descending)


def symbols(arguments: Mapping[str, str]) -> tuple[str, ...]:
    text = arguments.get("symbol", "")
    found = tuple(dict.fromkeys(part.strip().upper() for part in text.split(",") if part.strip()))
    if len(found) > MAX_SYMBOLS:
        raise BadParameter("symbol", f"at most {MAX_SYMBOLS} symbols in one request")
    if "symbol" in arguments and (not found or not all(SYMBOL.fullmatch(symbol) for symbol in found)):
        raise BadParameter("symbol", "expected one or several symbols, comma-separated, e.g. BTCUSDT,ETHUSDT")
    return found


def moment(arguments: Mapping[str, str], name: str) -> int | None:
    text = arguments.get(name)
    if text is None:
        return None
    try:
        ms = int(text) if re.fullmatch(r"-?[0-9]{1,20}", text) else iso_to_ms(text.replace(" ", "+"))
    except (ValueError, OverflowError):
        ms = None
    if ms is None or not FIRST_MS <= ms <= LAST_MS:
        raise BadParameter(name, "expected epoch milliseconds or ISO 8601, e.g. 1700000000000 or 2026-01-31T12:00:00Z")
    return ms


def limit(arguments: Mapping[str, str]) -> int:
    text = arguments.get("limit")
    if text is None:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise BadParameter("limit", f"expected a whole number from 1 to {MAX_LIMIT}")
    return int(text)


def ranking(arguments: Mapping[str, str]) -> tuple[str | None, bool]:
    """The column to rank by, and whether the largest come first (the default)."""
    column, order = arguments.get("sort"), arguments.get("order", "desc")
    if column is not None and column not in STATS.columns:
        raise BadParameter("sort", f"expected one of {', '.join(STATS.columns)}")
    if order not in ("asc", "desc"):
        raise BadParameter("order", "expected asc or desc")
    return column, order == "desc"


def interval(arguments: Mapping[str, str]) -> str:
    text = arguments.get("interval", "1m")
    if text not in INTERVALS:
        raise BadParameter("interval", f"expected one of {', '.join(INTERVALS)}")
    return text
