"""Which of the rows that look different are, while PostgreSQL changes and Cassandra follows later:
a small model of both, and of cuts. Time passes with each look."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest

from pipeline.reconciliation import settle as settling
from pipeline.reconciliation.expectation import UNWRITABLE, Expected
from pipeline.reconciliation.settle import Settled, settle

DELAY = 3  # from PostgreSQL to Cassandra, in looks
CUT_LOOKS = 6  # how long a cut takes


class Stop:
    requested = False

    def wait(self, seconds: float) -> bool:
        return False


class Model:
    """`source` and `stored` by key. `change(time)` changes `source`; each change reaches `stored`
    DELAY later, unless its key is in `lost`."""

    def __init__(self, source: dict[str, int | None], change: Callable[["Model"], None] = lambda model: None) -> None:
        self.now = 0
        self.source = dict(source)
        self.stored: dict[str, int | None] = dict(source)
        self.lost: set[str] = set()
        self._change = change
        self._sent: list[tuple[int, str, int | None]] = []

    def set(self, key: str, value: int | None) -> None:
        self.source[key] = value
        if key not in self.lost:
            self._sent.append((self.now + DELAY, key, value))

    def tick(self) -> None:
        self.now += 1
        self._change(self)
        while self._sent and self._sent[0][0] <= self.now:
            _, key, value = self._sent.pop(0)
            self.stored[key] = value

    # what settle() uses

    @contextmanager
    def snapshot(self) -> Iterator[Any]:
        self.tick()
        yield self

    def cut(self, position: int) -> Any:
        model = self

        class Cut:
            def has_passed(self) -> bool:
                return model.now >= position + CUT_LOOKS

        return Cut()


class States:
    def __init__(self, model: Model) -> None:
        self._model = model

    def source(self, _cursor: object, identities: list) -> dict:
        return {each: expected(each, self._model.source.get(each[0])) for each in identities}

    def stored(self, identities: list, _expected: object) -> dict:
        self._model.tick()  # it is read a moment later
        return {each: row(each, self._model.stored.get(each[0])) for each in identities}


def row(key: tuple, value: int | None) -> tuple | None:
    return None if value is None else (key[0].encode(), b"%d" % value)


def expected(key: tuple, value: int | None) -> Expected | None:
    if value == -1:
        return Expected((key[0].encode(),), UNWRITABLE)
    found = row(key, value)
    return None if found is None else Expected(found[:1], found)


@pytest.fixture(autouse=True)
def _position_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "log_position", lambda model: model.now)


def settled(model: Model, keys: str = "abc") -> Settled:
    return settle({"table": (States(model), [(key,) for key in keys])}, model, Stop())["table"]  # type: ignore[arg-type]


def kinds(found: Settled) -> dict[str, str]:
    return {each.identity[0]: each.kind for each in found.differences}


def test_rows_that_are_equal_by_now_are_no_differences() -> None:
    assert settled(Model({"a": 1, "b": 2, "c": None})) == Settled([], 0, 0)


def test_a_change_on_its_way_is_no_difference() -> None:
    model = Model({"a": 1, "b": 2, "c": 3})
    model.set("a", 7)
    model.set("b", None)
    assert settled(model) == Settled([], 0, 0)


def test_what_stays_different_behind_a_cut_is_a_difference() -> None:
    model = Model({"a": 1, "b": 2, "c": None, "d": 4})
    model.stored |= {"a": None, "b": 9, "c": 3}
    found = settled(model, "abcd")
    assert kinds(found) == {"a": "missing", "b": "different", "c": "extra"}
    assert found.restless == 0


def test_a_row_that_changes_all_the_time_and_arrives_is_no_difference() -> None:
    def change(model: Model) -> None:
        if model.now % 5 == 0:
            model.set("a", model.now)

    model = Model({"a": 1}, change)
    model.set("a", 2)
    assert settled(model, "a").differences == []


def test_a_row_that_changes_all_the_time_and_does_not_arrive_is_a_difference() -> None:
    """Frozen, e.g. by a write with a time in the future."""
    model = Model({"a": 1}, lambda model: model.set("a", model.now))
    model.lost.add("a")
    model.stored["a"] = -5
    assert kinds(settled(model, "a")) == {"a": "different"}


def test_a_change_that_was_lost_is_found_although_its_old_state_was_right_once() -> None:
    def change(model: Model) -> None:
        if model.now == 2:
            model.set("a", 2)

    model = Model({"a": 1}, change)
    model.lost.add("a")
    model.stored["a"] = None
    model.source["a"] = 5
    assert kinds(settled(model, "a")) == {"a": "missing"}


def test_a_row_that_can_never_be_written_is_counted() -> None:
    model = Model({"a": -1})
    model.stored["a"] = 3
    assert settled(model, "a") == Settled([], 1, 0)


def test_a_row_that_never_rests_is_not_judged() -> None:
    """Cassandra has states that were never seen in PostgreSQL, because it changes too often."""

    def change(model: Model) -> None:
        model.source["a"] = 2 * model.now
        model.stored["a"] = 2 * model.now + 1

    found = settled(Model({"a": 1}, change), "a")
    assert (found.differences, found.restless) == ([], 1)


@pytest.mark.parametrize("seed", range(40))
def test_random_load_invents_nothing_and_hides_nothing(seed: int) -> None:
    random = Random(seed)
    keys = [f"k{number}" for number in range(60)]

    def change(model: Model) -> None:
        for _ in range(3):
            key = random.choice(keys[20:])
            model.set(key, random.choice([None, random.randrange(1000)]))

    model = Model({key: random.randrange(1000) for key in keys}, change)
    for _ in range(10):
        model.tick()
    wrong = set(keys[:10])
    for key in wrong:
        model.stored[key] = random.choice([None, 5000])
    found = settle({"t": (States(model), [(key,) for key in keys])}, model, Stop())["t"]  # type: ignore[arg-type]
    assert {each.identity[0] for each in found.differences} == wrong
