"""The market over HTTP as on the exchange, with its limits and, on request, faults. Start reading
at `app.py`."""
