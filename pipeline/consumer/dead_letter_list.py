"""Dead letters as a table for people. Pure: records in, lines out."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from kafka.consumer.fetcher import ConsumerRecord

from pipeline.consumer.dead_letters import REASON, origin

HEAD = ("when (UTC)", "topic", "partition", "offset", "key", "reason")
WIDEST = (19, 32, 9, 12, 24, 100)


def lines(letters: Iterable[ConsumerRecord]) -> Iterator[str]:
    """A head, one line a letter, and how many there are. Nothing but that when there are none."""
    rows = [row(letter) for letter in letters]
    if rows:
        widths = [max(len(line[column]) for line in (HEAD, *rows)) for column in range(len(HEAD))]
        for line in (HEAD, *rows):
            yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
    yield f"{len(rows)} dead letter{'' if len(rows) == 1 else 's'} not replayed"


def row(letter: ConsumerRecord) -> tuple[str, ...]:
    first = origin(letter)
    reason = dict(letter.headers).get(REASON, b"").decode(errors="replace")
    when = datetime.fromtimestamp(letter.timestamp / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    key = (letter.key or b"").decode(errors="replace")
    cells = (when, first.topic, str(first.partition), str(first.offset), key, " ".join(reason.split()))
    return tuple(shortened(cell, width) for cell, width in zip(cells, WIDEST))


def shortened(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
