"""From the exchange's REST API to committed rows in PostgreSQL. Read in this order: rows, client
(with ban and budget), jobs, trades (with trade_gaps), candles, listing, jobset (with plan and
schedule), upserts, state, database, loop (with pool, ban_keeper and housekeeping)."""
