"""Sends batches to Cassandra and waits until every one is confirmed or refused. Knows the driver;
knows nothing of Kafka. While Cassandra is unavailable the caller waits, then calls again."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from cassandra import WriteFailure
from cassandra.cluster import NoHostAvailable, Session
from cassandra.protocol import ServerError

from pipeline.cassandra_session import REFUSED_ERRORS, UNAVAILABLE_ERRORS
from pipeline.changes import DELETE
from pipeline.consumer import metrics
from pipeline.consumer.driver_internals import Request, Sender, SerialisedRow
from pipeline.consumer.round import Round
from pipeline.consumer.statements import EncodedRow, Statements, TableStatement
from pipeline.errors import PipelineError, StoreUnavailable

# A row that Cassandra answers this often with a server error while it takes other rows is refused.
MAX_SERVER_ERRORS = 4
WAITING_EVERY_SECONDS = 1.0
LARGE_ROW_BYTES = 1024 * 1024  # worth a mention when a row is refused

Batch = list[EncodedRow]


class SchemaChanged(StoreUnavailable):
    """A table changed between encoding and writing. Encode the rows again, then write."""


class Outcome(Enum):
    """What became of one request, and so what happens to its rows."""

    CONFIRMED = auto()  # written
    UNAVAILABLE = auto()  # stay pending: a later attempt can work
    SUSPECT = auto()  # a server error: an outage, or the fault of these rows
    SCHEMA_CHANGED = auto()  # stay pending: to be encoded again
    SPLIT = auto()  # sent again in two halves: one invalid row makes its whole batch fail
    REFUSED = auto()  # a single row that Cassandra will never accept


@dataclass(slots=True)
class Pending:
    """`batches`: what is left of a poll to write. `refused`: the rows that Cassandra will never
    accept, as (position of the record, reason). `confirmed`: per confirmed request, the table and
    the number of rows. `server_errors`: how often a row alone got a server error, by its position.
    `under_way`: the requests for `batches`, once they are sent. `began_at`, `finished_at`: when the
    first was sent and the last answered, in monotonic seconds; `finished_us`: the latter in µs
    since 1970."""

    batches: list[Batch]
    refused: list[tuple[int, str]] = field(default_factory=list)
    confirmed: list[tuple[str, int]] = field(default_factory=list)
    server_errors: Counter[int] = field(default_factory=Counter)
    under_way: Round | None = None
    began_at: float = field(default_factory=time.monotonic)
    finished_at: float = 0.0
    finished_us: int = field(default_factory=lambda: time.time_ns() // 1000)

    @property
    def is_answered(self) -> bool:
        """Whether `Writer.finish` would not wait for requests that are under way."""
        return self.under_way is None or self.under_way.is_finished

    @property
    def sent_at(self) -> float:
        """When the requests that are under way were sent; now, if none are."""
        return self.under_way.began_at if self.under_way else time.monotonic()


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
        self._sender = Sender(session)
        self._last_confirmed: EncodedRow | None = None

    def start(self, pending: Pending) -> None:
        """Send one request per batch and return; `finish` waits for the answers."""
        if pending.batches:
            self._sent(pending)

    def finish(self, pending: Pending, waiting: Callable[[], None] = lambda: None) -> None:
        """Write until nothing is pending: each batch is confirmed, or its invalid rows are refused
        one by one. `waiting` is called every second meanwhile. Raises StoreUnavailable
        (SchemaChanged if the rows must be encoded again) when Cassandra did not confirm some; those
        stay pending for the next call. An error that is neither an outage nor Cassandra's refusal
        is a bug and is raised unchanged."""
        while pending.batches:
            self._take_answers(pending, self._sent(pending), waiting)
        if pending.finished_at:
            metrics.WRITE_SECONDS.observe(pending.finished_at - pending.began_at)

    def _sent(self, pending: Pending) -> Round:
        if pending.under_way is None:
            pending.under_way = Round(self._sender, list(map(request, pending.batches)))
        return pending.under_way

    def _take_answers(self, pending: Pending, answers: Round, waiting: Callable[[], None]) -> None:
        """Afterwards the rows to be sent again are pending."""
        while not answers.wait(WAITING_EVERY_SECONDS):
            waiting()
        pending.under_way = None
        pending.finished_at, pending.finished_us = answers.finished_at, answers.finished_us
        batches, pending.batches = pending.batches, []
        if answers.errors:
            self._judge(batches, answers.errors, pending)
        else:
            pending.confirmed += [(batch[0].statement.table.name, len(batch)) for batch in batches]
            self._last_confirmed = batches[-1][0]

    def _judge(self, batches: list[Batch], errors: dict[int, Exception], pending: Pending) -> None:
        schema_check = SchemaCheck(self._statements)
        failure: StoreUnavailable | None = None
        cause: Exception | None = None
        suspects: list[tuple[Batch, Exception]] = []
        takes_rows = False
        for number, batch in enumerate(batches):
            error = errors.get(number)
            table = batch[0].statement.table.name
            try:
                outcome = self._outcome(batch, error, schema_check)
            except StoreUnavailable as schema_unknown:
                outcome, error = Outcome.UNAVAILABLE, schema_unknown
            match outcome:
                case Outcome.CONFIRMED:
                    pending.confirmed.append((table, len(batch)))
                    self._last_confirmed, takes_rows = batch[0], True
                case Outcome.UNAVAILABLE:
                    pending.batches.append(batch)
                    failure, cause = StoreUnavailable(str(error)), error
                case Outcome.SUSPECT:
                    suspects.append((batch, errors[number]))
                case Outcome.SCHEMA_CHANGED:
                    pending.batches.append(batch)
                    failure, cause = SchemaChanged(f"{table} changed: {error}"), error
                case Outcome.SPLIT:
                    pending.batches += halves(batch)
                case Outcome.REFUSED:
                    pending.refused.append((batch[0].position, f"Cassandra refused the row: {error}"))
        if suspects:
            takes_rows = takes_rows or self._takes_rows(suspects[0][0][0])
            unavailable = self._isolate(suspects, pending, takes_rows, schema_check)
            if unavailable is not None and failure is None:
                failure, cause = unavailable, suspects[-1][1]
        if failure is not None:
            raise failure from cause

    def _isolate(
        self, suspects: list[tuple[Batch, Exception]], pending: Pending, takes_rows: bool, schema_check: SchemaCheck
    ) -> StoreUnavailable | None:
        """What to do with batches that got a server error. If Cassandra takes no other rows either,
        it is unavailable. Otherwise a row among them is at fault: it is searched for by halves, and
        refused once it has failed several times alone. Returns the error to raise, if any."""
        failure: StoreUnavailable | None = None
        for batch, error in suspects:
            position = batch[0].position
            if takes_rows and len(batch) > 1:
                pending.batches += halves(batch)
                continue
            pending.server_errors[position] += takes_rows
            try:
                at_fault = pending.server_errors[position] >= MAX_SERVER_ERRORS
                if at_fault and schema_check.has_changed(batch[0].statement):
                    raise SchemaChanged(f"{batch[0].statement.table.name} changed: {error}")
                if not at_fault:
                    raise StoreUnavailable(str(error))
                pending.refused.append((position, server_error_reason(batch[0], error)))
            except StoreUnavailable as unavailable:
                pending.batches.append(batch)
                failure = unavailable
        return failure

    def _takes_rows(self, suspect: EncodedRow) -> bool:
        """Whether Cassandra writes at all: tried with a delete as of 1970, which deletes nothing,
        of the row that was confirmed last, else of the suspect itself."""
        for row in filter(None, (self._last_confirmed, suspect)):
            try:
                delete = self._statements.statement(row.statement.table.name, DELETE).delete_of(row, version_us=1)
                self._session.execute(SerialisedRow(delete.statement.prepared, delete.values))
                return True
            except (*UNAVAILABLE_ERRORS, *REFUSED_ERRORS, PipelineError):
                continue
        return False

    def _outcome(self, batch: Batch, error: Exception | None, schema_check: SchemaCheck) -> Outcome:
        """A row is refused only once it is certain that its table has not changed. Raises
        StoreUnavailable when that cannot be checked now; re-raises an error that is a bug."""
        table_statement = batch[0].statement
        if error is None:
            return Outcome.CONFIRMED
        if is_server_error(error):
            return Outcome.SUSPECT
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


def request(batch: Batch) -> Request:
    return Request(batch[0].statement.prepared, [row.values for row in batch])


def halves(batch: Batch) -> list[Batch]:
    middle = len(batch) // 2
    return [batch[:middle], batch[middle:]]


def is_server_error(error: Exception) -> bool:
    """Whether a node answered the request with an error of its own. The driver tries the next node
    then and, when there is none, reports what each of them answered."""
    if isinstance(error, NoHostAvailable) and isinstance(error.errors, dict):
        return any(map(is_server_error, error.errors.values()))
    return isinstance(error, ServerError | WriteFailure)


def server_error_reason(row: EncodedRow, error: Exception) -> str:
    size = f", {row.size_bytes:,} bytes" if row.size_bytes > LARGE_ROW_BYTES else ""
    return (
        f"{row.statement.table.name}: Cassandra answered this row{size} with a server error {MAX_SERVER_ERRORS} times"
        f" while it took other rows; its log says why: {error}"
    )
