"""Which faults exist, their parameters, and how a request to switch one on is checked. Knows no
HTTP call in progress."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulator.web.weights import PATHS

REQUIRED = object()


class BadFault(ValueError):
    """The fault cannot be switched on; the text says what is allowed."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a fault kind: the default (or REQUIRED), a check, and a description of what
    the check allows."""

    default: Any
    allowed: Callable[[Any], bool]
    words: str


@dataclass(frozen=True, slots=True)
class Kind:
    """`replies`: whether the fault replaces or delays replies; the others change what the market
    shows."""

    replies: bool
    parameters: dict[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that is switched on. Empty `paths`: all endpoints; `count` and `until_ms` None: until
    it is cleared."""

    id: int
    kind: str
    paths: frozenset[str]
    probability: float
    count: int | None
    until_ms: int | None
    parameters: dict[str, Any]

    def applies_to(self, path: str) -> bool:
        return not self.paths or path in self.paths


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _seconds(default: Any) -> Parameter:
    return Parameter(default, lambda value: _is_number(value) and value >= 0, "a number of seconds, 0 or more")


_SYMBOL = Parameter(REQUIRED, lambda value: isinstance(value, str) and value != "", "a symbol, e.g. BTCUSDT")
_ID = Parameter(REQUIRED, _is_count, "a trade id")

KINDS = {
    "http_429": Kind(True, {"retry_after_seconds": _seconds(30)}),
    "http_418": Kind(True, {"retry_after_seconds": _seconds(120)}),
    "http_403_html": Kind(True),
    "http_451": Kind(True),
    "http_5xx": Kind(True, {"status": Parameter(503, lambda value: value in range(500, 600), "500 to 599")}),
    "timeout": Kind(True, {"seconds": _seconds(30)}),
    "disconnect": Kind(True),
    "truncated": Kind(
        True,
        {
            "content_length": Parameter(
                "cut", lambda value: value in ("cut", "full"), "cut (the length of what is sent) or full"
            )
        },
    ),
    "wrong_shape": Kind(True, {"body": Parameter(None, lambda value: True, "any JSON")}),
    "odd_field": Kind(
        True,
        {
            "symbol": _SYMBOL,
            "field": Parameter(
                REQUIRED, lambda value: isinstance(value, (str, int)), "a field's name, or its place in an array"
            ),
            "value": Parameter(None, lambda value: True, "any JSON"),
            "missing": Parameter(False, lambda value: isinstance(value, bool), "true or false"),
            "which": Parameter("all", lambda value: value in ("first", "last", "all"), "first, last or all"),
        },
    ),
    "slow": Kind(True, {"seconds": _seconds(2)}),
    "invalid_symbol": Kind(False, {"symbol": _SYMBOL}),
    "symbol_status": Kind(
        False,
        {"symbol": _SYMBOL, "status": Parameter("HALT", lambda value: isinstance(value, str), "a status, e.g. BREAK")},
    ),
    "new_symbol": Kind(False, {"symbol": _SYMBOL}),
    "id_gap": Kind(False, {"symbol": _SYMBOL, "from_id": _ID, "to_id": _ID}),
    "used_weight": Kind(False, {"weight": Parameter(REQUIRED, _is_count, "a weight per minute")}),
    "ban_rules": Kind(
        False,
        {"ban_seconds": _seconds(120), "tolerated_calls": Parameter(3, _is_count, "a number of calls, 0 or more")},
    ),
}

MAX_GAP_IDS = 20_000


def parse_fault(request: Any, fault_id: int, now_ms: int) -> Fault:
    """The fault that a JSON object describes. Raises BadFault naming the field, the value and what
    is allowed."""
    if not isinstance(request, dict) or request.get("kind") not in KINDS:
        raise BadFault(f"expected an object whose `kind` is one of {', '.join(KINDS)}")
    kind = KINDS[request["kind"]]
    common = {"kind", "paths", "duration_seconds"} | ({"probability", "count"} if kind.replies else set())
    for name in request:
        if name not in common and name not in kind.parameters:
            allowed = ", ".join(sorted(common | set(kind.parameters)))
            raise BadFault(f"{request['kind']} has no parameter `{name}`; allowed: {allowed}")
    duration = _field(request, "duration_seconds", _seconds(None))
    fault = Fault(
        fault_id,
        request["kind"],
        frozenset(_field(request, "paths", Parameter([], _are_paths, f"a list out of {', '.join(PATHS)}"))),
        _field(request, "probability", Parameter(1.0, lambda v: _is_number(v) and 0 <= v <= 1, "0 to 1")),
        _field(request, "count", Parameter(None, _is_count, "a number of calls")),
        None if duration is None else now_ms + round(duration * 1000),
        {name: _field(request, name, parameter) for name, parameter in kind.parameters.items()},
    )
    if fault.kind == "id_gap" and not 0 <= fault.parameters["to_id"] - fault.parameters["from_id"] < MAX_GAP_IDS:
        raise BadFault(f"id_gap: expected from_id ≤ to_id and at most {MAX_GAP_IDS} ids")
    return fault


def _are_paths(value: Any) -> bool:
    return isinstance(value, list) and all(path in PATHS for path in value)


def _field(request: dict[str, Any], name: str, parameter: Parameter) -> Any:
    if name not in request or (request[name] is None and parameter.default is None):
        if parameter.default is REQUIRED:
            raise BadFault(f"{request['kind']} needs `{name}`: {parameter.words}")
        return parameter.default
    if not parameter.allowed(request[name]):
        raise BadFault(f"`{name}` = {request[name]!r}: expected {parameter.words}")
    return request[name]
