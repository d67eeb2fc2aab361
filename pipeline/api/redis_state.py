"""One moment of the current state, as one read of Redis brought it. Each part is parsed when it is
needed. Knows JSON; talks to no server."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import orjson

from pipeline.api.current_state import REDIS
from pipeline.api.instruments import Instrument, instruments_of
from pipeline.api.store import Row
from pipeline.tables import PRICES, Table


class RedisState:
    """A CurrentState that raises nothing. The rows are shared between requests: do not change
    them."""

    store = REDIS

    def __init__(
        self, prices: bytes, stats: bytes, instruments: bytes, sources: bytes, tracked: Sequence[bytes]
    ) -> None:
        self._parts: tuple[bytes, ...] = (prices, stats, instruments, sources)
        self._tracked_names = tracked

    def rows_of(self, table: Table) -> list[Row]:
        return self._prices if table is PRICES else self._stats

    def tracked(self) -> frozenset[str]:
        return self._tracked

    def instruments(self) -> Mapping[str, Instrument]:
        return self._instruments

    def source(self) -> Row:
        return next(iter(orjson.loads(self._parts[3])), {"name": None, "base_url": None})

    @cached_property
    def _prices(self) -> list[Row]:
        return list(orjson.loads(self._parts[0]))

    @cached_property
    def _stats(self) -> list[Row]:
        return list(orjson.loads(self._parts[1]))

    @cached_property
    def _instruments(self) -> dict[str, Instrument]:
        return instruments_of(orjson.loads(self._parts[2]))

    @cached_property
    def _tracked(self) -> frozenset[str]:
        return frozenset(name.decode() for name in self._tracked_names)


def state_of(reply: Sequence[Any]) -> RedisState:
    """From what redis_state.lua returned after "ok" and the age."""
    return RedisState(*reply)
