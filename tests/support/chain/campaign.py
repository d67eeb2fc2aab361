"""Runs scenarios one after the other under load and compares Cassandra with PostgreSQL after
each."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from pipeline.consumer.dead_letters import REASON
from tests.support.chain.chain_world import ChainWorld
from tests.support.chain.comparison import Comparison
from tests.support.chain.scenarios import Scenario
from tests.support.reconcile.run import reconcile
from tests.support.waiting import wait_until

EQUAL_WITHIN_SECONDS = 150


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """`settled_seconds`: from the last change until Cassandra equalled PostgreSQL. `errors` is
    empty if no row is missing, unexpected or different and no record became a dead letter by
    mistake."""

    scenario: str
    changes: int
    rows_compared: int
    odd_rows_compared: int
    settled_seconds: float
    errors: list[str]


class ChainCampaign:
    """Each scenario uses its own symbols, so that the cost of a comparison does not depend on the
    scenarios before it. The rows of the odd tables are few, and all scenarios change the same."""

    def __init__(self, world: ChainWorld, seed: int, progress: Callable[[str], None] = lambda text: None) -> None:
        self._world = world
        self._random = Random(seed)
        self._progress = progress
        self._number = 0

    def run(self, scenario: Scenario) -> ScenarioResult:
        """A scenario that could not be carried out counts as an error, too."""
        world, prefix = self._world, f"C{self._number:03}X"
        self._number += 1
        self._progress(scenario.name)
        dead_letters_before = len(world.dead_letters())
        errors: list[str] = []
        seed = self._random.randrange(2**32)
        with world.load(prefix, seed) as load, world.odd_load(seed) as odd_load:
            try:
                scenario.act(world, load, self._random)
            except AssertionError as error:
                errors.append(f"could not be carried out: {error}")
        errors += [] if odd_load.done else ["no change of the odd tables"]
        load_ended = time.monotonic()
        comparison = self._compare_when_settled(prefix)
        settled_seconds = time.monotonic() - load_ended
        errors += comparison.differences
        if comparison.differences:
            self._progress(world.explanation())
        dead_letters = world.dead_letters()[dead_letters_before:]
        if len(dead_letters) != scenario.dead_letters:
            reasons = {dict(letter.headers)[REASON].decode() for letter in dead_letters}
            errors.append(f"{len(dead_letters)} dead letters, expected {scenario.dead_letters}: {sorted(reasons)[:5]}")
        committed = world.sql("SELECT count(*) FROM committed_changes WHERE symbol LIKE %s", prefix + "%")[0][0]
        verdict = "; ".join(errors) or "no errors"
        self._progress(f"    {committed} changes, equal {settled_seconds:.1f} s after the last; {verdict}")
        rows, odd_rows = comparison.rows_compared, comparison.odd_rows_compared
        return ScenarioResult(scenario.name, committed, rows, odd_rows, settled_seconds, errors)

    def compare_everything(self) -> ScenarioResult:
        """Compares all symbols of all scenarios again: no row returned to an older state later."""
        comparison = self._world.compare("C")
        rows, odd_rows = comparison.rows_compared, comparison.odd_rows_compared
        return ScenarioResult("everything again, at the end", 0, rows, odd_rows, 0.0, comparison.differences)

    def judge_independently(self) -> ScenarioResult:
        """The same by reconcile.py, which shares no code with the comparison here. The load's
        candles are of January 2026."""
        run = reconcile(self._world, "--from", "2025-12-31")
        errors = [f"reconcile.py: {json.dumps(each)}" for each in run.found.get("differences", [])[:5]]
        if run.exit_code and not errors:
            errors = [f"reconcile.py: exit code {run.exit_code} {run.errors}"]
        rows = run.found.get("rows", 0)
        return ScenarioResult("everything once more, by reconcile.py", 0, rows, 0, 0.0, errors)

    def _compare_when_settled(self, prefix: str) -> Comparison:
        """Waits until Cassandra equals PostgreSQL, at most EQUAL_WITHIN_SECONDS, then until all
        offsets are committed, and compares again."""
        deadline = time.monotonic() + EQUAL_WITHIN_SECONDS
        while (comparison := self._world.compare(prefix)).differences and time.monotonic() < deadline:
            time.sleep(0.5)
        if comparison.differences:
            return comparison
        wait_until(lambda: self._world.lag_records() == 0 or self._world.lag_records(), 60, "all offsets committed")
        return self._world.compare(prefix)
