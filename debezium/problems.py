"""Tables that cannot be captured correctly: logged when a problem appears and when it is solved,
and counted. Knows nothing of how a problem is found."""

import logging
from collections.abc import Iterable

from prometheus_client import Gauge

from debezium.slot import Problem

log = logging.getLogger(__name__)

PROBLEMS = Gauge("guard_capture_problems", "Captured tables that cannot be captured correctly, by kind", ["kind"])


class ProblemList:
    """The problems of the last round, in a fixed order."""

    def __init__(self) -> None:
        self._current: frozenset[Problem] = frozenset()

    def __bool__(self) -> bool:
        return bool(self._current)

    def texts(self) -> list[str]:
        return sorted(str(each) for each in self._current)

    def update(self, problems: Iterable[Problem]) -> None:
        found = frozenset(problems)
        for each in sorted(found - self._current, key=str):
            log.error("capture_problem", extra=_facts(each))
        for each in sorted(self._current - found, key=str):
            log.info("capture_problem_solved", extra=_facts(each))
        for kind in {each.kind for each in found | self._current}:
            PROBLEMS.labels(kind).set(sum(each.kind == kind for each in found))
        self._current = found


def _facts(problem: Problem) -> dict[str, str]:
    return {
        "captured": problem.captured,
        "kind": problem.kind,
        "problem": problem.problem,
        "remedy": problem.remedy,
    }
