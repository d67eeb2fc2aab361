-- What Debezium reads: heartbeat, signals and the publication. Read by: pipeline/schema.py, or psql.

-- Debezium writes here every few seconds: this WAL advances the slot while the market is quiet, and the row's age shows
-- whether changes are really delivered (a connector can report RUNNING and deliver nothing).
CREATE TABLE IF NOT EXISTS debezium_heartbeat (
    id smallint PRIMARY KEY CHECK (id = 1),
    ts timestamptz NOT NULL
);

-- Commands to Debezium, e.g. an incremental snapshot of one table. Column names and sizes are prescribed by Debezium.
CREATE TABLE IF NOT EXISTS debezium_signal (
    id   varchar(42) PRIMARY KEY,
    type varchar(32) NOT NULL,
    data varchar(2048)
);

-- One publication, created here so that Debezium's role need not own the tables. Changes of a partition are published as
-- changes of recent_trades. To capture a table of your own: ALTER PUBLICATION crypto_publication ADD TABLE …
DO $$
DECLARE
    wanted text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'crypto_publication') THEN
        CREATE PUBLICATION crypto_publication WITH (publish_via_partition_root = true);
    END IF;
    FOREACH wanted IN ARRAY ARRAY['crypto_24h_stats', 'latest_prices', 'order_book', 'recent_trades', 'klines', 'forecasts',
                                  'data_source', 'debezium_heartbeat', 'debezium_signal']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
                       WHERE p.pubname = 'crypto_publication' AND r.prrelid = wanted::regclass) THEN
            EXECUTE format('ALTER PUBLICATION crypto_publication ADD TABLE %I', wanted);
        END IF;
    END LOOP;
END
$$;
