"""The JSON API over Cassandra. Read in this order: route_specs, app, routes, market, history,
candles, downsampling, store."""
