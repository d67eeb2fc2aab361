"""Starts services in the order of their dependencies and stops them in reverse. Knows processes,
logs and readiness checks; knows no particular service and restarts nothing (local/keeper.py
does)."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from local import logfiles, order, pidfile, process
from local.process import Process
from local.service import Service
from local.waiting import Cancelled, NotReady, until_ready

# A stop takes no longer, however many services ignore their signal one after the other.
STOP_SECONDS = 17.0


class StartFailed(Exception):
    """A service could not be started; `log` holds the reason."""

    def __init__(self, name: str, reason: str, log: Path) -> None:
        super().__init__(f"{name}: {reason}; log: {log}")
        self.name = name
        self.reason = reason
        self.log = log


class Runner:
    """The services of one state directory. `report(name, text)` is called for each step."""

    def __init__(
        self,
        services: Iterable[Service],
        state_dir: Path,
        environ: Mapping[str, str] | None = None,
        report: Callable[[str, str], None] = lambda name, text: None,
    ) -> None:
        self.services = {service.name: service for service in services}
        self.state_dir = state_dir
        self._environ = {**(os.environ if environ is None else environ), pidfile.MARK: str(state_dir)}
        self._report = report
        self._running: dict[str, Process] = {}
        self._cancelled = threading.Event()
        self._changing = threading.Lock()
        state_dir.mkdir(parents=True, exist_ok=True)
        pid_path = state_dir / "pids.json"
        for name in pidfile.stop_stale(pid_path, state_dir):
            report(name, "was left behind by a killed supervisor; stopped")
        self._pids = pidfile.PidFile(pid_path)

    def log_path(self, name: str) -> Path:
        return self.state_dir / "log" / f"{name}.log"

    def pid(self, name: str) -> int | None:
        found = self._running.get(name)
        return found.pid if found else None

    def exit_code(self, name: str) -> int | None:
        """None while it runs (or was never started); negative: the signal that ended it."""
        found = self._running.get(name)
        return found.exit_code() if found else None

    def ran_seconds(self, name: str) -> float:
        return self._running[name].ran_seconds()

    def is_running(self, name: str) -> bool:
        return name in self._running and self.exit_code(name) is None

    def long_running(self) -> list[str]:
        """The started services that are not one-shots."""
        return [name for name in list(self._running) if not self.services[name].one_shot]

    def cancel(self) -> None:
        """Make a `start` in progress raise Cancelled soon. Safe to call from a signal handler."""
        self._cancelled.set()

    # --- start

    def start(self) -> None:
        """Start every service as soon as those it comes after are ready. When one fails, or
        `cancel` was called, stop all and raise StartFailed or Cancelled."""
        failed = threading.Event()

        def give_up() -> None:
            if failed.is_set() or self._cancelled.is_set():
                raise Cancelled

        def bring_up(name: str) -> None:
            try:
                give_up()
                self.start_service(name)
                self.wait_ready(name, give_up=give_up)
            except BaseException:
                failed.set()
                raise

        errors = order.walk({name: service.after for name, service in self.services.items()}, bring_up)
        if errors:
            self.stop()
            raise next((error for error in errors if not isinstance(error, Cancelled)), errors[0])

    def start_service(self, name: str) -> None:
        """Start or restart one service without waiting for it. Raises StartFailed when its
        preparation fails."""
        service = self.services[name]
        if self.is_running(name):
            return
        previous = self._running.get(name)
        if previous is None:
            logfiles.rotate(self.log_path(name))
        else:
            previous.sweep()
            self._pids.remove(previous.pid)
        if not service.one_shot:
            self._report(name, "starting")
        service.prepare(lambda *command, **options: self._step(service, command, **options))
        self._running[name] = self._spawn(service, service.command)

    def _spawn(self, service: Service, command: tuple[str, ...]) -> Process:
        with self._changing, open(self.log_path(service.name), "ab") as log:
            if self._cancelled.is_set():
                raise Cancelled
            child = process.spawn(
                command,
                log,
                {**self._environ, **service.environ},
                service.directory,
                service.user,
                service.death_signal,
            )
            if child.start_ticks is not None:
                self._pids.add(pidfile.Record(service.name, child.pid, child.start_ticks, service.stop_signal))
        return child

    def _step(self, service: Service, command: tuple[str, ...], message: str = "", seconds: float = 120.0) -> None:
        """Run one command of a service's preparation to completion."""
        if message:
            self._report(service.name, message)
        child = self._spawn(service, command)
        deadline = time.monotonic() + seconds
        while child.wait(0.1) is None and time.monotonic() < deadline and not self._cancelled.is_set():
            pass
        child.sweep()
        code = child.wait()
        self._pids.remove(child.pid)
        if self._cancelled.is_set():
            raise Cancelled
        if code != 0:
            raise StartFailed(service.name, f"{Path(command[0]).name} ended with {code}", self.log_path(service.name))

    def wait_ready(self, name: str, seconds: float | None = None, give_up: Callable[[], None] = lambda: None) -> None:
        """Wait until the service is ready; a one-shot, until it exited with 0. Raises
        StartFailed."""
        service = self.services[name]

        def check() -> None:
            code = self.exit_code(name)
            if service.one_shot and code is None:
                raise NotReady("still running")
            if code is not None and not (service.one_shot and code == 0):
                raise StartFailed(name, f"ended with {code}", self.log_path(name))
            service.ready()

        try:
            took = until_ready(check, seconds or service.ready_seconds, name, give_up)
        except TimeoutError as error:
            raise StartFailed(name, str(error), self.log_path(name)) from None
        if service.one_shot:
            self._pids.remove(self._running[name].pid)
        self._report(name, f"{'done' if service.one_shot else 'ready'} ({took:.1f} s)")

    # --- stop

    def kill(self, name: str, signum: int) -> None:
        """Send a signal to a service and all its descendants, and wait for the end if it is
        SIGKILL."""
        child = self._running[name]
        child.send_group(signum)
        if signum == signal.SIGKILL:
            child.wait(10)

    def stop_service(self, name: str, grace_seconds: float | None = None) -> None:
        child = self._running.get(name)
        if child:
            service = self.services[name]
            child.stop(service.stop_signal, service.grace_seconds if grace_seconds is None else grace_seconds)
            self._pids.remove(child.pid)

    def stop(self) -> None:
        """Stop every service, each after those that depend on it; one that exceeds its grace period
        is killed. Returns within about STOP_SECONDS. May be called twice."""
        self._cancelled.set()
        with self._changing:  # a spawn in progress ends first; none begins after
            running = {name: self.services[name].after for name in self._running}
        deadline = time.monotonic() + STOP_SECONDS

        def take_down(name: str) -> None:
            was_running = self.is_running(name)
            self.stop_service(name, min(self.services[name].grace_seconds, max(0.0, deadline - time.monotonic())))
            if was_running:
                self._report(name, "stopped")

        errors = order.walk(order.reverse(running), take_down)
        self._running.clear()
        self._cancelled.clear()
        if errors:
            raise errors[0]

    def kill_all(self) -> None:
        """Kill every service. Safe to call from a signal handler; `stop` must still be called."""
        for child in list(self._running.values()):
            child.send_group(signal.SIGKILL)

    def __enter__(self) -> "Runner":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
