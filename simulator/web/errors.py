"""The exchange's error replies: HTTP status, code and text. Knows no request and no market."""

from simulator.source import Reply


class ExchangeError(Exception):
    """Is sent as `{"code", "msg"}` with `status`; `headers` are added to the reply."""

    def __init__(self, status: int, code: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

    def body(self) -> Reply:
        return {"code": self.code, "msg": self.message}


def invalid_symbol() -> ExchangeError:
    return ExchangeError(400, -1121, "Invalid symbol.")


def invalid_interval() -> ExchangeError:
    return ExchangeError(400, -1120, "Invalid interval.")


def illegal_characters(parameter: str, legal: str) -> ExchangeError:
    return ExchangeError(400, -1100, f"Illegal characters found in parameter '{parameter}'; legal range is '{legal}'.")


def missing(parameter: str) -> ExchangeError:
    message = f"Mandatory parameter '{parameter}' was not sent, was empty/null, or malformed."
    return ExchangeError(400, -1102, message)


def invalid_combination() -> ExchangeError:
    return ExchangeError(400, -1128, "Combination of optional parameters invalid.")


def invalid_value(parameter: str) -> ExchangeError:
    return ExchangeError(400, -1130, f"Data sent for parameter '{parameter}' is not valid.")


def invalid_symbol_status() -> ExchangeError:
    return ExchangeError(400, -1122, "Invalid symbolStatus.")


def status_mismatch() -> ExchangeError:
    return ExchangeError(400, -1220, "The symbol's status does not match the requested symbolStatus.")


def refused(status: int, retry_after_seconds: int, until_ms: int, weight_limit: int) -> ExchangeError:
    """429 (slow down) or 418 (banned), both with Retry-After in seconds."""
    if status == 418:
        what, advice = f"Way too much request weight used; IP banned until {until_ms}.", "to avoid bans."
    else:
        what = f"Too much request weight used; current limit is {weight_limit} request weight per 1 MINUTE."
        advice = "to avoid polling the API."
    message = f"{what} Please use WebSocket Streams for live updates {advice}"
    return ExchangeError(status, -1003, message, {"Retry-After": str(retry_after_seconds)})
