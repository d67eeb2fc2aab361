"""FetchedRecords against the library's own decoding, on the same bytes."""

import random
import struct

import pytest
from kafka import TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.protocol.consumer import IsolationLevel
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords
from kafka.record.util import calc_crc32c

from pipeline.stream.fetched_records import FetchedRecords

PARTITION = TopicPartition("crypto.public.klines", 3)
NONE, GZIP, LZ4 = 0, 1, 3
TIME_MS = 1_795_461_947_200
CRC_AT, ATTRIBUTES_AT = 17, 21
CONTROL = 0x20
ABORT, COMMIT = struct.pack(">hh", 0, 0), struct.pack(">hh", 0, 1)


def batch(records, base_offset=0, codec=NONE, producer_id=-1, extra_attributes=0, last_offset=None):
    """`records`: (number, time, key, value, headers). Bytes as a broker sends them."""
    builder = DefaultRecordBatchBuilder(2, codec, producer_id >= 0, producer_id, 0, 0, 1 << 24)
    for number, time_ms, key, value, headers in records:
        builder.append(number, time_ms, key, value, headers)
    data = bytearray(builder.build())
    struct.pack_into(">q", data, 0, base_offset)
    attributes = struct.unpack_from(">h", data, ATTRIBUTES_AT)[0] | extra_attributes
    struct.pack_into(">h", data, ATTRIBUTES_AT, attributes)
    if last_offset is not None:
        struct.pack_into(">i", data, ATTRIBUTES_AT + 2, last_offset - base_offset)
    struct.pack_into(">I", data, CRC_AT, calc_crc32c(memoryview(data)[ATTRIBUTES_AT:]))
    return bytes(data)


def values(*texts):
    return [(number, TIME_MS + number, b"key", text, []) for number, text in enumerate(texts)]


def taken(kind, data, fetch_offset=0, aborted=(), at_once=7):
    """All records, and after each portion the offset to fetch next."""
    level = IsolationLevel.READ_COMMITTED
    records = kind(fetch_offset, PARTITION, MemoryRecords(data), isolation_level=level, aborted_transactions=aborted)
    found, offsets = [], []
    while records:
        found += records.take(at_once)
        offsets.append(records.next_fetch_offset)
    return found, offsets


def assert_alike(data, **options):
    ours, theirs = taken(FetchedRecords, data, **options), taken(Fetcher.PartitionRecords, data, **options)
    assert ours == theirs
    return ours[0]


def random_records(chance):
    def some_bytes(limit):
        return None if chance.random() < 0.1 else chance.randbytes(int(limit ** chance.random()))

    headers = [] if chance.random() < 0.7 else [(f"h{n}", some_bytes(300)) for n in range(chance.randrange(1, 5))]
    return some_bytes(200), some_bytes(40_000), headers


@pytest.mark.parametrize("codec", [NONE, GZIP, LZ4])
@pytest.mark.parametrize("seed", range(20))
def test_random_batches_are_what_the_library_reads(codec, seed):
    chance, data, offset = random.Random(seed), b"", chance_offset(seed)
    for _ in range(chance.randrange(1, 5)):
        count = chance.choice([1, 2, 60, 200])
        records = [(n, TIME_MS + chance.randrange(-5000, 5000), *random_records(chance)) for n in range(count)]
        data += batch(records, offset, codec, last_offset=offset + count - 1 + chance.randrange(3))
        offset += count + 3
    assert assert_alike(data, fetch_offset=chance_offset(seed))
    assert_alike(data, fetch_offset=chance_offset(seed) + chance.randrange(4))


def chance_offset(seed):
    return [0, 100, 2**40][seed % 3]


def test_time_of_the_broker_replaces_that_of_the_records():
    assert {record.timestamp for record in assert_alike(batch(values(b"1", b"2"), extra_attributes=0x08))} == {
        TIME_MS + 1
    }


def test_records_of_aborted_transactions_and_marks_are_left_out():
    data = (
        batch(values(b"aborted"), 0, producer_id=7)
        + batch(values(b"committed"), 1, producer_id=8)
        + batch([(0, TIME_MS, ABORT, b"\0" * 6, [])], 2, producer_id=7, extra_attributes=CONTROL)
        + batch(values(b"next transaction"), 3, producer_id=7)
        + batch([(0, TIME_MS, COMMIT, b"\0" * 6, [])], 4, producer_id=8, extra_attributes=CONTROL)
        + batch([(0, TIME_MS, COMMIT, b"\0" * 6, [])], 5, producer_id=7, extra_attributes=CONTROL)
    )
    aborted = [type("Aborted", (), {"producer_id": 7, "first_offset": 0})]
    found = assert_alike(data, aborted=aborted)
    assert [record.value for record in found] == [b"committed", b"next transaction"]
    assert_alike(data, aborted=aborted, at_once=1)


def test_batch_that_was_compacted_empty_is_passed():
    data = batch([], 0, last_offset=41) + batch(values(b"1"), 42)
    assert [record.offset for record in assert_alike(data)] == [42]


def test_last_batch_that_is_incomplete_is_fetched_again():
    data = batch(values(b"1", b"2"))
    assert len(assert_alike(data + data[:-1])) == 2


def test_wrong_checksum_is_an_error():
    data = bytearray(batch(values(b"1", b"2")))
    data[-3] ^= 1
    for kind in (FetchedRecords, Fetcher.PartitionRecords):
        with pytest.raises(CorruptRecordError):
            taken(kind, bytes(data))


@pytest.mark.parametrize("at", [61, 62, -1])
def test_damage_under_a_right_checksum_is_an_error(at):
    data = bytearray(batch(values(b"1", b"2")))
    data[at] ^= 0x7F
    struct.pack_into(">I", data, CRC_AT, calc_crc32c(memoryview(data)[ATTRIBUTES_AT:]))
    for kind in (FetchedRecords, Fetcher.PartitionRecords):
        try:
            found = taken(kind, bytes(data))
        except CorruptRecordError:
            continue
        assert found == taken(Fetcher.PartitionRecords, bytes(data))
