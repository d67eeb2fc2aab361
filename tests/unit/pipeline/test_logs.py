import json
import logging
import sys

import pytest

from pipeline import logs


def record(message="batch_written", level=logging.INFO, exc_info=None, **extra):
    made = logging.getLogger("pipeline.consumer.loop").makeRecord(
        "pipeline.consumer.loop", level, __file__, 1, message, (), exc_info, extra=extra
    )
    made.created = 1_795_461_947.1234
    return made


def text(*arguments, **extra):
    return logs.TextFormatter().format(record(*arguments, **extra))


def test_text_line_is_time_level_logger_event_and_facts():
    line = text(topic="crypto.public.klines", rows=96)
    assert line == (
        "2026-11-23T19:25:47.123Z INFO    pipeline.consumer.loop batch_written topic=crypto.public.klines rows=96"
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [("a b", '"a b"'), ("", '""'), ("two\nlines", r'"two\nlines"'), (None, "None"), ("größer", "größer")],
)
def test_text_value_with_a_blank_is_quoted(value, shown):
    assert text(error=value).endswith(f" error={shown}")


def test_text_value_cannot_start_a_line_or_control_a_terminal():
    """Reasons and errors contain bytes of records and replies, which must not forge a line."""
    for ending in ("\r", "\x1b[2K"):
        assert ending not in text(error=f"bad{ending}2026-11-23T19:25:47.123Z")


def test_text_line_with_an_exception_ends_with_its_traceback():
    try:
        raise ValueError("wrong")
    except ValueError:
        line = text(exc_info=sys.exc_info())
    assert line.splitlines()[-1] == "ValueError: wrong"


def test_json_line_is_one_object_with_the_same_facts():
    line = logs.JsonFormatter().format(record(topic="crypto.public.klines", rows=96, error="two\nlines"))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2026-11-23T19:25:47.123Z",
        "level": "INFO",
        "logger": "pipeline.consumer.loop",
        "event": "batch_written",
        "topic": "crypto.public.klines",
        "rows": 96,
        "error": "two\nlines",
    }


def test_json_line_accepts_values_that_json_cannot_express():
    line = logs.JsonFormatter().format(record(error=OSError("refused"), tables={"klines"}))
    assert json.loads(line)["error"] == "refused"


def test_json_line_with_an_exception_has_its_traceback():
    try:
        raise ValueError("wrong")
    except ValueError:
        line = logs.JsonFormatter().format(record(exc_info=sys.exc_info()))
    assert json.loads(line)["exception"].endswith("ValueError: wrong")


@pytest.fixture
def restored_logging():
    root, level, handlers = logging.getLogger(), logging.getLogger().level, logging.getLogger().handlers[:]
    own = {name: logging.getLogger(name).level for name in ("pipeline", "debezium")}
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
    for name, before in own.items():
        logging.getLogger(name).setLevel(before)


@pytest.mark.usefixtures("restored_logging")
@pytest.mark.parametrize(("form", "kind"), [("text", logs.TextFormatter), ("json", logs.JsonFormatter)])
def test_start_shows_the_set_level_and_only_warnings_of_libraries(form, kind, capsys):
    logs.start("INFO", form)
    logging.getLogger("pipeline.x").info("own_info")
    logging.getLogger("pipeline.x").debug("own_debug")
    logging.getLogger("kafka").info("library_info")
    logging.getLogger("kafka").warning("library_warning")
    shown = capsys.readouterr().err
    assert [word for word in ("own_info", "own_debug", "library_info", "library_warning") if word in shown] == [
        "own_info",
        "library_warning",
    ]
    assert isinstance(logging.getLogger().handlers[0].formatter, kind)
