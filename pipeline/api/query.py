"""A request's query string as a Query, validated against the parameters of its route. Knows nothing
else of HTTP."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipeline.api.paging import Cursor
from pipeline.api.parameters import DEFAULT_LIMIT, Parameter


class BadParameter(Exception):
    """A parameter is invalid: `parameter` is its name, the message says what is allowed. Answered
    with 400."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class Query:
    """What a client requests of a route. Times are in ms; `to_ms` is exclusive; no symbols means
    all of them."""

    symbols: tuple[str, ...] = ()
    from_ms: int | None = None
    to_ms: int | None = None
    limit: int = DEFAULT_LIMIT
    cursor: Cursor | None = None
    points: int | None = None
    levels: int | None = None
    interval: str = "1m"
    horizon: str = "15m"
    sort: str | None = None
    descending: bool = True
    quote_asset: str | None = None
    tracked: bool | None = None

    @property
    def forward(self) -> bool:
        """With `from`, pages go forward from there; without it, backward from the newest rows."""
        return self.from_ms is not None

    @property
    def max_rows(self) -> int:
        """The largest number of rows that the response may have."""
        return self.limit if self.points is None else self.points

    @property
    def is_current(self) -> bool:
        """Whether the query is for the current state of the market and not for history."""
        return not self.symbols and self.from_ms is None and self.to_ms is None


# Parameters whose attribute in Query has another name.
ATTRIBUTES = {"symbol": "symbols", "from": "from_ms", "to": "to_ms", "order": "descending"}


def read_query(
    arguments: Iterable[tuple[str, str]], parameters: tuple[Parameter, ...], required: tuple[str, ...] = ()
) -> Query:
    """The query of these (name, value) pairs. Raises BadParameter for a bad, unknown, repeated or
    missing parameter."""
    known = {parameter.name: parameter for parameter in parameters}
    values: dict[str, Any] = {}
    explicit: set[str] = set()
    for name, text in arguments:
        parameter = known.get(name)
        if parameter is None:
            raise BadParameter(name[:50], f"this route has no such parameter; it takes {', '.join(known) or 'none'}")
        if name in explicit:
            raise BadParameter(name, f"{name} is given twice")
        explicit.add(name)
        try:
            values[ATTRIBUTES.get(name, name)] = parameter.parse(text)
        except (ValueError, OverflowError):
            raise BadParameter(name, f"{name}: expected {parameter.expected}") from None
    for name in required:
        if name not in explicit:
            raise BadParameter(name, f"{name} must be given: expected {known[name].expected}")
    if "points" in values and "limit" in values:
        values["points"] = min(values["points"], values["limit"])
    query = Query(**values)
    check(query, explicit)
    return query


def check(query: Query, explicit: set[str]) -> None:
    """The rules between parameters. Raises BadParameter."""
    if query.from_ms is not None and query.to_ms is not None and query.from_ms > query.to_ms:
        raise BadParameter("from", "from must not be after to")
    if query.points is not None:
        if query.cursor is not None:
            raise BadParameter("cursor", "a downsampled range has no pages: leave out cursor or points")
        if not query.symbols:
            raise BadParameter("points", "points needs a symbol: a whole market's history is too much to read at once")
    if query.sort is not None and explicit & {"from", "to", "points", "cursor"}:
        name = next(name for name in ("from", "to", "points", "cursor") if name in explicit)
        raise BadParameter(name, "a ranking (sort) is of the current state and takes no range")
