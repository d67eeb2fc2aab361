"""The market over HTTP, as the exchange speaks it, with its limits and, on request, its faults.
Start: `app.py`."""
