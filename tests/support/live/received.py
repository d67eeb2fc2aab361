"""What Grafana and a browser would make of the messages: the lines parsed, and every complaint that
either would have. Written from InfluxDB's and Grafana's rules, without the pusher's code."""

import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

# pathPattern of grafana-plugin-sdk-go, live/channel.go; the whole channel has at most 160.
CHANNEL = re.compile(r"^[A-z0-9_\-/=.,]*$")
MAX_CHANNEL = 160
# live.message_size_limit
MAX_MESSAGE_BYTES = 65536
PLAIN = r"(?:\\.|[^\\, =])+"
LINE = re.compile(
    rf"(?P<measurement>(?:\\.|[^\\, ])+)(?P<tags>(?:,{PLAIN}={PLAIN})*) "
    rf'(?P<fields>{PLAIN}=(?:"(?:\\.|[^"\\])*"|[^", ]+)(?:,{PLAIN}=(?:"(?:\\.|[^"\\])*"|[^", ]+))*) (?P<time>\d{{19}})'
)
NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
Value = float | str


@dataclass(frozen=True)
class Row:
    """One line, as a subscriber of the channel gets it."""

    channel: str
    labels: dict[str, str]
    fields: dict[str, Value]
    time_ms: int
    received_at: float


class Received:
    """Thread-safe. `complaints`: everything that Grafana or a browser would refuse. `newest`: the
    last row of each channel and its labels. `rows`: the last ones of all channels."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._schemas: dict[str, dict[str, type]] = {}
        self._latest: dict[str, tuple[int, int]] = {}  # by channel: the connection, the time
        self.newest: dict[tuple[str, str], Row] = {}
        self.rows: deque[Row] = deque(maxlen=100_000)
        self.messages = 0
        self.frames: dict[str, deque[float]] = {}
        self.complaints: list[str] = []
        self.on_row: Callable[[Row], None] = lambda row: None

    def message(self, text: str, connection: int = 1) -> None:
        """`connection`: its number. What a connection that was given up had sent may be read after
        its successor's; no other row may be older than the one before."""
        with self._lock:
            self.messages += 1
            if len(text.encode()) > MAX_MESSAGE_BYTES:
                self.complaints.append(f"a message of {len(text.encode())} bytes")
            now = time.time()
            of_frame: dict[str, set[int]] = {}
            for text_line in text.split("\n"):
                row = self._parsed(text_line, now)
                if row is not None:
                    self._checked(row, connection, of_frame.setdefault(row.channel, set()))
                    self.newest[row.channel, row.labels.get("symbol", "")] = row
                    self.rows.append(row)
                    self.on_row(row)
            for channel in of_frame:
                self.frames.setdefault(channel, deque(maxlen=1000)).append(now)

    def _parsed(self, text: str, now: float) -> Row | None:
        found = LINE.fullmatch(text)
        if found is None:
            self.complaints.append(f"not a line: {text!r}")
            return None
        fields: dict[str, Value] = {}
        for name, value in re.findall(rf'({PLAIN})=("(?:\\.|[^"\\])*"|[^", ]+)', found["fields"]):
            if value.startswith('"'):
                fields[name] = re.sub(r"\\(.)", r"\1", value[1:-1])
            elif NUMBER.fullmatch(value):
                fields[name] = float(value)
            else:
                self.complaints.append(f"neither a number nor a string: {value}")
        labels = {
            name: re.sub(r"\\(.)", r"\1", text) for name, text in re.findall(rf",({PLAIN})=({PLAIN})", found["tags"])
        }
        return Row(found["measurement"], labels, fields, int(found["time"]) // 1_000_000, now)

    def _checked(self, row: Row, connection: int, times_of_frame: set[int]) -> None:
        channel = f"stream/{self._stream}/{row.channel}"
        if not CHANNEL.fullmatch(row.channel) or len(channel) > MAX_CHANNEL:
            self.complaints.append(f"invalid channel ID {channel}")
        schema = {name: type(value) for name, value in row.fields.items()}
        if self._schemas.setdefault(row.channel, schema) != schema:
            self.complaints.append(f"push message mismatch on {channel}: {self._schemas[row.channel]}, now {schema}")
        newest_connection, latest_ms = self._latest.get(row.channel, (connection, 0))
        if connection >= newest_connection:
            self._latest[row.channel] = connection, row.time_ms
            if row.time_ms < latest_ms:
                self.complaints.append(f"{channel} goes back in time")
        if row.time_ms in times_of_frame and not row.labels:
            self.complaints.append(f"{channel}: two rows of a frame in the same millisecond, one would be lost")
        times_of_frame.add(row.time_ms)

    def value(self, channel: str, field: str, symbol: str = "") -> Value | None:
        """The newest value of a field; None before the first."""
        row = self.newest.get((channel, symbol))
        return None if row is None else row.fields[field]
