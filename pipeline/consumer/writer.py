"""Sends batches to Cassandra and waits until every one is confirmed or refused. Knows the driver;
knows nothing of Kafka. While Cassandra is unavailable the caller waits, then calls again."""

import time
from dataclasses import dataclass, field
from enum import Enum, auto

from cassandra.cluster import Session
from cassandra.concurrent import execute_concurrent
from cassandra.query import Statement

from pipeline.cassandra_session import REFUSED_ERRORS, UNAVAILABLE_ERRORS
from pipeline.consumer import metrics
from pipeline.consumer.driver_internals import SerialisedBatch, SerialisedRow
from pipeline.consumer.statements import EncodedRow, Statements, TableStatement
from pipeline.errors import StoreUnavailable

MAX_REQUESTS_IN_FLIGHT = 128

Batch = list[EncodedRow]


class SchemaChanged(StoreUnavailable):
    """A table changed between encoding and writing. Encode the rows again, then write."""


class Outcome(Enum):
    """What became of one request, and so what happens to its rows."""

    CONFIRMED = auto()  # written
    UNAVAILABLE = auto()  # stay pending: a later attempt can work
    SCHEMA_CHANGED = auto()  # stay pending: to be encoded again
    SPLIT = auto()  # sent again in two halves: one invalid row makes its whole batch fail
    REFUSED = auto()  # a single row that Cassandra will never accept


@dataclass(slots=True)
class Pending:
    """`batches`: what is left of a poll to write. `refused`: the rows that Cassandra will never
    accept, as (position of the record, reason). `confirmed`: per confirmed request, the table and
    the number of rows."""

    batches: list[Batch]
    refused: list[tuple[int, str]] = field(default_factory=list)
    confirmed: list[tuple[str, int]] = field(default_factory=list)


class SchemaCheck:
    """Whether the tables of refused rows have changed. Asks Cassandra at most once per statement
    and round of requests."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._answers: dict[TableStatement, bool | StoreUnavailable] = {}

    def has_changed(self, table_statement: TableStatement) -> bool:
        """Raises StoreUnavailable when Cassandra does not give its schema."""
        if table_statement not in self._answers:
            try:
                self._answers[table_statement] = self._statements.has_changed(table_statement)
            except StoreUnavailable as error:
                self._answers[table_statement] = error
        answer = self._answers[table_statement]
        if isinstance(answer, StoreUnavailable):
            raise StoreUnavailable(str(answer)) from answer
        return answer


class Writer:
    """Writes batches with a bounded number of requests in flight."""

    def __init__(self, session: Session, statements: Statements) -> None:
        self._session = session
        self._statements = statements

    def write(self, pending: Pending) -> None:
        """Write until nothing is pending: each batch is confirmed, or its invalid rows are refused
        one by one. Raises StoreUnavailable (SchemaChanged if the rows must be encoded again) when
        Cassandra did not confirm some; those stay pending for the next call. An error that is
        neither an outage nor Cassandra's refusal is a bug and is raised unchanged."""
        began = time.monotonic()
        while pending.batches:
            self._write_round(pending)
        metrics.WRITE_SECONDS.observe(time.monotonic() - began)

    def _write_round(self, pending: Pending) -> None:
        """Sends one request per pending batch. Afterwards the rows to be sent again are pending."""
        batches, pending.batches = pending.batches, []
        requests = [(request(batch), None) for batch in batches]
        results = execute_concurrent(self._session, requests, MAX_REQUESTS_IN_FLIGHT, raise_on_first_error=False)
        schema_check = SchemaCheck(self._statements)
        failure: StoreUnavailable | None = None
        cause: Exception | None = None
        for batch, (confirmed, result) in zip(batches, results, strict=True):
            error = None if confirmed else result
            table = batch[0].statement.table.name
            try:
                outcome = self._outcome(batch, error, schema_check)
            except StoreUnavailable as schema_unknown:
                outcome, error = Outcome.UNAVAILABLE, schema_unknown
            match outcome:
                case Outcome.CONFIRMED:
                    pending.confirmed.append((table, len(batch)))
                case Outcome.UNAVAILABLE:
                    pending.batches.append(batch)
                    failure, cause = StoreUnavailable(str(error)), error
                case Outcome.SCHEMA_CHANGED:
                    pending.batches.append(batch)
                    failure, cause = SchemaChanged(f"{table} changed: {error}"), error
                case Outcome.SPLIT:
                    middle = len(batch) // 2
                    pending.batches += [batch[:middle], batch[middle:]]
                case Outcome.REFUSED:
                    pending.refused.append((batch[0].position, f"Cassandra refused the row: {error}"))
        if failure is not None:
            raise failure from cause

    def _outcome(self, batch: Batch, error: Exception | None, schema_check: SchemaCheck) -> Outcome:
        """A row is refused only once it is certain that its table has not changed. Raises
        StoreUnavailable when that cannot be checked now; re-raises an error that is a bug."""
        table_statement = batch[0].statement
        if error is None:
            return Outcome.CONFIRMED
        if isinstance(error, UNAVAILABLE_ERRORS):
            return Outcome.UNAVAILABLE
        if not self._statements.is_current(table_statement):
            return Outcome.SCHEMA_CHANGED
        if not isinstance(error, REFUSED_ERRORS):
            raise error
        if len(batch) > 1:
            return Outcome.SPLIT
        if schema_check.has_changed(table_statement):
            return Outcome.SCHEMA_CHANGED
        return Outcome.REFUSED


def request(batch: Batch) -> Statement:
    """What is sent for a batch: a single row by itself, several rows as one unlogged batch."""
    prepared = batch[0].statement.prepared
    if len(batch) == 1:
        return SerialisedRow(prepared, batch[0].values)
    return SerialisedBatch(prepared, [row.values for row in batch])
