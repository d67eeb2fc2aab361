"""The simulated exchange as a process, with its fault switches. Knows nothing of its clients."""

import re
from pathlib import Path
from typing import Any

import requests

from simulator.market.random_market import RandomMarket
from tests.support.program import Program
from tests.support.waiting import wait_until

SEED = 7


class SimulatedExchange:
    """May be killed and started again on the same port; the market continues where it was, faults
    and bans end. `violations`: the requests inside ban windows so far."""

    def __init__(self, folder: Path, environ: dict[str, str], port: int, symbols: int, weight_limit: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.market = RandomMarket(SEED, symbols)
        self.violations: list[dict[str, Any]] = []
        self._environ = environ
        self._log = folder / "simulator.log"
        self._command = ["-m", "simulator", "--port", str(port), "--seed", str(SEED), "--symbols", str(symbols)]
        self._command += ["--weight-limit", str(weight_limit)]
        self._collected = 0
        self.program: Program | None = None

    def start(self) -> None:
        self._collected = 0
        self.program = Program(self._command, self._environ, self._log)
        wait_until(lambda: requests.get(f"{self.url}/sim/report", timeout=2).ok, 20, f"the simulator; {self._log}")

    def kill(self) -> None:
        """Its report is lost with it, so it is read first."""
        self.collect()
        assert self.program is not None
        self.program.kill()

    def stop(self) -> None:
        if self.program is not None and self.program.process.poll() is None:
            self.program.stop()

    def fault(self, kind: str, **parameters: Any) -> None:
        """Switch a fault on."""
        reply = requests.post(f"{self.url}/sim/faults", json={"kind": kind, **parameters}, timeout=5)
        assert reply.ok, reply.text

    def faults(self) -> list[dict[str, Any]]:
        """Every fault that was switched on, with how many requests it has affected."""
        return requests.get(f"{self.url}/sim/faults", timeout=5).json()

    def clear(self) -> None:
        requests.delete(f"{self.url}/sim/faults", timeout=5)

    def report(self) -> dict[str, Any]:
        return requests.get(f"{self.url}/sim/report", timeout=5).json()

    def forget(self) -> None:
        """Clear the simulator's report of requests."""
        requests.delete(f"{self.url}/sim/report", timeout=5)
        self.violations = []
        self._collected = 0

    def calls(self, path: str) -> int:
        return sum(self.report()["calls"].get(path, {}).values())

    def collect(self) -> None:
        """Read the requests inside ban windows since the last call."""
        listed = self.report()["violations"]
        self.violations += listed[self._collected :]
        self._collected = len(listed)

    def newest_id(self, symbol: str, now_ms: int) -> int:
        return self.market.agg_trades(symbol, now_ms, None, None, None, 1)[-1]["a"]


def facts(line: str) -> dict[str, str]:
    """The key=value pairs of a log line."""
    return {key: value.strip('"') for key, value in re.findall(r'(\w+)=("[^"]*"|\S+)', line)}
