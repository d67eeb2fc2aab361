"""Grafana's end of Grafana Live: a real WebSocket server that checks what Grafana checks."""
