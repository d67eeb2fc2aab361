"""Which tables need a topic with one Kafka partition, and what is refused."""

import pytest

from pipeline.mirroring.kafka_topic import check_partitions, needs_one_partition
from pipeline.mirroring.keys import Key
from pipeline.mirroring.odd_values import RowFacts
from pipeline.mirroring.plan import make_plan
from pipeline.mirroring.refusal import MirrorRefused
from pipeline.mirroring.steps import topic_steps
from tests.unit.pipeline.mirroring.tables import column, table

PLACES = table(column("id", not_null=True), column("place", not_null=True))


@pytest.mark.parametrize(("columns", "needed"), [(("id",), False), (("place", "id"), False), (("place",), True)])
def test_key_without_the_primary_key_needs_one_partition(columns: tuple[str, ...], needed: bool) -> None:
    assert needs_one_partition(PLACES, Key.of(columns)) is needed


def test_topic_is_created_before_the_table_is_published() -> None:
    steps = topic_steps("crypto.public.orders", 0)
    plan = make_plan(PLACES, None, Key(("place",)), RowFacts(), "crypto", steps)
    assert [step.place.value for step in plan.steps][-2:] == ["Kafka", "PostgreSQL"]
    assert topic_steps("crypto.public.orders", 1) == ()


def test_topic_with_several_partitions_is_refused_with_what_to_do() -> None:
    check_partitions(PLACES, Key(("place",)), "crypto.public.orders", 1)
    with pytest.raises(MirrorRefused, match="--key place,id"):
        check_partitions(PLACES, Key(("place",)), "crypto.public.orders", 4)
