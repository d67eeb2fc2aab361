"""Free and taken ports. Knows TCP and which process holds a port; knows no service."""

import errno
import random
import socket
from dataclasses import dataclass

from local import procfs

# Below the range that the kernel uses for outgoing connections (32768 and up), one of which could
# take a port between two starts.
FREE_FROM, FREE_TO = 20000, 32000
# Ports that this process was given, each with what keeps other processes from taking it as well.
_handed_out: dict[int, socket.socket] = {}


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether we could listen on `port` now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # Without it a port counts as taken for a minute after its last connection closed.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


def exists(host: str) -> bool:
    """Whether `host` is an address of this machine."""
    with socket.socket() as probe:
        try:
            probe.bind((host, 0))
        except OSError as error:
            return error.errno != errno.EADDRNOTAVAIL
    return True


def _reserve(port: int) -> bool:
    """Claim `port` among all processes that ask here, until this process ends. The claim is a name
    in the kernel (an abstract socket): two test runs at the same time never get the same port."""
    if port in _handed_out:
        return False
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0crypto-cdc-port-{port}")
    except OSError:
        claim.close()
        return False
    _handed_out[port] = claim
    return True


def free_ports(count: int) -> list[int]:
    """`count` different free ports, none of which was returned before to this process or to another
    one that still runs."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(FREE_FROM, FREE_TO)
        if is_free(port) and _reserve(port):
            found.append(port)
    return found


def preferred(port: int) -> int:
    """`port` if it is free, otherwise another free port: for ports to which only the stack itself
    connects."""
    return port if is_free(port) else free_ports(1)[0]


@dataclass(frozen=True, slots=True)
class WantedPort:
    """A port that must be free: the service that needs it, the setting that moves it, its
    address."""

    service: str
    port: int
    setting: str
    host: str = "127.0.0.1"


def holder(port: int) -> str:
    """The process that listens on `port`, as text; empty when it is not visible to us."""
    pid = procfs.listener(port)
    return "" if pid is None else f" by pid {pid} ({procfs.command_line(pid)})"


def complaints(wanted: list[WantedPort]) -> list[str]:
    """One line for each wanted port that is taken or wanted twice."""
    lines: list[str] = []
    seen: dict[int, str] = {}
    for want in wanted:
        if want.port in seen:
            lines.append(f"port {want.port} is set for {seen[want.port]} and for {want.service}: change {want.setting}")
        elif not is_free(want.port, want.host):
            lines.append(
                f"port {want.port}, needed for {want.service}, is taken{holder(want.port)}: "
                f"stop it, or choose another port with {want.setting} in .env"
            )
        seen.setdefault(want.port, want.service)
    return lines
