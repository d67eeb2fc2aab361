"""How the end of a snapshot is recognised, and what is said when nothing moves."""

import io
from types import SimpleNamespace

import pytest

from pipeline.mirroring import postgres_table, snapshot
from pipeline.mirroring.comparison import Comparison
from pipeline.mirroring.console import Console
from pipeline.mirroring.kafka_progress import Position
from pipeline.mirroring.keys import Key
from pipeline.mirroring.odd_values import RowFacts
from pipeline.mirroring.plan import make_plan
from pipeline.mirroring.refusal import MirrorIncomplete
from pipeline.mirroring.snapshot import Snapshot
from tests.unit.pipeline.mirroring.tables import table

ROWS = 100


class World:
    """Positions of the topic, one per look; then the last one forever. From look `confirmed_at`
    until before `confirmed_until`, Debezium has confirmed the request. `in_cassandra`: rows
    counted there, one per look."""

    def __init__(
        self, *positions: tuple[int, int], confirmed_at: int = 10**9, confirmed_until: int = 10**9, in_cassandra=(ROWS,)
    ) -> None:
        self.positions = [Position(*each) for each in positions]
        self.looks = 0
        self.requests = 0
        self.confirmed_looks = range(confirmed_at, confirmed_until)
        self.counts = list(in_cassandra)
        self.seconds = 0.0

    def position(self) -> Position:
        self.looks += 1
        return self.positions[min(self.looks, len(self.positions)) - 1]

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def compare(self, *_: object, **__: object) -> Comparison:
        return Comparison(ROWS, ROWS, self.counts.pop(0) if len(self.counts) > 1 else self.counts[0])

    def request(self, *_: object) -> str:
        self.requests += 1
        return "0/1"


@pytest.fixture
def take(monkeypatch):
    def run(world: World, reads: bool = True) -> Comparison:
        monkeypatch.setattr(postgres_table, "slot_is_read", lambda cursor: reads)
        monkeypatch.setattr(snapshot, "request_snapshot", world.request)
        monkeypatch.setattr(snapshot, "has_confirmed", lambda cursor, lsn: world.looks in world.confirmed_looks)
        monkeypatch.setattr(snapshot, "compare", world.compare)
        plan = make_plan(table(), None, Key(("id",)), RowFacts(total=ROWS), "crypto")
        world.shown = io.StringIO()
        progress = SimpleNamespace(position=world.position)
        console = Console(world.shown, clock=lambda: world.seconds * 100)
        return Snapshot(None, progress, None, plan, console, lambda: world.seconds, world.sleep).take()

    return run


def test_snapshot_ends_when_all_rows_are_written(take) -> None:
    world = World((0, 0), (40, 20), (100, 60), (100, 100))
    assert take(world).equal
    assert world.requests == 1
    assert "60 of 100 rows written (60 %)" in world.shown.getvalue()


def test_records_that_were_there_before_are_not_counted(take) -> None:
    world = World((500, 500), (500, 500), (560, 530), (600, 600))
    assert take(world).equal
    assert world.looks == 4


def test_rows_that_are_written_but_not_all_there_are_waited_for(take) -> None:
    """Changes that are streamed meanwhile count as records, so the number of records proves nothing
    alone."""
    world = World((0, 0), (100, 100), (120, 120), in_cassandra=(80, 100))
    assert take(world).equal


def test_snapshot_that_was_interrupted_is_requested_again(take) -> None:
    world = World((0, 0), *[(30, 30)] * 3, (130, 130), confirmed_at=2, confirmed_until=3)
    assert take(world).equal
    assert world.requests == 2
    assert "interrupted: requested again" in world.shown.getvalue()


def test_snapshot_that_is_always_interrupted_ends_with_what_is_missing(take) -> None:
    world = World((0, 0), (30, 30), confirmed_at=1, in_cassandra=(30,))
    assert take(world).missing_rows == 70
    assert world.requests == 3


def test_rows_that_came_and_are_missing_are_not_requested_again(take) -> None:
    """They are dead letters."""
    world = World((0, 0), (100, 100), confirmed_at=2, in_cassandra=(97,))
    assert not take(world).equal
    assert world.requests == 1


def test_more_rows_than_in_postgres_are_not_requested_again(take) -> None:
    world = World((0, 0), (100, 100), confirmed_at=2, in_cassandra=(103,))
    assert not take(world).equal
    assert world.requests == 1


def test_silence_of_debezium_ends_with_where_to_look(take) -> None:
    with pytest.raises(MirrorIncomplete, match="Debezium has sent no row"):
        take(World((0, 0)))


def test_silence_of_the_consumer_ends_with_where_to_look(take) -> None:
    with pytest.raises(MirrorIncomplete, match="60 records wait for the consumer"):
        take(World((0, 0), (100, 40)))


def test_without_debezium_no_snapshot_is_requested(take) -> None:
    world = World((0, 0))
    with pytest.raises(MirrorIncomplete, match="start the stack"):
        take(world, reads=False)
    assert world.requests == 0
