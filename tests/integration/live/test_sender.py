"""The sender against a real WebSocket server that does what Grafana can do to it. Each test ends
with the newest value received."""

import logging
import time
from collections.abc import Callable

import pytest
import websocket

from pipeline.live import connection as connection_module
from pipeline.live import metrics
from pipeline.live.account import RENEW_BEFORE_SECONDS, ServiceAccount
from pipeline.live.channels import STREAM, points
from pipeline.live.connection import Connection
from pipeline.live.frames import Frames
from pipeline.live.sender import Sender
from pipeline.stopping import Stop
from tests.integration.live.conftest import Pusher, settings_for
from tests.support.live.grafana_server import PUSH, GrafanaServer
from tests.support.waiting import wait_until
from tests.unit.pipeline.live.changes import BTC, price, trade

Start = Callable[..., Pusher]
Logged = Callable[[str], int]


def put(pusher: Pusher, value: int) -> None:
    pusher.frames.put(points(price(str(value), version=value)))


def wait_for(grafana: GrafanaServer, value: float, seconds: float = 20) -> None:
    wait_until(
        lambda: grafana.received.value("price_BTCUSDT", "price") == value or str(grafana.received.newest),
        seconds,
        f"price {value}",
    )
    assert grafana.received.complaints == []


def started(grafana: GrafanaServer, start_sender: Start, **environ: str) -> Pusher:
    pusher = start_sender(grafana, **environ)
    wait_until(pusher.connected, 10, "connected")
    put(pusher, 1)
    wait_for(grafana, 1)
    return pusher


def test_newest_value_arrives_and_frames_are_few(grafana: GrafanaServer, start_sender: Start) -> None:
    pusher = started(grafana, start_sender)
    end, value = time.monotonic() + 2, 1
    while time.monotonic() < end:
        value += 1
        put(pusher, value)
        time.sleep(0.001)
    wait_for(grafana, value)
    assert 5 <= len(grafana.received.frames["price_BTCUSDT"]) <= 13  # at most 5 per second
    assert grafana.received.value("prices", "price", BTC) == value


def test_pings_keep_an_idle_connection(
    grafana: GrafanaServer, start_sender: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "PING_SECONDS", 0.2)
    monkeypatch.setattr(connection_module, "MAX_SILENT_SECONDS", 1.0)
    pusher = started(grafana, start_sender)
    time.sleep(3)
    assert (pusher.sender.connected, grafana.opened) == (True, 1)


def test_closed_connection_is_opened_again_with_the_current_values(
    grafana: GrafanaServer, start_sender: Start, logged: Logged
) -> None:
    pusher = started(grafana, start_sender)
    grafana.received.newest.clear()
    grafana.close_all()
    wait_for(grafana, 1)
    put(pusher, 2)
    wait_for(grafana, 2)
    assert (logged("grafana_unavailable"), logged("grafana_recovered")) == (1, 1)


def test_restarted_grafana_gets_the_newest_value_only(
    grafana: GrafanaServer, start_sender: Start, logged: Logged
) -> None:
    pusher = started(grafana, start_sender)
    grafana.stop()
    grafana.received.rows.clear()
    for value in range(2, 500):
        put(pusher, value)
        pusher.frames.put(points(trade(value)))
    wait_until(lambda: not pusher.sender.connected, 10, "the loss noticed")
    time.sleep(1)
    grafana.start()
    wait_for(grafana, 499)
    assert [row.fields["price"] for row in grafana.received.rows if row.channel == "price_BTCUSDT"] == [499]
    assert logged("grafana_unavailable") == 1


def test_lost_database_gets_a_new_account(grafana: GrafanaServer, start_sender: Start) -> None:
    pusher = started(grafana, start_sender)
    grafana.accounts.lose()
    grafana.close_all()
    put(pusher, 2)
    wait_for(grafana, 2)
    assert ("GET", PUSH, 401) in grafana.requests


