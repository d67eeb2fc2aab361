"""The routes, described once: parameters, columns of a row, replies. Requests are checked against
it, /openapi.json and /docs are made from it. Knows nothing of Flask and of how rows are read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline import tables
from pipeline.api import parameters as p
from pipeline.api.parameters import Parameter
from pipeline.tables import BOOKS, KLINES, PRICES, STATS, TRADES

NUMBER, WHOLE, TIME, TEXT, FLAG, LEVELS, COUNT = "number", "whole", "time", "text", "flag", "levels", "count"
KINDS = {
    tables.NUMBER: NUMBER,
    tables.WHOLE: WHOLE,
    tables.TIME: TIME,
    tables.TEXT: TEXT,
    tables.FLAG: FLAG,
    tables.LEVELS: LEVELS,
}

ROWS, OBJECT, PAGE, PLAIN = "rows", "object", "page", "plain"


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One path. `columns`: name to kind of what every row (or the object) has; `sometimes`: those
    of a downsampled row.
    `body`: rows, an object, an HTML page or plain text. `store`: whether Cassandra is asked, so
    that a 503 is possible.
    `pages`: whether a Link header may lead to more. `fresh_seconds`: how long a reader may keep the
    answer."""

    path: str
    summary: str
    text: str
    parameters: tuple[Parameter, ...] = ()
    required: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    sometimes: Mapping[str, str] = field(default_factory=dict)
    body: str = ROWS
    store: bool = True
    pages: bool = False
    fresh_seconds: int = 1


def columns_of(table: tables.Table) -> dict[str, str]:
    return {name: KINDS[kind] for name, kind in table.columns.items()}


RANGE = (p.SYMBOL_LIST, p.FROM, p.TO, p.LIMIT, p.CURSOR_OF_LINK, p.POINTS)
BUCKET_PRICES = {"first_price": NUMBER, "min_price": NUMBER, "max_price": NUMBER}
BOOK_FIGURES = dict.fromkeys(
    ("best_bid", "best_ask", "spread", "mid_price", "bid_depth", "ask_depth", "imbalance"), NUMBER
)

ROUTES: dict[str, Route] = {
    route.path: route
    for route in (
        Route(
            f"/{STATS.name}",
            "24-hour statistics",
            "Without parameters: the newest statistics of every symbol. With `symbol`: a row for every change. `sort` "
            "ranks the whole market now. `points`: the last row of each bucket.",
            (*RANGE, p.SORT, p.ORDER, p.QUOTE_ASSET),
            columns=columns_of(STATS),
            pages=True,
        ),
        Route(
            f"/{PRICES.name}",
            "Prices",
            "Without parameters: the newest price of every symbol. With `symbol`: a row for every change. `points`: "
            "one row a bucket, at the time of its last change, with first, last (`price`), smallest and largest price, "
            "so that a spike survives.",
            (*RANGE, p.QUOTE_ASSET),
            columns=columns_of(PRICES),
            sometimes=BUCKET_PRICES,
            pages=True,
        ),
        Route(
            f"/{BOOKS.name}",
            "Order books",
            "Best levels first, each a pair of price and quantity; depth and imbalance in base asset. `points`: the "
            "last book of each bucket.",
            (*RANGE, p.LEVELS),
            columns=columns_of(BOOKS) | BOOK_FIGURES,
            pages=True,
        ),
        Route(
            f"/{TRADES.name}",
            "Trades",
            "Each trade once. `points`: one row a bucket, at the bucket's start, with first, last (`price`), smallest "
            "and largest price, the sums of quantities, and the number of `trades`; bought and sold as the taker did.",
            RANGE,
            columns=columns_of(TRADES),
            pages=True,
            sometimes=BUCKET_PRICES | {"buy_quantity": NUMBER, "sell_quantity": NUMBER, "trades": COUNT},
        ),
        Route(
            f"/{KLINES.name}",
            "Candles",
            "Stored intervals as they are, any multiple of one merged from it: open of the first, high and low of all, "
            "close of the last, sums of the amounts; `is_closed` when all parts are there and closed. `points` chooses "
            "the smallest merged interval that gives no more rows.",
            (*RANGE, p.INTERVAL_OF_CANDLES),
            columns=columns_of(KLINES),
            pages=True,
        ),
        Route(
            "/depth",
            "Depth chart",
            "The newest book of one symbol, ascending by price: what waits at each price, and how much from the best "
            "price up to there (`bid_depth` or `ask_depth`, the other is null).",
            (p.ONE_SYMBOL, p.LEVELS),
            ("symbol",),
            {
                "symbol": TEXT,
                "updated_at": TIME,
                "side": TEXT,
                "price": NUMBER,
                "quantity": NUMBER,
                "bid_depth": NUMBER,
                "ask_depth": NUMBER,
            },
        ),
        Route(
            "/market_summary",
            "The market in one row",
            "Per quote asset: how many symbols there are, how many rose, fell or stayed over 24 hours, and what was "
            "traded.",
            (p.QUOTE_ASSET,),
            columns={
                "quote_asset": TEXT,
                "symbols": COUNT,
                "rising": COUNT,
                "falling": COUNT,
                "unchanged": COUNT,
                "quote_volume": NUMBER,
                "trade_count": WHOLE,
                "updated_at": TIME,
            },
        ),
        Route(
            "/symbols",
            "Symbols",
            "Every symbol, whether it is tracked, and which exchange the data come from.",
            (p.QUOTE_ASSET, p.TRACKED),
            columns={"symbol": TEXT, "quote_asset": TEXT, "tracked": FLAG, "source": TEXT, "source_url": TEXT},
        ),
        Route(
            "/freshness",
            "Age of the newest row of each table",
            "`age_seconds` is the time since the newest row's own time (of the poll that saw the change; for trades, "
            "of the trade), of whichever symbol is newest; null when there is no row. `late` when there is none or it "
            "is older than `late_after_seconds`: five polls and ten seconds.",
            columns={
                "table": TEXT,
                "updated_at": TIME,
                "age_seconds": NUMBER,
                "late_after_seconds": NUMBER,
                "late": FLAG,
            },
        ),
        Route(
            "/health",
            "Whether the store answers",
            "200 only when Cassandra answers.",
            columns={"status": TEXT},
            body=OBJECT,
            fresh_seconds=0,
        ),
        Route(
            "/metrics", "Metrics for Prometheus", "Text format of Prometheus.", body=PLAIN, store=False, fresh_seconds=0
        ),
        Route(
            "/openapi.json",
            "This description",
            "OpenAPI 3.1.",
            columns={"openapi": TEXT},
            body=OBJECT,
            store=False,
            fresh_seconds=60,
        ),
        Route(
            "/docs",
            "This description for people",
            "HTML, complete in itself.",
            body=PAGE,
            store=False,
            fresh_seconds=60,
        ),
        Route(
            "/",
            "Start page",
            "Freshness of every table, and links to everything.",
            body=PAGE,
            store=False,
            fresh_seconds=0,
        ),
    )
}
