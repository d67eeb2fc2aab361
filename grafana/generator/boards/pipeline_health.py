"""Pipeline health, in the order in which data flows: does every part run, are the rows fresh, does
the pipeline keep up, is anything rejected."""

from grafana.generator.boards.data_source import data_source
from grafana.generator.boards.pipeline_health_redis import redis_rows
from grafana.generator.dashboard import HORIZON, INTERVAL, QUOTE_ASSET, SYMBOL, dashboard, hidden
from grafana.generator.fields import NONE_IS_WELL, OK_OR_NOT, colours, override, threshold_steps, value_mappings
from grafana.generator.palette import (
    ACCENT,
    BAD,
    BAD_TILE,
    BLUE,
    DOWN,
    GOOD_TILE,
    NEUTRAL,
    TABLES,
    UP,
    WARNING_TILE,
)
from grafana.generator.panels import graded, heading, line_chart, stat, state_timeline, table
from grafana.generator.stack_facts import HEARTBEAT_SECONDS
from grafana.generator.targets import FLAG, NUMBER, TEXT, api, column, promql

MIB = 1024 * 1024
TABLE_OF_TOPIC = ".*[.]public[.](.*)"
# Prometheus' own requests are no one's questions, and the slowest of all.
ASKED = '{route!="/metrics"}'


def pipeline_health() -> dict:
    rows = [
        (4, [(20, parts()), (4, data_source())]),
        (9, [(24, parts_over_time())]),
        (1, [(24, heading("Freshness"))]),
        (8, [(9, end_to_end()), (8, freshness()), (7, ages())]),
        (1, [(24, heading("Capture and consumer"))]),
        (8, [(8, events()), (8, lag()), (8, slot())]),
        (5, [(5, connector()), (4, heartbeat()), (5, dead_letters()), (5, retries()), (5, longest_pause())]),
        (1, [(24, heading("Exchange"))]),
        (7, [(6, weight()), (6, failures()), (12, weight_over_time())]),
        (1, [(24, heading("API"))]),
        (8, [(9, api_latency()), (9, api_requests()), (6, api_errors())]),
        (1, [(24, heading("Forecasts"))]),
        (7, [(9, forecast_score()), (9, forecast_coverage()), (6, fallbacks())]),
        (1, [(24, heading("Live"))]),
        (7, [(9, live_delay()), (9, live_frames()), (6, live_connected())]),
        *redis_rows(),
        (1, [(24, heading("Equality"))]),
        (7, [(6, equal_until()), (6, differences()), (12, rows_compared())]),
    ]
    variables = [hidden(SYMBOL), hidden(INTERVAL), hidden(QUOTE_ASSET), hidden(HORIZON)]
    description = "Whether every part runs, how fresh the rows are, and what is retried or rejected."
    return dashboard("pipeline-health", "Pipeline health", description, rows, variables, "now-30m", "5s")


def quantile(share: float, metric: str, by: str = "le", labels: str = "") -> str:
    return f"histogram_quantile({share}, sum by ({by}) (rate({metric}_bucket{labels}[$__rate_interval])))"


def parts() -> dict:
    return stat(
        "Is every part OK?",
        "One tile per part, in the order in which data flows. If a part is NOT OK, the panels below show the details,"
        " and the table Operations in the README says what to do.",
        [promql("crypto:part_ok", "{{part}}", instant=True)],
        "none",
        background=True,
        text_mode="value_and_name",
        mappings=OK_OR_NOT,
        thresholds=threshold_steps((None, BAD_TILE), (1, GOOD_TILE)),
    )


def parts_over_time() -> dict:
    return state_timeline(
        "When was every part OK?",
        "The tiles above over the time range: green is OK, brown is NOT OK. A gap: Prometheus did not run.",
        [promql("crypto:part_ok", "{{part}}")],
        mappings=OK_OR_NOT,
        thresholds=threshold_steps((None, BAD_TILE), (1, GOOD_TILE)),
    )


