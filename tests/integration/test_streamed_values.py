"""Rows that are read from PostgreSQL take the form in which Debezium sends them: each case of the
table from which docs/types.md is made."""

import math
from typing import Any

import pytest
from psycopg2.extensions import connection as Connection

from pipeline.mirroring.catalogue import read_table
from pipeline.reconciliation.source_rows import SourceRows
from tests.unit.pipeline.consumer.type_cases import CASES, Case

# Shown shortened, or in a form that PostgreSQL does not read.
SHORTENED = ("digits", "…", "Ljava", '""a""', "E+30", "2026-01-15 08:00Z", "200000000 years")
TYPES = {"enum": "rec_mood", "domain over int": "rec_positive", "enum[]": "rec_mood[]"}
# Types that this server lacks, or whose columns are not compared.
ABSENT = ("ltree", "vector (pgvector)", "line, box, path, polygon", "timestamp[] in a key", "timetz", "time[]")
# Values that Debezium damages; their rows are not compared. Before our era it counts by another
# calendar, and no timestamp of Cassandra's holds such a time.
DAMAGED = ("infinity}", "{{", "NULL}")
OTHER_CALENDAR = "0044-03-15 BC"


def usable(case: Case) -> bool:
    texts = (case.value, str(case.json))
    return (
        not any(mark in text for mark in SHORTENED for text in texts)
        and case.postgres not in ABSENT
        and (case.postgres, case.value) != ("timestamp", OTHER_CALENDAR)
        and not ("[]" in case.postgres and any(mark in case.value for mark in DAMAGED))
    )


USABLE = list({(case.postgres, case.value): case for case in CASES if usable(case)}.values())


@pytest.fixture(scope="module")
def connection(postgres: Connection) -> Connection:
    """With the types that the cases use."""
    with postgres.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS hstore")
        cursor.execute("CREATE TYPE rec_mood AS ENUM ('sad', 'ok', 'very happy')")
        cursor.execute("CREATE DOMAIN rec_positive AS int CHECK (VALUE > 0)")
    return postgres


@pytest.mark.parametrize("case", USABLE, ids=lambda case: f"{case.postgres} {case.value}"[:50])
def test_a_value_is_read_as_debezium_sends_it(connection: Connection, case: Case) -> None:
    value = {"(empty)": "", "'ab   '": "ab"}.get(case.value, case.value)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS rec_case")
        cursor.execute(f"CREATE TABLE rec_case (id int PRIMARY KEY, v {TYPES.get(case.postgres, case.postgres)})")
        cursor.execute("INSERT INTO rec_case VALUES (1, %s)", (value,))
        source = SourceRows(read_table(cursor, "rec_case"))
        ((row, is_odd),) = source.by_key(cursor, ["id"], [("1",)])
    assert not is_odd
    assert alike(row["v"], case.json)


@pytest.mark.parametrize("kind", sorted({case.postgres for case in USABLE}))
def test_null_is_null(connection: Connection, kind: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS rec_case")
        cursor.execute(f"CREATE TABLE rec_case (id int PRIMARY KEY, v {TYPES.get(kind, kind)})")
        cursor.execute("INSERT INTO rec_case VALUES (1)")
        source = SourceRows(read_table(cursor, "rec_case"))
        assert source.by_key(cursor, ["id"], [("1",)]) == [({"id": 1, "v": None}, False)]


def alike(read: Any, sent: Any) -> bool:
    """A NaN and an infinity of floating-point types are text in JSON; the encoders take both. Of a
    time that no timestamp of Cassandra's can hold, only its first character is the same. Of a
    point, x and y count."""
    if isinstance(read, float) and isinstance(sent, str):
        return math.isnan(read) if sent == "NaN" else read == float(sent.replace("Infinity", "inf"))
    if isinstance(read, list) and isinstance(sent, list):
        return len(read) == len(sent) and all(map(alike, read, sent))
    if isinstance(sent, dict):
        return all(sent[name] == read[name] for name in read)
    if isinstance(sent, str) and sent[:1] in "+-" and "T" in sent and isinstance(read, str):
        return read == "+"
    return type(read) is type(sent) and read == sent
