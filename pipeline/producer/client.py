"""HTTP to the exchange: one method, and every failure is an ExchangeError. Knows status codes,
limits and bans; knows nothing of what the replies mean."""

import logging
import threading
from typing import Any

import orjson
import requests
from requests.adapters import HTTPAdapter

from pipeline.errors import ExchangeBanned, ExchangeError, UnknownSymbol
from pipeline.producer import metrics
from pipeline.producer.ban import Ban
from pipeline.producer.budget import Budget

log = logging.getLogger(__name__)

# To connect and to read. The exchange itself times out after 10 s.
TIMEOUT_SECONDS = (3.05, 12)
# For a ban without Retry-After, which has not been observed: the exchange counts weight per minute.
BAN_WITHOUT_RETRY_AFTER_SECONDS = 60.0
# Requests right after a 429 are what turns it into a 418.
MIN_BAN_SECONDS = 1.0
# A 451 does not end by itself; one request is repeated in case the machine's address has changed.
RESTRICTED_RETRY_SECONDS = 60.0
INVALID_SYMBOL = -1121


class BadReply(ExchangeError):
    """The reply is not what the API document says about this endpoint."""


class Unreachable(ExchangeError):
    """No answer: no connection, a time-out, or a connection that broke."""


class Restricted(ExchangeBanned):
    """451: the exchange does not serve this location. Only another address helps."""

    def __init__(self, base_url: str) -> None:
        message = (
            f"{base_url} does not serve this location (451). Set BINANCE_BASE_URL to an address that does, "
            "e.g. https://data-api.binance.vision"
        )
        super().__init__(message, RESTRICTED_RETRY_SECONDS)


class Exchange:
    """Requests with keep-alive, one session per thread (a Session is not thread-safe).

    `data_source`: the name that a simulator sends in a header; empty for the real exchange."""

    def __init__(self, base_url: str, ban: Ban, budget: Budget) -> None:
        self.base_url = base_url
        self.ban = ban
        self.budget = budget
        self.data_source = ""
        self._threads = threading.local()

    def get(self, path: str, params: dict[str, Any] | None = None) -> Any:
        """The reply's JSON. Raises ExchangeBanned (during a ban, without a request), Restricted,
        UnknownSymbol, Unreachable, BadReply or ExchangeError."""
        bans = self.ban.count
        minute = self.budget.minute
        remaining = self.ban.remaining_seconds()
        if remaining:
            raise ExchangeBanned(f"banned for {remaining:.0f} s more", remaining)
        try:
            reply = self._session().get(self.base_url + path, params=params, timeout=TIMEOUT_SECONDS)
        except requests.RequestException as error:
            metrics.REQUESTS.labels(path, type(error).__name__).inc()
            raise Unreachable(f"{self.base_url}{path}: {reason(error)}") from error
        metrics.REQUESTS.labels(path, reply.status_code).inc()
        self._read_headers(reply, minute)
        if reply.status_code in (418, 429, 451):
            raise self._begin_ban(path, reply, bans)
        if self.ban.confirmed(bans):
            log.info("exchange_ban_lifted")
        if reply.status_code != 200:
            raise refusal(path, reply)
        try:
            return orjson.loads(reply.content)
        except orjson.JSONDecodeError as error:
            raise BadReply(f"{path}: {len(reply.content)} bytes that are not JSON ({error})") from error

    def _session(self) -> requests.Session:
        session = getattr(self._threads, "session", None)
        if session is None:
            session = self._threads.session = requests.Session()
            session.headers["Accept-Encoding"] = "gzip"
            session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=1))
            session.mount("https://", HTTPAdapter(pool_connections=1, pool_maxsize=1))
        return session

    def _read_headers(self, reply: requests.Response, minute: int) -> None:
        used = reply.headers.get("X-MBX-USED-WEIGHT-1M", "")
        if used.isdigit():
            self.budget.report(int(used), minute)
        self.data_source = reply.headers.get("X-Data-Source", self.data_source)

    def _begin_ban(self, path: str, reply: requests.Response, bans_before: int) -> ExchangeBanned:
        """Begins the ban before anything else is done, and logs it once. A request that was sent
        before the ban began was in flight and could not be cancelled."""
        status = reply.status_code
        if status == 451:
            error: ExchangeBanned = Restricted(self.base_url)
        else:
            given = reply.headers.get("Retry-After", "")
            seconds = float(given) if given.isdigit() else BAN_WITHOUT_RETRY_AFTER_SECONDS
            error = ExchangeBanned(f"{path}: {status} {error_body(reply)[1]}", max(seconds, MIN_BAN_SECONDS))
        was_in_flight = self.ban.count != bans_before
        self.ban.begin(error.retry_after_seconds)
        metrics.BANS.labels(status).inc()
        facts = {"status": status, "ban_s": error.retry_after_seconds, "error": str(error)}
        if was_in_flight:
            log.info("request_in_flight_at_ban", extra=facts)
        else:
            log.warning("exchange_banned", extra=facts)
        return error


def refusal(path: str, reply: requests.Response) -> ExchangeError:
    code, text = error_body(reply)
    if code == INVALID_SYMBOL:
        return UnknownSymbol(f"{path}: {text}")
    return ExchangeError(f"{path}: {reply.status_code} {text}")


def error_body(reply: requests.Response) -> tuple[int, str]:
    """Code and message of an error reply; 0 and the content type if it is not the exchange's JSON
    (the firewall sends HTML)."""
    try:
        body = orjson.loads(reply.content)
        return int(body["code"]), str(body["msg"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return 0, reply.headers.get("Content-Type", "no content type")


def reason(error: requests.RequestException) -> str:
    """The innermost cause in the chain of exceptions that requests wraps: time-out, refused,
    unknown host."""
    cause: BaseException = error
    while cause.args and isinstance(cause.args[-1], BaseException):
        cause = cause.args[-1]
    inner = getattr(cause, "reason", None)
    return f"{type(error).__name__} {inner if inner else cause}"
