"""Pipeline health, in the order in which data flows: does every part run, are the rows fresh, does
the pipeline keep up, is anything rejected."""

from grafana.generator.dashboard import dashboard
from grafana.generator.fields import OK_OR_NOT, override, threshold_steps, value_mappings
from grafana.generator.palette import ACCENT, BAD, DOWN, GOOD, PLAIN, WARNING
from grafana.generator.panels import bar_chart, gauge, line_chart, stat, table
from grafana.generator.stack_facts import HEARTBEAT_SECONDS
from grafana.generator.targets import FLAG, NUMBER, TEXT, TIME, api, column, promql

MIB = 1024 * 1024


def pipeline_health() -> dict:
    rows = [
        (4, [(24, parts())]),
        (8, [(9, end_to_end()), (8, freshness()), (7, ages())]),
        (8, [(8, events()), (8, lag()), (8, slot())]),
        (7, [(4, connector()), (4, heartbeat()), (6, weight()), (10, weight_over_time())]),
        (8, [(8, dead_letters()), (8, retries()), (8, failures())]),
        (8, [(9, api_latency()), (9, api_requests()), (6, api_errors())]),
        (7, [(9, forecast_score()), (9, forecast_coverage()), (6, fallbacks())]),
    ]
    description = "Whether every part runs, how fresh the rows are, and what is retried or rejected."
    return dashboard("pipeline-health", "Pipeline health", description, rows, [], "now-30m", "5s")


def quantile(share: float, metric: str, by: str = "le") -> str:
    return f"histogram_quantile({share}, sum by ({by}) (rate({metric}_bucket[$__rate_interval])))"


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
        thresholds=threshold_steps((None, BAD), (1, GOOD)),
    )


def end_to_end() -> dict:
    metric = "consumer_end_to_end_seconds"
    shares = (("A", 0.5, "median"), ("B", 0.95, "95 %"), ("C", 0.99, "99 %"))
    return line_chart(
        "Seconds from PostgreSQL to Cassandra",
        "Time from commit to confirmed write, for the given share of the changes. Usually below 0.3 s. If it is"
        " higher, look at the lag and the retries.",
        [promql(quantile(share, metric), name, ref=ref) for ref, share, name in shares],
        "s",
        min=0,
    )


def freshness() -> dict:
    columns = [
        column("table", TEXT, "Table"),
        column("updated_at", TIME, "Newest row"),
        column("age_seconds", NUMBER, "Age"),
        column("late_after_seconds", NUMBER, "Late after"),
        column("late", FLAG, "State"),
    ]
    state = value_mappings(("true", "LATE", BAD), ("false", "fresh", GOOD))
    return table(
        "Is every table fresh?",
        "Age of the newest row by its own time. LATE: nothing new for the duration of five polls and 10 s; look at "
        "the first tile above that is NOT OK.",
        [api("/freshness", columns, {})],
        ["Table", "State", "Age", "Late after", "Newest row"],
        "s",
        decimals=1,
        overrides=[override("State", mappings=state, custom_cellOptions={"type": "color-text"})],
    )


def ages() -> dict:
    return line_chart(
        "Age of the newest row",
        "Rises between two changes and falls with each change. If it only rises, nothing arrives any more.",
        [promql("max by (table) (api_newest_row_age_seconds)", "{{table}}")],
        "s",
        min=0,
        legend=True,
    )


def events() -> dict:
    return line_chart(
        "Change events read from Kafka",
        "Per second and table. If a table that should change has no events, look at the producer and at Debezium.",
        [promql("sum by (table) (rate(consumer_records_total[$__rate_interval]))", "{{table}}")],
        "cps",
        min=0,
        legend=True,
    )


def lag() -> dict:
    return line_chart(
        "Consumer lag",
        "Records in Kafka that the consumer has not read yet, by topic. Near 0 is normal. If it grows, the consumer "
        "or Cassandra is too slow or down.",
        [promql("crypto:consumer_lag:records", "{{topic}}")],
        "locale",
        min=0,
        decimals=0,
        legend=True,
    )


