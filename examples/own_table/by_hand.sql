-- What mirror_table.py runs in PostgreSQL. From here on every change is streamed. Debezium needs SELECT only to take a
-- snapshot. FULL: a row can be over 2 kB, and PostgreSQL then leaves long values out of updates that do not touch them.
ALTER TABLE orders REPLICA IDENTITY FULL;
ALTER PUBLICATION crypto_publication ADD TABLE orders;
GRANT SELECT ON orders TO crypto_debezium;
