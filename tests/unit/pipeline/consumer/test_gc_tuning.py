import gc

import pytest

from pipeline.consumer import gc_tuning
from pipeline.consumer.gc_tuning import FEW_OBJECTS, PAUSES, collect_garbage


@pytest.fixture
def collected(monkeypatch):
    """The generations that were collected; `counts` is what the garbage collector counts."""
    generations = []
    monkeypatch.setattr(gc, "collect", generations.append)

    def with_counts(*counts, is_quiet=True):
        monkeypatch.setattr(gc, "get_count", lambda: counts)
        collect_garbage(is_quiet)
        return generations

    return with_counts


def test_few_objects_are_left_alone(collected):
    assert collected(FEW_OBJECTS - 1, 0, 0) == []


def test_young_objects_are_collected_when_little_is_in_memory(collected):
    assert collected(FEW_OBJECTS, 0, 0) == [0]


def test_nothing_is_collected_while_much_is_in_memory(collected):
    assert collected(FEW_OBJECTS * 10, 0, 0, is_quiet=False) == []


def test_older_objects_are_collected_now_and_then(collected):
    collected(FEW_OBJECTS, gc_tuning.MIDDLE_EVERY, 0)
    assert collected(FEW_OBJECTS, gc_tuning.MIDDLE_EVERY, gc_tuning.ALL_EVERY) == [1, 2]


def test_longest_pause_is_that_of_the_slowest_collection(monkeypatch):
    monkeypatch.setattr(PAUSES, "longest_seconds", 0.0)
    gc.callbacks.append(PAUSES)
    try:
        many = [[] for _ in range(100_000)]
        gc.collect()
        longest = PAUSES.longest_seconds
        del many
        gc.collect(0)
    finally:
        gc.callbacks.remove(PAUSES)
    assert PAUSES.longest_seconds == longest > 0
