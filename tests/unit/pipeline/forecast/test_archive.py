"""Files of the exchange's archive, in every form they come in."""

import gzip
import zipfile
from pathlib import Path

import pytest

from pipeline.forecast.archive import COLUMNS, UnreadableFile, candles_by_symbol
from pipeline.forecast.minutes import Candle

ROWS = (
    "1780272000000,8.9810,8.9820,8.9710,8.9740,17315,1780272059999,155466.8640,397,7701,69159.0090,0\n"
    "1780272060000,8.9740,8.9750,8.9710,8.9730,6406,1780272119999,57482.0670,318,3502,31423.2190,0\n"
)
HEADER = f"{','.join(COLUMNS)}\n"
CANDLES = [
    Candle(1780272000000, 8.982, 8.971, 8.974, 397),
    Candle(1780272060000, 8.975, 8.971, 8.973, 318),
]


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    elif name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as file:
            file.writestr(name.replace(".zip", ".csv"), text)
    else:
        path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["AUSDT-1m-2026-06.csv", "AUSDT-1m-2026-06.csv.gz", "AUSDT-1m-2026-06.zip"])
@pytest.mark.parametrize("text", [ROWS, HEADER + ROWS], ids=["no header", "header"])
def test_every_form_of_a_file_is_read(tmp_path: Path, name: str, text: str) -> None:
    assert candles_by_symbol([write(tmp_path, name, text)]) == {"AUSDT": CANDLES}


def test_times_in_microseconds_are_read(tmp_path: Path) -> None:
    text = ROWS.replace("0000,8.9", "0000000,8.9")
    assert candles_by_symbol([write(tmp_path, "AUSDT-1m-2026-06.csv", text)])["AUSDT"] == CANDLES


def test_file_with_a_header_needs_only_the_columns_that_are_read(tmp_path: Path) -> None:
    text = "count,close,low,high,open_time\n397,8.9740,8.9710,8.9820,1780272000000\n"
    assert candles_by_symbol([write(tmp_path, "AUSDT-1m-2026-06.csv", text)])["AUSDT"] == CANDLES[:1]


def test_several_files_of_a_symbol_are_one_series(tmp_path: Path) -> None:
    first, second = ROWS.splitlines(keepends=True)
    paths = [write(tmp_path, "AUSDT-1m-2026-07.csv", second), write(tmp_path, "AUSDT-1m-2026-06.csv", first)]
    paths.append(write(tmp_path, "BUSDT-1m-2026-06.csv", first))
    assert candles_by_symbol(paths) == {"AUSDT": CANDLES, "BUSDT": CANDLES[:1]}


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("AUSDT-1h-2026-06.csv", ROWS, "expected a name such as"),
        ("AUSDT-1m-2026-06.csv", ROWS + "1780272120000,8.9\n", "line 3"),
        ("AUSDT-1m-2026-06.csv", ROWS.replace("8.9730", "soon"), "line 2.*soon"),
        ("AUSDT-1m-2026-06.csv", ROWS.replace("8.9730", "0"), "line 2.*not positive"),
        ("AUSDT-1m-2026-06.csv", "open_time,open\n1,2\n", "line 1"),
    ],
)
def test_file_that_cannot_be_used_is_named_with_line_and_reason(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    with pytest.raises(UnreadableFile, match=rf"{name}.*{reason}"):
        candles_by_symbol([write(tmp_path, name, text)])


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    broken = tmp_path / "AUSDT-1m-2026-06.csv.gz"
    broken.write_bytes(b"not gzip")
    for path in (tmp_path / "BUSDT-1m-2026-06.zip", broken):
        with pytest.raises(UnreadableFile, match=path.name):
            candles_by_symbol([path])
