"""The specification of every route: parameters, columns of a row, body. Requests are validated
against it; /openapi.json and /docs are generated from it. Knows nothing of Flask or of how rows are
read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from pipeline import tables
from pipeline.api import parameters as p
from pipeline.api.fields import TEXT_SUFFIX
from pipeline.api.moving_averages import LENGTHS
from pipeline.api.parameters import Parameter
from pipeline.tables import BOOKS, FORECASTS, KLINES, PRICES, STATS, TRADES

NUMBER, WHOLE, TIME, TEXT, FLAG, LEVELS, COUNT = "number", "whole", "time", "text", "flag", "levels", "count"
NAMES, COLUMNS = "names", "columns"
TABLE_PATH = "/tables/{name}"
KINDS = {
    tables.NUMBER: NUMBER,
    tables.FLOAT: NUMBER,
    tables.WHOLE: WHOLE,
    tables.TIME: TIME,
    tables.TEXT: TEXT,
    tables.FLAG: FLAG,
    tables.LEVELS: LEVELS,
}
# Under this path are the files that the market page loads; they are no routes of the API.
STATIC_PATH = "/static"


class Body(Enum):
    """What the body of a successful response is."""

    ROWS = "an array of rows"
    OBJECT = "an object"
    HTML = "an HTML page"
    PLAIN_TEXT = "plain text"


@dataclass(frozen=True, slots=True, eq=False)
class RouteSpec:
    """One path.

    `columns`: name to kind of the columns that every row (or the object) has.
    `downsampled_columns`: those that only a downsampled row has.
    `columns_on_request`: those that only a row has whose client asks for them with `fields`.
    `reads_cassandra`: a 503 is possible.
    `current_state`: may be answered from Redis; a header says which store answered.
    `paginated`: a Link header may lead to more rows.
    `fresh_seconds`: how long a client may keep the response; 0: not at all."""

    path: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...] = ()
    required: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    downsampled_columns: Mapping[str, str] = field(default_factory=dict)
    columns_on_request: Mapping[str, str] = field(default_factory=dict)
    body: Body = Body.ROWS
    reads_cassandra: bool = True
    current_state: bool = False
    paginated: bool = False
    fresh_seconds: int = 1

    @property
    def all_columns(self) -> dict[str, str]:
        return {**self.columns, **self.downsampled_columns, **self.columns_on_request}


def with_fields(route: RouteSpec) -> RouteSpec:
    """The route with the parameter `fields`, if it answers rows whose columns are known here.
    Numbers can be had as text if the row says of which symbol they are."""
    if route.body is not Body.ROWS or not route.columns:
        return route
    on_request = dict(route.columns_on_request)
    if "symbol" in route.columns:
        numbers = [name for name, kind in route.all_columns.items() if kind == NUMBER]
        on_request |= {name + TEXT_SUFFIX: TEXT for name in numbers}
    complete = replace(route, columns_on_request=on_request)
    return replace(complete, parameters=(*route.parameters, p.fields(complete.all_columns)))


def columns_of(table: tables.Table) -> dict[str, str]:
    return {name: KINDS[kind] for name, kind in table.columns.items()}


RANGE = (p.SYMBOL_LIST, p.FROM, p.TO, p.LIMIT, p.CURSOR_OF_LINK, p.POINTS)
BUCKET_PRICES = {"first_price": NUMBER, "min_price": NUMBER, "max_price": NUMBER}
BOOK_FIGURES = dict.fromkeys(
    ("best_bid", "best_ask", "spread", "spread_bps", "mid_price", "bid_depth", "ask_depth", "imbalance"), NUMBER
)

ROUTES: dict[str, RouteSpec] = {
    route.path: with_fields(route)
    for route in (
        RouteSpec(
            f"/{STATS.name}",
            "24-hour statistics",
            "Without parameters: the newest statistics of every symbol. With `symbol`: a row per change. `sort` ranks "
            "the whole market by its current state. `points`: the last row of each time bucket.",
            (*RANGE, p.SORT, p.ORDER, p.QUOTE_ASSET, p.TRACKED),
            columns=columns_of(STATS),
            current_state=True,
            paginated=True,
        ),
        RouteSpec(
            f"/{PRICES.name}",
            "Prices",
            "Without parameters: the newest price of every symbol. With `symbol`: a row per change. `points`: one row "
            "per time bucket, at the time of its last change, with first, last (`price`), smallest and largest price, "
            "so that no spike is lost.",
            (*RANGE, p.QUOTE_ASSET, p.TRACKED),
            columns=columns_of(PRICES),
            downsampled_columns=BUCKET_PRICES,
            current_state=True,
            paginated=True,
        ),
        RouteSpec(
            f"/{BOOKS.name}",
            "Order books",
            "Best levels first, each a pair of price and quantity; depth in base asset; `spread_bps`: the spread in "
            "basis points of the mid price. `points`: the last book of each time bucket.",
            (*RANGE, p.LEVELS),
            columns=columns_of(BOOKS) | BOOK_FIGURES,
            paginated=True,
        ),
        RouteSpec(
            f"/{TRADES.name}",
            "Trades",
            "Each trade once. `points`: one row per time bucket, at the bucket's start, with first, last (`price`), "
            "smallest and largest price, sums of the quantities, and the number of `trades`; `buy_quantity` and "
            "`sell_quantity` by the taker's side.",
            RANGE,
            columns=columns_of(TRADES),
            paginated=True,
            downsampled_columns=BUCKET_PRICES | {"buy_quantity": NUMBER, "sell_quantity": NUMBER, "trades": COUNT},
        ),
        RouteSpec(
            f"/{KLINES.name}",
            "Candles",
            "Stored intervals unchanged, any multiple of one aggregated from it: open of the first, high and low of "
            "all, close of the last, sums of the amounts; `is_closed` if all parts are present and closed. `points` "
            "chooses the smallest interval that gives at most that many rows. On request (`fields`): `ma_7` and "
            "`ma_25`, the averages of the last 7 and 25 closes.",
            (*RANGE, p.INTERVAL_OF_CANDLES),
            columns=columns_of(KLINES),
            columns_on_request=dict.fromkeys(LENGTHS, NUMBER),
            paginated=True,
        ),
        RouteSpec(
            f"/{FORECASTS.name}",
            "Forecasts of volatility",
            "Made at every closed minute: `volatility` is the standard deviation of the log return until `closes_at`, "
            "and 90 % of the prices at `closes_at` should lie between `lower_price` and `upper_price`. The score "
            "(`realized_volatility` to `hit`) is null until the window has closed, and stays null if candles are "
            "missing. `recent_qlike_ratio`: loss of the last day's windows relative to the naive forecast, below 1 is "
            "better; `recent_coverage`: share of them that closed inside the range. A row that was written later than "
            "`made_at` (`updated_at`) is made from candles up to `made_at` alone. `points`: the last row of each time "
            "bucket. Not trading advice.",
            (*RANGE, p.HORIZON),
            columns=columns_of(FORECASTS),
            paginated=True,
        ),
        RouteSpec(
            "/depth",
            "Depth chart",
            "The newest book of one symbol, ascending by price: the quantity at each price, and the total from the "
            "best price to this one (`bid_depth` or `ask_depth`; the other is null).",
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
        RouteSpec(
            "/market_summary",
            "The market in one row per quote asset",
            "How many symbols there are, how many rose, fell or stayed unchanged over 24 hours, and how much was "
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
            current_state=True,
        ),
        RouteSpec(
            "/symbols",
            "Symbols",
            "Every symbol, whether it is tracked, the steps in which its price (`tick_size`) and quantities "
            "(`step_size`) move, its `status` on the exchange, and which exchange the data come from. `live_name`: its "
            "name in the channels of Grafana Live.",
            (p.SYMBOL_LIST, p.QUOTE_ASSET, p.TRACKED),
            columns={
                "symbol": TEXT,
                "quote_asset": TEXT,
                "tracked": FLAG,
                "live_name": TEXT,
                "tick_size": NUMBER,
                "step_size": NUMBER,
                "status": TEXT,
                "source": TEXT,
                "source_url": TEXT,
            },
            current_state=True,
        ),
        RouteSpec(
            "/freshness",
            "Age of the newest row of each table",
            "`age_seconds`: seconds since the time stored in the newest row of any symbol (of the poll that saw the "
            "change; for trades, of the trade); null if there is no row. `late`: there is no row, or the newest is "
            "older than `late_after_seconds` (five polling intervals and ten seconds). All of that in Cassandra; "
            "`redis_age_seconds`: the same age in Redis, null if Redis holds no such rows, is not used, or cannot be "
            "relied on now.",
            columns={
                "table": TEXT,
                "updated_at": TIME,
                "age_seconds": NUMBER,
                "late_after_seconds": NUMBER,
                "late": FLAG,
                "redis_age_seconds": NUMBER,
            },
        ),
        RouteSpec(
            "/tables",
            "Tables that you added",
            "Every mirrored table with its columns (CQL types) and key. `time`: the column that `from` and `to` "
            "select, null if there is none.",
            columns={"table": TEXT, "partition_key": NAMES, "clustering_key": NAMES, "time": TEXT, "columns": COLUMNS},
        ),
        RouteSpec(
            TABLE_PATH,
            "Rows of a table that you added",
            "The rows of one partition: a parameter per column of the partition key, e.g. "
            "`/tables/orders?customer=ada`; one whose name is from, to, limit or cursor is written `key.from`. With a "
            "time as first clustering column, `from` and `to` work as everywhere. Decimals are text, blobs 0x and "
            "hexadecimal digits.",
            (p.TABLE_NAME, p.KEY_VALUES, p.TABLE_FROM, p.TABLE_TO, p.LIMIT, p.TABLE_CURSOR),
            ("name",),
            paginated=True,
        ),
        RouteSpec(
            "/health",
            "Whether the stores answer",
            "200 only if Cassandra answers. `redis`: `ok`, `behind`, `incomplete`, `unavailable`, or `off` if "
            "REDIS_URL is not set. If only Redis answers, the error says so: current state is served, history is not.",
            columns={"status": TEXT, "cassandra": TEXT, "redis": TEXT},
            body=Body.OBJECT,
            fresh_seconds=0,
        ),
        RouteSpec(
            "/metrics",
            "Metrics for Prometheus",
            "Text format of Prometheus.",
            body=Body.PLAIN_TEXT,
            reads_cassandra=False,
            fresh_seconds=0,
        ),
        RouteSpec(
            "/openapi.json",
            "This description",
            "OpenAPI 3.1.",
            columns={"openapi": TEXT},
            body=Body.OBJECT,
            reads_cassandra=False,
            fresh_seconds=60,
        ),
        RouteSpec(
            "/docs",
            "This description for people",
            "HTML without external resources.",
            body=Body.HTML,
            reads_cassandra=False,
            fresh_seconds=60,
        ),
        RouteSpec(
            "/market",
            "The market as a page",
            "Candles, price, depth, trades and the ten most traded symbols, refreshed every two seconds. HTML; scripts "
            "and styles come from this API.",
            body=Body.HTML,
            reads_cassandra=False,
            fresh_seconds=1,
        ),
        RouteSpec(
            "/",
            "Start page",
            "Freshness of every table, and links to everything.",
            body=Body.HTML,
            reads_cassandra=False,
            fresh_seconds=0,
        ),
    )
}
