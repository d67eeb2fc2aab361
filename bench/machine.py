"""The head of every result: the machine, the time and the versions of the measurement."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


def head(command: str) -> str:
    memory_kib = int(Path("/proc/meminfo").read_text().split()[1])
    model = next(
        (line.split(": ")[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "?"
    )
    libraries = ", ".join(f"{name} {version(name)}" for name in ("kafka-python", "cassandra-driver", "psycopg2-binary"))
    return (
        f"`{command.strip()}`\n\n{datetime.now(UTC):%Y-%m-%d %H:%M} UTC · {os.cpu_count()} cores, {model} · "
        f"{memory_kib / 1024**2:.0f} GiB · load {os.getloadavg()[0]:.1f} at the end · "
        f"Python {platform.python_version()}, {libraries}\n"
    )
