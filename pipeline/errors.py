"""Errors that more than one file of pipeline/ handles, and what each means for the loop. An error
that one part alone raises and handles is defined there. Knows no library: the files that call one
translate its errors."""


class PipelineError(Exception):
    """Base of every error that this project raises on purpose. `retriable`: whether the same call
    can succeed later; loops read this and never the message."""

    retriable = False


class BadSetting(PipelineError):
    """A setting cannot be used. The program stops at start with name, value and what is allowed."""


class StoreUnavailable(PipelineError):
    """Cassandra did not confirm a write or answer a read. Wait and retry without limit."""

    retriable = True


class PostgresUnavailable(PipelineError):
    """PostgreSQL is unavailable. Wait, reconnect, write the same batch again."""

    retriable = True


class UnwritableRecord(PipelineError):
    """This record can never be written. It becomes a dead letter with reason, topic, partition and
    offset; the stream continues."""


class ExchangeError(PipelineError):
    """A request to the exchange failed. Only requests of its kind back off."""

    retriable = True


class ExchangeBanned(ExchangeError):
    """The exchange refuses this address (429, 418). Send no request for `retry_after_seconds`."""

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class UnknownSymbol(ExchangeError):
    """The exchange does not know a requested symbol. Leave it out and continue with the others."""

    retriable = False
