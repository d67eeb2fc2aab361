import threading

import pytest

from local import order


def test_a_name_comes_after_those_it_waits_for():
    done = []
    order.walk({"api": ["schema"], "schema": ["cassandra"], "cassandra": []}, done.append)
    assert done == ["cassandra", "schema", "api"]


def test_independent_names_run_at_the_same_time():
    together = threading.Barrier(2, timeout=5)
    assert order.walk({"postgres": [], "kafka": []}, lambda name: together.wait()) == []


def test_names_outside_the_graph_are_not_waited_for():
    done = []
    order.walk({"producer": ["simulator"]}, done.append)
    assert done == ["producer"]


def test_no_call_begins_after_an_error():
    done = []

    def act(name: str) -> None:
        done.append(name)
        if name == "kafka":
            raise RuntimeError("no disk")

    errors = order.walk({"kafka": [], "connect": ["kafka"]}, act)
    assert done == ["kafka"]
    assert [str(error) for error in errors] == ["no disk"]


def test_a_cycle_is_named():
    with pytest.raises(ValueError, match="a, b"):
        order.walk({"a": ["b"], "b": ["a"]}, lambda name: None)


def test_reverse_waits_for_the_dependents():
    assert order.reverse({"kafka": [], "connect": ["kafka"]}) == {"kafka": ["connect"], "connect": []}
