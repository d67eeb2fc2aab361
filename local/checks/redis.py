"""Does Redis accept the password and answer? Speaks its protocol (RESP)."""

from local.checks.sockets import Exchange, exchange
from local.waiting import NotReady


def command(*words: str) -> bytes:
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


def line(server: Exchange) -> str:
    read = b""
    while not read.endswith(b"\r\n"):
        read += server.read(1)
    return read.decode(errors="replace").strip()


def answers(port: int, password: str) -> None:
    """Returns when PING is answered. Raises NotReady."""
    with exchange(port) as server:
        for words, wanted in ((("AUTH", password), "+OK"), (("PING",), "+PONG")):
            server.send(command(*words))
            reply = line(server)
            if reply != wanted:
                raise NotReady(f"{words[0]}: {reply}")
