"""Every query parameter: its name, its JSON schema, how it is parsed, one line of help. Requests
are validated against these, /openapi.json is generated from them. Knows nothing of Flask or
Cassandra."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.api.paging import CURSOR, Cursor
from pipeline.intervals import INTERVAL, interval_ms, interval_name
from pipeline.symbols import REQUESTED, upper_case
from pipeline.tables import STATS
from pipeline.times import DAY_MS, iso_to_ms

DEFAULT_LIMIT, MAX_LIMIT = 100, 5000
MAX_SYMBOLS = 50
MAX_POINTS = 5000
MAX_LEVELS = 1000
MAX_INTERVAL_MS = 366 * DAY_MS
SYMBOLS = f"[ ,]*{REQUESTED} *(,[ ,]*{REQUESTED} *)*[ ,]*"
DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
# The + of an offset arrives as a space if the client did not encode it.
CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+ -][0-9]{2}:?[0-9]{2})?"
INSTANT = rf"[0-9]{{1,15}}|{DATE}([T ]{CLOCK})?"
# Cassandra stores any 64-bit ms; these are the years 1970 to 9999, which every client can show.
MIN_MS, MAX_MS = 0, 253_402_300_799_999


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """One query parameter. `parse` raises ValueError for a value that does not meet
    `expected`."""

    name: str
    schema: Mapping[str, Any]
    parse: Callable[[str], Any]
    expected: str
    help: str


def matching(pattern: str, parse: Callable[[str], Any]) -> Callable[[str], Any]:
    def checked(text: str) -> Any:
        if not re.fullmatch(pattern, text):
            raise ValueError(text)
        return parse(text)

    return checked


def text_parameter(name: str, pattern: str, parse: Callable[[str], Any], expected: str, text: str) -> Parameter:
    schema = {"type": "string", "pattern": f"^({pattern})$"}
    return Parameter(name, schema, matching(pattern, parse), expected, text)


def whole(name: str, maximum: int, text: str, default: int | None = None) -> Parameter:
    def parse(value: str) -> int:
        if not re.fullmatch("[0-9]{1,9}", value) or not 1 <= int(value) <= maximum:
            raise ValueError(value)
        return int(value)

    schema = {"type": "integer", "minimum": 1, "maximum": maximum} | ({} if default is None else {"default": default})
    return Parameter(name, schema, parse, f"a whole number from 1 to {maximum}", text)


def choice(name: str, choices: Mapping[str, Any], text: str) -> Parameter:
    schema = {"type": "string", "enum": list(choices)}
    parse = matching("|".join(choices), choices.__getitem__)
    return Parameter(name, schema, parse, f"one of {', '.join(choices)}", text)


def split_symbols(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(upper_case(part.strip()) for part in text.split(",") if part.strip()))


def several_symbols(text: str) -> tuple[str, ...]:
    found = split_symbols(text)
    if len(found) > MAX_SYMBOLS:
        raise ValueError(text)
    return found


def instant(text: str) -> int:
    ms = int(text) if text.isdigit() else iso_to_ms(text.replace(" ", "+"))
    if not MIN_MS <= ms <= MAX_MS:
        raise ValueError(text)
    return ms


def interval(text: str) -> str:
    if (interval_ms(text) or 0) > MAX_INTERVAL_MS:
        raise ValueError(text)
    return text


def horizon(text: str) -> str:
    """`60m` is `1h`: as the table has it."""
    length_ms = interval_ms(text)
    return text if length_ms is None else interval_name(length_ms)


INSTANT_EXPECTED = "epoch milliseconds or ISO 8601, e.g. 1700000000000 or 2026-01-31T12:00:00Z"
SYMBOL_LIST = text_parameter(
    "symbol",
    SYMBOLS,
    several_symbols,
    f"one to {MAX_SYMBOLS} symbols, comma-separated, e.g. BTCUSDT,ETHUSDT",
    "One or several symbols of any script, comma-separated; letters a to z may be lower case.",
)
ONE_SYMBOL = text_parameter(
    "symbol",
    f" *{REQUESTED} *",
    split_symbols,
    "one symbol, e.g. BTCUSDT",
    "The symbol; letters a to z may be lower case.",
)
FROM = text_parameter(
    "from", INSTANT, instant, INSTANT_EXPECTED, "Start, inclusive: the first rows from there. Epoch ms or ISO 8601."
)
TO = text_parameter("to", INSTANT, instant, INSTANT_EXPECTED, "End, exclusive; without `from` the last rows before it.")
LIMIT = whole(
    "limit", MAX_LIMIT, "Maximum number of rows; a Link header leads to the next page if there are more.", DEFAULT_LIMIT
)
CURSOR_OF_LINK = text_parameter(
    "cursor",
    CURSOR,
    Cursor.read,
    "a cursor from a Link header",
    "Where the last page ended, as given in a Link header.",
)
POINTS = whole("points", MAX_POINTS, "Downsample the range to at most this many rows of all symbols together.")
LEVELS = whole("levels", MAX_LEVELS, "Maximum number of levels per side, best first.")
INTERVAL_OF_CANDLES = text_parameter(
    "interval",
    INTERVAL,
    interval,
    "a multiple of a stored interval, e.g. 5m, 2h, 3d (case matters: 1M is a month)",
    "Candle interval, 1m unless given: a stored one, or any multiple of one (candles are aggregated).",
)
HORIZON = text_parameter(
    "horizon",
    INTERVAL,
    horizon,
    "a horizon of the setting FORECAST_HORIZONS, e.g. 15m or 1h",
    "How far ahead the forecast reaches, 15m unless given.",
)
SORT = choice("sort", {name: name for name in STATS.columns}, "Rank the whole market by this column.")
ORDER = choice("order", {"desc": True, "asc": False}, "Order of the ranking; largest first unless given.")
QUOTE_ASSET = text_parameter(
    "quote_asset",
    "[A-Za-z0-9]{1,20}",
    str.upper,
    "the name of an asset, e.g. USDT",
    "Only symbols quoted in this asset.",
)
TABLE_NAME = text_parameter("name", "[A-Za-z0-9_]{1,48}", str, "the name of a table of /tables", "Name of the table.")
# Which parameters a table takes depends on its key, so these three are checked in table_query.py.
KEY_VALUES = Parameter(
    "key",
    {"type": "object", "additionalProperties": {"type": "string"}},
    str,
    "a value per column of the partition key, e.g. customer=ada",
    "The partition key: one parameter per column, named like it.",
)
TABLE_FROM = Parameter(
    "from", {"type": "string"}, str, INSTANT_EXPECTED, "Start, inclusive, if the first clustering column is a time."
)
TABLE_TO = Parameter(
    "to", {"type": "string"}, str, INSTANT_EXPECTED, "End, exclusive, if the first clustering column is a time."
)
TABLE_CURSOR = Parameter(
    "cursor",
    {"type": "string"},
    str,
    "a cursor from a Link header",
    "Where the last page ended, as given in a Link header.",
)
TRACKED = choice("tracked", {"true": True, "false": False}, "Only symbols with (or without) trades, books and candles.")
