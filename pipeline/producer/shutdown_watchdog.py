"""Ends the process in time when something that cannot be interrupted holds up a stop: a PostgreSQL
that is frozen, or a host that swallows connections. Python's own signal handlers wait until such a
call returns (measured: for ever). What is not committed is rolled back by PostgreSQL, so nothing is
half-written."""

import logging
import os
import signal
import socket
import sys
import threading
import time

log = logging.getLogger(__name__)

# Everybody was promised an end within 5 s.
PATIENCE_SECONDS = 4.0


def exit_after_grace_period() -> None:
    """Watch for SIGTERM and SIGINT in a daemon thread; a program that ends by itself is never
    touched. Call it from the main thread, after the handlers were set."""
    heard, said = socket.socketpair()
    said.setblocking(False)
    # The interpreter's handler in C writes the signal's number there at once.
    signal.set_wakeup_fd(said.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(heard, said), name="last-resort", daemon=True).start()


def _watch(heard: socket.socket, _said: socket.socket) -> None:
    while heard.recv(1)[0] not in (signal.SIGTERM, signal.SIGINT):
        pass
    time.sleep(PATIENCE_SECONDS)
    log.warning("stop_forced", extra={"after_s": PATIENCE_SECONDS})
    sys.stderr.flush()
    os._exit(0)
