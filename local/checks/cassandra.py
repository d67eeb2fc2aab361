"""Is a login over CQL accepted? Speaks version 4 of the native protocol (native_protocol_v4.spec of
Cassandra). Does not use the driver: while Cassandra starts, each of its attempts logs and leaves
threads."""

import struct

from local.checks.sockets import Exchange, exchange
from local.waiting import NotReady

REQUEST_V4 = 0x04
STARTUP, AUTH_RESPONSE = 0x01, 0x0F
ERROR, READY, AUTHENTICATE, AUTH_SUCCESS = 0x00, 0x02, 0x03, 0x10


def _ask(server: Exchange, opcode: int, body: bytes) -> tuple[int, bytes]:
    server.send(struct.pack(">BBhBi", REQUEST_V4, 0, 0, opcode, len(body)) + body)
    _, _, _, answer, length = struct.unpack(">BBhBi", server.read(9))
    return answer, server.read(length)


def _string(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def login(port: int, user: str, password: str, host: str = "127.0.0.1") -> None:
    """Returns when the login succeeds. Raises NotReady with the server's message otherwise."""
    with exchange(port, timeout_seconds=10, host=host) as server:
        answer, body = _ask(server, STARTUP, struct.pack(">h", 1) + _string("CQL_VERSION") + _string("3.0.0"))
        if answer == AUTHENTICATE:
            token = b"\0" + user.encode() + b"\0" + password.encode()
            answer, body = _ask(server, AUTH_RESPONSE, struct.pack(">i", len(token)) + token)
    if answer not in (READY, AUTH_SUCCESS):
        raise NotReady(f"login as {user}: {body[6:].decode(errors='replace')}")


def login_any(port: int, user: str, passwords: tuple[str, ...], host: str = "127.0.0.1") -> None:
    """Like `login`, with the first password that works: a new cluster has only the built-in one."""
    for password in passwords[:-1]:
        try:
            return login(port, user, password, host)
        except NotReady:
            continue
    return login(port, user, passwords[-1], host)
