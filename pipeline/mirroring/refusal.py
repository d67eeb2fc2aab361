"""Why a table, a key or a column cannot be mirrored. Knows no library."""

from pipeline.errors import PipelineError


class MirrorRefused(PipelineError):
    """The table cannot be mirrored as requested; nothing more is changed. The message says why and
    what to change."""


class MirrorIncomplete(PipelineError):
    """The table is set up, but its rows did not arrive or are not equal. The message says what to
    look at; the same command continues."""


class Unmirrorable(ValueError):
    """A column's type has no exact form in the stream; the message is the reason."""
