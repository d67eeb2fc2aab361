"""Log lines as facts: a fixed event name, then key=value (or one JSON object). Secrets never come
here. Knows nothing of what is logged."""

import json
import logging
import sys
from datetime import UTC, datetime

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def facts(record: logging.LogRecord) -> dict[str, object]:
    """What the caller gave as `extra`."""
    return {key: value for key, value in vars(record).items() if key not in STANDARD}


def moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        pairs = "".join(f" {key}={self._shown(value)}" for key, value in facts(record).items())
        line = f"{moment(record)} {record.levelname:<7} {record.name} {record.getMessage()}{pairs}"
        return line if not record.exc_info else f"{line}\n{self.formatException(record.exc_info)}"

    @staticmethod
    def _shown(value: object) -> str:
        shown = str(value)
        # Quoted as well: what would begin a new line or steer a terminal.
        plain = shown.isprintable()
        return shown if plain and shown and " " not in shown else json.dumps(shown, ensure_ascii=not plain)


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {"time": moment(record), "level": record.levelname, "logger": record.name, "event": record.getMessage()}
        line |= facts(record)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def start(level: str, form: str) -> None:
    """Send this process's log to stderr. Libraries speak from WARNING on: their INFO is not about
    the pipeline."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for ours in ("pipeline", "debezium", "simulator"):
        logging.getLogger(ours).setLevel(level)
