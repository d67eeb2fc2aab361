-- Current state, exact: NUMERIC prices, TIMESTAMPTZ times, keys that cannot collide.
-- Read by: pipeline/schema.py, or psql. Written by the producer and the forecaster, captured by Debezium (040_capture.sql).

-- Key: symbol. Serves: rankings and 24 h statistics of every symbol.
CREATE TABLE IF NOT EXISTS crypto_24h_stats (
    symbol               text PRIMARY KEY,
    price_change         numeric NOT NULL,
    price_change_percent numeric NOT NULL,
    weighted_avg_price   numeric NOT NULL,
    last_price           numeric NOT NULL,
    open_price           numeric NOT NULL,
    high_price           numeric NOT NULL,
    low_price            numeric NOT NULL,
    bid_price            numeric NOT NULL,
    ask_price            numeric NOT NULL,
    volume               numeric NOT NULL,  -- base asset
    quote_volume         numeric NOT NULL,  -- quote asset
    open_time            timestamptz NOT NULL,
    close_time           timestamptz NOT NULL,
    trade_count          bigint NOT NULL,
    updated_at           timestamptz NOT NULL DEFAULT now()
);

-- Key: symbol. Serves: the last price of every symbol.
CREATE TABLE IF NOT EXISTS latest_prices (
    symbol     text PRIMARY KEY,
    price      numeric NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Key: symbol. Serves: the newest book of each tracked symbol; levels are [["price","quantity"], …], best first.
CREATE TABLE IF NOT EXISTS order_book (
    symbol         text PRIMARY KEY,
    last_update_id bigint NOT NULL,
    bids           jsonb NOT NULL,
    asks           jsonb NOT NULL,
    updated_at     timestamptz NOT NULL DEFAULT now()
);
-- A book is over 2 kB, so it is TOASTed, and WAL leaves out a TOASTed value that an UPDATE did not touch: an update of
-- the bids alone would arrive without asks. With FULL the old row is in the WAL and Debezium takes the asks from there.
ALTER TABLE order_book REPLICA IDENTITY FULL;

-- Key: symbol, aggregate trade id (per symbol, not global); trade_time because a partition's key must hold it.
-- Partitioned by UTC day: old days are dropped as a whole, which makes no change events (030_trade_days.sql).
CREATE TABLE IF NOT EXISTS recent_trades (
    symbol         text NOT NULL,
    trade_id       bigint NOT NULL,
    trade_time     timestamptz NOT NULL,
    price          numeric NOT NULL,
    quantity       numeric NOT NULL,          -- base asset
    quote_quantity numeric NOT NULL,          -- quote asset
    is_buyer_maker boolean NOT NULL,          -- true: the buy order was in the book
    first_trade_id bigint NOT NULL,           -- raw trades in this aggregate trade; their ids are counted separately
    last_trade_id  bigint NOT NULL,
    PRIMARY KEY (symbol, trade_id, trade_time)
) PARTITION BY RANGE (trade_time);

-- Key: symbol. The last trade that is stored; kept apart from the trades, so that it outlives the days that are dropped.
-- Not captured.
CREATE TABLE IF NOT EXISTS trade_positions (
    symbol        text PRIMARY KEY,
    last_trade_id bigint NOT NULL,
    updated_at    timestamptz NOT NULL DEFAULT now()
);

-- Before 0.1.0, exchange_ban had other names; its rows and grants are kept.
DO $$
BEGIN
    IF to_regclass('exchange_silence') IS NOT NULL AND to_regclass('exchange_ban') IS NULL THEN
        ALTER TABLE exchange_silence RENAME TO exchange_ban;
        ALTER TABLE exchange_ban RENAME COLUMN silent_until TO banned_until;
    END IF;
END
$$;
-- Key: the exchange's address. Until when it must not be called, so that a producer that was killed during a ban and
-- started again sends no request before the ban is over. Not captured.
CREATE TABLE IF NOT EXISTS exchange_ban (
    base_url     text PRIMARY KEY,
    banned_until timestamptz NOT NULL
);

-- Key: symbol, interval, open_time. A candle changes until is_closed; after that it never opens again, but the exchange
-- may correct it.
CREATE TABLE IF NOT EXISTS klines (
    symbol                 text NOT NULL,
    interval               text NOT NULL,
    open_time              timestamptz NOT NULL,
    open_price             numeric NOT NULL,
    high_price             numeric NOT NULL,
    low_price              numeric NOT NULL,
    close_price            numeric NOT NULL,
    volume                 numeric NOT NULL,  -- base asset
    close_time             timestamptz NOT NULL,
    quote_volume           numeric NOT NULL,  -- quote asset
    number_of_trades       bigint NOT NULL,
    taker_buy_volume       numeric NOT NULL,  -- base asset
    taker_buy_quote_volume numeric NOT NULL,  -- quote asset
    is_closed              boolean NOT NULL,
    updated_at             timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (symbol, interval, open_time)
);

-- One row: where the data come from, so that a simulation is never mistaken for the live market.
CREATE TABLE IF NOT EXISTS data_source (
    id         smallint PRIMARY KEY CHECK (id = 1),
    name       text NOT NULL,
    base_url   text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Key: symbol, horizon (15m, 1h, …), made_at. Serves: forecasts of volatility and their scores. A row is written when the
-- forecast is made; the last five columns are filled when its window closes, and stay null if a candle of it is missing.
-- updated_at shows it when a forecast was made later than made_at (first start, outage), from candles up to made_at alone.
CREATE TABLE IF NOT EXISTS forecasts (
    symbol              text NOT NULL,
    horizon             text NOT NULL,
    made_at             timestamptz NOT NULL,
    closes_at           timestamptz NOT NULL,       -- made_at and the horizon: the end of the window
    model               text NOT NULL,              -- naive, ewma, log_har or module:Class
    price               numeric NOT NULL,           -- when it was made
    volatility          double precision NOT NULL,  -- standard deviation of the log return over the window
    naive_volatility    double precision,           -- that of the window before, the forecast to beat
    lower_price         numeric NOT NULL,           -- the price at closes_at lies between these two in 90 % of the windows
    upper_price         numeric NOT NULL,
    recent_qlike_ratio  double precision,           -- mean qlike relative to naive, last day of windows; below 1 is better
    recent_coverage     double precision,           -- share of hits, last day of windows; should be 0.9
    realized_volatility double precision,
    close_price         numeric,                    -- at closes_at
    qlike               double precision,           -- loss of the forecast, and of naive; 0 is perfect
    naive_qlike         double precision,
    hit                 boolean,                    -- whether close_price lies in the range
    updated_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (symbol, horizon, made_at)
);
