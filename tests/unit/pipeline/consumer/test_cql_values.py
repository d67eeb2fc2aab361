"""Values as in Debezium's JSON, read back with the driver's own types: what is stored is what was
sent."""

import base64
import struct
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from cassandra import cqltypes
from cassandra.query import UNSET_VALUE

from pipeline.consumer.bad_value import BAD_VALUE
from pipeline.consumer.cql_times import PROTOCOL_VERSION
from pipeline.consumer.cql_values import UNIFORM_COLUMN_ENCODERS, column_encoder, encoder
from tests.unit.support.fake_cassandra import driver_type

LEVELS = "frozen<list<frozen<tuple<double, double>>>>"
UUID_TEXT = "7f2c9c2e-53a4-4d0b-9b3f-0d9d5a0e6a11"
DAY, DAY_NUMBER = date(2026, 11, 23), 20_780


def stored(cql_type, value):
    """What a reader gets after `value` was written."""
    kind = driver_type(cql_type)
    encoded = encoder(kind)(value)
    assert isinstance(encoded, bytes)
    return kind.deserialize(encoded, PROTOCOL_VERSION)


@pytest.mark.parametrize(
    ("cql_type", "value", "expected"),
    [
        ("double", "0.00000001", 1e-8),
        ("double", "1E-8", 1e-8),
        ("double", "27345.12345678", 27345.12345678),
        ("double", 5, 5.0),
        ("double", -0.25, -0.25),
        ("float", "0.5", 0.5),
        ("bigint", 9_007_199_254_740_993, 9_007_199_254_740_993),
        ("bigint", "-9223372036854775808", -(2**63)),
        ("int", 2**31 - 1, 2**31 - 1),
        ("smallint", 1, 1),
        ("tinyint", -128, -128),
        ("text", "größer 🚀", "größer 🚀"),
        ("text", "", ""),
        ("varchar", "x", "x"),
        ("ascii", "x", "x"),
        ("boolean", True, True),
        ("boolean", False, False),
        ("timestamp", "2026-11-23T19:25:47.123456Z", datetime(2026, 11, 23, 19, 25, 47, 123_000)),
        ("timestamp", "2026-11-24T00:55:47.1+05:30", datetime(2026, 11, 23, 19, 25, 47, 100_000)),
        ("timestamp", 1_795_461_947_123_000, datetime(2026, 11, 23, 19, 25, 47, 123_000)),
        ("timestamp", 0, datetime(1970, 1, 1)),
        ("decimal", "12345678901234567890.12345678", Decimal("12345678901234567890.12345678")),
        ("decimal", 5, Decimal(5)),
        ("uuid", UUID_TEXT, UUID(UUID_TEXT)),
        ("varint", 2**80, 2**80),
        ("list<text>", ["a", "b"], ["a", "b"]),
        ("set<int>", [2, 1], {1, 2}),
        ("map<text, int>", {"a": 1}, {"a": 1}),
        (LEVELS, [(0.3521, 672.0), (0.3520, 1.0)], [(0.3521, 672.0), (0.3520, 1.0)]),
        ("inet", "127.0.0.1", "127.0.0.1"),
    ],
)
def test_value_that_fits_is_stored_unchanged(cql_type, value, expected):
    assert stored(cql_type, value) == expected


@pytest.mark.parametrize(
    ("cql_type", "value"),
    [
        ("double", "abc"),
        ("double", ""),
        ("double", None),
        ("double", []),
        ("double", {}),
        ("float", "1e39"),
        ("float", []),
        ("bigint", "1.5"),
        ("bigint", 1.5),
        ("bigint", 2**63),
        ("bigint", []),
        ("bigint", ""),
        ("int", 2**31),
        ("int", "x"),
        ("smallint", 40_000),
        ("tinyint", 128),
        ("text", 5),
        ("text", True),
        ("text", ["x"]),
        ("text", {"a": 1}),
        ("varchar", 1.5),
        ("ascii", 1),
        ("boolean", 1),
        ("boolean", "true"),
        ("boolean", "t"),
        ("boolean", []),
        ("timestamp", "yesterday"),
        ("timestamp", ""),
        ("timestamp", 1.5),
        ("timestamp", 2**63),
        ("timestamp", []),
        ("decimal", "abc"),
        ("decimal", []),
        ("decimal", "NaN"),
        ("decimal", "Infinity"),
        ("uuid", "abc"),
        ("uuid", 5),
        ("timeuuid", []),
        ("varint", []),
        ("varint", "abc"),
        ("list<text>", "abc"),
        ("list<text>", [5]),
        ("list<text>", 5),
        ("list<double>", ["x"]),
        ("map<text, int>", [1]),
        ("map<text, int>", {"a": "x"}),
        ("map<text, int>", "x"),
        (LEVELS, [(1.0, 2.0, 3.0)]),
        (LEVELS, [("x", 1.0)]),
        (LEVELS, 5),
        (LEVELS, "[1]"),
        ("inet", "nowhere"),
        ("inet", 5),
        ("duration", "P1"),
        ("date", "yesterday"),
        ("time", "noon"),
    ],
)
def test_bad_value_raises_what_becomes_a_dead_letter(cql_type, value):
    with pytest.raises(BAD_VALUE):
        encoder(driver_type(cql_type))(value)


