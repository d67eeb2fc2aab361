"""The live pusher's metrics. They answer: does the stream move, how late is it, what is left
out?"""

from prometheus_client import Counter, Gauge, Histogram

RECORDS = Counter("live_records_total", "Records taken from Kafka", ["table"])
FRAMES = Counter("live_frames_sent_total", "Frames sent to Grafana", ["kind"])
DROPPED = Counter(
    "live_points_dropped_total",
    "Points that were not sent: superseded by a newer one, older than what is known, too_many, late, unusable, unsent",
    ["reason"],
)
DELAY_SECONDS = Histogram(
    "live_delay_seconds",
    "From commit in PostgreSQL to the frame sent, streamed changes only",
    buckets=(0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 15, 60),
)
CONNECTED = Gauge("live_connected", "1 while Grafana takes frames")
CONNECTIONS = Counter("live_connections_total", "WebSockets opened to Grafana")
FAILURES = Counter("live_failures_total", "Connections to Grafana that failed or were lost")
LAST_FRAME = Gauge("live_last_frame_timestamp_seconds", "When the last frame was sent, in seconds since 1970; 0: never")
