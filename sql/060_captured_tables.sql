-- Which tables can be captured, and a check of every table that is added to the publication or altered while it is in
-- it: what cannot be captured correctly is refused with the reason and the remedy, instead of being lost silently later.
-- Read by: pipeline/schema.py, or psql. The functions are also called by the guard (debezium/slot.py).

-- Why the captured table cannot be read correctly or completely; no row when there is no reason.
--   refused kinds: schema, name, columns, identity, no_key. reported kinds: toast, unreadable, row_security.
-- A partitioned table is checked with its partitions: the WAL holds what each partition's own replica identity asks for.
CREATE OR REPLACE FUNCTION crypto_table_problems(captured regclass)
RETURNS TABLE (kind text, problem text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
WITH RECURSIVE relation AS (
    SELECT c.oid, c.relname, c.relowner, c.relispartition, c.relrowsecurity, n.nspname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = captured
), tree AS (   -- not pg_partition_tree(), which would wait for the lock of an ALTER TABLE
    SELECT captured::oid AS oid
    UNION SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid
                 JOIN pg_class child ON child.oid = i.inhrelid AND child.relispartition
), members AS (
    SELECT c.oid, c.relreplident, pk.columns AS primary_key, ri.columns AS identity
    FROM tree JOIN pg_class c USING (oid)
    LEFT JOIN LATERAL (SELECT (indkey::int2[])[0:indnkeyatts - 1] AS columns FROM pg_index
                       WHERE indrelid = c.oid AND indisprimary) AS pk ON true
    LEFT JOIN LATERAL (SELECT (indkey::int2[])[0:indnkeyatts - 1] AS columns FROM pg_index
                       WHERE indrelid = c.oid AND indisreplident) AS ri ON true
), unfit AS (
    SELECT oid, relreplident = 'd' AS no_key FROM members
    WHERE CASE relreplident
              WHEN 'f' THEN false
              WHEN 'd' THEN primary_key IS NULL
              WHEN 'i' THEN NOT coalesce(identity @> primary_key, false)
              ELSE true
          END
), nullable_toast AS (
    -- Debezium 3.7 sends a placeholder for a TOASTed value that an UPDATE left alone only for text, numbers, json and
    -- bytea, and for arrays of the ten types below. All others arrive as plain null, which looks like a new value
    -- (tried with each type). A value of up to 24 bytes is never TOASTed, hence the length of bit(n).
    SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum) AS columns
    FROM pg_attribute a
    JOIN pg_type declared ON declared.oid = a.atttypid
    JOIN pg_type t ON t.oid = CASE declared.typtype WHEN 'd' THEN declared.typbasetype ELSE declared.oid END
    LEFT JOIN pg_type element ON element.oid = t.typelem AND t.typcategory = 'A'
    WHERE a.attrelid = captured AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND a.attlen = -1 AND a.attstorage <> 'p'
      AND CASE WHEN element.oid IS NOT NULL
               THEN element.typname NOT IN ('int4', 'int8', 'text', 'varchar', 'bpchar', 'bytea', 'uuid', 'date', 'json',
                                            'jsonb',
                                            -- these never arrive at all, whatever the replica identity
                                            'interval', 'money', 'varbit', 'xml', 'name')
                    AND element.typtype NOT IN ('c', 'd')
               ELSE t.typname IN ('varbit', 'path', 'polygon')
                    OR t.typname = 'bit' AND NOT a.atttypmod BETWEEN 1 AND 120
          END
)
SELECT 'schema', format('it is in schema %I; only schema public is captured', nspname),
       format('ALTER TABLE %s SET SCHEMA public', captured)
FROM relation WHERE nspname <> 'public'
UNION ALL
SELECT 'name', format('its name has characters other than A-Z, a-z, 0-9 and _, or more than 48 of them: its Kafka topic '
                      'could be that of another table, and Cassandra cannot have a table of that name'),
       format('ALTER TABLE %s RENAME TO …', captured)
FROM relation WHERE relname !~ '^[A-Za-z0-9_]{1,48}$'
UNION ALL
-- Left out by table.include.list of debezium/connector.json, or a table that only Cassandra has (cql/020_tables.cql).
-- Not for a partition: the producer must be able to add a day whatever the publication says.
SELECT 'name', 'its name is one that the pipeline itself uses and never captures', format('ALTER TABLE %s RENAME TO …', captured)
FROM relation
WHERE NOT relispartition
  AND relname ~ '^(recent_trades_\d{8}|trade_positions|exchange_silence|exchange_ban|market_now|stored_hours|truncations)$'
UNION ALL
SELECT 'columns', 'it is published with a column list or a row filter, which a snapshot would not observe',
       format('ALTER PUBLICATION crypto_publication DROP TABLE %1$s; ALTER PUBLICATION crypto_publication ADD TABLE %1$s',
              captured)
FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
-- As JSON, because the two columns exist only since PostgreSQL 15.
WHERE p.pubname = 'crypto_publication' AND r.prrelid = captured
  AND (to_jsonb(r) ->> 'prattrs' IS NOT NULL OR to_jsonb(r) ->> 'prqual' IS NOT NULL)
UNION ALL
SELECT CASE WHEN bool_and(no_key) THEN 'no_key' ELSE 'identity' END,
       CASE WHEN bool_and(no_key) THEN 'it has no primary key: PostgreSQL itself refuses its updates and deletes'
            ELSE 'its replica identity does not contain the primary key: a delete or update could not say which row it '
                 'was' END,
       string_agg(format('ALTER TABLE %s REPLICA IDENTITY FULL', oid::regclass), '; ' ORDER BY oid)
       || CASE WHEN bool_and(no_key) THEN ', or add a primary key' ELSE ', or DEFAULT where there is a primary key' END
FROM unfit HAVING count(*) > 0
UNION ALL
SELECT 'toast', format('a large value of %s that an update leaves alone arrives as null', columns),
       (SELECT string_agg(format('ALTER TABLE %s REPLICA IDENTITY FULL', oid::regclass), '; ' ORDER BY oid)
        FROM members WHERE relreplident <> 'f')
FROM nullable_toast WHERE columns IS NOT NULL AND EXISTS (SELECT FROM members WHERE relreplident <> 'f')
UNION ALL
SELECT 'unreadable', 'role crypto_debezium may not read it, so snapshots leave it out',
       format('GRANT SELECT ON %s TO crypto_debezium', captured)
FROM relation WHERE NOT has_table_privilege('crypto_debezium', oid, 'SELECT')
UNION ALL
SELECT 'row_security', 'row security hides rows from role crypto_debezium, so snapshots leave them out',
       format('CREATE POLICY crypto_debezium ON %s FOR SELECT TO crypto_debezium USING (true)', captured)
FROM relation
WHERE relrowsecurity
  AND NOT (SELECT rolbypassrls OR rolsuper OR oid = relowner FROM pg_roles WHERE rolname = 'crypto_debezium')
  AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = captured AND polpermissive AND polcmd IN ('r', '*')
                  AND pg_get_expr(polqual, polrelid) = 'true'
                  AND polroles && ARRAY[0::oid, (SELECT oid FROM pg_roles WHERE rolname = 'crypto_debezium')])
$$;

