-- A film rental with what real schemas have: enums, domains, arrays, jsonb, full-text search, triggers, a table that is
-- partitioned by month, a table whose key has three columns. PostgreSQL 14 or newer. The rows are generated, and the same
-- at every run.

CREATE TYPE film_rating AS ENUM ('G', 'PG', 'PG-13', 'R', 'NC-17');
CREATE DOMAIN release_year AS integer CHECK (VALUE BETWEEN 1901 AND 2155);
CREATE DOMAIN email_address AS text CHECK (VALUE LIKE '%_@_%');

-- Every update sets last_update, as an application would expect.
CREATE FUNCTION set_last_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.last_update := now();
    RETURN NEW;
END
$$;

CREATE TABLE film (
    film_id          serial PRIMARY KEY,
    title            varchar(255) NOT NULL,
    description      text,
    release_year     release_year,
    language         char(20) NOT NULL DEFAULT 'English',
    rental_days      smallint NOT NULL DEFAULT 3,
    rental_rate      numeric(4, 2) NOT NULL DEFAULT 4.99,
    length_minutes   smallint,
    replacement_cost numeric(5, 2) NOT NULL DEFAULT 19.99,
    rating           film_rating DEFAULT 'G',
    special_features text[],
    fulltext         tsvector NOT NULL,
    last_update      timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER film_fulltext BEFORE INSERT OR UPDATE ON film
    FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger(fulltext, 'pg_catalog.english', title, description);
CREATE TRIGGER film_last_update BEFORE UPDATE ON film FOR EACH ROW EXECUTE FUNCTION set_last_update();

CREATE TABLE film_actor (
    film_id     integer NOT NULL REFERENCES film,
    actor       text NOT NULL,
    role_number smallint NOT NULL,
    fee         numeric,
    last_update timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (film_id, actor, role_number)
);

CREATE TABLE customer (
    customer_id uuid PRIMARY KEY,
    first_name  text NOT NULL,
    last_name   text NOT NULL,
    email       email_address,
    active      boolean NOT NULL DEFAULT true,
    phones      text[] NOT NULL DEFAULT '{}',
    preferences jsonb NOT NULL DEFAULT '{}',
    photo       bytea,
    created_on  date NOT NULL DEFAULT current_date,
    last_update timestamp NOT NULL DEFAULT now()
);
CREATE TRIGGER customer_last_update BEFORE UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION set_last_update();

CREATE TABLE rental (
    rental_id    bigserial PRIMARY KEY,
    film_id      integer NOT NULL REFERENCES film,
    customer_id  uuid NOT NULL REFERENCES customer,
    rented_at    timestamptz NOT NULL,
    returned_at  timestamptz,
    pickup_time  time NOT NULL,
    weight_grams real,
    distance_km  double precision,
    last_update  timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER rental_last_update BEFORE UPDATE ON rental FOR EACH ROW EXECUTE FUNCTION set_last_update();

-- The time is part of the key, because a partition's key must contain it.
CREATE TABLE payment (
    payment_id  bigint NOT NULL,
    customer_id uuid NOT NULL,
    rental_id   bigint NOT NULL,
    amount      numeric(7, 2) NOT NULL,
    paid_at     timestamptz NOT NULL,
    PRIMARY KEY (customer_id, paid_at, payment_id)
) PARTITION BY RANGE (paid_at);
CREATE TABLE payment_2026_01 PARTITION OF payment FOR VALUES FROM ('2026-01-01Z') TO ('2026-02-01Z');
CREATE TABLE payment_2026_02 PARTITION OF payment FOR VALUES FROM ('2026-02-01Z') TO ('2026-03-01Z');
CREATE TABLE payment_2026_03 PARTITION OF payment FOR VALUES FROM ('2026-03-01Z') TO ('2026-04-01Z');

-- A view, to see that it is refused.
CREATE VIEW film_list AS SELECT film_id, title, rating FROM film;

INSERT INTO film (title, description, release_year, rental_days, rental_rate, length_minutes, replacement_cost, rating,
                  special_features, last_update)
SELECT 'The ' || initcap(words[1 + n % 7]) || ' of ' || initcap(words[1 + n % 5]) || ' ' || n,
       CASE WHEN n % 11 > 0 THEN repeat('A story about a ' || words[1 + n % 7] || ', ünïcödé and "quotes". ', 1 + n % 9) END,
       CASE WHEN n % 13 > 0 THEN 1960 + n % 65 END,
       1 + n % 7, (n % 5) + 0.99, CASE WHEN n % 17 > 0 THEN 60 + n % 120 END, 9.99 + n % 20,
       (ENUM_RANGE(NULL::film_rating))[1 + n % 5],
       CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '{}' WHEN 2 THEN '{Trailers}' ELSE '{Trailers,"Deleted, Scenes"}' END::text[],
       timestamptz '2026-01-01 08:00:00.123456Z' + n * interval '1 hour 1.000007 seconds'
FROM generate_series(1, 500) AS n, (SELECT '{river,night,garden,mirror,storm,letter,island}'::text[] AS words) AS w;

INSERT INTO film_actor (film_id, actor, role_number, fee, last_update)
SELECT film, 'Actor ' || (film * 7 + role) % 90, role, CASE WHEN role % 2 = 0 THEN film * 1000.50 + role END,
       timestamptz '2026-01-01 00:00Z' + film * interval '1 minute'
FROM generate_series(1, 500) AS film, generate_series(1, 3) AS role;

INSERT INTO customer (customer_id, first_name, last_name, email, active, phones, preferences, photo, created_on, last_update)
SELECT md5('customer ' || n)::uuid, 'First ' || n, 'Last ' || n,
       CASE WHEN n % 3 > 0 THEN 'customer' || n || '@example.com' END, n % 10 > 0,
       CASE WHEN n % 2 = 0 THEN ARRAY['+1 555 ' || n, '+44 20 ' || n] ELSE '{}' END,
       jsonb_build_object('language', 'en', 'newsletter', n % 2 = 0, 'limit', n * 1.5, 'tags', jsonb_build_array(n, NULL)),
       CASE WHEN n % 5 = 0 THEN decode(md5(n::text), 'hex') END,
       date '1999-12-31' + n, timestamp '2026-02-28 23:59:59.999999' - n * interval '1 day'
FROM generate_series(1, 300) AS n;

INSERT INTO rental (film_id, customer_id, rented_at, returned_at, pickup_time, weight_grams, distance_km, last_update)
SELECT 1 + n % 500, md5('customer ' || 1 + n % 300)::uuid,
       timestamptz '2026-01-01 00:00Z' + n * interval '17 minutes 0.001 seconds',
       CASE WHEN n % 6 > 0 THEN timestamptz '2026-01-03 00:00Z' + n * interval '17 minutes' END,
       time '00:00:00.5' + n * interval '7 minutes', n * 0.1, sqrt(n), timestamptz '2026-03-01 00:00Z'
FROM generate_series(1, 3000) AS n;

INSERT INTO payment (payment_id, customer_id, rental_id, amount, paid_at)
SELECT n, md5('customer ' || 1 + n % 300)::uuid, n, 0.99 + n % 12,
       timestamptz '2026-01-01 00:00:00.000001Z' + n * interval '42 minutes 0.123457 seconds'
FROM generate_series(1, 3000) AS n;
