-- Three tables of odd types and keys, mirrored beside the five. Changed by: odd_load.py. Read by: odd_comparison.py.
CREATE TYPE odd_mood AS ENUM ('calm', 'very happy', 'größer');
CREATE DOMAIN odd_share AS numeric(5, 2) CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN odd_label AS varchar(20) CHECK (VALUE <> '');

-- Values of many types. The long ones are stored outside of the row (TOAST); most updates leave them alone.
CREATE TABLE odd_values (
    id           integer PRIMARY KEY,
    numbers      integer[],
    words        text[],
    moments      timestamptz[],
    ids          uuid[],
    amounts      numeric(12, 4)[],
    mood         odd_mood,
    share        odd_share,
    label        odd_label,
    details      jsonb,
    bytes        bytea,
    pause        interval,
    measure      numeric,
    ratio        double precision,
    half         real,
    day          date,
    at_local     timestamp,
    at_zone      timestamptz,
    clock        time,
    span         int4range,
    address      inet,
    price        money,
    long_text    text,
    long_bytes   bytea,
    long_numbers integer[],
    long_moments timestamptz[],
    long_amounts numeric[]
);
ALTER TABLE odd_values ALTER long_text SET STORAGE EXTERNAL, ALTER long_bytes SET STORAGE EXTERNAL,
    ALTER long_numbers SET STORAGE EXTERNAL, ALTER long_moments SET STORAGE EXTERNAL,
    ALTER long_amounts SET STORAGE EXTERNAL;

-- Things with a place each. Cassandra's key is the place, PostgreSQL's is not: rows move, swap and follow each other.
CREATE TABLE odd_places (
    region text NOT NULL,
    item   integer NOT NULL,
    shelf  text NOT NULL,
    slot   integer NOT NULL,
    weight double precision,
    note   text,
    PRIMARY KEY (region, item),
    UNIQUE (shelf, slot)
);

CREATE FUNCTION odd_move(a_region text, a_item integer, to_shelf text, to_slot integer) RETURNS void LANGUAGE sql AS $$
    UPDATE odd_places SET shelf = to_shelf, slot = to_slot WHERE (region, item) = (a_region, a_item)
        AND NOT EXISTS (SELECT FROM odd_places WHERE (shelf, slot) = (to_shelf, to_slot));
$$;

-- Two rows swap their places, over a third place.
CREATE FUNCTION odd_swap(a_region text, a_item integer, b_region text, b_item integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    a odd_places;
    b odd_places;
BEGIN
    SELECT * INTO a FROM odd_places WHERE (region, item) = (a_region, a_item);
    SELECT * INTO b FROM odd_places WHERE (region, item) = (b_region, b_item);
    IF a.region IS NULL OR b.region IS NULL OR a = b THEN
        RETURN;
    END IF;
    UPDATE odd_places SET shelf = 'hand', slot = 0 WHERE (region, item) = (a.region, a.item);
    UPDATE odd_places SET shelf = a.shelf, slot = a.slot WHERE (region, item) = (b.region, b.item);
    UPDATE odd_places SET shelf = b.shelf, slot = b.slot WHERE (region, item) = (a.region, a.item);
END $$;

-- One row is deleted and another takes its place in the same transaction.
CREATE FUNCTION odd_follow(a_region text, a_item integer, b_region text, b_item integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    a odd_places;
BEGIN
    IF EXISTS (SELECT FROM odd_places WHERE (region, item) = (b_region, b_item)) THEN
        RETURN;
    END IF;
    DELETE FROM odd_places WHERE (region, item) = (a_region, a_item) RETURNING * INTO a;
    IF a.region IS NOT NULL THEN
        INSERT INTO odd_places VALUES (b_region, b_item, a.shelf, a.slot, a.weight, 'follows ' || a.item);
    END IF;
END $$;

-- Running totals, kept by a trigger: a transaction updates a total many times. odd_parts is not mirrored.
CREATE TABLE odd_totals (
    id      integer PRIMARY KEY,
    total   numeric NOT NULL,
    parts   integer NOT NULL,
    changed timestamptz(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE odd_parts (total_id integer NOT NULL, amount numeric NOT NULL);
CREATE FUNCTION odd_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO odd_totals (id, total, parts) VALUES (NEW.total_id, NEW.amount, 1)
        ON CONFLICT (id) DO UPDATE SET total = odd_totals.total + NEW.amount, parts = odd_totals.parts + 1,
                                       changed = clock_timestamp();
    RETURN NULL;
END $$;
CREATE TRIGGER odd_add AFTER INSERT ON odd_parts FOR EACH ROW EXECUTE FUNCTION odd_add();
