"""Who the pusher is in Grafana: a service account of its own with the role that the push over a
WebSocket needs, and a token that lives for an hour; or the token of the setting. A token is kept in
memory only and never logged. Knows Grafana's HTTP API for service accounts; pushes nothing."""

import os
import socket
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

import requests

from pipeline.live.connection import GrafanaUnavailable, PushRefused
from pipeline.settings import Settings

NAME = "crypto-live"
# Grafana 12 refuses the WebSocket of an Editor with 403.
ROLE = "Admin"
TOKEN_SECONDS = 3600
# A connection is opened with a new token this long before the old one ends.
RENEW_BEFORE_SECONDS = 600
TIMEOUT_SECONDS = 5.0
EXISTS = (HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT)


class Account(Protocol):
    def token(self) -> str:
        """A token for a new connection. Raises GrafanaUnavailable, PushRefused."""

    def is_due(self) -> bool:
        """Whether the token ends soon: connect again with a new one."""

    def refused(self) -> None:
        """Grafana did not accept the token."""

    def close(self) -> None:
        """The token is not needed any more."""


class GivenToken:
    """The token of the setting GRAFANA_LIVE_TOKEN, whoever made it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        return self._token

    def is_due(self) -> bool:
        return False

    def refused(self) -> None:
        """Nothing: there is no other."""

    def close(self) -> None:
        """Nothing: it belongs to whoever made it."""


class ServiceAccount:
    """A service account that is found or made, and tokens for it. Several pushers share the
    account; each has its own token. Tokens of pushers that were killed are removed once they have
    ended."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._address = f"{settings.GRAFANA_URL}/api/serviceaccounts"
        self._clock = clock
        self._http = requests.Session()
        self._http.auth = (settings.GRAFANA_USER, settings.GRAFANA_PASSWORD)
        self._account = 0
        self._token = ""
        self._token_id = 0
        self._ends_at = 0.0

    def token(self) -> str:
        if not self._token or self.is_due():
            try:
                self._renew()
            except (KeyError, TypeError) as error:
                raise GrafanaUnavailable(f"an unexpected answer: {type(error).__name__} {error}") from error
        return self._token

    def is_due(self) -> bool:
        return self._clock() > self._ends_at - RENEW_BEFORE_SECONDS

    def refused(self) -> None:
        """Grafana may have lost its database, or somebody has changed the account: start anew."""
        self._token = ""

    def close(self) -> None:
        if self._token:
            self._token = ""
            self._remove(self._token_id)
        self._http.close()

    def _renew(self) -> None:
        old = self._token_id
        self._account = self._ensure_account()
        ends_at = self._clock() + TOKEN_SECONDS
        name = f"{socket.gethostname()}-{os.getpid()}-{time.time_ns()}"
        made = self._call("POST", f"/{self._account}/tokens", {"name": name, "secondsToLive": TOKEN_SECONDS})
        self._token, self._token_id, self._ends_at = made["key"], made["id"], ends_at
        for token in self._call("GET", f"/{self._account}/tokens"):
            if token["id"] == old or token.get("hasExpired"):
                self._remove(token["id"])

    def _ensure_account(self) -> int:
        """The id of the account, with the role. Another pusher may make it at the same time."""
        found = self._find()
        if found is None:
            reply = self._send("POST", "", {"name": NAME, "role": ROLE})
            if reply.status_code not in EXISTS:
                return self._parsed(reply)["id"]
            found = self._find()
            if found is None:
                self._parsed(reply)  # raises with Grafana's reason
                raise GrafanaUnavailable(f"service account {NAME} is neither found nor made")
        if found["role"] != ROLE or found.get("isDisabled"):
            self._call("PATCH", f"/{found['id']}", {"name": NAME, "role": ROLE, "isDisabled": False})
        return found["id"]

    def _find(self) -> dict[str, Any] | None:
        """The search finds parts of names as well."""
        listed = self._call("GET", f"/search?query={NAME}&perpage=100")["serviceAccounts"]
        return next((each for each in listed if each["name"] == NAME), None)

    def _remove(self, token_id: int) -> None:
        """It may be gone already, and it ends by itself: a failure does not matter."""
        try:
            self._send("DELETE", f"/{self._account}/tokens/{token_id}")
        except GrafanaUnavailable:
            pass

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._parsed(self._send(method, path, body))

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        address = self._address + path
        try:
            return self._http.request(method, address, json=body, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        except requests.RequestException as error:
            raise GrafanaUnavailable(f"{method} /api/serviceaccounts: {type(error).__name__}") from error

    def _parsed(self, reply: requests.Response) -> Any:
        where = f"{reply.request.method} /api/serviceaccounts is answered with HTTP {reply.status_code}"
        if reply.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise PushRefused(f"{where}: GRAFANA_USER and GRAFANA_PASSWORD must be those of an administrator")
        if not reply.ok:
            raise GrafanaUnavailable(where)
        try:
            return reply.json()
        except requests.JSONDecodeError as error:
            raise GrafanaUnavailable(f"{where} and no JSON") from error


def account_of(settings: Settings) -> Account:
    """The account that the settings ask for."""
    return GivenToken(settings.GRAFANA_LIVE_TOKEN) if settings.GRAFANA_LIVE_TOKEN else ServiceAccount(settings)
