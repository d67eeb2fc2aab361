from collections import namedtuple

from pipeline.consumer.dead_letter_list import MAX_WIDTHS, lines

Record = namedtuple("Record", "topic partition offset key value headers timestamp")


def letter(reason="not JSON", key=b'{"symbol":"ETHUSDT"}', offset=18_231):
    headers = [
        ("dead_letter.reason", reason.encode()),
        ("dead_letter.topic", b"crypto.public.klines"),
        ("dead_letter.partition", b"2"),
        ("dead_letter.offset", str(offset).encode()),
    ]
    return Record("crypto.dead_letters", 0, 4, key, b"bytes", headers, 1_795_461_947_123)


def test_no_dead_letters_are_one_line_without_headings():
    assert list(lines([])) == ["0 dead letters not replayed"]


def test_letter_is_one_line_with_time_origin_key_and_reason():
    headings, line, count = lines([letter()])
    assert headings.split() == ["when", "(UTC)", "topic", "partition", "offset", "key", "reason"]
    assert line.split("  ")[0] == "2026-11-23 19:25:47"
    for part in ("crypto.public.klines", "18231", "ETHUSDT", "not JSON"):
        assert part in line
    assert count == "1 dead letter not replayed"


def test_reason_with_line_breaks_stays_on_one_line_and_is_shortened():
    _, line, _ = lines([letter("two\nlines " + "x" * 500)])
    assert "two lines" in line
    assert line.endswith("…")
    assert len(line) <= sum(MAX_WIDTHS) + 2 * len(MAX_WIDTHS)


def test_letter_without_a_key_or_with_bytes_as_key_is_shown():
    assert len(list(lines([letter(key=None), letter(key=b"\xff\x00")]))) == 4
