-- Daily partitions of recent_trades. Read by: pipeline/schema.py, or psql. Called by the producer, which may not create
-- tables itself: the functions run with their owner's rights and change no other table.

-- Creates the partition of one UTC day. Returns false if it exists already.
CREATE OR REPLACE FUNCTION create_trade_day(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET client_min_messages = warning AS $$
DECLARE
    partition_name text := 'recent_trades_' || to_char(day, 'YYYYMMDD');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('recent_trades'));   -- two producers may create the same day
    IF to_regclass(partition_name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF recent_trades FOR VALUES FROM (%L) TO (%L)', partition_name,
                   day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
    RETURN true;
END
$$;

-- Drops the partitions of all UTC days before `first_kept`. Returns how many.
CREATE OR REPLACE FUNCTION drop_trade_days(first_kept date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    partition_name text;
    dropped integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('recent_trades'));
    FOR partition_name IN
        SELECT relid::text FROM pg_partition_tree('recent_trades')
        WHERE isleaf AND relid::text ~ '^recent_trades_\d{8}$'
          AND to_date(right(relid::text, 8), 'YYYYMMDD') < first_kept
    LOOP
        EXECUTE format('DROP TABLE %I', partition_name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;
