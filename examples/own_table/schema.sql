-- A table of your own. PostgreSQL; run as superuser postgres.

CREATE TABLE IF NOT EXISTS orders (
    customer   text,
    order_id   bigint,
    quantity   bigint,
    unit_price numeric,
    updated_at timestamptz DEFAULT now(),
    PRIMARY KEY (customer, order_id)
);
