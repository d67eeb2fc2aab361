"""The servers of the chain with TLS and logins switched on, as a managed service has them."""