@pytest.mark.parametrize("status", [401, 403, 500, 302])
def test_refusal_is_waited_for_and_said_once(
    grafana: GrafanaServer, start_sender: Start, logged: Logged, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    grafana.refuse_with = status
    failures = metrics.FAILURES._value.get()
    pusher = start_sender(grafana)
    put(pusher, 2)
    wait_until(lambda: metrics.FAILURES._value.get() > failures + 3, 20, "several attempts")
    (error,) = [vars(each)["error"] for each in caplog.records if each.getMessage() == "grafana_unavailable"]
    assert str(status) in error or "Redirect" in error
    keys = list(grafana.accounts.tokens)
    grafana.refuse_with = None
    wait_for(grafana, 2)
    assert (logged("grafana_unavailable"), logged("grafana_recovered")) == (1, 1)
    assert keys
    assert not [each for each in caplog.records for key in keys if key in str(vars(each))]


def test_role_that_was_taken_away_is_given_back(grafana: GrafanaServer, start_sender: Start) -> None:
    pusher = started(grafana, start_sender)
    for account in grafana.accounts.accounts.values():
        account["role"] = "Editor"
    grafana.close_all()
    put(pusher, 2)
    wait_for(grafana, 2)
    assert ("GET", PUSH, 403) in grafana.requests


def test_server_that_reads_no_more_blocks_nobody_and_memory_stays(
    grafana: GrafanaServer, start_sender: Start, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    monkeypatch.setattr(connection_module, "TIMEOUT_SECONDS", 1.0)
    monkeypatch.setattr(connection_module, "MAX_SILENT_SECONDS", 3.0)
    pusher = started(grafana, start_sender)
    grafana.hung.set()
    slowest, value = 0.0, 1
    end = time.monotonic() + 5
    while time.monotonic() < end:
        value += 1
        began = time.monotonic()
        put(pusher, value)
        pusher.frames.put(points(trade(value)))
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.001)
    assert slowest < 1.0, "reading from Kafka would have waited"
    assert not pusher.sender.connected
    assert {channel: buffer.pending for channel, (_, buffer) in pusher.frames._buffers.items()} == {
        "price_BTCUSDT": 1,
        "prices": 1,
        "trades_BTCUSDT": 50,
    }
    grafana.hung.clear()
    wait_for(grafana, value)
    assert logged("grafana_unavailable") == 1


def test_older_values_that_grafana_reads_after_newer_ones_are_not_what_stays(
    grafana: GrafanaServer, start_sender: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the connection that was given up had been sent is read at last; nothing changes any
    more."""
    monkeypatch.setattr(connection_module, "MAX_SILENT_SECONDS", 3.0)
    pusher = started(grafana, start_sender)
    grafana.hung.set()
    put(pusher, 2)
    wait_until(lambda: not pusher.sender.connected, 15, "given up")
    put(pusher, 3)
    grafana.hung_pushes.add(1)
    grafana.hung.clear()
    wait_for(grafana, 3)
    grafana.hung_pushes.clear()
    wait_until(lambda: any(row.fields["price"] == 2 for row in grafana.received.rows), 10, "the older value read")
    wait_for(grafana, 3)


def test_full_buffers_of_the_network_end_the_connection(
    grafana: GrafanaServer, start_sender: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a message so large that the kernel does not take it while nobody reads."""
    monkeypatch.setattr(connection_module, "TIMEOUT_SECONDS", 1.0)
    pusher = started(grafana, start_sender)
    grafana.hung.set()
    for number in range(3000):
        pusher.frames.put(points(price("1", 1, symbol=f"SYMBOL{number}")))
    wait_until(lambda: not pusher.sender.connected, 15, "the send timed out")
    grafana.hung.clear()
    put(pusher, 2)
    wait_for(grafana, 2, 40)


def test_slow_server_gets_the_newest_value_in_the_end(grafana: GrafanaServer, start_sender: Start) -> None:
    grafana.pause_seconds = 0.3
    pusher = started(grafana, start_sender)
    for value in range(2, 400):
        put(pusher, value)
        time.sleep(0.005)
    wait_for(grafana, 399)


def test_connection_is_renewed_before_its_token_ends(
    grafana: GrafanaServer, start_sender: Start, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    pusher = started(grafana, start_sender)
    (first,) = grafana.accounts.tokens
    clock = pusher.account._clock
    monkeypatch.setattr(pusher.account, "_clock", lambda: clock() + 3600 - RENEW_BEFORE_SECONDS + 1)
    wait_until(lambda: first not in grafana.accounts.tokens, 10, "the old token removed")
    monkeypatch.undo()
    put(pusher, 2)
    wait_for(grafana, 2)
    assert logged("grafana_unavailable") == 0


def test_server_that_accepts_and_closes_at_once_is_said_once(
    grafana: GrafanaServer, start_sender: Start, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    pusher = started(grafana, start_sender)
    monkeypatch.setattr(grafana, "take", lambda connection: None)
    grafana.close_all()
    failures = metrics.FAILURES._value.get()
    wait_until(lambda: metrics.FAILURES._value.get() > failures + 5, 20, "several attempts")
    assert (logged("grafana_unavailable"), logged("grafana_recovered")) == (1, 0)
    monkeypatch.undo()
    put(pusher, 2)
    wait_for(grafana, 2)


def test_stop_closes_the_connection_and_removes_the_token(grafana: GrafanaServer) -> None:
    settings, stop = settings_for(grafana), Stop()
    account = ServiceAccount(settings)
    sender = Sender(Frames(), account, lambda token: Connection(settings.GRAFANA_URL, STREAM, token))
    thread = sender.start(stop)
    wait_until(lambda: sender.connected, 10, "connected")
    stop.set()
    thread.join(5)
    wait_until(lambda: grafana.pushes == 0, 5, "closed")
    assert grafana.accounts.tokens == {}


def test_server_refuses_a_foreign_origin_and_an_editor(grafana: GrafanaServer, start_sender: Start) -> None:
    """Of the server itself: otherwise the tests above would prove nothing."""
    pusher = started(grafana, start_sender)
    header = [f"Authorization: Bearer {pusher.account.token()}"]
    address = f"ws://127.0.0.1:{grafana.port}{PUSH}"
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        websocket.create_connection(address, header=header, origin="http://example.org", timeout=5)
    websocket.create_connection(address, header=header, suppress_origin=True, timeout=5).close()