def end_to_end() -> dict:
    metric = "consumer_end_to_end_seconds"
    shares = (("A", 0.5, "median"), ("B", 0.95, "95 %"), ("C", 0.99, "99 %"))
    return line_chart(
        "Delay from PostgreSQL to Cassandra",
        "Time from commit to confirmed write, for the given share of the changes. Usually below 0.3 s. If it is"
        " higher, look at the lag and the retries.",
        [promql(quantile(share, metric), name, ref=ref) for ref, share, name in shares],
        "s",
        min=0,
        overrides=colours({"median": UP, "95 %": DOWN, "99 %": ACCENT}),
    )


def freshness() -> dict:
    columns = [
        column("table", TEXT, "Table"),
        column("age_seconds", NUMBER, "Age"),
        column("late_after_seconds", NUMBER, "Late after"),
        column("late", FLAG, "State"),
    ]
    state = value_mappings(("true", "LATE", BAD_TILE), ("false", "fresh", GOOD_TILE))
    return table(
        "Is every table fresh?",
        "Age of the newest row by its own time. LATE: nothing new for the duration of five polls and 10 s; look at "
        "the first tile above that is NOT OK.",
        [api("/freshness", columns, {})],
        ["Table", "State", "Age", "Late after"],
        "s",
        decimals=1,
        overrides=[
            override("Table", custom_minWidth=130),
            override("State", mappings=state, custom_cellOptions={"type": "color-background", "mode": "basic"}),
            override("Age", custom_minWidth=70),
            override("Late after", custom_minWidth=85),
        ],
    )


def ages() -> dict:
    return line_chart(
        "Age of the newest row",
        "Rises between two changes and falls with each change. If it only rises, nothing arrives any more.",
        [promql("max by (table) (api_newest_row_age_seconds)", "{{table}}")],
        "s",
        min=0,
        legend=True,
        overrides=colours(TABLES),
    )


def events() -> dict:
    return line_chart(
        "Change events read from Kafka",
        "Per second and table. If a table that should change has no events, look at the producer and at Debezium.",
        [promql("sum by (table) (rate(consumer_records_total[$__rate_interval]))", "{{table}}")],
        "cps",
        min=0,
        legend=True,
        overrides=colours(TABLES),
    )


def lag() -> dict:
    return line_chart(
        "Consumer lag",
        "Records in Kafka that the consumer has not read yet, by table. Near 0 is normal. If it grows, the consumer "
        "or Cassandra is too slow or down.",
        [
            promql(
                f'label_replace(crypto:consumer_lag:records, "table", "$1", "topic", "{TABLE_OF_TOPIC}")', "{{table}}"
            )
        ],
        "locale",
        min=0,
        decimals=0,
        legend=True,
        # Without it, a lag of 0 would be a line on an axis up to 100.
        custom={"axisSoftMax": 10},
        overrides=colours(TABLES),
    )


def slot() -> dict:
    return line_chart(
        "WAL held back by the slot",
        "WAL that PostgreSQL keeps for Debezium. A few MiB are normal. If it only grows, the connector does not "
        "read; at 2 GiB PostgreSQL invalidates the slot.",
        [promql("max(guard_slot_lag_bytes)", "held back")],
        "bytes",
        min=0,
        colour=NEUTRAL,
        custom={"thresholdsStyle": {"mode": "dashed"}},
        thresholds=threshold_steps((None, NEUTRAL), (512 * MIB, BAD)),
    )


def connector() -> dict:
    return stat(
        "Debezium",
        "Whether connector and task run. If they fail, the guard restarts them within seconds and logs the reason.",
        [promql("min(guard_connector_running)", "connector", instant=True)],
        "none",
        background=True,
        text_mode="value",
        mappings=value_mappings(("1", "RUNNING", GOOD_TILE), ("0", "NOT RUNNING", BAD_TILE)),
        thresholds=threshold_steps((None, BAD_TILE), (1, GOOD_TILE)),
    )


def heartbeat() -> dict:
    return graded(
        "Heartbeat",
        f"Time since Debezium's heartbeat row last arrived in Kafka, which it does every {HEARTBEAT_SECONDS} s. More "
        "than a minute: the connector runs but delivers nothing.",
        "max(guard_heartbeat_age_seconds)",
        "age",
        "s",
        warning=30,
        bad=60,
    )


