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
        BEGIN
            EXECUTE format('ALTER ROLE %I WITH %s PASSWORD %L', wanted.role, wanted.rights, secret);
        EXCEPTION WHEN insufficient_privilege THEN
            -- The administrator of a managed PostgreSQL is no superuser. Amazon's has a role to grant instead; elsewhere
            -- REPLICATION is given first, as the service's documentation says, and the password by hand.
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_replication') THEN
                EXECUTE format('ALTER ROLE %I WITH LOGIN PASSWORD %L', wanted.role, secret);
                EXECUTE format('GRANT rds_replication TO %I', wanted.role);
            ELSE
                RAISE WARNING 'role % is not set up: this administrator may not change a role with REPLICATION', wanted.role
                    USING HINT = format('Give it %s and the password of the settings.', wanted.rights);
            END IF;
        END;
    END LOOP;
END
$$;
