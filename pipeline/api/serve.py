"""gunicorn around the app, from Python, so that `python3 cassandra_api.py` is a proper server. One
process with many threads: the driver's session and the metrics live in one place."""

import socket
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from pipeline.errors import BadSetting

THREADS = 32


class Server(BaseApplication):
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
    """Serve until SIGTERM or SIGINT. Raises BadSetting when the port is taken: gunicorn itself
    would try for a while and then leave with a page of log."""
    refuse_taken(host, port)
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
        },
    ).run()


def refuse_taken(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise BadSetting(f"API_PORT={port}: cannot listen on {host}:{port} ({error.strerror})") from error
