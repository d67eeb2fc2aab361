-- Five roles, each with the least rights that it needs. Read by: pipeline/schema.py, or psql.
-- Passwords come from session settings, so that no file contains one. Unset means the development default, which is the
-- role's name.
-- With psql: PGOPTIONS="-c crypto.producer_password=…" psql -f sql/010_roles.sql
DO $$
DECLARE
    wanted record;
    secret text;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('crypto_producer', 'LOGIN',             'crypto.producer_password'),
            ('crypto_forecaster', 'LOGIN',           'crypto.forecaster_password'),
            ('crypto_auditor', 'LOGIN',              'crypto.auditor_password'),
            ('crypto_debezium', 'LOGIN REPLICATION', 'crypto.debezium_password'),
            ('crypto_reader',   'LOGIN',             'crypto.reader_password')
        ) AS roles (role, rights, setting)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.role) THEN
            EXECUTE format('CREATE ROLE %I', wanted.role);
        END IF;
        secret := coalesce(nullif(current_setting(wanted.setting, true), ''), wanted.role);
        EXECUTE format('ALTER ROLE %I WITH %s PASSWORD %L', wanted.role, wanted.rights, secret);
    END LOOP;
END
$$;
