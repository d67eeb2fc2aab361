"""Which value of PostgreSQL becomes what in which CQL type: the table from which docs/types.md is
made, and which test_types.py checks. The JSON is what Debezium 3.7 sends with
time.precision.mode=microseconds, interval.handling.mode=string, decimal.handling.mode=string."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from cassandra.util import Date, Duration, Time


@dataclass(frozen=True)
class Refused:
    """A dead letter whose reason contains these words."""

    words: str


class Case(NamedTuple):
    """`value`: as SQL shows it. `json`: as Debezium sends it. `stored`: as cassandra-driver reads
    it, or Refused. `key`: the column is part of the key in Cassandra."""

    postgres: str
    value: str
    json: Any
    cql: str
    stored: Any
    key: bool = False


U = "7f2c9c2e-53a4-4d0b-9b3f-0d9d5a0e6a11"
U1 = "2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d"
NAN = float("nan")
INF = float("inf")
MS = datetime(2026, 1, 15, 8, 0, 0, 123_000)
SECOND_NS = 10**9
ZERO_US, SOME_US = 0, 1_768_464_000_123_456
INFINITE, RANGE = Refused("infinite"), Refused("year 0001 to 9999")
NO_NULL, TWO = Refused("cannot hold null"), Refused("two dimensions")
WHOLE, NUMBER = Refused("a whole number"), Refused("a number")

CASES = [
    # Whole numbers
    Case("smallint", "-32768", -32768, "smallint", -32768),
    Case("smallint", "7", 7, "int", 7),
    Case("smallint", "7", 7, "bigint", 7),
    Case("smallint", "7", 7, "tinyint", 7),
    Case("smallint", "128", 128, "tinyint", Refused("outside the range of tinyint")),
    Case("smallint", "7", 7, "text", Refused("expected text, got a whole number")),
    Case("int", "2147483647", 2**31 - 1, "int", 2**31 - 1),
    Case("int", "40000", 40000, "smallint", Refused("outside the range of smallint (-32768 to 32767)")),
    Case("int", "7", 7, "bigint", 7),
    Case("int", "7", 7, "varint", 7),
    Case("int", "7", 7, "double", 7.0),
    Case("int", "7", 7, "decimal", Decimal(7)),
    Case("int", "1", 1, "boolean", Refused("expected true or false")),
    Case("int", "7", 7, "uuid", Refused("the text of a UUID")),
    Case("int", "7", 7, "blob", Refused("base64 text")),
    Case("bigint", "9223372036854775807", 2**63 - 1, "bigint", 2**63 - 1),
    Case("bigint", "-9223372036854775808", -(2**63), "bigint", -(2**63)),
    Case("bigint", "9223372036854775807", 2**63 - 1, "varint", 2**63 - 1),
    Case("bigint", "2147483648", 2**31, "int", Refused("outside the range of int")),
    Case("bigint", "9007199254740993", 2**53 + 1, "double", Refused("cannot hold this whole number exactly")),
    Case("bigint", "9007199254740992", 2**53, "double", 2.0**53),
    Case("oid", "4294967295", 2**32 - 1, "bigint", 2**32 - 1),
    Case("oid", "4294967295", 2**32 - 1, "int", Refused("outside the range of int")),
    # NUMERIC and money
    Case("numeric", "1.50", "1.50", "decimal", Decimal("1.50")),
    Case("numeric", "-0.00000000000000000001", "-0.00000000000000000001", "decimal", Decimal("-1E-20")),
    Case("numeric", "1E+30", "1E+30", "decimal", Decimal("1E+30")),
    Case("numeric", "5000 digits", "9" * 5000, "decimal", Refused("more than 4300 digits")),
    Case("numeric", "NaN", "NAN", "decimal", Refused("neither NaN nor Infinity")),
    Case("numeric", "Infinity", "POSITIVE_INFINITY", "decimal", Refused("neither NaN nor Infinity")),
    Case("numeric", "-Infinity", "NEGATIVE_INFINITY", "decimal", Refused("neither NaN nor Infinity")),
    Case("numeric", "0.1", "0.1", "double", 0.1),
    Case("numeric", "NaN", "NAN", "double", NAN),
    Case("numeric", "Infinity", "POSITIVE_INFINITY", "double", INF),
    Case("numeric", "-Infinity", "NEGATIVE_INFINITY", "double", -INF),
    Case("numeric", "1e400", "1" + "0" * 400, "double", Refused("too large for a double")),
    Case("numeric", "0.1", "0.1", "double", 0.1, key=True),
    Case("numeric", "0.10000000000000000001", "0.10000000000000000001", "double", Refused("two rows"), key=True),
    Case("numeric", "0.5", "0.5", "float", 0.5),
    Case("numeric", "NaN", "NAN", "float", NAN),
    Case("numeric", "1e39", "1" + "0" * 39, "float", Refused("too large for a float")),
    Case("numeric", "16777217", "16777217", "float", Refused("two rows"), key=True),
    Case("numeric", "123456789012345678901", "123456789012345678901", "varint", 123456789012345678901),
    Case("numeric", "7", "7", "bigint", 7),
    Case("numeric", "7.50", "7.50", "bigint", Refused("not a whole number")),
    Case("numeric", "NaN", "NAN", "bigint", Refused("not a whole number")),
    Case("numeric", "9223372036854775808", "9223372036854775808", "bigint", Refused("outside the range of bigint")),
    Case("numeric", "1.50", "1.50", "text", "1.50"),
    Case("numeric", "NaN", "NAN", "text", "NAN"),
    Case("money", "$1,234.50", "1234.50", "decimal", Decimal("1234.50")),
    Case("money", "-$0.01", "-0.01", "double", -0.01),
    # Floating point
    Case("real", "0.1", 0.1, "float", 0.10000000149011612),
    Case("real", "0.1", 0.1, "double", 0.1),
    Case("real", "NaN", "NaN", "float", NAN),
    Case("real", "-Infinity", "-Infinity", "float", -INF),
    Case("double precision", "0.1", 0.1, "double", 0.1),
    Case("double precision", "1e300", 1e300, "double", 1e300),
    Case("double precision", "NaN", "NaN", "double", NAN),
    Case("double precision", "Infinity", "Infinity", "double", INF),
    Case("double precision", "1e300", 1e300, "float", Refused("too large for a float")),
    Case("double precision", "0.1", 0.1, "decimal", Decimal("0.1")),
    Case("double precision", "NaN", "NaN", "decimal", Refused("neither NaN nor Infinity")),
    Case("double precision", "7", 7.0, "bigint", WHOLE),
    # Boolean and bits
    Case("boolean", "true", True, "boolean", True),
    Case("boolean", "false", False, "boolean", False),
    Case("boolean", "true", True, "int", Refused("got true or false")),
    Case("boolean", "true", True, "text", Refused("got true or false")),
    Case("boolean", "true", True, "double", Refused("got true or false")),
    Case("bit(1)", "1", True, "boolean", True),
    Case("bit(10)", "0000000101", "BQA=", "blob", b"\x05\x00"),
    # Text-like
    Case("text", "größer 🚀", "größer 🚀", "text", "größer 🚀"),
    Case("text", "(empty)", "", "text", ""),
    Case("text", "x", "x", "varchar", "x"),
    Case("text", "plain", "plain", "ascii", "plain"),
    Case("text", "Ω", "Ω", "ascii", Refused("not ASCII")),
    Case("text", "12", "12", "int", 12),
    Case("text", "1_2", "1_2", "int", Refused("not a whole number")),
    Case("text", "1_2", "1_2", "double", Refused("not a number")),
    Case("text", "1_2", "1_2", "decimal", Refused("not a number")),
    Case("text", " 12", " 12", "int", Refused("not a whole number")),
    Case("text", "١٢", "١٢", "int", Refused("not a whole number")),
    Case("text", "inf", "inf", "double", Refused("not a number")),
    Case("text", "true", "true", "boolean", Refused("expected true or false")),
    Case("text", "2026-01-15", "2026-01-15", "date", Date("2026-01-15")),
    Case("text", "15.1.2026", "15.1.2026", "date", Refused("not a date")),
    Case("text", "2026-02-30", "2026-02-30", "date", Refused("not a date of the calendar")),
    Case("text", "20260115", "20260115", "date", Refused("not a date")),
    Case("text", "2026-01-15 10:00", "2026-01-15 10:00", "timestamp", Refused("without its offset")),
    Case("text", "yesterday", "yesterday", "timestamp", Refused("not an ISO 8601 time")),
    Case("text", "no!", "no!", "blob", Refused("not base64")),
    Case("text", "[Ljava.lang.String;@1f", "[Ljava.lang.String;@1f", "text", "[Ljava.lang.String;@1f"),
    Case("varchar(10)", "abc", "abc", "text", "abc"),
    Case("char(5)", "'ab   '", "ab   ", "text", "ab   "),
    Case("citext", "AbC", "AbC", "text", "AbC"),
    Case("enum", "very happy", "very happy", "text", "very happy"),
    Case("domain over int", "3", 3, "int", 3),
    Case("xml", "<a>1</a>", "<a>1</a>", "text", "<a>1</a>"),
    Case("ltree", "Top.Science", "Top.Science", "text", "Top.Science"),
    Case("tsvector", "'cat':2", "'cat':2", "text", "'cat':2"),
    Case("int4range", "[1,5)", "[1,5)", "text", "[1,5)"),
    Case("macaddr", "08:00:2b:01:02:03", "08:00:2b:01:02:03", "text", "08:00:2b:01:02:03"),
    Case("json", '{"a":  1}', '{"a":  1}', "text", '{"a":  1}'),
    Case("jsonb", '{"a": 1}', '{"a": 1}', "text", '{"a": 1}'),
    # Identifiers, addresses, bytes
    Case("uuid", U, U, "uuid", UUID(U)),
    Case("uuid", U, U, "text", U),
    Case("uuid", U1, U1, "timeuuid", UUID(U1)),
    Case("uuid", U, U, "timeuuid", Refused("version 1")),
    Case("text", "abc", "abc", "uuid", Refused("not a UUID")),
    Case("inet", "10.0.0.1", "10.0.0.1", "inet", "10.0.0.1"),
    Case("inet", "fe80::1", "fe80::1", "inet", "fe80::1"),
    Case("inet", "192.168.1.0/24", "192.168.1.0/24", "inet", Refused("a network")),
    Case("inet", "192.168.1.0/24", "192.168.1.0/24", "text", "192.168.1.0/24"),
    Case("cidr", "10.0.0.0/8", "10.0.0.0/8", "inet", Refused("a network")),
    Case("text", "nowhere", "nowhere", "inet", Refused("not an IP address")),
    Case("bytea", r"\x00ff", "AP8=", "blob", b"\x00\xff"),
    Case("bytea", r"\x", "", "blob", b""),
    Case("bytea", r"\x00ff", "AP8=", "text", "AP8="),
    # Dates
    Case("date", "2026-01-15", 20468, "date", Date("2026-01-15")),
    Case("date", "1969-12-31", -1, "date", Date("1969-12-31")),
    Case("date", "0001-01-01", -719162, "date", Date("0001-01-01")),
    Case("date", "9999-12-31", 2932896, "date", Date("9999-12-31")),
    Case("date", "10000-01-01", 2932897, "date", RANGE),
    Case("date", "0001-12-31 BC", -719163, "date", RANGE),
    Case("date", "infinity", 2146033979, "date", INFINITE),
    Case("date", "-infinity", -2147472691, "date", INFINITE),
    Case("date", "infinity", 2146033979, "int", 2146033979),
    Case("date", "2026-01-15", 20468, "int", 20468),
    # Times of day
    Case("time", "10:00:00.123456", 36_000_123_456, "time", Time(36_000_123_456_000)),
    Case("time(3)", "10:00:00.123", 36_000_123_000, "time", Time(36_000_123_000_000)),
    Case("time(0)", "10:00:00", 36_000_000_000, "time", Time(36_000_000_000_000)),
    Case("time", "00:00:00", 0, "time", Time(0)),
    Case("time", "23:59:59.999999", 86_399_999_999, "time", Time(86_399_999_999_000)),
    Case("time", "24:00:00", 86_400_000_000, "time", Refused("24:00:00")),
    Case("time", "24:00:00", 86_400_000_000, "bigint", 86_400_000_000),
    Case("timetz", "10:00:00+02", "08:00:00Z", "time", Refused("time with time zone")),
    Case("timetz", "10:00:00+02", "08:00:00Z", "text", "08:00:00Z"),
    # Timestamps
    Case("timestamp", "2026-01-15 08:00:00.123456", SOME_US, "timestamp", MS),
    Case("timestamp(3)", "2026-01-15 08:00:00.123", SOME_US - 456, "timestamp", MS),
    Case("timestamp(0)", "1970-01-01 00:00:00", 0, "timestamp", datetime(1970, 1, 1)),
    Case("timestamp", "1970-06-01", 13_046_400_000_000, "timestamp", datetime(1970, 6, 1)),
    Case("timestamp", "1965-03-01 12:00", -152_625_600_000_000, "timestamp", datetime(1965, 3, 1, 12)),
    Case("timestamp", "1900-01-01", -2_208_988_800_000_000, "timestamp", datetime(1900, 1, 1)),
    Case("timestamp(3)", "9999-12-31", 253_402_214_400_000_000, "timestamp", datetime(9999, 12, 31)),
    Case("timestamp", "0001-01-01", -62_135_596_800_000_000, "timestamp", datetime(1, 1, 1)),
    Case("timestamp", "0044-03-15 BC", -63_517_564_800_000_000, "timestamp", RANGE),
    Case("timestamp", "20000-01-01", 568_971_820_800_000_000, "timestamp", RANGE),
    Case("timestamp", "infinity", 2**63 - 1, "timestamp", INFINITE),
    Case("timestamp", "-infinity", -(2**63), "timestamp", INFINITE),
    Case("timestamp", "infinity", 2**63 - 1, "bigint", 2**63 - 1),
    Case("timestamp", "2026-01-15 08:00:00.123456", SOME_US, "bigint", SOME_US),
    Case("timestamp", "2026-01-15 08:00:00.123", SOME_US - 456, "timestamp", MS, key=True),
    Case("timestamp", "2026-01-15 08:00:00.123456", SOME_US, "timestamp", Refused("two rows"), key=True),
    Case("timestamptz", "2026-01-15 10:00:00.123456+02", "2026-01-15T08:00:00.123456Z", "timestamp", MS),
    Case("timestamptz", "1900-01-01Z", "1900-01-01T00:00:00.000000Z", "timestamp", datetime(1900, 1, 1)),
    Case("timestamptz", "0044-03-15 BC", "-0043-03-15T10:00:00.000000Z", "timestamp", RANGE),
    Case("timestamptz", "20000-01-01", "+20000-01-01T00:00:00.000000Z", "timestamp", RANGE),
    Case("timestamptz", "infinity", "infinity", "timestamp", INFINITE),
    Case("timestamptz", "-infinity", "-infinity", "timestamp", INFINITE),
    Case("timestamptz", "infinity", "infinity", "text", "infinity"),
    Case(
        "timestamptz",
        "2026-01-15 08:00Z",
        "2026-01-15T08:00:00.000000Z",
        "timestamp",
        datetime(2026, 1, 15, 8),
        key=True,
    ),
    Case("timestamptz", "…00.123400Z", "2026-01-15T08:00:00.123400Z", "timestamp", Refused("two rows"), key=True),
    Case("timestamptz", "…00.123400Z", "2026-01-15T08:00:00.123400Z", "text", "2026-01-15T08:00:00.123400Z", key=True),
    Case("timestamptz", "2026-01-15 08:00Z", "2026-01-15T08:00:00Z", "date", Refused("not a date")),
    Case("boolean", "true", True, "timestamp", Refused("got true or false")),
    Case("boolean", "true", True, "date", Refused("got true or false")),
    Case("double precision", "1.5", 1.5, "timestamp", Refused("got a number")),
    # Intervals
    Case(
        "interval",
        "1 year 2 mons 3 days 04:05:06.789",
        "P1Y2M3DT4H5M6.789S",
        "duration",
        Duration(14, 3, 14_706_789_000_000),
    ),
    Case("interval", "0", "P0Y0M0DT0H0M0S", "duration", Duration(0, 0, 0)),
    Case("interval", "-1 day -00:00:01.5", "P0Y0M-1DT0H0M-1.5S", "duration", Duration(0, -1, -1_500_000_000)),
    Case("interval", "-0.5 seconds", "P0Y0M0DT0H0M-0.5S", "duration", Duration(0, 0, -500_000_000)),
    Case("interval", "1 month -1 day", "P0Y1M-1DT0H0M0S", "duration", Refused("different signs")),
    Case("interval", "178000000 years", "P178000000Y0M0DT0H0M0S", "duration", Duration(2_136_000_000, 0, 0)),
    Case("interval", "200000000 years", "P200000000Y0M0DT0H0M0S", "duration", Refused("too long")),
    Case("interval", "1 day", "P0Y0M1DT0H0M0S", "text", "P0Y0M1DT0H0M0S"),
    Case("interval", "1 day", "P0Y0M1DT0H0M0S", "bigint", Refused("not a whole number")),
    Case("text", "soon", "soon", "duration", Refused("not an interval")),
    # Arrays
    Case("int[]", "{1,2}", [1, 2], "list<int>", [1, 2]),
    Case("int[]", "{}", [], "frozen<list<int>>", []),
    Case("int[]", "{2,1,2}", [2, 1, 2], "set<int>", {1, 2}),
    Case("int[]", "{1,NULL}", [1, None], "list<int>", NO_NULL),
    Case("int[]", "{1,NULL}", [1, None], "set<int>", NO_NULL),
    Case("int[]", "{{1,2},{3,4}}", [None, None], "list<int>", TWO),
    Case("int[]", "{40000}", [40000], "list<smallint>", Refused("element 40000: outside the range of smallint")),
    Case("int[]", "{1,2}", [1, 2], "text", Refused("expected text, got an array")),
    Case("int[]", "{1,2}", [1, 2], "int", Refused("got an array")),
    Case("int[]", "{1,2}", [1, 2], "frozen<tuple<int, int>>", (1, 2)),
    Case("int[]", "{1,2,3}", [1, 2, 3], "frozen<tuple<int, int>>", Refused("3 elements for a tuple of 2")),
    Case("bigint[]", "{9223372036854775807}", [2**63 - 1], "list<bigint>", [2**63 - 1]),
    Case("text[]", '{a,"b c"}', ["a", "b c"], "list<text>", ["a", "b c"]),
    Case("text[]", "{b,a}", ["b", "a"], "set<text>", {"a", "b"}),
    Case("text[]", "{a,NULL}", ["a", None], "frozen<list<text>>", NO_NULL),
    Case("text[]", "{{a,b},{c,d}}", ["[Ljava.lang.String;@299f2872", "[Ljava.lang.String;@1"], "list<text>", TWO),
    Case("uuid[]", "{{…},{…}}", ["[Ljava.util.UUID;@299f2872"], "list<text>", TWO),
    Case("text[]", "{[1]}", ["[1]"], "list<text>", ["[1]"]),
    Case("text[]", "{12}", ["12"], "list<int>", [12]),
    Case("text[]", "{x}", ["x"], "list<int>", Refused("element x: not a whole number")),
    Case("numeric[]", "{1.50}", ["1.50"], "list<decimal>", [Decimal("1.50")]),
    Case("numeric[]", "{0.1}", ["0.1"], "list<double>", [0.1]),
    Case("double precision[]", "{0.1,NaN}", [0.1, "NaN"], "list<double>", [0.1, NAN]),
    Case("real[]", "{0.5}", [0.5], "list<float>", [0.5]),
    Case("boolean[]", "{t,f}", [True, False], "list<boolean>", [True, False]),
    Case("uuid[]", f"{{{U}}}", [U], "list<uuid>", [UUID(U)]),
    Case("bytea[]", r"{\\x00ff}", ["AP8="], "list<blob>", [b"\x00\xff"]),
    Case("inet[]", "{10.0.0.1}", ["10.0.0.1"], "list<inet>", ["10.0.0.1"]),
    Case("enum[]", "{ok}", ["ok"], "list<text>", ["ok"]),
    Case("date[]", "{2026-01-15}", [20468], "list<date>", [Date("2026-01-15")]),
    Case("date[]", "{infinity}", [-622191234], "list<date>", RANGE),
    Case("date[]", "{-infinity}", [-625821272], "list<date>", RANGE),
    Case("timestamp[]", "{2026-01-15 08:00:00.123456}", [SOME_US], "list<timestamp>", [MS]),
    Case("timestamp[]", "{1970-06-01}", [13_046_400_000_000], "set<timestamp>", {datetime(1970, 6, 1)}),
    Case("timestamp[]", "{infinity}", [2**63 - 1], "list<timestamp>", INFINITE),
    Case(
        "timestamptz[]", "{2026-01-15 08:00Z}", ["2026-01-15T08:00:00Z"], "list<timestamp>", [datetime(2026, 1, 15, 8)]
    ),
    Case("timestamptz[]", "{infinity}", ["infinity"], "list<timestamp>", INFINITE),
    Case("timestamptz[]", "{-infinity}", ["+292269055-12-02T23:00:00.000000Z"], "list<timestamp>", RANGE),
    Case("timestamp[] in a key", "{….123456}", [SOME_US], "frozen<list<timestamp>>", Refused("two rows"), key=True),
    Case("time[]", "{10:00}", [36_000_000_000], "list<time>", Refused("time[]")),
    Case("time[]", "{10:00}", [36_000_000_000], "set<time>", Refused("time[]")),
    Case("jsonb[]", '{"{""a"": 1}"}', ['{"a": 1}'], "list<text>", ['{"a": 1}']),
    Case("jsonb[]", '{"{""a"": 1}"}', ['{"a": 1}'], "list<frozen<map<text, int>>>", [{"a": 1}]),
    Case("int4range[]", '{"[1,5)"}', ["[1,5)"], "list<text>", ["[1,5)"]),
    # Objects: hstore and JSON in collections, point in a user-defined type
    Case("hstore", "a=>1, b=>x", '{"a":"1","b":"x"}', "map<text, text>", {"a": "1", "b": "x"}),
    Case("hstore", "a=>1", '{"a":"1"}', "map<text, int>", {"a": 1}),
    Case("hstore", "a=>NULL", '{"a":null}', "map<text, text>", NO_NULL),
    Case("hstore", "a=>x", '{"a":"x"}', "map<text, int>", Refused("element x: not a whole number")),
    Case("hstore", "a=>1", '{"a":"1"}', "text", '{"a":"1"}'),
    Case("jsonb", '{"a": 1.5}', '{"a": 1.5}', "map<text, double>", {"a": 1.5}),
    Case(
        "jsonb",
        '{"a": 0.12345678901234567890}',
        '{"a": 0.12345678901234567890}',
        "map<text, decimal>",
        {"a": Decimal("0.12345678901234567890")},
    ),
    Case("jsonb", '{"1": "x"}', '{"1": "x"}', "map<int, text>", {1: "x"}),
    Case("jsonb", '{"a": 1}', '{"a": 1}', "map<text, text>", Refused("element 1: expected text, got a whole number")),
    Case(
        "jsonb",
        '{"a": {"b": [1]}}',
        '{"a": {"b": [1]}}',
        "map<text, frozen<map<text, frozen<list<int>>>>>",
        {"a": {"b": [1]}},
    ),
    Case("jsonb", "[1, 2]", "[1, 2]", "list<int>", [1, 2]),
    Case("jsonb", "[1, null]", "[1, null]", "list<int>", NO_NULL),
    Case("jsonb", "[[1], [2]]", "[[1], [2]]", "list<frozen<list<int>>>", [[1], [2]]),
    Case("jsonb", "[1, 2]", "[1, 2]", "map<text, int>", Refused("an object for a map, got an array")),
    Case("jsonb", '{"a": 1}', '{"a": 1}', "list<int>", Refused("an array for a list, got an object")),
    Case("jsonb", "[1, null]", "[1, null]", "frozen<tuple<int, text>>", (1, None)),
    Case("jsonb", '{"x": 1, "y": 2.5}', '{"x": 1, "y": 2.5}', "frozen<point_type>", (1.0, 2.5)),
    Case("jsonb", '{"x": 1}', '{"x": 1}', "frozen<point_type>", (1.0, None)),
    Case("jsonb", '{"x": 1, "z": 2}', '{"x": 1, "z": 2}', "frozen<point_type>", Refused("no field z")),
    Case(
        "jsonb", '{"X": 1}', '{"X": 1}', "frozen<point_type>", Refused("it has x: CQL makes unquoted names lower case")
    ),
    Case("jsonb", '{"x": "a"}', '{"x": "a"}', "frozen<point_type>", Refused("element a: not a number")),
    Case("text", "abc", "abc", "list<text>", Refused("text that is not JSON")),
    Case("text", "abc", "abc", "map<text, text>", Refused("text that is not JSON")),
    Case(
        "point", "(1.5,-2)", {"x": 1.5, "y": -2.0, "wkb": "AQEAAAA=", "srid": None}, "frozen<point_type>", (1.5, -2.0)
    ),
    Case("point", "(1.5,-2)", {"x": 1.5, "y": -2.0, "wkb": "AQEAAAA=", "srid": None}, "text", Refused("got an object")),
    Case(
        "line, box, path, polygon", "…", {"wkb": "AQ==", "srid": None}, "frozen<point_type>", Refused("no field srid")
    ),
    Case("vector (pgvector)", "[1,2.5,3]", "[1,2.5,3]", "vector<float, 3>", [1.0, 2.5, 3.0]),
    Case("vector (pgvector)", "[1,2]", "[1,2]", "vector<float, 3>", Refused("2 elements for a vector of 3")),
]
