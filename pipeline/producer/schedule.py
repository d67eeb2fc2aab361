"""When each job is due. Knows time and back-off; knows nothing of what a job does."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.backoff import Backoff
from pipeline.producer.jobs import Job
from pipeline.producer.plan import Pace, more_urgent_per_minute, total_per_minute

# A failing request is tried again soon, then ever more rarely.
RETRY_FIRST_SECONDS, RETRY_LONGEST_SECONDS = 0.5, 30.0


@dataclass(slots=True, eq=False)
class Entry:
    """A job and the seconds between its starts. Times are monotonic: `due` is the next start,
    `regular_due` the next one by the plan; a start before that is extra, for a page of a backlog.
    `more_urgent`: the weight per minute that is planned for kinds that go before this one."""

    job: Job
    every_seconds: float
    due: float
    regular_due: float
    more_urgent: float = 0.0
    running: bool = False
    backoff: Backoff = field(default_factory=lambda: Backoff(RETRY_FIRST_SECONDS, RETRY_LONGEST_SECONDS))


class Schedule:
    """The jobs of the moment. The most overdue goes first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: dict[str, Entry] = {}
        self._planned = 0.0

    def replace(self, jobs: Iterable[Job], paces: Mapping[str, Pace]) -> None:
        """Exchange the set of jobs. Jobs that stay keep their due time; new ones of a kind are
        spread over its interval, so that requests do not come in bursts."""
        jobs, entries, now = list(jobs), {}, self._clock()
        counts = {kind: sum(job.kind == kind for job in jobs) for kind in {job.kind for job in jobs}}
        numbers = dict.fromkeys(counts, 0)
        for job in jobs:
            every = paces[job.kind].interval_seconds
            entry = self._entries.get(job.name)
            if entry is None:
                first = now + every * numbers[job.kind] / counts[job.kind]
                entry = Entry(job, every, first, first)
            entry.job, entry.every_seconds = job, every
            entry.due, entry.regular_due = min(entry.due, now + every), min(entry.regular_due, now + every)
            entry.more_urgent = more_urgent_per_minute(job.kind, paces)
            numbers[job.kind] += 1
            entries[job.name] = entry
        self._entries = entries
        self._planned = total_per_minute(paces)

    def names(self) -> set[str]:
        return set(self._entries)

    def __contains__(self, entry: Entry) -> bool:
        return self._entries.get(entry.job.name) is entry

    def due(self) -> list[Entry]:
        """Entries that are due and not running, the most overdue first."""
        now = self._clock()
        ready = [entry for entry in self._entries.values() if not entry.running and entry.due <= now]
        return sorted(ready, key=lambda entry: entry.due)

    def kept_for_others(self, entry: Entry) -> float:
        """The weight per minute that this start must leave: what is more urgent; all that is
        planned, if it is extra, so that catching up after an outage does not slow the present
        down."""
        return self._planned if self._clock() < entry.regular_due else entry.more_urgent

    def seconds_late(self, entry: Entry) -> float:
        return self._clock() - max(entry.due, entry.regular_due)

    def seconds_to_next(self) -> float:
        """Until something is due; a second when nothing waits."""
        waiting = [entry.due for entry in self._entries.values() if not entry.running]
        return max(0.0, min(waiting, default=self._clock() + 1) - self._clock())

    def succeeded(self, entry: Entry, again: bool) -> None:
        """Due again after its interval, or at once when there is more to fetch. Intervals are
        counted from when it was first due, and missed ones are left out: requests that were spread
        stay so after an outage."""
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
        """It was not answered, for no fault of its own: due as before."""
        entry.running = False
