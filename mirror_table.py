#!/usr/bin/env python3
"""Mirrors one table of PostgreSQL (schema public) into Cassandra: shows what becomes of each
column, makes the table in Cassandra, publishes it, brings the rows that exist, and compares.

python3 mirror_table.py orders                       with PostgreSQL's primary key
python3 mirror_table.py orders --key id,created_at   another key: rows of one id, in order of time
python3 mirror_table.py orders --dry-run             shows the plan and changes nothing
python3 mirror_table.py orders --stop                ends the mirroring; Cassandra keeps its rows

Running it again changes nothing, or continues what was interrupted. The exit code is 0 when the
table is mirrored and equal, 1 when it was refused or is not equal, 2 for a wrong setting or
argument. With Docker: docker compose run --rm mirror orders
"""

import argparse
import logging
import sys

from pipeline import program
from pipeline.mirroring.connections import open_connections
from pipeline.mirroring.console import Console
from pipeline.mirroring.mirror import Mirror
from pipeline.settings import load


def main() -> int:
    options = arguments()
    settings = load("mirror")
    logging.getLogger("cassandra").setLevel(logging.CRITICAL)  # errors are raised, and shown in one line
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    console = Console()
    with open_connections(settings) as connections:
        mirror = Mirror(connections, settings, options.table, console)
        if options.stop:
            mirror.stop()
            return 0
        plan = mirror.plan(options.key)
        if options.dry_run:
            console.line("--dry-run: nothing was changed")
            return 0
        mirror.apply(plan)
        try:
            mirror.report(plan, mirror.fill(plan))
        except KeyboardInterrupt:
            console.line("interrupted; the same command continues from here")
            return 130
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", help="name of a table in schema public")
    parser.add_argument(
        "--key",
        type=lambda text: tuple(filter(None, map(str.strip, text.split(",")))),
        default=(),
        metavar="COLUMN,…",
        help="key in Cassandra: the first column is the partition key, the others order its rows",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
    mode.add_argument("--stop", action="store_true", help="end the mirroring of the table")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(program.run("mirror_table", main))
