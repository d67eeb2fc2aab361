"""Sends batches to Cassandra and waits until every one is confirmed. Knows the driver; knows
nothing of Kafka. The caller waits and calls again when the store is away."""

import time
from dataclasses import dataclass, field

from cassandra.cluster import Session
from cassandra.concurrent import execute_concurrent
from cassandra.query import BatchStatement, BatchType, Statement

from pipeline.cassandra_session import REFUSED_ERRORS, UNAVAILABLE_ERRORS
from pipeline.consumer import metrics
from pipeline.consumer.statements import EncodedRow, Statements, TableStatement
from pipeline.errors import StoreUnavailable

IN_FLIGHT = 128

Batch = list[EncodedRow]


class SchemaChanged(StoreUnavailable):
    """A table changed between encoding and writing. Encode the rows again, then write."""


@dataclass(slots=True)
class Pending:
    """What is left of a poll to write; what Cassandra refused: (position of the record, reason);
    and what it confirmed, as the sizes of the requests per table."""

    batches: list[Batch]
    refused: list[tuple[int, str]] = field(default_factory=list)
    confirmed: list[tuple[str, int]] = field(default_factory=list)


class Writer:
    """Writes batches with a bounded number in flight."""

    def __init__(self, session: Session, statements: Statements) -> None:
        self._session = session
        self._statements = statements

    def write(self, pending: Pending) -> None:
        """Write until nothing is pending: each batch is confirmed, or refused row by row. Raises
        StoreUnavailable when the store did not confirm some; those stay pending for the next call.
        An error that is neither an outage nor Cassandra's refusal is a bug and is raised as it
        is."""
        began = time.monotonic()
        while pending.batches:
            batches, pending.batches = pending.batches, []
            requests = [(statement(batch), None) for batch in batches]
            results = execute_concurrent(self._session, requests, IN_FLIGHT, raise_on_first_error=False)
            away: Exception | None = None
            asked: dict[TableStatement, StoreUnavailable | None] = {}  # all of this round were refused before
            for batch, (confirmed, error) in zip(batches, results, strict=True):
                table = batch[0].statement.table.name
                if confirmed:
                    pending.confirmed.append((table, len(batch)))
                    continue
                if isinstance(error, UNAVAILABLE_ERRORS):
                    pending.batches.append(batch)
                    away = error
                elif not self._statements.is_current(batch[0].statement):
                    pending.batches.append(batch)
                    away = SchemaChanged(f"{table} changed: {error}")
                elif not isinstance(error, REFUSED_ERRORS):
                    raise error
                elif len(batch) > 1:
                    # One bad row makes the whole batch fail: halve until it stands alone.
                    middle = len(batch) // 2
                    pending.batches += [batch[:middle], batch[middle:]]
                else:
                    kind = batch[0].statement
                    if kind not in asked:
                        asked[kind] = self._schema_trouble(kind, error)
                    if asked[kind]:
                        pending.batches.append(batch)
                        away = asked[kind]
                    else:
                        pending.refused.append((batch[0].position, f"Cassandra refused the row: {error}"))
            if isinstance(away, SchemaChanged):
                raise away
            if away is not None:
                raise StoreUnavailable(str(away)) from away
        metrics.WRITE_SECONDS.observe(time.monotonic() - began)

    def _schema_trouble(self, kind: TableStatement, error: Exception) -> StoreUnavailable | None:
        """Why the refusal of single rows is not their own fault; None when it is. Asks Cassandra
        for its schema."""
        try:
            changed = self._statements.has_changed(kind)
        except StoreUnavailable as unreadable:
            return unreadable
        return SchemaChanged(f"{kind.table.name} changed: {error}") if changed else None


class SerialisedBatch(BatchStatement):
    """Rows of one partition as one request. Fills what `BatchStatement.add` would, in one go: its
    checks per row cost as much as the rest of sending."""

    def __init__(self, batch: Batch) -> None:
        super().__init__(BatchType.UNLOGGED)
        first = batch[0]
        bound = first.statement.bind(first.values)
        self.keyspace = bound.keyspace
        self.routing_key = bound.routing_key
        query_id = first.statement.prepared.query_id
        self._statements_and_parameters = [(True, query_id, row.values) for row in batch]


def statement(batch: Batch) -> Statement:
    """One request. Unlogged is right because all rows are of one partition: Cassandra applies it as
    one mutation."""
    if len(batch) == 1:
        return batch[0].statement.bind(batch[0].values)
    return SerialisedBatch(batch)
