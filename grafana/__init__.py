"""The files that Grafana reads (provisioning, dashboards) and the generator of the dashboards."""
