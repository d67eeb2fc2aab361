"""Reads a folder of recorded data: which files there are and what each contains. Knows no clock and
shifts no time.

Names, as on the exchange's archive: SYMBOL-INTERVAL-DATE.csv, SYMBOL-aggTrades-DATE.csv; also
depth_SYMBOL.json and exchangeInfo.json. Other files are ignored."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.intervals import LENGTH_MS
from simulator.replay.rows import BadRow, Candle, RecordedTrade, parse_candle, parse_trade

_CSV_NAME = re.compile(r"^(?P<symbol>[A-Z0-9]+)-(?P<kind>[A-Za-z0-9]+)-(?P<date>[0-9-]+)\.csv$")
_DEPTH_NAME = re.compile(r"^depth_(?P<symbol>[A-Z0-9]+)\.json$")
_TRADES = "aggTrades"


class BadArchive(Exception):
    """A file cannot be used. The text names file, line and reason and is the whole message to the
    user."""


@dataclass(slots=True)
class Recorded:
    """All rows of one symbol, with the recorded times; several days of one kind are
    concatenated."""

    symbol: str
    files: list[str] = field(default_factory=list)
    candles: dict[str, list[Candle]] = field(default_factory=dict)  # by interval
    trades: list[RecordedTrade] = field(default_factory=list)
    depth: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """The content of a folder by symbol, and the symbols' entries of exchangeInfo.json if that file
    exists."""

    recorded: dict[str, Recorded]
    exchange_info: dict[str, dict[str, Any]]


def read_archive(folder: Path) -> Archive:
    """Raises BadArchive if the folder contains no usable file or a malformed one."""
    if not folder.is_dir():
        raise BadArchive(f"{folder}: no such folder")
    recorded: dict[str, Recorded] = {}
    info: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.iterdir()):
        if name := _CSV_NAME.match(path.name):
            _add_rows(recorded.setdefault(name["symbol"], Recorded(name["symbol"])), name["kind"], path)
        elif name := _DEPTH_NAME.match(path.name):
            target = recorded.setdefault(name["symbol"], Recorded(name["symbol"]))
            target.depth = _read_depth(path)
            target.files.append(path.name)
        elif path.name == "exchangeInfo.json":
            info = _read_exchange_info(path)
    if not recorded:
        raise BadArchive(f"{folder}: no SYMBOL-INTERVAL-DATE.csv, SYMBOL-aggTrades-DATE.csv or depth_SYMBOL.json")
    return Archive(recorded, info)


def _add_rows(target: Recorded, kind: str, path: Path) -> None:
    if kind == _TRADES:
        rows = _read_rows(path, parse_trade, lambda trade: trade.id)
        target.trades = _appended(target.trades, rows, lambda trade: trade.id, path)
    elif kind in LENGTH_MS:
        rows = _read_rows(path, parse_candle, lambda candle: candle.open_ms)
        before = target.candles.get(kind, [])
        target.candles[kind] = _appended(before, rows, lambda candle: candle.open_ms, path)
    else:
        raise BadArchive(f"{path.name}: {kind!r} is neither {_TRADES} nor one of {', '.join(LENGTH_MS)}")
    target.files.append(path.name)


def _read_rows(path: Path, parse: Callable[[list[str]], Any], order: Callable[[Any], int]) -> list[Any]:
    rows: list[Any] = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        # Futures archives and newer spot archives begin with a line of column names.
        if not line.strip() or (number == 1 and line[:1].isalpha()):
            continue
        try:
            row = parse(line.split(","))
        except BadRow as reason:
            raise BadArchive(f"{path.name}, line {number}: {reason}") from reason
        if rows and order(row) <= order(rows[-1]):
            raise BadArchive(f"{path.name}, line {number}: {order(row)} is not after {order(rows[-1])}")
        rows.append(row)
    if not rows:
        raise BadArchive(f"{path.name}, line 1: no rows")
    return rows


def _appended(before: list[Any], rows: list[Any], order: Callable[[Any], int], path: Path) -> list[Any]:
    if before and order(rows[0]) <= order(before[-1]):
        raise BadArchive(f"{path.name}, line 1: starts at {order(rows[0])}, which an earlier file already covers")
    return before + rows


def _read_depth(path: Path) -> dict[str, Any]:
    book = _json(path)
    sides = [book.get(side) for side in ("bids", "asks")] if isinstance(book, dict) else [None]
    if not all(isinstance(side, list) for side in sides) or not isinstance(book.get("lastUpdateId"), int):
        raise BadArchive(f"{path.name}, line 1: expected an object with lastUpdateId, bids and asks")
    return {"lastUpdateId": book["lastUpdateId"], "bids": book["bids"], "asks": book["asks"]}


def _read_exchange_info(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return {entry["symbol"]: entry for entry in _json(path)["symbols"]}
    except (KeyError, TypeError) as reason:
        raise BadArchive(f"{path.name}, line 1: expected an object with a list `symbols`") from reason


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except json.JSONDecodeError as reason:
        raise BadArchive(f"{path.name}, line {reason.lineno}: not JSON ({reason.msg})") from reason


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as reason:
        raise BadArchive(f"{path.name}, line 1: not readable ({reason})") from reason
