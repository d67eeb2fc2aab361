"""Log lines as facts: a fixed event name, then key=value (or one JSON object). Callers pass no
secrets. Knows nothing of what is logged."""

import json
import logging
import sys
from datetime import UTC, datetime

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def facts(record: logging.LogRecord) -> dict[str, object]:
    """What the caller gave as `extra`."""
    return {key: value for key, value in vars(record).items() if key not in STANDARD}


def timestamp(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        pairs = "".join(f" {key}={self._shown(value)}" for key, value in facts(record).items())
        line = f"{timestamp(record)} {record.levelname:<7} {record.name} {record.getMessage()}{pairs}"
        return line if not record.exc_info else f"{line}\n{self.formatException(record.exc_info)}"

    @staticmethod
    def _shown(value: object) -> str:
        shown = str(value)
        # Quoted as well: characters that would start a new line or control a terminal.
        plain = shown.isprintable()
        return shown if plain and shown and " " not in shown else json.dumps(shown, ensure_ascii=not plain)


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": timestamp(record),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
            **facts(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def start(level: str, form: str) -> None:
    """Send this process's log to stderr. Third-party loggers: WARNING and above, because their INFO
    is not about the pipeline."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for own_logger in ("pipeline", "debezium"):
        logging.getLogger(own_logger).setLevel(level)
