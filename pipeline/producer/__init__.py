"""From the exchange's REST API to committed rows in PostgreSQL. Read in this order: rows, client,
jobs, trades, candles, plan, budget, ban, schedule, jobset, upserts, loop."""
