-- A table of your own, captured by the pipeline. PostgreSQL; run as superuser postgres.

-- updated_at orders snapshot rows. timestamptz arrives as text with its zone; a timestamp without zone does not.
CREATE TABLE IF NOT EXISTS orders (
    customer   text,
    order_id   bigint,
    quantity   bigint,
    unit_price numeric,
    updated_at timestamptz DEFAULT now(),
    PRIMARY KEY (customer, order_id)
);

-- From here on every change is streamed. Debezium needs SELECT only to take a snapshot.
ALTER PUBLICATION crypto_publication ADD TABLE orders;
GRANT SELECT ON orders TO crypto_debezium;