def slot() -> dict:
    return line_chart(
        "WAL held back by the slot",
        "WAL that PostgreSQL keeps for Debezium. A few MiB are normal. If it only grows, the connector does not "
        "read; at 2 GiB PostgreSQL invalidates the slot.",
        [promql("max(guard_slot_lag_bytes)", "held back")],
        "bytes",
        min=0,
        colour=PLAIN,
        custom={"thresholdsStyle": {"mode": "dashed"}},
        thresholds=threshold_steps((None, PLAIN), (512 * MIB, BAD)),
    )


def connector() -> dict:
    return stat(
        "Debezium",
        "Whether connector and task run. If they fail, the guard restarts them within seconds and logs the reason.",
        [promql("min(guard_connector_running)", "connector", instant=True)],
        "none",
        background=True,
        text_mode="value",
        mappings=value_mappings(("1", "RUNNING", GOOD), ("0", "NOT RUNNING", BAD)),
        thresholds=threshold_steps((None, BAD), (1, GOOD)),
    )


def heartbeat() -> dict:
    return stat(
        "Heartbeat",
        f"Time since Debezium's heartbeat row last arrived in Kafka, which it does every {HEARTBEAT_SECONDS} s. More "
        "than a minute: the connector runs but delivers nothing.",
        [promql("max(guard_heartbeat_age_seconds)", "age", instant=True)],
        "s",
        decimals=0,
        text_mode="value",
        thresholds=threshold_steps((None, GOOD), (30, WARNING), (60, BAD)),
    )


def weight() -> dict:
    return gauge(
        "Used share of the exchange's weight limit",
        "Share of the request weight per minute that the exchange allows this IP address, used by all clients "
        "behind it. Above 90 % a ban is near.",
        [promql("crypto:exchange_weight_used:ratio", "used", instant=True)],
        "percentunit",
        min=0,
        max=1,
        decimals=0,
        thresholds=threshold_steps((None, GOOD), (0.7, WARNING), (0.9, BAD)),
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
        overrides=[override("used", colour=PLAIN), override("budget", colour=DOWN), override("limit", colour=BAD)],
    )


def dead_letters() -> dict:
    return bar_chart(
        "Dead letters in 15 minutes",
        "Records that can never be written; they are kept in the topic crypto.dead_letters. If it is not 0, list "
        "them, fix the cause and replay them (README, Operations).",
        [promql("crypto:dead_letters:15m", "dead letters")],
        "locale",
        min=0,
        decimals=0,
        colour=BAD,
    )


def retries() -> dict:
    return bar_chart(
        "Retried writes",
        "Per minute, because Cassandra did not confirm them. A few are normal. If they continue, Cassandra is "
        "overloaded or down.",
        [promql("60 * sum(rate(consumer_store_retries_total[$__rate_interval]))", "retries")],
        "locale",
        min=0,
        decimals=1,
        colour=ACCENT,
    )


def failures() -> dict:
    return bar_chart(
        "Failed requests to the exchange",
        "Per minute; each is retried. If they continue, the producer's log names the kind and the error.",
        [promql("60 * (sum(rate(producer_failures_total[$__rate_interval])) or vector(0))", "failures")],
        "locale",
        min=0,
        decimals=1,
        colour=ACCENT,
    )


def api_latency() -> dict:
    return line_chart(
        "Response time of the API",
        "Time within which 95 % of the requests of each route are answered. Usually below 0.05 s.",
        [promql(quantile(0.95, "api_request_seconds", by="le, route"), "{{route}}")],
        "s",
        min=0,
        legend=True,
    )


def api_requests() -> dict:
    return line_chart(
        "Requests to the API",
        "Per second, by HTTP status. 5xx: Cassandra does not answer. 4xx: the client sent an invalid request.",
        [promql("sum by (status) (rate(api_requests_total[$__rate_interval]))", "{{status}}")],
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
        text_mode="value",
        thresholds=threshold_steps((None, GOOD), (0.01, WARNING), (0.05, BAD)),
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
        text_mode="value",
        thresholds=threshold_steps((None, GOOD), (1, WARNING)),
    )
