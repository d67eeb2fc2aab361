"""What Grafana reads (provisioning, dashboards) and the generator that writes the dashboards."""
