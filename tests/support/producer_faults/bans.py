"""Calls inside ban windows: the simulator's list against the producer's own log. A call that was
sent before the producer read the ban cannot be taken back; every other one is a violation."""

from dataclasses import dataclass
from datetime import datetime

from tests.support.producer_faults.world import World

# How long after the ban was read a call that was sent before may still arrive.
ARRIVES_WITHIN_MS = 250
ANSWERED_WITHIN_MS = 5_000


@dataclass(frozen=True, slots=True)
class BanCalls:
    """`under_way`: sent before the ban was read, as the producer's log says and the simulator's
    clock confirms;
    `latest_ms`: the latest arrival of one after the ban was read."""

    bans: int
    under_way: int
    latest_ms: int
    violations: list[str]


def moments_ms(world: World, event: str) -> list[int]:
    return sorted(milliseconds(said["at"]) for said in world.said(event))


def milliseconds(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


def calls_inside(world: World) -> BanCalls:
    read = moments_ms(world, "exchange_banned")
    answers = moments_ms(world, "request_in_flight_at_ban")
    under_way, latest, wrong = 0, 0, []
    for call in sorted(world.exchange.violations, key=lambda one: one["time_ms"]):
        at = call["time_ms"]
        answer = next((moment for moment in answers if 0 <= moment - at <= ANSWERED_WITHIN_MS), None)
        late_ms = min((at - moment for moment in read), key=abs, default=ARRIVES_WITHIN_MS + 1)
        if answer is not None and late_ms <= ARRIVES_WITHIN_MS:
            answers.remove(answer)
            under_way, latest = under_way + 1, max(latest, late_ms)
        else:
            wrong.append(f"call to {call['path']} inside a ban (status {call['status']}) at {at} ms")
    return BanCalls(len(read), under_way, latest, wrong)
