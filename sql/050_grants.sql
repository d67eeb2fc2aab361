-- The rights of each role. Nothing is granted to PUBLIC. Read by: pipeline/schema.py, or psql.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION create_trade_day(date), drop_trade_days(date) FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO crypto_producer, crypto_forecaster, crypto_auditor, crypto_debezium, crypto_reader;

GRANT SELECT, INSERT, UPDATE ON crypto_24h_stats, latest_prices, order_book, recent_trades, trade_positions, klines,
    instruments, data_source, exchange_ban TO crypto_producer;
GRANT EXECUTE ON FUNCTION create_trade_day(date), drop_trade_days(date) TO crypto_producer;

GRANT SELECT ON klines TO crypto_forecaster;
GRANT SELECT, INSERT, UPDATE ON forecasts TO crypto_forecaster;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO crypto_debezium, crypto_auditor, crypto_reader;
GRANT INSERT, UPDATE ON exchange_ban TO crypto_auditor;          -- a ban holds for every program of this address
GRANT INSERT, UPDATE ON debezium_heartbeat TO crypto_debezium;
GRANT INSERT, DELETE ON debezium_signal TO crypto_debezium;      -- for the watermarks of incremental snapshots

-- Tables that you add later can be captured and read without another grant.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO crypto_debezium, crypto_auditor, crypto_reader;
