"""Ends the process in time if something that cannot be interrupted delays a stop: a PostgreSQL that
is frozen, or a host that drops packets. Python's own signal handlers run only when such a call
returns (measured: never). What is not committed is rolled back by PostgreSQL, so nothing is
half-written."""

import logging
import os
import signal
import socket
import sys
import threading
import time

log = logging.getLogger(__name__)

# Shutdown must finish within 5 s.
GRACE_SECONDS = 4.0


def exit_after_grace_period() -> None:
    """Watch for SIGTERM and SIGINT in a daemon thread; it does nothing to a program that ends by
    itself. Call it from the main thread, after the signal handlers are set."""
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    # The interpreter's handler in C writes the signal's number to this socket at once.
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reader, writer), name="shutdown-watchdog", daemon=True).start()


def _watch(reader: socket.socket, _writer: socket.socket) -> None:
    """The thread holds the writer, so that it is not closed while the program runs."""
    while reader.recv(1)[0] not in (signal.SIGTERM, signal.SIGINT):
        pass
    time.sleep(GRACE_SECONDS)
    log.warning("stop_forced", extra={"after_s": GRACE_SECONDS})
    sys.stderr.flush()
    os._exit(0)