def weight() -> dict:
    return graded(
        "Used share of weight limit",
        "Share of the request weight per minute that the exchange allows this IP address, used by all clients "
        "behind it. Above 90 % a ban is near.",
        "crypto:exchange_weight_used:ratio",
        "used",
        "percentunit",
        warning=0.7,
        bad=0.9,
    )


def weight_over_time() -> dict:
    return line_chart(
        "Request weight per minute",
        "Used in the current minute, the producer's budget, and the exchange's limit. The used weight restarts at 0 "
        "every minute.",
        [
            promql("max(producer_used_weight)", "used", ref="A"),
            promql("max(producer_weight_budget)", "budget", ref="B"),
            promql("max(producer_weight_limit)", "limit", ref="C"),
        ],
        "locale",
        min=0,
        decimals=0,
        overrides=[
            override("used", colour=BLUE),
            # Lines only: areas would tint the whole panel.
            override("budget", colour=DOWN, custom_fillOpacity=0),
            override("limit", colour=BAD, custom_fillOpacity=0),
        ],
    )


def count(title: str, description: str, expression: str, legend: str, decimals: int, bad: str) -> dict:
    """A number that is 0 when all is well: it says so in a word, above its course."""
    return stat(
        title,
        description,
        [promql(expression, legend)],
        "locale",
        decimals=decimals,
        background=True,
        sparkline=True,
        text_mode="value",
        mappings=NONE_IS_WELL,
        thresholds=threshold_steps((None, GOOD_TILE), (1e-9, bad)),
    )


def dead_letters() -> dict:
    return count(
        "Dead letters in 15 minutes",
        "Records that can never be written; they are kept in the topic crypto.dead_letters. If there are any, list "
        "them, fix the cause and replay them (README, Operations).",
        "crypto:dead_letters:15m",
        "dead letters",
        decimals=0,
        bad=BAD_TILE,
    )


def retries() -> dict:
    return count(
        "Retried writes per minute",
        "Because Cassandra did not confirm them. A few are normal. If they continue, Cassandra is overloaded or down.",
        "60 * sum(rate(consumer_store_retries_total[$__rate_interval]))",
        "retries",
        decimals=1,
        bad=WARNING_TILE,
    )


def longest_pause() -> dict:
    return graded(
        "Longest pause of a consumer",
        "How long Python's garbage collector has stopped a consumer at most since its start: changes arrive that much "
        "later. A few ms are normal.",
        "max(consumer_gc_longest_pause_seconds)",
        "pause",
        "s",
        warning=0.05,
        bad=0.5,
        decimals=1,
    )


def failures() -> dict:
    return count(
        "Failed requests per minute",
        "Requests to the exchange; each is retried. If they continue, the producer's log names the kind and the error.",
        "60 * (sum(rate(producer_failures_total[$__rate_interval])) or vector(0))",
        "failures",
        decimals=1,
        bad=WARNING_TILE,
    )


def api_latency() -> dict:
    return line_chart(
        "Response time of the API",
        "Time within which 95 % of the requests of each route are answered. Usually below 0.05 s.",
        [promql(quantile(0.95, "api_request_seconds", by="le, route", labels=ASKED), "{{route}}")],
        "s",
        min=0,
        legend=True,
    )


def api_requests() -> dict:
    return line_chart(
        "Requests to the API",
        "Per second, by HTTP status. 5xx: Cassandra does not answer. 4xx: the client sent an invalid request.",
        [promql(f"sum by (status) (rate(api_requests_total{ASKED}[$__rate_interval]))", "{{status}}")],
        "reqps",
        min=0,
        legend=True,
    )


def api_errors() -> dict:
    return stat(
        "API errors",
        "Share of the requests of the last five minutes that the API could not answer (5xx).",
        [promql("crypto:api_errors:ratio5m", "errors", instant=True)],
        "percentunit",
        decimals=1,
        background=True,
        text_mode="value",
        mappings=NONE_IS_WELL,
        thresholds=threshold_steps((None, GOOD_TILE), (0.01, WARNING_TILE), (0.05, BAD_TILE)),
    )


