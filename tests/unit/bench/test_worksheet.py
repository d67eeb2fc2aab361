"""How many of each part a rate of changes needs."""

from bench.worksheet import Cost, amount, mixed, needed, one_core_limit

CPU = {"PostgreSQL": 60.0, "Connect": 50.0, "Kafka": 10.0, "consumer": 40.0, "Cassandra": 40.0, "decoding": 10.0}
COST = Cost(CPU, 400.0, 500.0, 50.0)


def test_mix_weighs_the_kinds() -> None:
    free = Cost(dict.fromkeys(CPU, 0.0), 0.0, 0.0, 0.0)
    found = mixed([COST, free, free])
    assert (round(found.cpu["consumer"]), round(found.log_bytes)) == (22, 220)


def test_one_core_is_not_planned_full() -> None:
    assert one_core_limit(COST, "consumer") == 15_000


def test_one_of_each_is_enough_for_a_laptop() -> None:
    assert needed(COST, 250, "decoding") == ["0.0", "1", "1", "1", "4", "1", "1", "360 MB", "75.6 GB", "15.1 GB"]


def test_more_is_needed_for_more() -> None:
    # 5 cores of Connect and 4 of consumers at 60 %; 3 copies of 4 cores of Cassandra, 4 per node.
    assert needed(COST, 100_000, "decoding")[:7] == ["6.0", "9", "3", "3", "16", "7", "3"]


def test_amounts() -> None:
    assert [amount(size) for size in (5e6, 2.5e9, 3.25e12)] == ["5 MB", "2.5 GB", "3.2 TB"]
