-- Checks every write of the producer, so that nothing between two queries is missed. Read by:
-- tests/support/producer_faults/world.py.
CREATE TABLE IF NOT EXISTS audit (what text NOT NULL, row_key text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());

CREATE OR REPLACE FUNCTION audit_book() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF NEW.last_update_id <= OLD.last_update_id THEN
        INSERT INTO audit VALUES ('book went backwards', NEW.symbol);
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION audit_kline() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF OLD.is_closed AND NOT NEW.is_closed THEN
        INSERT INTO audit VALUES ('candle reopened', NEW.symbol || ' ' || NEW.interval || ' ' || NEW.open_time);
    ELSIF OLD.is_closed THEN
        INSERT INTO audit VALUES ('closed candle changed', NEW.symbol || ' ' || NEW.interval || ' ' || NEW.open_time);
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION audit_same() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE ignored text[] := ARRAY['updated_at', 'open_time', 'close_time'];
BEGIN
    IF to_jsonb(NEW) - ignored = to_jsonb(OLD) - ignored THEN
        INSERT INTO audit VALUES ('row written without a change', TG_TABLE_NAME || ' ' || NEW.symbol);
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER audit_book BEFORE UPDATE ON order_book FOR EACH ROW EXECUTE FUNCTION audit_book();
CREATE OR REPLACE TRIGGER audit_kline BEFORE UPDATE ON klines FOR EACH ROW EXECUTE FUNCTION audit_kline();
CREATE OR REPLACE TRIGGER audit_same BEFORE UPDATE ON latest_prices FOR EACH ROW EXECUTE FUNCTION audit_same();
CREATE OR REPLACE TRIGGER audit_same BEFORE UPDATE ON crypto_24h_stats FOR EACH ROW EXECUTE FUNCTION audit_same();
CREATE OR REPLACE TRIGGER audit_same BEFORE UPDATE ON klines FOR EACH ROW EXECUTE FUNCTION audit_same();
