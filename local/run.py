"""`make demo` and `make local` once the virtual environment exists: start all services, print
READY, keep them running, stop them. Run by local/bootstrap.py; reads the settings, decides the
ports."""

import argparse
import os
import signal
import sys
import threading
from dataclasses import replace
from urllib.parse import urlsplit

from local import lock, logfiles, nodes, own_servers, pidfile, redis_program
from local.console import Console
from local.keeper import Keeper
from local.layout import ROOT, RUN_LOCK, STATE, THREE_NODES
from local.ports import WantedPort, complaints, preferred
from local.ready import first_rows, greeting
from local.runner import StartFailed
from local.site import Ports
from local.stack import CATALOG, Stack, available
from local.waiting import Cancelled
from pipeline.errors import BadSetting
from pipeline.settings import Settings, load

CHECK_INTERVAL_SECONDS = 0.3


PROGRAMS_WITH_METRICS = ("producer", "consumer", "guard", "forecaster", "auditor", "redis")


def ports_of(settings: Settings) -> Ports:
    """The ports of the settings. The two that only the stack itself uses are replaced when they are
    taken."""
    return Ports(
        postgres=settings.PGPORT,
        kafka=int(settings.KAFKA_BOOTSTRAP_SERVERS[0].rpartition(":")[2]),
        kafka_controller=preferred(9093),
        cassandra=settings.CASSANDRA_PORT,
        cassandra_storage=preferred(7000),
        connect=urlsplit(settings.CONNECT_URL).port or 8083,
        simulator=settings.SIMULATOR_PORT,
        api=settings.API_PORT,
        redis=preferred(6379),
        **metrics_ports(),
    )


def metrics_ports() -> dict[str, int]:
    """Each program has its own default. A METRICS_PORT that the user sets applies to all;
    then they use it and the next ones."""
    ports = [load(program).METRICS_PORT for program in PROGRAMS_WITH_METRICS]
    if len(set(ports)) == 1:
        ports = [ports[0] + number for number in range(len(ports))]
    return {f"{program}_metrics": port for program, port in zip(PROGRAMS_WITH_METRICS, ports)}


def wanted_ports(ports: Ports, settings: Settings, services: list[str], count: int) -> list[list[WantedPort]]:
    """Those of each node."""
    wanted = [
        WantedPort("postgres", ports.postgres, "PGPORT"),
        WantedPort("kafka", ports.kafka, "KAFKA_BOOTSTRAP_SERVERS"),
        WantedPort("connect", ports.connect, "CONNECT_URL"),
        WantedPort("cassandra", ports.cassandra, "CASSANDRA_PORT"),
        WantedPort("simulator", ports.simulator, "SIMULATOR_PORT"),
        WantedPort("api", ports.api, "API_PORT", settings.API_HOST),
        WantedPort("producer", ports.producer_metrics, "METRICS_PORT"),
        WantedPort("consumer", ports.consumer_metrics, "METRICS_PORT"),
        WantedPort("guard", ports.guard_metrics, "METRICS_PORT"),
        WantedPort("forecaster", ports.forecaster_metrics, "METRICS_PORT"),
        WantedPort("consumer-redis", ports.redis_metrics, "METRICS_PORT"),
        WantedPort("auditor", ports.auditor_metrics, "METRICS_PORT"),
    ]
    here = [want for want in wanted if want.service in services]
    there = [
        [
            replace(want, service=nodes.named(want.service, node), host=nodes.host(node))
            for want in here
            if node in nodes.of(want.service, count)
        ]
        for node in range(2, count + 1)
    ]
    return [here, *there]


def stop_on_signals(console: Console) -> tuple[threading.Event, list[Stack]]:
    """The first Ctrl-C or SIGTERM sets the event and interrupts a start; the second ends everything
    by force. The caller adds the stack to the list once it exists."""
    stop = threading.Event()
    stacks: list[Stack] = []

    def on_signal(*_: object) -> None:
        if stop.is_set():
            for stack in stacks:
                stack.kill_all()
        else:
            stop.set()
            for stack in stacks:
                stack.cancel()

    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, on_signal)
    return stop, stacks


def run(console: Console, mode: str, services: list[str], settings: Settings, count: int) -> int:
    stop, stacks = stop_on_signals(console)
    for directory in (STATE, THREE_NODES):
        for name in pidfile.stop_stale(directory / "pids.json", directory):
            console.report(name, "was left behind by a killed supervisor; stopped it")
    ports = ports_of(settings)
    problems = nodes.complaints(settings, count) + own_servers.complaints(settings, count)
    for wanted in wanted_ports(ports, settings, services, count):
        problems += complaints(wanted)
    for line in problems:
        console.problem(line)
    if problems:
        return 1
    environ = {"BINANCE_BASE_URL": f"http://127.0.0.1:{ports.simulator}"} if mode == "demo" else {}
    stack = Stack(STATE if count == 1 else THREE_NODES, services, environ, ports, console.report, count=count)
    stacks.append(stack)
    try:
        stack.start()
        first_rows(stack, console, stop)
        for line in greeting(stack, settings, console.elapsed()):
            console.headline(line) if line.startswith("READY") else console.line(line)
        keeper = Keeper(stack, console.report)
        while not stop.wait(CHECK_INTERVAL_SECONDS):
            keeper.step()
    except Cancelled:
        pass
    except StartFailed as error:
        console.problem(str(error))
        for line in logfiles.tail(error.log):
            console.line(f"    {line}")
        return 1
    finally:
        console.line("stopping")
        stack.stop()
    console.line("stopped")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m local.run", description=__doc__)
    parser.add_argument("mode", choices=("demo", "local"))
    parser.add_argument("--only", help=f"some of the services, comma-separated: {', '.join(CATALOG)}")
    parser.add_argument(
        "--nodes",
        type=int,
        choices=(1, nodes.SEVERAL),
        default=1,
        help="how many brokers, Cassandra nodes and consumers (default 1)",
    )
    options = parser.parse_args()
    os.chdir(ROOT)
    console = Console()
    everything = [name for name in available() if options.mode == "demo" or name != "simulator"]
    if "redis" not in everything and not options.only:
        console.report("redis", redis_program.MISSING)
    chosen = options.only.split(",") if options.only else everything
    if unknown := set(chosen) - set(CATALOG):
        console.problem(f"--only {','.join(sorted(unknown))}: expected some of {', '.join(CATALOG)}")
        return 2
    try:
        held = None if lock.take_over() else lock.Lock(RUN_LOCK)  # noqa: F841 (held until this function returns)
        return run(console, options.mode, chosen, load("local"), options.nodes)
    except BadSetting as error:
        console.problem(str(error))
        return 2
    except (lock.AlreadyRunning, LookupError) as error:
        console.problem(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
