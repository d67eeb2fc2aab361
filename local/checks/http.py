"""Does a web server answer a GET with 200? Standard library only: this runs many times a second."""

import urllib.request

from local.waiting import NotReady

# Without the proxy of the environment, which cannot reach this machine's loopback.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def get(url: str, timeout_seconds: float = 2.0) -> bytes:
    """The body of a reply with status 200; anything else is NotReady."""
    try:
        with _open(url, timeout=timeout_seconds) as reply:
            if reply.status != 200:
                raise NotReady(f"GET {url}: {reply.status}")
            return reply.read()
    except OSError as error:  # URLError and HTTPError are among them
        raise NotReady(f"GET {url}: {error}") from None


def answers(url: str, timeout_seconds: float = 2.0) -> None:
    get(url, timeout_seconds)
