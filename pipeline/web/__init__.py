"""The JSON API over Cassandra. Read in this order: app, routes, parameters, reads, store."""
