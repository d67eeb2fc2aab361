"""A large table mirrored by mirror_table.py: rows per second, and the memory of it and of the
consumer. The whole chain runs on this machine.

    .local/venv/bin/python -m bench.mirror [--rows 1000000]
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import machine
from bench.database import connect
from bench.results import publish, table
from local.ports import free_ports
from local.stack import CHAIN, Stack

ROOT = Path(__file__).resolve().parents[1]
SERVICES = (*CHAIN, "guard")
SAMPLE_SECONDS = 0.5
# Twenty columns of the usual types.
ROWS = """
    CREATE TABLE wide AS SELECT
        n::bigint AS id, n % 1000 AS customer, n * 7 AS position, (n % 30000)::smallint AS kind,
        n * 1.01 AS price, (n::numeric / 7)::numeric(14, 4) AS quantity, sqrt(n) AS distance, (n * 0.5)::real AS weight,
        n % 2 = 0 AS active, md5(n::text)::uuid AS reference, 'name ' || n AS name, md5(n::text) AS code,
        CASE WHEN n % 3 = 0 THEN 'a note on ' || n END AS note, date '2020-01-01' + (n % 2000) AS day,
        timestamptz '2026-01-01Z' + n * interval '1 s' AS created_at,
        timestamp '2026-01-01' + n * interval '1 s' AS local_time,
        time '10:00' + (n % 3600) * interval '1 s' AS opens_at,
        ARRAY['red', 'green ' || n % 5] AS tags, jsonb_build_object('number', n) AS details,
        decode(md5(n::text), 'hex') AS checksum
    FROM generate_series(1, {rows}) AS n;
    ALTER TABLE wide ADD PRIMARY KEY (id);
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python3 -m bench.mirror", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table (1,000,000)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench") as folder, Stack(Path(folder), SERVICES) as stack:
        fill(stack, options.rows)
        port = str(free_ports(1)[0])
        environ = {**stack.environ, "METRICS_PORT": port, "LOG_LEVEL": "WARNING"}
        consumer = subprocess.Popen([sys.executable, "consumer_to_cassandra.py"], cwd=ROOT, env=environ)
        try:
            rows = measured(environ, consumer.pid)
        finally:
            consumer.terminate()
            consumer.wait(30)
    head = machine.head("python3 -m bench.mirror " + " ".join(sys.argv[1:]))
    publish("mirror", f"# A table mirrored with one command\n\n{head}\n{table(('what', 'figure'), rows)}")


def fill(stack: Stack, rows: int) -> None:
    connection = connect(stack.environ, superuser=True)
    with connection.cursor() as cursor:
        cursor.execute(ROWS.format(rows=rows))
    connection.close()


def measured(environ: dict[str, str], consumer_pid: int) -> list[tuple[str, str]]:
    """Runs mirror_table.py to its end. Raises RuntimeError if the table is not equal then."""
    began = time.monotonic()
    run = subprocess.Popen(
        [sys.executable, "mirror_table.py", "wide"], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True
    )
    sizes: list[tuple[float, float]] = []
    while run.poll() is None:
        sizes.append((peak_mib(run.pid), peak_mib(consumer_pid)))
        time.sleep(SAMPLE_SECONDS)
    seconds = time.monotonic() - began
    output = run.stdout.read() if run.stdout else ""
    print(output)
    equal = re.search(r"equal: ([\d,]+) rows; ([\d,]+) values", output)
    if run.returncode or equal is None:
        raise RuntimeError(f"mirror_table.py ended with {run.returncode}")
    mirrored = int(equal[1].replace(",", ""))
    progress = re.findall(r"([\d,]+) of [\d,]+ rows written .*?, ([\d,]+) rows/s", output)
    return [
        ("rows × columns", f"{mirrored:,} × 20"),
        ("the command from start to end, with plan and comparison, s", f"{seconds:.0f}"),
        ("rows/s, over the whole command", f"{mirrored / seconds:,.0f}"),
        ("rows/s, as the last progress shows", progress[-1][1] if progress else "-"),
        ("lines of progress", str(len(progress))),
        ("values compared", equal[2]),
        ("peak memory of mirror_table.py, MiB", f"{max(size for size, _ in sizes):.0f}"),
        ("peak memory of the consumer, MiB", f"{max(size for _, size in sizes):.0f}"),
    ]


def peak_mib(pid: int) -> float:
    """The largest resident size so far; 0 for a process that has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return max((int(line.split()[1]) for line in status if line.startswith("VmHWM")), default=0) / 1024


if __name__ == "__main__":
    main()
