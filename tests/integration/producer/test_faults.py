"""The fault suite in its short form; `python3 -m bench.producer_faults` is the long one."""

from pipeline.times import now_ms
from tests.support.producer_faults.campaign import Campaign
from tests.support.producer_faults.disturbances import OF_PROCESSES, OF_REPLIES
from tests.support.producer_faults.world import World

SYMBOLS = ("BTCUSDT", "ETHUSDT")
# Hanging requests take longer than a short suite has; test_refusals.py has a test for them.
TOO_LONG = {"requests hang 15 s"}


def test_no_fault_loses_duplicates_or_breaks_anything(world: World) -> None:
    world.start_producer(LISTING_INTERVAL_SECONDS="2")
    world.wait_for_rows("order_book", len(SYMBOLS))
    since_ms = now_ms() - 50_000
    campaign = Campaign(world, SYMBOLS, ["1m"], seed=7)
    campaign.in_turn([one for one in OF_REPLIES if one.name not in TOO_LONG], seconds=0.4, calm_seconds=0.05)
    campaign.in_turn(OF_PROCESSES, seconds=0.6, calm_seconds=0.05)
    outcome = campaign.verdict(since_ms)
    assert outcome.wrong == [], outcome.figures
    assert outcome.figures["trades compared"] > 100
    assert outcome.figures["bans"] >= 2
