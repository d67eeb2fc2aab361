"""When each job is due. Knows time and back-off; knows nothing of what a job does."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.backoff import Backoff
from pipeline.producer.jobs import Job
from pipeline.producer.plan import Pace, more_urgent_per_minute, total_per_minute

# The first retry of a failed request comes soon; the delay then doubles up to the maximum.
FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS = 0.5, 30.0


@dataclass(slots=True, eq=False)
class Entry:
    """A job and the seconds between its starts. Times are monotonic: `due` is the next start,
    `regular_due` the next one by the plan; a start before that is extra, for a page of a backlog.
    `more_urgent`: the weight per minute that is planned for kinds more urgent than this one."""

    job: Job
    every_seconds: float
    due: float
    regular_due: float
    more_urgent: float = 0.0
    running: bool = False
    backoff: Backoff = field(default_factory=lambda: Backoff(FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS))


class Schedule:
    """The current jobs; the most overdue goes first. A job that was removed while it was running
    may still be reported as succeeded or failed, which then has no effect.

    `entries`: by the job's name."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.entries: Mapping[str, Entry] = {}
        self._clock = clock
        self._planned_per_minute = 0.0

    def replace(self, jobs: Iterable[Job], paces: Mapping[str, Pace]) -> None:
        """Replace the set of jobs. Jobs that remain keep their due time; the new ones of a kind are
        spread over its interval, so that requests do not come in bursts."""
        jobs = list(jobs)
        entries: dict[str, Entry] = {}
        now = self._clock()
        counts = Counter(job.kind for job in jobs)
        numbers: Counter[str] = Counter()
        for job in jobs:
            every = paces[job.kind].interval_seconds
            entry = self.entries.get(job.name)
            if entry is None:
                first = now + every * numbers[job.kind] / counts[job.kind]
                entry = Entry(job, every, first, first)
            entry.job = job
            entry.every_seconds = every
            entry.due = min(entry.due, now + every)
            entry.regular_due = min(entry.regular_due, now + every)
            entry.more_urgent = more_urgent_per_minute(job.kind, paces)
            numbers[job.kind] += 1
            entries[job.name] = entry
        self.entries = entries
        self._planned_per_minute = total_per_minute(paces)

    def due(self) -> list[Entry]:
        """Entries that are due and not running, the most overdue first."""
        now = self._clock()
        ready = [entry for entry in self.entries.values() if not entry.running and entry.due <= now]
        return sorted(ready, key=lambda entry: entry.due)

    def reserved_per_minute(self, entry: Entry) -> float:
        """The weight per minute that a start of this entry must leave to others: what is planned
        for more urgent kinds; for an extra start, everything that is planned, so that catching up
        after an outage does not delay current data."""
        return self._planned_per_minute if self._clock() < entry.regular_due else entry.more_urgent

    def seconds_late(self, entry: Entry) -> float:
        return self._clock() - max(entry.due, entry.regular_due)

    def seconds_to_next(self) -> float:
        """Until something is due; one second if everything is running or there are no jobs."""
        waiting = [entry.due for entry in self.entries.values() if not entry.running]
        return max(0.0, min(waiting, default=self._clock() + 1) - self._clock())

    def succeeded(self, entry: Entry, again: bool) -> None:
        """Due again after its interval, or at once if there is more to fetch. Intervals are counted
        from the first due time, and missed ones are skipped: requests that were spread stay spread
        after an outage."""
        entry.backoff.reset()
        now = self._clock()
        if now >= entry.regular_due:
            entry.regular_due += entry.every_seconds * (1 + (now - entry.regular_due) // entry.every_seconds)
        entry.due = now if again else entry.regular_due
        entry.running = False

    def failed(self, entry: Entry) -> float:
        """Due again after a back-off. Returns the seconds."""
        delay = entry.backoff.next_seconds()
        entry.due = self._clock() + delay
        entry.running = False
        return delay

    def put_back(self, entry: Entry) -> None:
        """It got no answer through no fault of its own: due as before."""
        entry.running = False
