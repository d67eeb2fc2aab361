"""The dashboards as Python, because 40 panels of JSON cannot be kept alike by hand. `python3 -m
grafana.generator` writes the JSON that Grafana reads; it is committed, and a test compares."""
