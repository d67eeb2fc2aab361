"""The dashboards as Python, because 40 panels of JSON cannot be kept consistent by hand. `python3
-m grafana.generator` writes the JSON that Grafana reads. The JSON is committed, and a test compares
it with what the generator produces."""
