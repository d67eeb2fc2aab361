"""From a Kafka record to a frame in Grafana Live.

Read in this order: ../stream, channels (line_protocol), buffers, frames, intake (from Kafka);
account, connection, sender (to Grafana). Beside the path: metrics."""
