"""Which errors exist and what each means for the loop. Knows no library: the files that talk to one
translate."""


class PipelineError(Exception):
    """Base of all errors of ours. `retriable`: the loop reads this, never the message."""

    retriable = False


class BadSetting(PipelineError):
    """A setting cannot be used. The program stops at start with name, value and what is allowed."""


class StoreUnavailable(PipelineError):
    """Cassandra did not confirm a write or answer a read. Wait and try the same again, without
    limit."""

    retriable = True


class PostgresUnavailable(PipelineError):
    """PostgreSQL is away. Wait, reconnect, write the same batch again."""

    retriable = True


class UnwritableRecord(PipelineError):
    """This record can never be written. Dead letter with reason, topic, partition, offset; go
    on."""


class ExchangeError(PipelineError):
    """A request to the exchange failed. Only its own kind of request backs off."""

    retriable = True


class ExchangeBanned(ExchangeError):
    """The exchange told us to be silent (429, 418). Nobody calls it for `retry_after_seconds`."""

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class UnknownSymbol(ExchangeError):
    """The exchange does not know a symbol we asked for. The symbol is left out, the rest go on."""

    retriable = False
