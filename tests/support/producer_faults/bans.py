"""Requests inside ban windows: the simulator's list against the producer's own log. A request sent
before the producer read the ban cannot be cancelled; any other one is a violation."""

from dataclasses import dataclass
from datetime import datetime

from tests.support.producer_faults.world import World

# How long after the ban was read a request that was sent before may still arrive.
ARRIVES_WITHIN_MS = 250
ANSWERED_WITHIN_MS = 5_000


@dataclass(frozen=True, slots=True)
class BanCalls:
    """`in_flight`: requests sent before the ban was read, as the producer's log says and the
    simulator's clock confirms; `latest_ms`: how long after the ban was read the last of them
    arrived."""

    bans: int
    in_flight: int
    latest_ms: int
    violations: list[str]


def times_ms(world: World, event: str) -> list[int]:
    return sorted(milliseconds(line["at"]) for line in world.logged(event))


def milliseconds(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


def calls_inside(world: World) -> BanCalls:
    read = times_ms(world, "exchange_banned")
    answers = times_ms(world, "request_in_flight_at_ban")
    in_flight, latest, wrong = 0, 0, []
    for call in sorted(world.exchange.violations, key=lambda one: one["time_ms"]):
        at = call["time_ms"]
        answer = next((time for time in answers if 0 <= time - at <= ANSWERED_WITHIN_MS), None)
        late_ms = min((at - time for time in read), key=abs, default=ARRIVES_WITHIN_MS + 1)
        if answer is not None and late_ms <= ARRIVES_WITHIN_MS:
            answers.remove(answer)
            in_flight, latest = in_flight + 1, max(latest, late_ms)
        else:
            wrong.append(f"request to {call['path']} inside a ban (status {call['status']}) at {at} ms")
    return BanCalls(len(read), in_flight, latest, wrong)
