"""The command line: which options exist and which values they allow. Opens nothing."""

import argparse
from datetime import UTC, datetime
from pathlib import Path


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65_535:
        raise ValueError
    return value


def _time_ms(text: str) -> int:
    """ms since 1970, from ms or ISO 8601 (UTC if it has no offset)."""
    if text.isdigit():
        return int(text)
    time = datetime.fromisoformat(text)
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


# argparse names the type in its message: "invalid number above 0 value: '-3'".
_positive.__name__ = "number above 0"
_port.__name__ = "port"
_time_ms.__name__ = "ms or ISO 8601 time"


def parse_arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Ends the program with status 2 and one line if an option is wrong."""
    parser = argparse.ArgumentParser(
        prog="python3 -m simulator",
        description="An exchange that implements the Binance Spot REST API: a random market or a replay.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=_port, default=9600, help="default 9600; 0 picks a free one and logs it")
    parser.add_argument("--seed", type=int, default=7, help="each seed gives a different market (default 7)")
    parser.add_argument("--symbols", type=_positive, default=400, help="pairs against --quote (default 400)")
    parser.add_argument("--quote", default="USDT", help="quote asset of the random market (default USDT)")
    parser.add_argument("--replay", type=Path, metavar="DIR", help="replay recorded files instead of a random market")
    parser.add_argument(
        "--replay-start", type=_time_ms, metavar="TIME", help="when the replay begins; default 12 h ago"
    )
    parser.add_argument(
        "--weight-limit", type=_positive, default=6_000, help="request weight per minute (default 6000)"
    )
    parser.add_argument("--log-level", default="INFO", type=str.upper, choices=("DEBUG", "INFO", "WARNING", "ERROR"))
    return parser.parse_args(words)
