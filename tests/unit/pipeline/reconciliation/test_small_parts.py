"""The stretch of time, the pace of the auditor, raw rows, values of keys."""

import struct
from types import SimpleNamespace

import pytest

from pipeline.mirroring.source_table import PgType, SourceColumn, SourceTable
from pipeline.reconciliation import key_text
from pipeline.reconciliation import window as windows
from pipeline.reconciliation.pace import Pace
from pipeline.reconciliation.raw_protocol import raw_rows
from pipeline.reconciliation.window import Window


def test_a_window_ends_now_or_when_it_is_said() -> None:
    assert windows.last(60, to_ms=100_000) == Window(40_000, 100_000)
    assert Window(40_000, 100_000).since(50_000) == Window(50_000, 100_000)
    assert Window(40_000, 100_000).since(200_000).is_empty
    assert windows.parsed_time("2026-11-26T10:00Z") == windows.parsed_time("1795687200000") == 1_795_687_200_000
    assert windows.day_start_ms("20261126") == 1_795_651_200_000


@pytest.mark.parametrize("text", ["0s", "-1h", "400d", "soon"])
def test_a_duration_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        windows.parsed_duration(text)


def test_the_pace_waits_for_its_share_and_saves_up_short_waits() -> None:
    waits, cpu = [], [0.0]
    pace = Pace(0.05, SimpleNamespace(wait=waits.append), lambda: cpu[0])  # type: ignore[arg-type]
    for used in (0.001, 0.001, 0.002, 0.1):
        cpu[0] += used
        pace()
    assert waits == [pytest.approx(0.004 * 19), pytest.approx(0.1 * 19)]


def test_rows_are_read_as_bytes() -> None:
    def value(raw: bytes | None) -> bytes:
        return struct.pack(">i", -1) if raw is None else struct.pack(">i", len(raw)) + raw

    body = struct.pack(">i", 2) + value(b"abc") + value(None) + value(b"") + value(b"\x00\xff")
    assert raw_rows(body, 2) == [(b"abc", None), (b"", b"\x00\xff")]
    assert raw_rows(struct.pack(">i", 0), 3) == []


def test_keys_become_text_that_postgres_reads() -> None:
    kinds = {"a": "timestamp", "b": "date", "c": "time", "d": "bytea", "e": "int4", "f": "timestamptz", "g": "bool"}
    columns = tuple(SourceColumn(name, PgType(base, base)) for name, base in kinds.items())
    table = SourceTable("t", columns, tuple(kinds))
    row = {
        "a": 1_768_464_000_123_456,
        "b": 20468,
        "c": 36_000_123_456,
        "d": "AP8=",
        "e": -7,
        "f": "2026-01-15T08:00:00.123456Z",
        "g": True,
    }
    assert key_text.of_streamed(table, row) == (
        "2026-01-15T08:00:00.123456",
        "2026-01-15",
        "10:00:00.123456",
        "\\x00ff",
        "-7",
        "2026-01-15T08:00:00.123456Z",
        "True",
    )
