#!/bin/bash
# Gives every Kafka topic three copies, spread over the brokers with these ids, and waits until they are complete:
#   docker compose exec -T kafka bash -s 1 2 3 <cluster/spread_topics.sh
set -euo pipefail
(($# >= 3)) || { echo "which brokers? three ids or more: bash -s 1 2 3" >&2; exit 2; }
export KAFKA_HEAP_OPTS=-Xmx256m
tool() { "/opt/kafka/bin/$1.sh" --bootstrap-server "$HOSTNAME:19092" "${@:2}"; }

plan=$(mktemp)
# The first of a list is the leader; each broker leads as many as the others.
tool kafka-topics --describe | awk -v ids="$*" '
    BEGIN { count = split(ids, id, " "); printf "{\"version\":1,\"partitions\":[" }
    $1 == "Topic:" && $3 == "Partition:" {
        printf "%s{\"topic\":\"%s\",\"partition\":%d,\"replicas\":[%d,%d,%d]}", separator, $2, $4,
               id[$4 % count + 1], id[($4 + 1) % count + 1], id[($4 + 2) % count + 1]
        separator = ","
    }
    END { print "]}" }' >"$plan"
tool kafka-reassign-partitions --reassignment-json-file "$plan" --execute >/dev/null
while true; do
    state=$(tool kafka-reassign-partitions --reassignment-json-file "$plan" --verify)
    [[ $state == *"in progress"* ]] || break
    sleep 2
done
tool kafka-leader-election --election-type preferred --all-topic-partitions >/dev/null
echo "three copies of $(grep -o '"topic"' "$plan" | wc -l) partitions on the brokers $*"
