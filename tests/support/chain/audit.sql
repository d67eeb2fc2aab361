-- Records every change of the load's rows in the transaction that makes it, so what is in this table was committed, even
-- if the reply to COMMIT was lost. Not captured by Debezium. Read by: tests/support/chain/comparison.py.
CREATE TABLE IF NOT EXISTS committed_changes (
    id         bigserial PRIMARY KEY,
    table_name text NOT NULL,
    op         text NOT NULL,
    symbol     text NOT NULL,
    row_after  jsonb
);
CREATE INDEX IF NOT EXISTS committed_changes_symbol ON committed_changes (symbol text_pattern_ops);

CREATE OR REPLACE FUNCTION record_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO committed_changes (table_name, op, symbol) VALUES (TG_ARGV[0], 'delete', OLD.symbol);
    ELSE
        INSERT INTO committed_changes (table_name, op, symbol, row_after)
            VALUES (TG_ARGV[0], lower(TG_OP), NEW.symbol, to_jsonb(NEW));
    END IF;
    RETURN NULL;
END $$;

DO $$
DECLARE
    watched text;
BEGIN
    -- The trigger of a partition only knows the name of the partition, so the name of the table is an argument.
    FOREACH watched IN ARRAY ARRAY['latest_prices', 'crypto_24h_stats', 'order_book', 'recent_trades', 'klines'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER record_change AFTER INSERT OR UPDATE OR DELETE ON %I '
                       'FOR EACH ROW EXECUTE FUNCTION record_change(%L)', watched, watched);
    END LOOP;
END $$;
