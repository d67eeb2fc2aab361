#!/bin/bash
# Gives every Kafka topic a copy on each of three brokers, after one has become three, and waits until they are complete:
#   docker compose exec -T kafka bash -s <cluster/three_copies.sh
set -euo pipefail
export KAFKA_HEAP_OPTS=-Xmx256m
tool() { "/opt/kafka/bin/$1.sh" --bootstrap-server "$HOSTNAME:19092" "${@:2}"; }

plan=$(mktemp)
# The first of a list is the leader; each broker leads a third.
tool kafka-topics --describe | awk '
    $1 == "Topic:" && $3 == "Partition:" {
        first = $4 % 3
        printf "%s{\"topic\":\"%s\",\"partition\":%d,\"replicas\":[%d,%d,%d]}", separator, $2, $4,
               first + 1, (first + 1) % 3 + 1, (first + 2) % 3 + 1
        separator = ","
    }
    BEGIN { printf "{\"version\":1,\"partitions\":[" }
    END { print "]}" }' >"$plan"
tool kafka-reassign-partitions --reassignment-json-file "$plan" --execute >/dev/null
while true; do
    state=$(tool kafka-reassign-partitions --reassignment-json-file "$plan" --verify)
    [[ $state == *"in progress"* ]] || break
    sleep 2
done
tool kafka-leader-election --election-type preferred --all-topic-partitions >/dev/null
echo "three copies of $(grep -o '"topic"' "$plan" | wc -l) partitions"
