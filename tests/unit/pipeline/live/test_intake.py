import json
from types import SimpleNamespace

import pytest
from kafka import TopicPartition

from pipeline.live import metrics
from pipeline.live.frames import Frames
from pipeline.live.intake import Intake, symbol_in_key
from pipeline.stream.row_versions import PartitionVersions

TRACKED, TABLE = "BTCUSDT", "latest_prices"
PLACE = TopicPartition(f"crypto.public.{TABLE}", 0)


class Source:
    """What `push` needs of a KafkaSource."""

    def __init__(self) -> None:
        stamps = PartitionVersions()
        self.versions = SimpleNamespace(of=lambda partition: stamps)

    def table_of(self, record: SimpleNamespace) -> str:
        return record.topic.removeprefix("crypto.public.")


def record(value: object, symbol: str = TRACKED, offset: int = 0, key: bytes | None = None) -> SimpleNamespace:
    key = json.dumps({"symbol": symbol}).encode() if key is None else key
    payload = value if isinstance(value, bytes | None) else json.dumps(value).encode()
    return SimpleNamespace(topic=PLACE.topic, key=key, value=payload, offset=offset, timestamp=0)


def price(text: str, us: int, symbol: str = TRACKED, op: str = "u", lsn: int = 1) -> SimpleNamespace:
    row = {"symbol": symbol, "price": text, "updated_at": "2026-11-26T10:00:00.000000Z"}
    source = {"ts_us": us, "table": TABLE, "lsn": lsn, "txId": us}
    return record({"op": op, "after": row, "before": row, "source": source}, symbol)


@pytest.fixture
def frames() -> Frames:
    return Frames()


@pytest.fixture
def intake(frames: Frames) -> Intake:
    return Intake(Source(), frames, [TRACKED, "币" * 20])  # type: ignore[arg-type]


def lines(frames: Frames) -> list[str]:
    return [text for message in frames.take() for text in message.text.split("\n")]


def test_tracked_symbol_is_pushed_and_others_are_not_even_parsed(intake: Intake, frames: Frames) -> None:
    intake.push({PLACE: [price("1.5", 10, "ETHUSDT"), record(b"not JSON", "ETHUSDT"), price("2.5", 11)]})
    assert [text.rsplit(" ", 1)[0] for text in lines(frames)] == [
        "price_BTCUSDT price=2.5",
        "prices,symbol=BTCUSDT price=2.5",
    ]


@pytest.mark.parametrize(
    "poison", [record(b"not JSON"), record({"op": "x"}), record({}), price("NaN", 5), price("1e999", 5), record([1])]
)
def test_unusable_record_is_counted_and_the_next_one_is_pushed(
    intake: Intake, frames: Frames, poison: SimpleNamespace
) -> None:
    counter = metrics.DROPPED.labels("unusable")
    before = counter._value.get()
    intake.push({PLACE: [poison, price("3.5", 20, lsn=2)]})
    assert counter._value.get() - before == 1
    assert "price_BTCUSDT price=3.5" in lines(frames)[0]


def test_tombstone_and_truncation_say_nothing(intake: Intake, frames: Frames) -> None:
    truncation = record({"op": "t", "source": {"ts_us": 5, "lsn": 1, "table": TABLE}})
    intake.push({PLACE: [record(None), truncation]})
    assert lines(frames) == []


def test_redelivered_change_does_not_come_back(intake: Intake, frames: Frames) -> None:
    first, second = price("1", 10, lsn=1), price("2", 20, lsn=2)
    intake.push({PLACE: [first, second]})
    assert "price=2.0" in lines(frames)[0]
    intake.push({PLACE: [first, second]})
    assert lines(frames) == []


def test_symbol_too_long_for_a_channel_is_left_out(intake: Intake, frames: Frames) -> None:
    intake.push({PLACE: [price("1", 10, "币" * 20)]})
    assert lines(frames) == []


@pytest.mark.parametrize(
    ("key", "symbol"),
    [
        (b'{"symbol":"BTCUSDT"}', "BTCUSDT"),
        ('{"symbol":"币安USDT"}'.encode(), "币安USDT"),
        (b'{"symbol":7}', None),
        (b'{"id":7}', None),
        (b"[]", None),
        (b"\xff", None),
        (b"", None),
        (None, None),
    ],
)
def test_symbol_in_key(key: bytes | None, symbol: str | None) -> None:
    assert symbol_in_key(key) == symbol
