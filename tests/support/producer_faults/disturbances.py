"""All disturbances of the producer's world, each with its limits in seconds. Knows no verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from pipeline.times import now_ms
from tests.support.producer_faults.world import World

PATHS = (
    "/api/v3/aggTrades",
    "/api/v3/klines",
    "/api/v3/depth",
    "/api/v3/ticker/price",
    "/api/v3/ticker/24hr",
    "/api/v3/exchangeInfo",
)
WRONG_BODIES: tuple[Any, ...] = (None, [], {}, [[]], [{}], 5, "text", {"code": -1003, "msg": "not really"})
NEW_SYMBOL = "NEWCOINUSDT"
# Path, field, value, which entries. A trade is odd while it is the last of a reply, so that each is
# well later and must be stored.
ODD_FIELDS: tuple[tuple[str, str | int, Any, str], ...] = (
    ("/api/v3/ticker/price", "price", None, "all"),
    ("/api/v3/ticker/24hr", "lastPrice", "-1", "all"),
    ("/api/v3/depth", "asks", [["1"]], "all"),
    ("/api/v3/klines", 4, "NaN", "last"),
    ("/api/v3/aggTrades", "q", "1E+999", "last"),
    ("/api/v3/exchangeInfo", "baseAsset", None, "all"),
)


@dataclass(slots=True)
class Scene:
    """The world, a random generator, and what the verdict must know: `hidden` trades by symbol and
    id; `exits`, the exit codes of producers that were asked to stop, with the seconds it took."""

    world: World
    random: Random
    symbols: tuple[str, ...]
    hidden: set[tuple[str, int]]
    exits: list[tuple[int, float]]

    def fault(self, kind: str, **parameters: object) -> None:
        self.world.exchange.fault(kind, **parameters)

    def some_paths(self) -> list[str]:
        return self.random.sample(PATHS, self.random.randint(1, len(PATHS)))


Begin = Callable[[Scene, float], None]
End = Callable[[Scene], None]


@dataclass(frozen=True, slots=True)
class Disturbance:
    """`begin` gets the seconds it will last; `end` undoes what does not end by itself. `process`:
    which process it stops, so that two never stop the same one. `max_seconds`: how long it may
    last. `after_seconds`: how long a ban may last after it."""

    name: str
    begin: Begin
    end: End = lambda scene: None
    process: str = ""
    max_seconds: float = 15.0
    after_seconds: float = 0.0


def replies(kind: str, **parameters: object) -> Begin:
    """A fault that affects the requests to all endpoints while it lasts."""
    return lambda scene, seconds: scene.fault(kind, duration_seconds=seconds, **parameters)


def on_some_paths(kind: str, **parameters: object) -> Begin:
    return lambda scene, seconds: scene.fault(kind, duration_seconds=seconds, paths=scene.some_paths(), **parameters)


def ban(kind: str) -> Begin:
    return lambda scene, seconds: scene.fault(kind, count=1, retry_after_seconds=max(1, round(seconds)))


def wrong_shape(scene: Scene, seconds: float) -> None:
    body = scene.random.choice(WRONG_BODIES)
    scene.fault("wrong_shape", duration_seconds=seconds, paths=scene.some_paths(), body=body)


def for_a_symbol(kind: str) -> Begin:
    return lambda scene, seconds: scene.fault(kind, duration_seconds=seconds, symbol=scene.random.choice(scene.symbols))


def odd_fields(scene: Scene, seconds: float) -> None:
    symbol = scene.random.choice(scene.symbols)
    for path, name, value, which in ODD_FIELDS:
        scene.fault(
            "odd_field", duration_seconds=seconds, paths=[path], symbol=symbol, field=name, value=value, which=which
        )


def new_symbol(scene: Scene, seconds: float) -> None:
    scene.fault("new_symbol", duration_seconds=seconds, symbol=NEW_SYMBOL)


def id_gap(scene: Scene, seconds: float) -> None:
    """The next trades of a busy symbol are never returned, whenever the producer asks for them."""
    symbol = scene.symbols[0]
    first = scene.world.exchange.newest_id(symbol, now_ms()) + scene.random.randint(1, 3)
    last = first + scene.random.randint(0, 4)
    scene.hidden.update((symbol, trade_id) for trade_id in range(first, last + 1))
    scene.fault("id_gap", symbol=symbol, from_id=first, to_id=last)


def others_use_the_address(scene: Scene, seconds: float) -> None:
    """Much of the limit, but not all: the producer must slow down and must not be banned."""
    weight = round(scene.world.exchange.report()["weight_limit"] * scene.random.uniform(0.3, 0.6))
    scene.fault("used_weight", duration_seconds=seconds, weight=weight)


def kill_producer(scene: Scene, seconds: float) -> None:
    scene.world.producer.kill()


def stop_producer(scene: Scene, seconds: float) -> None:
    scene.exits.append(scene.world.stop_producer())


def start_producer(scene: Scene) -> None:
    scene.world.start_producer()


def kill_exchange(scene: Scene, seconds: float) -> None:
    """Its faults end with it, so `start_exchange` must hide the same trades again."""
    scene.world.exchange.kill()


def start_exchange(scene: Scene) -> None:
    scene.world.exchange.start()
    for symbol, trade_id in sorted(scene.hidden):
        scene.fault("id_gap", symbol=symbol, from_id=trade_id, to_id=trade_id)


OF_REPLIES = (
    Disturbance("429 for all", ban("http_429")),
    Disturbance("418 for all", ban("http_418")),
    Disturbance("403 firewall page", replies("http_403_html")),
    Disturbance("503", replies("http_5xx")),
    Disturbance("500 on some endpoints", on_some_paths("http_5xx", status=500, probability=0.5)),
    Disturbance("requests hang 15 s", on_some_paths("timeout", seconds=15)),
    Disturbance("slow replies", on_some_paths("slow", seconds=1.5, probability=0.5)),
    Disturbance("connections cut", replies("disconnect", probability=0.5)),
    Disturbance("truncated JSON", replies("truncated", probability=0.5)),
    Disturbance("reply broken off", replies("truncated", content_length="full", probability=0.5)),
    Disturbance("wrong shape", wrong_shape),
    Disturbance("a symbol has odd fields", odd_fields),
    Disturbance("a symbol becomes invalid", for_a_symbol("invalid_symbol")),
    Disturbance("a symbol is halted", for_a_symbol("symbol_status")),
    Disturbance("a new symbol", new_symbol),
    Disturbance("trade ids are missing", id_gap),
    Disturbance("others use the address", others_use_the_address),
)
OF_PROCESSES = (
    Disturbance("producer killed", kill_producer, start_producer, process="producer"),
    Disturbance("producer stopped", stop_producer, start_producer, process="producer"),
    Disturbance(
        "PostgreSQL killed",
        lambda s, _: s.world.kill_postgres(),
        lambda s: s.world.start_postgres(),
        process="postgres",
    ),
    Disturbance(
        "PostgreSQL stopped",
        lambda s, _: s.world.stop_postgres(),
        lambda s: s.world.start_postgres(),
        process="postgres",
    ),
    Disturbance(
        "PostgreSQL frozen",
        lambda s, _: s.world.freeze_postgres(True),
        lambda s: s.world.freeze_postgres(False),
        process="postgres",
        max_seconds=8,
    ),
    Disturbance("exchange killed", kill_exchange, start_exchange, process="exchange"),
)
# Each causes a ban of up to a minute; a 418 that follows the second one lasts two.
LONG = (
    Disturbance("451 once", lambda s, _: s.fault("http_451", count=1), after_seconds=62),
    Disturbance(
        "others overdraw the address",
        lambda s, t: s.fault("used_weight", duration_seconds=t, weight=6500),
        max_seconds=3,
        after_seconds=62,
    ),
)
EVERY = (*OF_REPLIES, *OF_PROCESSES)
