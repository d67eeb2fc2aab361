"""The JSON API over Cassandra. Read in this order: description, app, routes, market, history,
store."""
