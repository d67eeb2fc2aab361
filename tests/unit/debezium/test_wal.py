"""Messages as PostgreSQL 15 sent them (pgoutput, protocol version 1), cut where they are long."""

import struct

from debezium.wal import LargeChange, large_changes

LIMIT = 1000


def relation(number, name, *columns):
    """`columns`: (name, in_key)."""
    head = b"R" + struct.pack(">I", number) + b"public\0" + name.encode() + b"\0d" + struct.pack(">H", len(columns))
    parts = [
        bytes([in_key]) + column.encode() + b"\0" + struct.pack(">iI", 25, 0xFFFFFFFF) for column, in_key in columns
    ]
    return head + b"".join(parts)


def values(*texts):
    """A tuple: None is null, ... a TOASTed value that was left alone."""
    cells = {None: b"n", ...: b"u"}
    parts = [cells.get(text) or b"t" + struct.pack(">I", len(text)) + text.encode() for text in texts]
    return struct.pack(">H", len(texts)) + b"".join(parts)


def change(kind, number, tuple_kind, row):
    return kind + struct.pack(">I", number) + tuple_kind + row


def found(*messages, size=5000, over=LIMIT):
    return list(large_changes([(f"0/{n}", size, data) for n, data in enumerate(messages)], over))


def test_large_insert_is_named_by_its_table_and_key():
    orders = relation(7, "orders", ("id", True), ("note", False))
    row = change(b"I", 7, b"N", values("42", "x" * 100)[:60])
    assert found(orders, row) == [LargeChange("public.orders", "id=42", 5000, "0/1")]


def test_real_relation_message_of_postgres_is_read():
    message = bytes.fromhex("520000405e7075626c696300615f626967006400020169640000000017ffffffff00760000000019ffffffff")
    insert = bytes.fromhex("490000405e4e00027400000001337401388000") + b"c4ca4238"
    [only] = found(message, insert)
    assert (only.table, only.key) == ("public.a_big", "id=3")


def test_key_of_several_columns_and_an_old_row_is_read():
    wide = relation(9, "wide", ("a", True), ("b", False), ("c", True))
    [only] = found(wide, change(b"U", 9, b"K", values("1", None, "2") + b"N" + values("1", "x", "3")))
    assert only.key == "a=1 c=2"
    [deleted] = found(wide, change(b"D", 9, b"O", values("1", ..., "2")))
    assert deleted.key == "a=1 c=2"


def test_key_behind_the_bytes_that_were_read_is_left_out():
    late = relation(9, "late", ("note", False), ("id", True))
    [only] = found(late, change(b"I", 9, b"N", values("x" * 500, "7")[:100]))
    assert (only.table, only.key) == ("public.late", "")


def test_long_key_is_cut():
    [only] = found(relation(1, "t", ("id", True)), change(b"I", 1, b"N", values("k" * 500)))
    assert only.key == "id=" + "k" * 60


def test_small_changes_and_other_messages_are_not_named():
    orders = relation(7, "orders", ("id", True))
    assert found(orders, change(b"I", 7, b"N", values("1")), size=LIMIT) == []
    assert found(b"B" + bytes(20), b"C" + bytes(25), b"T" + bytes(9), b"M" + bytes(2000)) == []


def test_change_of_an_unknown_relation_is_still_counted():
    assert found(change(b"I", 7, b"N", values("1"))) == [LargeChange("unknown", "", 5000, "0/0")]
