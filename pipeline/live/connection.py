"""One WebSocket to Grafana Live. Knows websocket-client; knows neither accounts nor what is sent.

Every call is bounded in time, also when Grafana stops reading: its pings are answered, our own show
whether it still lives, and the kernel may hold a few seconds of frames only, so that what a slow
server reads at last is not old."""

import select
import socket
import time
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

import websocket

from pipeline.errors import PipelineError

TIMEOUT_SECONDS = 5.0
PING_SECONDS = 5.0
# Without a sign of life for this long, the connection counts as lost.
MAX_SILENT_SECONDS = 20.0
SEND_BUFFER_BYTES = 64 * 1024
# Per call; Grafana sends a ping now and then and nothing else.
MAX_RECEIVED = 100
REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class GrafanaUnavailable(PipelineError):
    """Grafana does not take frames now. Connect again later; what was not sent is dropped."""

    retriable = True


class PushRefused(GrafanaUnavailable):
    """Grafana does not accept the token (401), or its role (403)."""


class Connection:
    """Open from the start; `answered` once Grafana has answered a ping: only then it is known to
    work, because a proxy or a server that is stopping may accept and close at once."""

    def __init__(self, grafana_url: str, stream: str, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.answered = False
        try:
            self._socket = websocket.create_connection(
                push_address(grafana_url, stream),
                timeout=TIMEOUT_SECONDS,
                header=[f"Authorization: Bearer {token}"],
                suppress_origin=True,  # Grafana compares an origin with its own address
                redirect_limit=0,  # the token is for this address only
                enable_multithread=False,
                sockopt=[(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)],
            )
        except websocket.WebSocketBadStatusException as error:
            # Its own text contains the whole reply.
            text = f"the WebSocket is answered with HTTP {error.status_code}"
            raise (PushRefused if error.status_code in REFUSED else GrafanaUnavailable)(text) from None
        except (websocket.WebSocketException, OSError) as error:
            raise unavailable("connect", error) from error
        self._heard_at = self._pinged_at = clock()
        self._ping()

    def send(self, text: str) -> None:
        """Send one message. Raises GrafanaUnavailable; then the connection is of no more use."""
        try:
            self._socket.send(text)
        except (websocket.WebSocketException, OSError) as error:
            raise unavailable("send", error) from error

    def look_after(self, seconds: float = 0) -> None:
        """Answer what came, or comes within `seconds`; ping when it is time. Raises
        GrafanaUnavailable when the connection was closed or Grafana is silent for too long."""
        try:
            for _ in range(MAX_RECEIVED):
                if not self._is_readable(seconds):
                    break
                self._receive()
                seconds = 0
        except (websocket.WebSocketException, OSError) as error:
            raise unavailable("receive", error) from error
        now = self._clock()
        if now - self._heard_at > MAX_SILENT_SECONDS:
            raise GrafanaUnavailable(f"no answer to a ping for {MAX_SILENT_SECONDS:.0f} s")
        if now - self._pinged_at >= PING_SECONDS:
            self._ping()

    def close(self) -> None:
        """Close at once, whether Grafana answers or not."""
        self._socket.shutdown()

    def _is_readable(self, seconds: float) -> bool:
        open_socket = self._socket.sock
        if open_socket is None:
            raise GrafanaUnavailable("the connection is closed")
        decrypted = getattr(open_socket, "pending", None)  # TLS may have read more than it gave
        return bool(decrypted and decrypted()) or bool(select.select([open_socket], [], [], seconds)[0])

    def _receive(self) -> None:
        opcode, _ = self._socket.recv_data_frame(control_frame=True)  # answers a ping by itself
        self._heard_at = self._clock()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise GrafanaUnavailable("Grafana closed the WebSocket")
        self.answered = self.answered or opcode == websocket.ABNF.OPCODE_PONG

    def _ping(self) -> None:
        self._pinged_at = self._clock()
        try:
            self._socket.ping()
        except (websocket.WebSocketException, OSError) as error:
            raise unavailable("ping", error) from error


def push_address(grafana_url: str, stream: str) -> str:
    """`http://grafana:3000` and `crypto` as `ws://grafana:3000/api/live/push/crypto`."""
    parts = urlsplit(grafana_url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, f"{parts.path}/api/live/push/{stream}", "", ""))


def unavailable(step: str, error: Exception) -> GrafanaUnavailable:
    return GrafanaUnavailable(f"{step}: {type(error).__name__} {error}".strip())
