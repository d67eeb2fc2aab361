"""What a person and a program read of a comparison."""

import json

from pipeline.reconciliation.report import Line, Report, text_lines
from pipeline.reconciliation.window import Window

WINDOW = Window(0, 3_600_000)
FACTS = {
    "table": "klines",
    "kind": "different",
    "key": {"symbol": "AUSDT", "interval": "1m"},
    "values": {"volume": [2.5, None]},
    "sides": ("PostgreSQL", "Cassandra"),
}


def text(report: Report) -> list[str]:
    return [line for _, line in text_lines(report)]


def test_an_equal_report_says_so() -> None:
    report = Report(WINDOW, [Line("klines", "AUSDT", 60)], seconds=3.2)
    assert report.is_well
    assert text(report)[0] == "compared: 1970-01-01 00:00:00 to 1970-01-01 01:00:00 UTC"
    assert text(report)[-1] == "60 rows compared in 3 s: equal"
    assert json.loads(report.as_json())["equal"] is True


def test_differences_are_shown_with_both_values() -> None:
    report = Report(WINDOW, [Line("klines", "AUSDT", 60, different=1)], [FACTS])
    assert not report.is_well
    expected = "different klines: symbol=AUSDT interval=1m: volume 2.5 in PostgreSQL, null in Cassandra"
    assert expected in text(report)
    assert text(report)[-1].endswith("1 differ")
    assert ("bad", expected) in list(text_lines(report))


def test_the_exchange_is_named_where_it_is_right() -> None:
    report = Report(WINDOW, [Line("klines (exchange)", different=1)])
    report.add(FACTS | {"sides": ("the exchange", "PostgreSQL")})
    assert any("volume 2.5 in the exchange, null in PostgreSQL" in line for line in text(report))


def test_many_symbols_are_summed_except_those_that_differ() -> None:
    lines = [Line("latest_prices", f"S{number:03}", 1) for number in range(400)]
    lines[77].missing = 1
    shown = text(Report(WINDOW, lines))
    assert [line.split() for line in shown[2:4]] == [
        ["latest_prices", "S077", "1", "1", "0", "0"],
        ["latest_prices", "399", "others", "399", "0", "0", "0"],
    ]


def test_repaired_rows_are_well_and_what_is_left_is_not() -> None:
    report = Report(WINDOW, [Line("klines", "", 5, missing=3)], repaired=3)
    assert report.is_well
    assert "3 rows repaired" in text(report)
    report.unfixed.append("1 rows of klines: …")
    assert not report.is_well
    assert json.loads(report.as_json())["unfixed"] == ["1 rows of klines: …"]


def test_a_side_that_could_not_be_asked_is_not_well() -> None:
    report = Report(WINDOW, [Line("klines", "AUSDT", 60)], not_compared={"Redis": "it is empty"})
    assert not report.is_well
    found = json.loads(report.as_json())
    assert (found["equal"], found["not_compared"]) == (False, {"Redis": "it is empty"})
    assert text(report)[-2:] == [
        "not compared with Redis: it is empty",
        "60 rows compared in 0 s: equal, but Redis could not be compared",
    ]