-- The problems of everything that is captured, and of the publication itself.
CREATE OR REPLACE FUNCTION crypto_capture_problems()
RETURNS TABLE (captured text, kind text, problem text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
SELECT table_id::text, found.*
FROM pg_publication_tables,
     LATERAL (SELECT format('%I.%I', schemaname, tablename)::regclass AS table_id) AS resolved,
     LATERAL public.crypto_table_problems(table_id) AS found
WHERE pubname = 'crypto_publication'
UNION ALL
SELECT 'crypto_publication', 'publication', 'it leaves out kinds of changes, or names partitions instead of their table',
       'ALTER PUBLICATION crypto_publication SET (publish = ''insert, update, delete, truncate'', '
       'publish_via_partition_root = true)'
FROM pg_publication
WHERE pubname = 'crypto_publication' AND NOT (pubinsert AND pubupdate AND pubdelete AND pubtruncate AND pubviaroot)
$$;

-- Checks what a command has just added to the publication, or has altered while it is in it. Nothing else is ever
-- refused, and an error of the check itself is a warning.
CREATE OR REPLACE FUNCTION crypto_check_captured() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    publication oid := (SELECT oid FROM pg_publication WHERE pubname = 'crypto_publication');
    published boolean := tg_tag IN ('CREATE PUBLICATION', 'ALTER PUBLICATION');
    captured regclass;
    found record;
BEGIN
    IF publication IS NULL THEN
        RETURN;
    END IF;
    FOR captured IN
        WITH commands AS (SELECT classid, objid FROM pg_event_trigger_ddl_commands()),
        touched AS (
            SELECT r.prrelid AS relid FROM commands c JOIN pg_publication_rel r ON r.oid = c.objid
            WHERE c.classid = 'pg_publication_rel'::regclass AND r.prpubid = publication
            UNION SELECT c.objid FROM commands c WHERE c.classid = 'pg_class'::regclass
            UNION SELECT a.relid FROM commands c, pg_partition_ancestors(c.objid) a WHERE c.classid = 'pg_class'::regclass
        )
        SELECT format('%I.%I', t.schemaname, t.tablename)::regclass
        FROM pg_publication_tables t
        WHERE t.pubname = 'crypto_publication'
          AND (format('%I.%I', t.schemaname, t.tablename)::regclass::oid IN (SELECT relid FROM touched)
               -- a new publication, or a schema that was added, adds tables that are not listed one by one
               OR EXISTS (SELECT FROM commands c
                          WHERE c.classid = to_regclass('pg_publication_namespace')
                             OR c.classid = 'pg_publication'::regclass AND tg_tag = 'CREATE PUBLICATION'
                                AND c.objid = publication))
    LOOP
        IF published AND NOT has_table_privilege('crypto_debezium', captured, 'SELECT') THEN
            BEGIN
                EXECUTE format('GRANT SELECT ON %s TO crypto_debezium', captured);
            EXCEPTION WHEN insufficient_privilege THEN
                NULL;   -- reported below, with the command
            END;
        END IF;
        FOR found IN SELECT * FROM public.crypto_table_problems(captured) LOOP
            -- A primary key may be dropped and added again in two commands.
            IF found.kind IN ('schema', 'name', 'columns', 'identity') OR (found.kind = 'no_key' AND published) THEN
                RAISE EXCEPTION 'table % cannot be captured: %', captured, found.problem
                    USING ERRCODE = 'object_not_in_prerequisite_state', HINT = found.remedy;
            END IF;
            RAISE WARNING 'captured table %: %', captured, found.problem USING HINT = found.remedy;
        END LOOP;
    END LOOP;
EXCEPTION
    WHEN object_not_in_prerequisite_state THEN
        RAISE;
    WHEN OTHERS THEN
        RAISE WARNING 'tables captured by crypto_publication were not checked: %', SQLERRM;
END
$$;

-- A snapshot signal that could never work, or that would send a table which is not captured, is refused: Debezium would
-- only write a line into Connect's log. Names that are patterns, and signals of other types, are left to Debezium.
CREATE OR REPLACE FUNCTION crypto_check_signal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanted text;
    captured regclass;
    found record;
BEGIN
    IF NEW.type <> 'execute-snapshot' THEN
        RETURN NEW;
    END IF;
    FOR wanted IN SELECT jsonb_array_elements_text(NEW.data::jsonb -> 'data-collections') LOOP
        CONTINUE WHEN wanted !~ '^\w+\\?\.\w+$';
        SELECT c.oid INTO captured FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE format('%s.%s', n.nspname, c.relname) = replace(wanted, '\', '') AND c.relkind IN ('r', 'p');
        IF captured IS NULL THEN
            RAISE EXCEPTION 'no snapshot of %: there is no such table', wanted
                USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Write public.<table>, in the right case.';
        END IF;
        IF NOT EXISTS (SELECT FROM pg_publication_tables WHERE pubname = 'crypto_publication'
                       AND format('%I.%I', schemaname, tablename)::regclass = captured) THEN
            RAISE EXCEPTION 'no snapshot of %: it is not captured', wanted
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      HINT = format('ALTER PUBLICATION crypto_publication ADD TABLE %s', captured);
        END IF;
        FOR found IN SELECT * FROM public.crypto_table_problems(captured) WHERE kind = 'unreadable' LOOP
            RAISE EXCEPTION 'no snapshot of %: %', wanted, found.problem
                USING ERRCODE = 'object_not_in_prerequisite_state', HINT = found.remedy;
        END LOOP;
    END LOOP;
    RETURN NEW;
EXCEPTION
    WHEN object_not_in_prerequisite_state THEN
        RAISE;
    WHEN OTHERS THEN
        RAISE WARNING 'the snapshot signal was not checked: %', SQLERRM;
        RETURN NEW;
END
$$;
DROP TRIGGER IF EXISTS crypto_check_signal ON debezium_signal;
CREATE TRIGGER crypto_check_signal BEFORE INSERT ON debezium_signal
    FOR EACH ROW EXECUTE FUNCTION crypto_check_signal();

REVOKE EXECUTE ON FUNCTION crypto_table_problems(regclass), crypto_capture_problems(), crypto_check_captured(),
    crypto_check_signal() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crypto_table_problems(regclass), crypto_capture_problems() TO crypto_debezium;

-- A managed PostgreSQL may not allow event triggers. Then nothing is refused here, and the guard reports the same problems.
DO $$
BEGIN
    DROP EVENT TRIGGER IF EXISTS crypto_captured_tables;
    CREATE EVENT TRIGGER crypto_captured_tables ON ddl_command_end
        WHEN TAG IN ('CREATE PUBLICATION', 'ALTER PUBLICATION', 'CREATE TABLE', 'ALTER TABLE')
        EXECUTE FUNCTION crypto_check_captured();
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'no event trigger, because this role may not create one: tables that cannot be captured correctly are '
                  'not refused, only reported by the guard'
        USING HINT = 'Apply sql/060_captured_tables.sql as a superuser.';
END
$$;
