"""Names of tables that can be mirrored, and those that are refused with a new name."""

import pytest

from pipeline.mirroring.names import check_name
from pipeline.mirroring.refusal import MirrorRefused


@pytest.mark.parametrize(
    "name", ["orders", "Orders", "order", "select", "_x", "9lives", "trade_positions_by_desk", "a" * 48]
)
def test_name_that_cassandra_can_hold_is_accepted(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    ("name", "new_name"),
    [
        ("b$orders", "RENAME TO b_orders"),
        ("b orders", "RENAME TO b_orders"),
        ("b.orders", "RENAME TO b_orders"),
        ("größe", "RENAME TO gr__e"),
        ("B-Orders", 'RENAME TO "B_Orders"'),
        ("a" * 49, f"RENAME TO {'a' * 48}"),
        ('quote"d', "RENAME TO quote_d"),
    ],
)
def test_other_name_is_refused_with_the_statement_to_type(name: str, new_name: str) -> None:
    with pytest.raises(MirrorRefused) as refusal:
        check_name(name)
    assert new_name in str(refusal.value)


@pytest.mark.parametrize("name", ["klines", "market_now", "debezium_signal", "recent_trades_20260101", "exchange_ban"])
def test_table_of_the_project_is_refused(name: str) -> None:
    with pytest.raises(MirrorRefused, match="table of this project"):
        check_name(name)
