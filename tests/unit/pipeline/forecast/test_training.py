"""Rows of training: the newest ones, in the order of time."""

from pipeline.forecast.training import MAX_ROWS, TrainingRows


def test_rows_keep_their_order() -> None:
    rows = TrainingRows()
    for number in range(500):
        rows.add([number, -number], 2 * number)
    X, y = rows.arrays()
    assert len(rows) == 500
    assert X.tolist() == [[number, -number] for number in range(500)]
    assert y.tolist() == [2 * number for number in range(500)]


def test_oldest_rows_are_replaced() -> None:
    rows = TrainingRows()
    for number in range(MAX_ROWS + 10):
        rows.add([number], number)
    X, y = rows.arrays()
    assert len(rows) == MAX_ROWS
    assert y.tolist() == list(range(10, MAX_ROWS + 10))
    assert X[:, 0].tolist() == y.tolist()
