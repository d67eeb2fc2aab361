from pipeline.api.depth import cut, depth

BOOK = {"symbol": "X", "updated_at": 5, "bids": [(10.0, 1.0), (9.0, 2.0)], "asks": [(11.0, 3.0)]}


def test_depth_of_each_side_accumulates_from_its_best_price():
    assert [(row["price"], row["bid_depth"], row["ask_depth"]) for row in depth(BOOK)] == [
        (9.0, 3.0, None),
        (10.0, 1.0, None),
        (11.0, None, 3.0),
    ]


def test_side_without_levels_has_no_rows():
    assert depth({**BOOK, "bids": None, "asks": []}) == []


def test_cut_keeps_the_best_levels_and_does_not_change_the_book():
    (found,) = cut([BOOK], 1)
    assert (found["bids"], found["asks"]) == ([(10.0, 1.0)], [(11.0, 3.0)])
    assert len(BOOK["bids"]) == 2
    assert cut([BOOK], None) == [BOOK]
