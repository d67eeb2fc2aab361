import pytest

from pipeline.api.books import figures, shown


def book(bid, ask, **more):
    return {"best_bid": bid, "best_ask": ask, "bids": [(bid, 1.0)], "asks": [(ask, 1.0)], "imbalance": None, **more}


@pytest.mark.parametrize("noisy", [0.029999999998835847, 0.030000000013387762])
def test_noise_that_an_earlier_version_stored_is_gone(noisy):
    (row,) = shown([book(95423.58, 95423.61, spread=noisy, mid_price=95423.595)], None)
    assert (row["spread"], row["mid_price"], row["spread_bps"]) == (0.03, 95423.595, 0.0031)


def test_depth_and_imbalance_have_no_noise():
    found = figures(book(1.0, 2.0, bid_depth=0.30000000000000004, ask_depth=0.7, imbalance=-0.39999999999999997))
    assert (found["bid_depth"], found["ask_depth"], found["imbalance"]) == (0.3, 0.7, -0.4)


def test_figures_of_an_incomplete_book_are_null():
    found = figures({"best_bid": 1.0, "best_ask": None, "bid_depth": 1.0, "ask_depth": None, "imbalance": 1.0})
    assert (found["spread"], found["mid_price"], found["spread_bps"], found["ask_depth"]) == (None, None, None, None)
    assert set(figures({}).values()) == {None}


def test_levels_are_cut():
    (row,) = shown([{**book(1.0, 2.0), "bids": [(1.0, 1.0), (0.9, 1.0)]}], 1)
    assert row["bids"] == [(1.0, 1.0)]
