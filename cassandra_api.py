#!/usr/bin/env python3
"""Cassandra → JSON over HTTP: the newest rows and time ranges of every table.

python3 cassandra_api.py        then: curl 'http://127.0.0.1:5000/klines?symbol=ETHUSDT&limit=3'
"""

import argparse

from pipeline import logs, program
from pipeline.api.app import create_app
from pipeline.api.serve import serve
from pipeline.settings import load


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    settings = load("api")
    logs.start(settings.LOG_LEVEL, settings.LOG_FORMAT)
    serve(create_app(settings), settings.API_HOST, settings.API_PORT)
    return 0


if __name__ == "__main__":
    raise SystemExit(program.run("api", main))
