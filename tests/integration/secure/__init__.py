"""Every program against servers that want TLS and a login."""
