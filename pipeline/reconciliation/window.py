"""The stretch of time that is compared. Knows text and times; knows no table."""

from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.times import datetime_to_ms, duration_seconds, iso_to_ms, ms_to_text, now_ms, seconds_to_ms

DEFAULT_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Window:
    """In ms since 1970: `from_ms` inclusive, `to_ms` exclusive."""

    from_ms: int
    to_ms: int

    def since(self, from_ms: int) -> "Window":
        """The part of it that is not older."""
        return Window(max(self.from_ms, from_ms), self.to_ms)

    @property
    def is_empty(self) -> bool:
        return self.from_ms >= self.to_ms

    def __str__(self) -> str:
        return f"{ms_to_text(self.from_ms)} to {ms_to_text(self.to_ms)} UTC"


def last(seconds: float, to_ms: int | None = None) -> Window:
    end = now_ms() if to_ms is None else to_ms
    return Window(end - seconds_to_ms(seconds), end)


def parsed_duration(text: str) -> float:
    """Seconds of `90s`, `30m`, `12h`, `7d`. Raises ValueError."""
    seconds = duration_seconds(text)
    if not 0 < seconds <= 366 * 86400:
        raise ValueError(text)
    return seconds


def parsed_time(text: str) -> int:
    """ms since 1970 of an ISO 8601 time, or of a number of ms. Raises ValueError."""
    return int(text) if text.isdigit() else iso_to_ms(text)


def day_start_ms(day: str) -> int:
    """Of a day such as `20261126`, in UTC."""
    return datetime_to_ms(datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC))
