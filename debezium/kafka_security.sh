#!/bin/bash
# How Kafka Connect connects to Kafka, from the settings KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_MECHANISM, KAFKA_CA_FILE and
# KAFKA_CERT_FILE: adds the variables CONNECT_… that Debezium's image makes properties of, and runs the command that it is
# given. Used by: docker-compose.yml, local/services/connect.py.
set -eu

# The worker's own clients have no prefix; those that it makes for a connector have one each.
property() { # NAME_OF_THE_PROPERTY VALUE
    local prefix
    for prefix in "" PRODUCER_ CONSUMER_ ADMIN_; do export "CONNECT_$prefix$1=$2"; done
}

protocol=${KAFKA_SECURITY_PROTOCOL:-PLAINTEXT}
protocol=${protocol^^}
property SECURITY_PROTOCOL "$protocol"
if [[ $protocol == *SSL ]]; then
    if [[ -n ${KAFKA_CA_FILE:-} ]]; then
        property SSL_TRUSTSTORE_TYPE PEM
        property SSL_TRUSTSTORE_LOCATION "$KAFKA_CA_FILE"
    fi
    if [[ -n ${KAFKA_CERT_FILE:-} ]]; then
        property SSL_KEYSTORE_TYPE PEM
        property SSL_KEYSTORE_LOCATION "$KAFKA_CERT_FILE"
    fi
fi
if [[ $protocol == SASL* ]]; then
    mechanism=${KAFKA_SASL_MECHANISM:-SCRAM-SHA-512}
    property SASL_MECHANISM "${mechanism^^}"
    # Of both modules the client uses user and password only, so this one does for PLAIN as well. Their values are put in by
    # Connect itself (config.providers), so that no file and no log holds them.
    property SASL_JAAS_CONFIG 'org.apache.kafka.common.security.scram.ScramLoginModule required username="${env:KAFKA_USERNAME}" password="${env:KAFKA_PASSWORD}";'
fi
exec "$@"
