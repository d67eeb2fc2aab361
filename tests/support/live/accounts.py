"""Grafana's service accounts and their tokens, as its HTTP API answers."""

import json
import re
import threading
import time
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

Reply = tuple[int, Any]


class Accounts:
    """Thread-safe. `accounts` by id; `tokens` by key: account, id, name, end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last_id = 0
        self.accounts: dict[int, dict[str, Any]] = {}
        self.tokens: dict[str, dict[str, Any]] = {}

    def lose(self) -> None:
        """The database is gone, as when Grafana's volume was removed."""
        with self._lock:
            self.accounts.clear()
            self.tokens.clear()

    def role(self, key: str) -> str | None:
        """The role of a token that is valid now; None for any other."""
        with self._lock:
            token = self.tokens.get(key)
            if token is None or token["end"] < time.time():
                return None
            account = self.accounts[token["account"]]
            return None if account["isDisabled"] else account["role"]

    def answer(self, method: str, path: str, body: bytes) -> Reply:
        """To a request of an administrator."""
        with self._lock:
            return self._answer(method, path, json.loads(body) if body else {})

    def _answer(self, method: str, path: str, given: dict[str, Any]) -> Reply:
        parts = urlsplit(path)
        rest = parts.path.removeprefix("/api/serviceaccounts")
        if (method, rest) == ("GET", "/search"):
            query = parse_qs(parts.query).get("query", [""])[0]
            found = [each for each in self.accounts.values() if query in each["name"]]
            return HTTPStatus.OK, {"serviceAccounts": found, "totalCount": len(found)}
        if (method, rest) == ("POST", ""):
            return self._make(given)
        account, token = self._ids(rest)
        if account not in self.accounts:
            return HTTPStatus.NOT_FOUND, {"message": "service account not found"}
        if method == "PATCH":
            self.accounts[account] |= given
            return HTTPStatus.OK, {"serviceaccount": self.accounts[account]}
        return self._tokens(method, account, token, given)

    def _make(self, given: dict[str, Any]) -> Reply:
        if any(each["name"] == given["name"] for each in self.accounts.values()):
            return HTTPStatus.BAD_REQUEST, {"message": "service account already exists"}
        account = {"id": self._next_id(), "name": given["name"], "role": given["role"], "isDisabled": False}
        self.accounts[account["id"]] = account
        return HTTPStatus.CREATED, account

    def _tokens(self, method: str, account: int, token: int | None, given: dict[str, Any]) -> Reply:
        own = {key: each for key, each in self.tokens.items() if each["account"] == account}
        if method == "GET":
            return HTTPStatus.OK, [
                {"id": each["id"], "name": each["name"], "hasExpired": each["end"] < time.time()}
                for each in own.values()
            ]
        if method == "POST":
            if any(each["name"] == given["name"] for each in own.values()):
                return HTTPStatus.CONFLICT, {"message": "token already exists"}
            number = self._next_id()
            key = f"glsa_{number:032d}"
            end = time.time() + given["secondsToLive"]
            self.tokens[key] = {"account": account, "id": number, "name": given["name"], "end": end}
            return HTTPStatus.OK, {"id": number, "name": given["name"], "key": key}
        removed = [key for key, each in own.items() if each["id"] == token]
        for key in removed:
            del self.tokens[key]
        return (HTTPStatus.OK, {"message": "token deleted"}) if removed else (HTTPStatus.NOT_FOUND, {})

    def _ids(self, rest: str) -> tuple[int, int | None]:
        found = re.fullmatch(r"/(\d+)(?:/tokens(?:/(\d+))?)?", rest)
        return (int(found[1]), int(found[2]) if found[2] else None) if found else (0, None)

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id
