"""Archive files: every documented format is read, and a malformed one is refused with file, line
and reason."""

import pytest

from simulator.replay.archive import BadArchive, read_archive
from simulator.replay.replay_market import ReplayMarket

from .conftest import REPLAY_START_MS

CANDLE = "1725321600000,0.1256,0.1256,0.1253,0.1254,76812.2,1725321659999,9635.49545,76,41934.8,5261.97253,0"
NEXT_DAY = CANDLE.replace("1725321600000", "1725408000000").replace("1725321659999", "1725408059999")
MICROSECONDS = CANDLE.replace("1725321600000", "1725321600000000").replace("1725321659999", "1725321659999999")
HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)
TRADE = "13519807,0.00141342,23.00000000,15373518,15373518,1570752011620,{},True"


def folder_with(tmp_path, **files):
    for name, text in files.items():
        (tmp_path / name.replace("__", "-")).with_suffix(".csv").write_text(text)
    return tmp_path


def test_header_line_and_microseconds_are_accepted(tmp_path):
    read = read_archive(folder_with(tmp_path, ALGOUSDT__1m__2025=f"{HEADER}\n{MICROSECONDS}\n"))
    plain = read_archive(folder_with(tmp_path, ALGOUSDT__1m__2025=f"{CANDLE}\n"))
    assert read == plain
    assert read.recorded["ALGOUSDT"].candles["1m"][0].close_ms == 1725321659999


@pytest.mark.parametrize(("text", "expected"), [("True", True), ("false", False)])
def test_booleans_may_be_written_in_either_case(tmp_path, text, expected):
    read = read_archive(folder_with(tmp_path, XRPETH__aggTrades__2019=TRADE.format(text)))
    assert read.recorded["XRPETH"].trades[0].buyer_is_maker is expected


def test_several_days_keep_their_distance_in_time(tmp_path):
    folder = folder_with(tmp_path, ALGOUSDT__1m__2024__09__03=CANDLE, ALGOUSDT__1m__2024__09__04=NEXT_DAY)
    source = ReplayMarket(folder, REPLAY_START_MS)
    opens_ms = [row[0] for row in source.klines("ALGOUSDT", "1m", REPLAY_START_MS + 10**9, 0, None, 10)]
    assert opens_ms[1] - opens_ms[0] == 86_400_000


def test_hourly_recordings_still_open_on_the_hour(tmp_path):
    hour = CANDLE.replace("1725321659999", "1725325199999")
    source = ReplayMarket(folder_with(tmp_path, ALGOUSDT__1h__2024=hour), REPLAY_START_MS)
    assert source.klines("ALGOUSDT", "1h", REPLAY_START_MS, None, None, 1)[0][0] % 3_600_000 == 0
    assert source.klines("ALGOUSDT", "1m", REPLAY_START_MS, None, None, 1) == []


def test_quote_asset_follows_from_the_name_without_exchange_info(tmp_path):
    source = ReplayMarket(folder_with(tmp_path, ABCBTC__1m__2024=CANDLE), REPLAY_START_MS)
    assert (source.symbols()[0].base_asset, source.symbols()[0].quote_asset) == ("ABC", "BTC")


@pytest.mark.parametrize(
    ("lines", "line", "reason"),
    [
        ([CANDLE, "1,2,3"], 2, "3 columns, expected 12"),
        ([CANDLE.replace("0.1254", "0,1254")], 1, "13 columns"),
        ([CANDLE.replace("76812.2", "many")], 1, "'many' is not a decimal number"),
        ([CANDLE.replace("76812.2", "NaN")], 1, "'NaN' is not a decimal number"),
        ([CANDLE.replace("1725321600000", "yesterday"), CANDLE], 2, None),
        ([CANDLE, CANDLE], 2, "is not after"),
        ([CANDLE.replace("0.1254", "0.9999")], 1, "outside low"),
        ([""], 1, "no rows"),
        ([HEADER, "x" + CANDLE], 2, "is not a time"),
    ],
)
def test_malformed_candles_are_refused_with_file_line_and_reason(tmp_path, lines, line, reason):
    folder = folder_with(tmp_path, ALGOUSDT__1m__2024="\n".join(lines))
    if reason is None:  # a first line that begins with a letter counts as the header
        assert len(read_archive(folder).recorded["ALGOUSDT"].candles["1m"]) == 1
        return
    with pytest.raises(BadArchive) as refusal:
        read_archive(folder)
    assert str(refusal.value).startswith(f"ALGOUSDT-1m-2024.csv, line {line}: ")
    assert reason in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("XRPETH-aggTrades-2019.csv", TRADE.format("maybe")),
        ("XRPETH-trades-2019.csv", TRADE.format("True")),
        ("depth_XRPETH.json", "[]"),
        ("depth_XRPETH.json", "{"),
        ("exchangeInfo.json", "{}"),
    ],
)
def test_other_malformed_files_are_refused_by_name(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(BadArchive, match=name):
        read_archive(tmp_path)


def test_overlapping_files_are_refused(tmp_path):
    folder = folder_with(tmp_path, ALGOUSDT__1m__2024__09__03=CANDLE, ALGOUSDT__1m__2024__09__04=CANDLE)
    with pytest.raises(BadArchive, match="an earlier file already covers"):
        read_archive(folder)


def test_an_empty_or_missing_folder_is_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(BadArchive, match=str(folder)):
            read_archive(folder)
