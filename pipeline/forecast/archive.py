"""Candles from files of the exchange's public archive: .csv, .csv.gz or .zip. Knows the format of
the files; knows no database."""

import csv
import gzip
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.forecast.minutes import Candle
from pipeline.times import exchange_ms

# The columns of a file without a header. One with a header needs only those that are read, in any
# order.
COLUMNS = (
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "close_time",
    "quote_volume",
    "count",
    "taker_buy_volume",
    "taker_buy_quote_volume",
    "ignore",
)
READ = ("open_time", "high", "low", "close", "count")
NAME = re.compile(r"([A-Z0-9]+)-1m-.*\.(csv|csv\.gz|zip)")


class UnreadableFile(PipelineError):
    """A file is not a file of 1-minute candles. The message names file, line and reason."""


def candles_by_symbol(paths: Iterable[Path]) -> dict[str, list[Candle]]:
    """The candles of all files, ascending, by symbol: several files of a symbol are one series.
    Raises UnreadableFile."""
    found: dict[str, dict[int, Candle]] = {}
    for path in paths:
        name = NAME.fullmatch(path.name)
        if name is None:
            raise UnreadableFile(f"{path}: expected a name such as BTCUSDT-1m-2026-06.csv, .csv.gz or .zip")
        symbol_candles = found.setdefault(name[1], {})
        symbol_candles |= {candle.open_time_ms: candle for candle in read_candles(path)}
    return {symbol: [candles[open_ms] for open_ms in sorted(candles)] for symbol, candles in found.items()}


def read_candles(path: Path) -> Iterator[Candle]:
    """Raises UnreadableFile."""
    number = 0
    places: Sequence[int] = [COLUMNS.index(name) for name in READ]
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text_of(path))), start=1):
            if number == 1 and not row[0].isdigit():
                places = [row.index(name) for name in READ]
            elif row:
                open_time, high, low, close, count = (row[place] for place in places)
                candle = Candle(exchange_ms(int(open_time)), float(high), float(low), float(close), int(count))
                if min(candle.low, candle.close) <= 0:
                    raise ValueError("a price is not positive")
                yield candle
    except (OSError, EOFError, ValueError, IndexError, zipfile.BadZipFile) as error:
        raise UnreadableFile(f"{path}, line {number}: {error}") from error


def text_of(path: Path) -> str:
    """The uncompressed text; of a zip file, that of its only member."""
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path) as file:
            names = file.namelist()
            if len(names) != 1:
                raise ValueError(f"expected one file in the archive, found {len(names)}")
            return file.read(names[0]).decode()
    content = path.read_bytes()
    return (gzip.decompress(content) if path.name.endswith(".gz") else content).decode()
