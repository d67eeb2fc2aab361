"""Runs the app under gunicorn from Python, so that `python3 cassandra_api.py` is a production
server. One process with many threads, which share the driver's session and the metrics."""

import gc
import socket
import sys
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from pipeline.errors import BadSetting

THREADS = 32
# A thread that waits for the interpreter gets it after this time. With Python's 5 ms, a cheap
# request waits that long for each thread that computes.
SWITCH_SECONDS = 0.001


class Server(BaseApplication):
    """gunicorn, configured by a dict instead of its command line."""

    def __init__(self, app: Flask, options: dict[str, Any]) -> None:
        self._app = app
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app


def serve(app: Flask, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT. Raises BadSetting if the port is taken: gunicorn itself would
    retry for a while and then exit with a page of log lines."""
    check_port_is_free(host, port)
    Server(
        app,
        {
            "bind": f"{host}:{port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "worker_tmp_dir": "/dev/shm",
            "graceful_timeout": 3,
            "keepalive": 30,
            "loglevel": "warning",
            "control_socket_disable": True,
            "post_worker_init": prepare_interpreter,
        },
    ).run()


def prepare_interpreter(_worker: object) -> None:
    """For short pauses: see SWITCH_SECONDS; and the garbage collector leaves out what exists now,
    which lives as long as the process (to look at it took 40 to 120 ms)."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()


def check_port_is_free(host: str, port: int) -> None:
    """Raises BadSetting if the port is taken or the address is not one of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise BadSetting(f"API_PORT={port}: cannot listen on {host}:{port} ({error.strerror})") from error
