#!/bin/bash
# `postgres.sh postgres -c …`: starts this node of PostgreSQL. The one that POSTGRES_PRIMARY names is the primary, the
# other its standby, which copies the primary's data when it starts for the first time. Used by: docker-compose.cluster.yml.
set -euo pipefail
slot=standby

# wal_sender_timeout: a worker that was cut off keeps the slot for so long (a minute by default), and no other gets it.
start() { exec docker-entrypoint.sh "$@" -c hba_file=/cluster/pg_hba.conf -c wal_sender_timeout=15s; }

if [ "$POSTGRES_NODE" = "$POSTGRES_PRIMARY" ]; then
    # Debezium is sent only what the standby has too: after a promotion no row is in Cassandra alone.
    start "$@" -c "synchronized_standby_slots=$POSTGRES_WAITS_FOR"
fi

if [ -s "$PGDATA/PG_VERSION" ] && [ ! -e "$PGDATA/standby.signal" ]; then
    echo "$POSTGRES_NODE: this volume holds a primary's data, but POSTGRES_PRIMARY is $POSTGRES_PRIMARY; it is not touched." >&2
    echo "If $POSTGRES_PRIMARY has all of it, remove this container and its volume; else correct POSTGRES_PRIMARY." >&2
    exit 1
fi

# For pg_basebackup, and for the server's own connections to the primary. This role may read the write-ahead log.
export PGPASSWORD=$DEBEZIUM_PASSWORD
copy() {
    pg_basebackup --host "$POSTGRES_PRIMARY" --username crypto_debezium --no-password --pgdata "$PGDATA" \
        --checkpoint fast --write-recovery-conf --slot "$slot" "$@"
}
until [ -s "$PGDATA/PG_VERSION" ] || copy --create-slot || copy; do
    echo "$POSTGRES_NODE: the primary cannot be copied yet" >&2
    sleep 3
done
# hot_standby_feedback and dbname: without them the slots are not kept in step.
start "$@" -c "primary_slot_name=$slot" -c hot_standby_feedback=on -c sync_replication_slots=on \
    -c "primary_conninfo=host=$POSTGRES_PRIMARY user=crypto_debezium dbname=market application_name=$POSTGRES_NODE"
