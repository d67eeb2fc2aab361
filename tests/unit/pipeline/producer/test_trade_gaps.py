import pytest

from pipeline.producer.trade_gaps import TradeGaps, missing_ranges


@pytest.mark.parametrize(
    ("ids", "ranges"),
    [
        ([], []),
        ([7], []),
        ([7, 8, 9], []),
        ([7, 9], [(8, 8)]),
        ([1, 5, 6, 10], [(2, 4), (7, 9)]),
    ],
)
def test_missing_ranges_are_those_between_ids_that_do_not_follow_each_other(ids, ranges):
    assert list(missing_ranges(ids)) == ranges


def test_gap_is_reported_once_until_the_ids_restart(caplog):
    gaps = TradeGaps("ETHUSDT")
    gaps.report([5, 8])
    gaps.report([5, 8, 9])
    assert len(caplog.records) == 1
    gaps.restart()
    gaps.report([1, 4])
    assert [(record.first_missing_id, record.last_missing_id) for record in caplog.records] == [(6, 7), (2, 3)]
