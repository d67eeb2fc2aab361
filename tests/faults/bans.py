"""Calls inside ban windows: the simulator's list against the producer's own log. A call that was sent before the
producer read the ban cannot be taken back; every other one is a violation."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from tests.faults.world import World

# How long after the ban was read a call that was sent before may still arrive.
ARRIVES_WITHIN_MS = 250
ANSWERED_WITHIN_MS = 5_000


@dataclass(frozen=True, slots=True)
class BanCalls:
    """`under_way`: sent before the ban was read, as the producer's log says and the simulator's clock confirms;
    `latest_ms`: the latest arrival of one after the ban was read. `after_restart`: the first call of a producer that
    was started inside a ban and keeps no memory of it."""

    bans: int
    under_way: int
    latest_ms: int
    after_restart: int
    violations: list[str]


def moments_ms(world: World, event: str) -> list[int]:
    return sorted(milliseconds(said["at"]) for said in world.said(event))


def refused_first_calls(world: World) -> list[int]:
    """When a producer that had just been started was silenced before anything else happened."""
    lines = [line.split() for line in world.output().splitlines()]
    events = [(words[0], words[3]) for words in lines if len(words) > 3 and words[0].endswith("Z")]
    pairs = [(event, following) for (_, event), following in pairwise(events)]
    found = [at for event, (at, following) in pairs if (event, following) == ("producer_started", "exchange_silenced")]
    return [milliseconds(at) for at in found]


def milliseconds(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


def calls_inside(world: World) -> BanCalls:
    read, first_calls = moments_ms(world, "exchange_silenced"), refused_first_calls(world)
    answers = moments_ms(world, "call_was_under_way")
    remembers = world.value("SELECT to_regclass('exchange_silence') IS NOT NULL")
    under_way, after_restart, latest, wrong = 0, 0, 0, []
    for call in sorted(world.exchange.violations, key=lambda one: one["time_ms"]):
        at = call["time_ms"]
        answer = next((moment for moment in answers if 0 <= moment - at <= ANSWERED_WITHIN_MS), None)
        late_ms = min((at - moment for moment in read), key=abs, default=ARRIVES_WITHIN_MS + 1)
        if answer is not None and late_ms <= ARRIVES_WITHIN_MS:
            answers.remove(answer)
            under_way, latest = under_way + 1, max(latest, late_ms)
        elif not remembers and any(abs(at - moment) <= ARRIVES_WITHIN_MS for moment in first_calls):
            after_restart += 1
        else:
            wrong.append(f"call to {call['path']} inside a ban (status {call['status']}) at {at} ms")
    return BanCalls(len(read), under_way, latest, after_restart, wrong)