def test_boolean_is_rejected_as_a_number_or_a_time():
    """Python accepts True as 1; a boolean in a number column means that the schemas disagree."""
    accepted = []
    for cql_type in ("double", "float", "bigint", "int", "smallint", "tinyint", "timestamp", "decimal"):
        for value in (True, False):
            try:
                accepted.append((cql_type, encoder(driver_type(cql_type))(value)))
            except BAD_VALUE:
                pass
    assert accepted == []


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_double_accepts_the_numbers_that_postgres_numeric_can_hold(value):
    """NUMERIC 'NaN' and 'Infinity' are legal in PostgreSQL, and a double holds them."""
    assert struct.pack(">d", stored("double", value)) == struct.pack(">d", float(value))


def test_date_as_days_since_1970_is_stored_as_that_day():
    """Debezium sends DATE as days since 1970; the driver takes an int as its own wire format, which
    is 2^31 days off."""
    assert stored("date", DAY_NUMBER).date() == DAY


def test_date_as_iso_text_is_stored_as_that_day():
    assert stored("date", "2026-11-23").date() == DAY


def test_time_of_day_in_microseconds_is_stored_as_that_time():
    """Debezium sends TIME as µs since midnight (time.precision.mode microseconds); the driver takes
    an int as ns."""
    assert stored("time", 69_947_123_456).nanosecond_time == 69_947_123_456_000


def test_timestamp_without_time_zone_in_microseconds_is_stored_as_that_time():
    """Debezium sends TIMESTAMP as µs since 1970: read as ms it would be the year 58,000."""
    assert stored("timestamp", 1_795_461_947_123_456) == datetime(2026, 11, 23, 19, 25, 47, 123_000)


def test_bytea_as_base64_is_stored_as_its_bytes():
    assert stored("blob", base64.b64encode(b"\x00\xffhello").decode()) == b"\x00\xffhello"


def test_blob_accepts_base64_text_only():
    """bytes(5) is five zero bytes in Python."""
    for value in (5, True, "not base64!", [1, 2]):
        with pytest.raises(BAD_VALUE):
            encoder(cqltypes.BytesType)(value)


def test_whole_numeric_as_text_is_stored_in_a_varint():
    """decimal.handling.mode=string: NUMERIC arrives as text."""
    assert stored("varint", "123456789012345678901234567890") == 123456789012345678901234567890


def test_fast_encoders_give_the_same_bytes_as_the_driver():
    for cql_type, value in (
        ("double", 0.1),
        ("float", 0.1),
        ("bigint", -5),
        ("int", 7),
        ("smallint", 7),
        ("tinyint", 7),
        ("text", "ü"),
        ("boolean", True),
        ("boolean", False),
    ):
        kind = driver_type(cql_type)
        assert encoder(kind)(value) == kind.serialize(value, PROTOCOL_VERSION), cql_type
    moment = datetime(2026, 11, 23, 19, 25, 47, 123_000)
    kind = driver_type("timestamp")
    assert encoder(kind)(1_795_461_947_123_000) == kind.serialize(moment, PROTOCOL_VERSION)


COLUMNS = [
    ("double", ["1.5", "1E-8", "-0.25"]),
    ("double", [1.5, -0.0, 1e300]),
    ("bigint", [0, -(2**63), 2**63 - 1]),
    ("int", [0, -(2**31), 2**31 - 1]),
    ("text", ["", "ETHUSDT", "ünï"]),
    ("boolean", [True, False, True]),
    ("timestamp", ["2026-11-24T10:00:00.123456Z", "2026-11-24T10:00:00Z", "1969-12-31T23:59:59Z"]),
    ("timestamp", [1_795_464_780_000_000, 0, -1]),
    ("date", [20_780, 0, -719_162]),
]


def test_every_uniform_column_encoder_has_a_column_here():
    assert {(name, type(values[0])) for name, values in COLUMNS} == UNIFORM_COLUMN_ENCODERS.keys()


@pytest.mark.parametrize(("cql_type", "values"), COLUMNS)
def test_column_has_the_same_bytes_as_its_values_encoded_one_by_one(cql_type, values):
    kind = driver_type(cql_type)
    assert column_encoder(kind)(values) == [encoder(kind)(value) for value in values]


@pytest.mark.parametrize(("cql_type", "values"), COLUMNS)
def test_column_leaves_null_and_unset_unchanged(cql_type, values):
    kind = driver_type(cql_type)
    encoded = column_encoder(kind)([values[0], None, UNSET_VALUE, values[1]])
    assert encoded == [encoder(kind)(values[0]), None, UNSET_VALUE, encoder(kind)(values[1])]


@pytest.mark.parametrize(
    ("cql_type", "values"),
    [
        ("double", ["1", "one"]),
        ("bigint", [1, 2**63]),
        ("int", [1, 2**31]),
        ("boolean", [True, "yes"]),
        ("text", ["a", 5]),
        ("timestamp", ["2026-11-24T10:00:00Z", "soon"]),
    ],
)
def test_column_with_one_bad_value_is_refused(cql_type, values):
    with pytest.raises(BAD_VALUE):
        column_encoder(driver_type(cql_type))(values)