def forecast_score() -> dict:
    return line_chart(
        "Score of the forecasts",
        "Loss of the last day's forecasts relative to naive, by symbol and horizon. Below 1 is better than naive. No "
        "data in the first hours, or if FORECAST_HORIZONS is off.",
        [promql("max by (symbol, horizon) (forecast_qlike_ratio)", "{{symbol}} {{horizon}}")],
        "none",
        min=0,
        decimals=2,
        legend=True,
    )


def forecast_coverage() -> dict:
    return line_chart(
        "Coverage of the forecast ranges",
        "Share of the last day's prices inside their forecast range, by symbol and horizon. Should be near 90 %.",
        [promql("max by (symbol, horizon) (forecast_coverage_ratio)", "{{symbol}} {{horizon}}")],
        "percentunit",
        max=1,
        decimals=0,
        legend=True,
    )


def fallbacks() -> dict:
    return stat(
        "Forecasts that fall back",
        "How many models are replaced by a moving average, because their forecasts of the last day were worse than "
        "naive. A few are normal after a crash.",
        [promql("sum(forecast_fallback)", "fallbacks", instant=True)],
        "locale",
        decimals=0,
        background=True,
        text_mode="value",
        mappings=NONE_IS_WELL,
        thresholds=threshold_steps((None, GOOD_TILE), (1, WARNING_TILE)),
    )


def live_delay() -> dict:
    shares = (("A", 0.5, "median"), ("B", 0.95, "95 %"))
    return line_chart(
        "Delay from PostgreSQL to Grafana",
        "Time from commit to the frame that is pushed to open dashboards, for the given share of the frames. Usually "
        "below 0.3 s.",
        [promql(quantile(share, "live_delay_seconds"), name, ref=ref) for ref, share, name in shares],
        "s",
        min=0,
        overrides=colours({"median": UP, "95 %": DOWN}),
    )


def live_frames() -> dict:
    return line_chart(
        "Frames pushed to Grafana",
        "Per second, by what they show. If there are none while change events are read, look at the tile beside this.",
        [promql("sum by (kind) (rate(live_frames_sent_total[$__rate_interval]))", "{{kind}}")],
        "cps",
        min=0,
        legend=True,
    )


def live_connected() -> dict:
    return stat(
        "Live stream",
        "Whether Grafana takes the frames of the pusher. If not, the pusher's log (`grafana_unavailable`) says why; it "
        "tries again by itself.",
        [promql("min(live_connected)", "stream", instant=True)],
        "none",
        background=True,
        text_mode="value",
        mappings=value_mappings(("1", "CONNECTED", GOOD_TILE), ("0", "NOT CONNECTED", BAD_TILE)),
        thresholds=threshold_steps((None, BAD_TILE), (1, GOOD_TILE)),
    )


def equal_until() -> dict:
    return stat(
        "Equal up to",
        "Everything that was committed before this time was equal in exchange, PostgreSQL, Cassandra and Redis when "
        "the auditor compared it. It moves with each round, a few minutes apart; if it stands still, something differs "
        "or could not be compared, or the auditor is down.",
        [promql("1000 * (max(auditor_equal_until_timestamp_seconds) > 0)", "equal up to", instant=True)],
        "dateTimeAsLocal",
        text_mode="value",
    )


def differences() -> dict:
    return count(
        "Rows that differ",
        "Rows of the last hours that one side lacks or has with other values, behind a cut: rows on their way do not "
        "count. If there are any, run reconcile.py, then reconcile.py --repair (docs/reconciliation.md).",
        "sum(auditor_differences)",
        "rows",
        decimals=0,
        bad=BAD_TILE,
    )


def rows_compared() -> dict:
    return line_chart(
        "Rows compared",
        "Per second and table, by the auditor, at low priority. No line for long: it is down, or the "
        "stream stands; its log says which.",
        [promql("sum by (table) (rate(auditor_rows_compared_total[15m]))", "{{table}}")],
        "cps",
        min=0,
        legend=True,
    )
