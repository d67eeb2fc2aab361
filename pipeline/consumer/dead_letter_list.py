"""Dead letters as a table to read: records in, lines out. Knows nothing of where they come from."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from kafka.consumer.fetcher import ConsumerRecord

from pipeline.consumer.dead_letters import REASON, origin

HEADINGS = ("when (UTC)", "topic", "partition", "offset", "key", "reason")
MAX_WIDTHS = (19, 32, 9, 12, 24, 100)


def lines(letters: Iterable[ConsumerRecord]) -> Iterator[str]:
    """The headings and one line per dead letter, unless there are none; then their number."""
    rows = [row(letter) for letter in letters]
    if rows:
        widths = [max(len(line[column]) for line in (HEADINGS, *rows)) for column in range(len(HEADINGS))]
        for line in (HEADINGS, *rows):
            yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
    yield f"{len(rows)} dead letter{'' if len(rows) == 1 else 's'} not replayed"


def row(letter: ConsumerRecord) -> tuple[str, ...]:
    first = origin(letter)
    reason = (dict(letter.headers).get(REASON) or b"").decode(errors="replace")
    when = datetime.fromtimestamp(letter.timestamp / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    key = (letter.key or b"").decode(errors="replace")
    cells = (when, first.topic, str(first.partition), str(first.offset), key, " ".join(reason.split()))
    return tuple(shortened(cell, width) for cell, width in zip(cells, MAX_WIDTHS))


def shortened(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
