"""With a fake of the library's administration client; the real one is in tests/integration."""

from types import SimpleNamespace

import pytest
from kafka.errors import KafkaTimeoutError

from debezium.topics import KafkaUnavailable, Topics, TopicsState


class FakeAdmin:
    """`ends`: of the heartbeat's Kafka partitions. `limits`: topic to max.message.bytes."""

    def __init__(self, limits, ends=()):
        self.limits = limits
        self.ends = list(ends)
        self.closed = False
        self.error = None

    def list_topics(self):
        if self.error:
            raise self.error
        return list(self.limits)

    def describe_topics(self, names):
        return [{"name": names[0], "partitions": [{"partition_index": number} for number in range(len(self.ends))]}]

    def list_partition_offsets(self, places, timeout_ms):
        assert timeout_ms
        return {place: SimpleNamespace(offset=self.ends[place.partition]) for place in places}

    def describe_configs(self, resources, config_filter):
        assert config_filter == "all"  # otherwise only values that differ from the broker's default
        return {
            "topic": {each.name: {"max.message.bytes": {"value": str(self.limits[each.name])}} for each in resources}
        }

    def alter_configs(self, resources, incremental):
        assert incremental  # otherwise every other setting of the topic would be reset
        for each in resources:
            self.limits[each.name] = int(each.configs["max.message.bytes"])

    def close(self):
        self.closed = True


@pytest.fixture
def topics():
    """`topics(admin, …)`: each connection gets the next of these."""

    def make(*admins):
        opened = iter(admins)
        return Topics("crypto", lambda: next(opened))

    return make


def test_tables_are_the_topics_of_the_prefix(topics):
    admin = FakeAdmin({"crypto.public.klines": 1, "crypto.dead_letters": 1, "other.public.klines": 1})
    assert topics(admin).state() == TopicsState(frozenset({"klines"}), 0)


def test_heartbeats_of_all_partitions_are_added(topics):
    admin = FakeAdmin({"crypto.public.debezium_heartbeat": 1}, ends=(0, 41, 0, 1))
    assert topics(admin).state().heartbeat_end == 42


def test_smaller_limits_are_raised_and_larger_ones_kept(topics):
    admin = FakeAdmin({"crypto.public.a": 1_000_000, "crypto.public.b": 50_000_000, "crypto.dead_letters": 5})
    assert topics(admin).raise_limits(16_000_000) == ["crypto.public.a"]
    assert admin.limits == {"crypto.public.a": 16_000_000, "crypto.public.b": 50_000_000, "crypto.dead_letters": 5}


@pytest.mark.parametrize(
    "error", [KafkaTimeoutError("no answer"), ConnectionResetError(), KeyError("deleted meanwhile")]
)
def test_kafka_that_does_not_answer_is_unavailable_and_asked_again_through_a_new_connection(topics, error):
    broken, working = FakeAdmin({}), FakeAdmin({"crypto.public.a": 1})
    broken.error = error
    both = topics(broken, working)
    with pytest.raises(KafkaUnavailable, match=f"^Kafka: {type(error).__name__} ") as caught:
        both.state()
    assert caught.value.retriable
    assert broken.closed
    assert both.state().tables == {"a"}


def test_connection_is_closed_at_the_end(topics):
    admin = FakeAdmin({})
    with topics(admin) as opened:
        opened.state()
    assert admin.closed
