"""How the text of a setting becomes a value. Each parser raises ValueError that says what is
allowed; `settings.load` adds the setting's name and the value."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.intervals import INTERVALS, MINUTE_MS, interval_ms
from pipeline.symbols import is_symbol, upper_case
from pipeline.times import duration_seconds
from pipeline.tls import client_context


def required(value: str) -> str:
    if not value:
        raise ValueError("a value that is not empty")
    return value


def token(value: str) -> str:
    """May be empty. It becomes part of an HTTP header."""
    if not all("!" <= character <= "~" for character in value):
        raise ValueError("a token without spaces")
    return value


def quotable(value: str) -> str:
    """May be empty. Kafka Connect reads it between quotation marks."""
    if not value.isprintable() or '"' in value or "\\" in value:
        raise ValueError("a text without quotation marks, backslashes and line ends")
    return value


def ca_file(value: str) -> str:
    """Empty: the authorities that this machine trusts."""
    if value and not is_usable(value, ""):
        raise ValueError("the path of a PEM file with the certificate of the authority, readable by this program")
    return value


def cert_file(value: str) -> str:
    """Empty: no client certificate."""
    if value and not is_usable("", value):
        raise ValueError(
            "the path of a readable PEM file with the client's certificate and its private key, not encrypted "
            "(cat client.crt client.key > client.pem)"
        )
    return value


def kafka_cert_file(value: str) -> str:
    """Java reads a private key in this form only."""
    if cert_file(value) and "-----BEGIN PRIVATE KEY-----" not in Path(value).read_text(encoding="utf-8"):
        raise ValueError("the private key as PKCS#8 (openssl pkcs8 -topk8 -nocrypt -in client.key)")
    return value


def is_usable(authorities: str, certificate: str) -> bool:
    try:
        client_context(authorities, certificate)
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        return False
    return True


def root_cert(value: str) -> str:
    """As libpq has it: a file, or `system` for the authorities that this machine trusts."""
    if value == "system":
        return value
    try:
        return ca_file(value)
    except ValueError as error:
        raise ValueError(f"system, or {error}") from None


def whole(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(value)

    return parse


def replication_factor(value: str) -> int:
    """As Kafka has it: -1 is the brokers' own default."""
    try:
        return -1 if value == "-1" else whole(1, 100)(value)
    except ValueError:
        raise ValueError("a whole number from 1 to 100, or -1 for the brokers' default") from None


def seconds(low: float, high: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            raise ValueError(f"a number of seconds from {low:g} to {high:g}")
        return number

    return parse


def duration(value: str) -> float:
    try:
        number = duration_seconds(value)
    except ValueError:
        number = float("nan")
    if not 0 <= number <= 366 * 86400:
        raise ValueError("a duration such as 90s, 30m, 12h or 7d, at most 366d")
    return number


def url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("an http:// or https:// address")
    return value.rstrip("/")


def redis_url(value: str) -> str:
    """Empty for `off`."""
    if value.lower() == "off":
        return ""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("redis", "rediss") and parts.hostname and parts.port != 0 and not parts.password
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("off, or redis://host:port without a password, which REDIS_PASSWORD is for")
    return value


def symbols(value: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(upper_case(part.strip()) for part in value.split(",") if part.strip()))
    if not found or not all(map(is_symbol, found)):
        raise ValueError("one or several symbols, comma-separated, e.g. BTCUSDT,ETHUSDT")
    return found


def asset(value: str) -> str:
    if not value.isascii() or not value.isalnum():
        raise ValueError("the name of an asset, e.g. USDT")
    return value.upper()


def hosts(value: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in value.split(",") if part.strip())
    if not found:
        raise ValueError("one or several hosts, comma-separated")
    return found


def intervals(value: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
    if not found or not set(found) <= set(INTERVALS):
        raise ValueError(f"one or several of {', '.join(INTERVALS)} (case matters: 1m is a minute, 1M a month)")
    return found


def horizons(value: str) -> tuple[int, ...]:
    """In minutes; none for `off`."""
    if value.lower() == "off":
        return ()
    try:
        found = [(interval_ms(part.strip()) or 0) // MINUTE_MS for part in value.split(",") if part.strip()]
    except ValueError:
        found = []
    if not found or not all(5 <= minutes <= 1440 for minutes in found):
        raise ValueError("off, or one or several horizons from 5m to 1d, e.g. 15m,1h")
    return tuple(dict.fromkeys(found))


def forecast_model(value: str) -> str:
    if value not in ("naive", "ewma", "log_har") and not re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", value):
        raise ValueError("naive, ewma, log_har, or module:Class of a regressor of your own")
    return value


def origins(value: str) -> tuple[str, ...]:
    if value.lower() == "off":
        return ()
    found = tuple(dict.fromkeys(part.strip().rstrip("/") for part in value.split(",") if part.strip()))
    if not found or not all(part == "*" or url_origin(part) for part in found):
        raise ValueError("off, * or one or several origins, comma-separated, e.g. https://example.org")
    return found


def url_origin(value: str) -> bool:
    """Whether it is scheme and host (and port) and nothing more, as browsers send it."""
    parts = urlsplit(value)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and value == f"{parts.scheme}://{parts.netloc}"


def one_of(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        for choice in allowed:
            if value.lower() == choice.lower():
                return choice
        raise ValueError(f"one of {', '.join(allowed)}")

    return parse


def identifier(value: str) -> str:
    if not value.isascii() or not value.replace("_", "").isalnum() or value[0].isdigit() or value != value.lower():
        raise ValueError("lower-case letters, digits and _, not starting with a digit")
    return value


port = whole(1, 65535)
