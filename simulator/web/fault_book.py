"""Which faults are on, and whether one affects this call. Knows the kinds of faults, not what they
do to a reply."""

from random import Random
from threading import Lock
from typing import Any

from simulator.source import Reply
from simulator.web.fault_kinds import KINDS, Fault, parse_fault


class FaultBook:
    """Thread-safe. Random numbers come from a seeded generator, so a run can be repeated."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = Lock()
        self._next_id = 1
        self.clear()

    def clear(self) -> None:
        with self._lock:
            self._faults: dict[int, Fault] = {}
            self._left: dict[int, int] = {}  # calls still to affect, for faults with a count
            self._times_used: dict[int, int] = {}
            self._random = Random(self._seed)

    def switch_on(self, requests: list[Any], now_ms: int) -> list[Fault]:
        """Switches on all of them or, if one is wrong, none. Raises BadFault."""
        with self._lock:
            faults = [parse_fault(request, self._next_id + n, now_ms) for n, request in enumerate(requests)]
            self._next_id += len(faults)
            for fault in faults:
                self._faults[fault.id] = fault
                self._times_used[fault.id] = 0
                if fault.count is not None:
                    self._left[fault.id] = fault.count
            return faults

    def active(self, kind: str, now_ms: int, path: str | None = None) -> list[Fault]:
        """Faults of `kind` that are on, for `path` if one is given."""
        return [
            fault
            for fault in list(self._faults.values())
            if fault.kind == kind and self._is_on(fault, now_ms) and (path is None or fault.applies_to(path))
        ]

    def fault_for(self, path: str, now_ms: int) -> Fault | None:
        """The first fault that replaces or delays the reply to this call, counted as used; None if
        no fault affects it."""
        # Most calls happen while no fault is on: no lock for those.
        if not self._faults:
            return None
        with self._lock:
            for fault in self._faults.values():
                affected = KINDS[fault.kind].replies and self._is_on(fault, now_ms) and fault.applies_to(path)
                if affected and (fault.probability >= 1 or self._random.random() < fault.probability):
                    self._times_used[fault.id] += 1
                    if fault.id in self._left:
                        self._left[fault.id] -= 1
                    return fault
            return None

    def shown(self, now_ms: int) -> list[Reply]:
        return [self.show(fault, now_ms) for fault in list(self._faults.values())]

    def show(self, fault: Fault, now_ms: int) -> Reply:
        return {
            "id": fault.id,
            "kind": fault.kind,
            "paths": sorted(fault.paths),
            "probability": fault.probability,
            "count_left": self._left.get(fault.id),
            "until_ms": fault.until_ms,
            **fault.parameters,
            "is_on": self._is_on(fault, now_ms),
            "times_struck": self._times_used[fault.id],
        }

    def _is_on(self, fault: Fault, now_ms: int) -> bool:
        in_time = fault.until_ms is None or now_ms < fault.until_ms
        return in_time and self._left.get(fault.id, 1) > 0
