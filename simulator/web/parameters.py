"""Query parameters of the market endpoints, checked as the exchange checks them. Knows no market
and no weights."""

import json
import re
from collections.abc import Mapping

from simulator.times import in_ms
from simulator.web import errors

# Since 2025 symbols may have letters of other scripts; those of ASCII are upper case.
_NAME = r"[^\x00-,/:-@\[-\^`-\xbf]{1,20}"
_SYMBOL = re.compile(f"^{_NAME}$")
_SYMBOLS_TEXT = rf'^\[("{_NAME}"(,"{_NAME}"){{0,}}){{0,1}}\]$'
_SYMBOLS = re.compile(_SYMBOLS_TEXT)
_INTEGER_TEXT = "^[0-9]{1,20}$"
_INTEGER = re.compile(_INTEGER_TEXT)
_STATUSES = ("TRADING", "HALT", "BREAK", "CANCEL_ONLY")

Query = Mapping[str, str]


def one_symbol(query: Query) -> str:
    """The mandatory `symbol`."""
    if not query.get("symbol"):
        raise errors.missing("symbol")
    return _checked_symbol(query["symbol"])


def requested_symbols(query: Query) -> str | list[str] | None:
    """`symbol` as a string, `symbols` as a list, None if neither was sent."""
    if "symbol" in query and "symbols" in query:
        raise errors.invalid_combination()
    if "symbol" in query:
        return _checked_symbol(query["symbol"])
    if "symbols" not in query:
        return None
    if not _SYMBOLS.match(query["symbols"]):
        raise errors.illegal_characters("symbols", _SYMBOLS_TEXT)
    return json.loads(query["symbols"])


def integer(query: Query, name: str) -> int | None:
    if query.get(name, "") == "":
        return None
    if not _INTEGER.match(query[name]):
        raise errors.illegal_characters(name, _INTEGER_TEXT)
    return int(query[name])


def time_ms(query: Query, name: str) -> int | None:
    value = integer(query, name)
    return None if value is None else in_ms(value)


def limit(query: Query, default: int, maximum: int) -> int:
    """Larger values are reduced to `maximum`, as on the exchange; 0 is refused."""
    value = integer(query, "limit")
    if value == 0:
        raise errors.invalid_value("limit")
    return min(default if value is None else value, maximum)


def is_mini(query: Query) -> bool:
    kind = query.get("type", "FULL")
    if kind not in ("FULL", "MINI"):
        raise errors.illegal_characters("type", "^(FULL|MINI)$")
    return kind == "MINI"


def symbol_status(query: Query) -> str | None:
    status = query.get("symbolStatus")
    if status is not None and status not in _STATUSES:
        raise errors.invalid_symbol_status()
    return status


def _checked_symbol(text: str) -> str:
    if not text:
        raise errors.missing("symbol")
    if not _SYMBOL.match(text):
        raise errors.illegal_characters("symbol", _SYMBOL.pattern)
    return text
