"""Kafka Connect's REST API, as far as it is needed here. Knows nothing of what the connector
captures."""

from dataclasses import dataclass
from typing import Any

import requests

from pipeline.errors import PipelineError

TIMEOUT_SECONDS = (3.05, 15)


class ConnectUnavailable(PipelineError):
    """Connect does not answer, or is busy with a rebalance (409). A retry can succeed."""

    retriable = True


class ConnectRefused(PipelineError):
    """Connect rejected the request, e.g. a wrong configuration. A retry does not help."""


@dataclass(frozen=True, slots=True)
class Status:
    """States as Connect names them (RUNNING, FAILED, UNASSIGNED, PAUSED, STOPPED), or ABSENT for a
    connector that is not registered. `trace`: the cause of a failure, in one line."""

    connector: str
    tasks: tuple[str, ...]
    trace: str = ""

    @property
    def running(self) -> bool:
        return self.connector == "RUNNING" and bool(self.tasks) and set(self.tasks) == {"RUNNING"}


class Connect:
    """One Connect cluster. Every method raises ConnectUnavailable or ConnectRefused."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._session = requests.Session()

    def _call(self, method: str, path: str, **options: Any) -> requests.Response:
        try:
            reply = self._session.request(method, self._base_url + path, timeout=TIMEOUT_SECONDS, **options)
        except requests.RequestException as error:
            raise ConnectUnavailable(f"Kafka Connect at {self._base_url}: {error}") from error
        if reply.status_code == 409 or reply.status_code >= 500:
            raise ConnectUnavailable(f"{method} {path}: {reply.status_code} {message(reply)}")
        if reply.status_code >= 400 and reply.status_code != 404:
            raise ConnectRefused(f"{method} {path}: {reply.status_code} {message(reply)}")
        return reply

    def put_config(self, connector: str, config: dict[str, str]) -> bool:
        """Create the connector (True) or update it (False): the same call, so it may be
        repeated."""
        reply = self._call("PUT", f"/connectors/{connector}/config", json=config)
        if reply.status_code == 404:
            # Connect answers 404 on every path until its REST resources are registered.
            raise ConnectUnavailable(f"PUT /connectors/{connector}/config: 404, Connect is still starting")
        return reply.status_code == 201

    def config(self, connector: str) -> dict[str, str]:
        """The configuration that Connect holds; empty for a connector that is not registered."""
        reply = self._call("GET", f"/connectors/{connector}/config")
        return {} if reply.status_code == 404 else dict(reply.json())

    def status(self, connector: str) -> Status:
        reply = self._call("GET", f"/connectors/{connector}/status")
        if reply.status_code == 404:
            return Status("ABSENT", ())
        try:
            body = reply.json()
            traces = [part["trace"] for part in (body["connector"], *body["tasks"]) if part.get("trace")]
            return Status(
                body["connector"]["state"],
                tuple(task["state"] for task in body["tasks"]),
                root_cause(traces[0]) if traces else "",
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConnectUnavailable(
                f"status of {connector}: unexpected reply, {type(error).__name__} {error}"
            ) from error

    def restart(self, connector: str, only_failed: bool) -> None:
        parameters = {"includeTasks": "true", "onlyFailed": str(only_failed).lower()}
        self._call("POST", f"/connectors/{connector}/restart", params=parameters)

    def stop(self, connector: str) -> None:
        """End the tasks. The connector stays registered; its offsets may be changed (KIP-875)."""
        self._call("PUT", f"/connectors/{connector}/stop")

    def resume(self, connector: str) -> None:
        self._call("PUT", f"/connectors/{connector}/resume")

    def has_offsets(self, connector: str) -> bool:
        """Whether Connect has stored a position of the connector in the WAL."""
        reply = self._call("GET", f"/connectors/{connector}/offsets")
        return reply.status_code == 200 and bool(reply.json()["offsets"])

    def delete_offsets(self, connector: str) -> None:
        """Allowed only while the connector is stopped."""
        self._call("DELETE", f"/connectors/{connector}/offsets")


def root_cause(trace: str) -> str:
    """The one line of a Java stack trace that says what is wrong: the last `Caused by`, else the
    first line."""
    lines = trace.splitlines() or [""]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return causes[-1] if causes else lines[0]


def message(reply: requests.Response) -> str:
    """The message in Connect's error body, in one line."""
    try:
        return " ".join(str(reply.json()["message"]).split())
    except (ValueError, KeyError, TypeError):
        return " ".join(reply.text.split())[:300]
