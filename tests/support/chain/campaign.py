"""One scenario after the other under load, and whether Cassandra equals PostgreSQL after each."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.support.chain.scenarios import Scenario
from tests.support.chain.truth import Findings
from tests.support.chain.world import World
from tests.support.waiting import wait_until

EQUAL_WITHIN_SECONDS = 150


@dataclass(frozen=True, slots=True)
class Outcome:
    """`settled_seconds`: from the last change until everything was equal. `wrong` empty: nothing is
    lost, invented, false or a dead letter that should not be one."""

    scenario: str
    changes: int
    compared: int
    settled_seconds: float
    wrong: list[str]


class Campaign:
    """Each scenario has symbols of its own, so that a comparison costs the same whatever came
    before."""

    def __init__(self, world: World, seed: int, say: Callable[[str], None] = lambda text: None) -> None:
        self._world = world
        self._random = Random(seed)
        self._say = say
        self._letters = 0
        self._number = 0

    def run(self, scenario: Scenario) -> Outcome:
        """A scenario that could not be played is wrong, too."""
        world, prefix = self._world, f"C{self._number:03}X"
        self._number += 1
        self._say(scenario.name)
        self._letters = len(world.dead_letters())
        wrong = []
        with world.load(prefix, self._random.randrange(2**32)) as load:
            try:
                scenario.act(world, load, self._random)
            except AssertionError as error:
                wrong.append(f"could not be played: {error}")
        ended = time.monotonic()
        findings = self._settled(prefix)
        settled_seconds = time.monotonic() - ended
        wrong += findings.wrong
        letters = len(world.dead_letters()) - self._letters
        if letters != scenario.dead_letters:
            wrong.append(f"{letters} dead letters, expected {scenario.dead_letters}")
        committed = world.sql("SELECT count(*) FROM committed_changes WHERE symbol LIKE %s", prefix + "%")[0][0]
        verdict = "; ".join(wrong) or "nothing wrong"
        self._say(f"    {committed} changes, equal {settled_seconds:.1f} s after the last; {verdict}")
        return Outcome(scenario.name, committed, findings.compared, settled_seconds, wrong)

    def everything(self) -> Outcome:
        """All symbols of all scenarios once more: nothing came back to an older state later."""
        findings = self._world.findings("C")
        return Outcome("all of it, once more at the end", 0, findings.compared, 0.0, findings.wrong)

    def _settled(self, prefix: str) -> Findings:
        """What differs once it had the time to be equal and every record is committed."""
        deadline = time.monotonic() + EQUAL_WITHIN_SECONDS
        while (findings := self._world.findings(prefix)).wrong and time.monotonic() < deadline:
            time.sleep(0.5)
        if findings.wrong:
            return findings
        wait_until(lambda: self._world.lag_records() == 0 or self._world.lag_records(), 60, "all offsets committed")
        return self._world.findings(prefix)
