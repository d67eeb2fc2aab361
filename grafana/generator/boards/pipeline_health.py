"""Pipeline health: is it well, is it fresh, does it keep up, is anything lost, in the order data
flow."""

from grafana.generator.dashboard import dashboard
from grafana.generator.fields import OK_OR_NOT, only, steps, texts
from grafana.generator.palette import ACCENT, BAD, DOWN, GOOD, PLAIN, WARNING
from grafana.generator.panels import bars, gauge, lines, stat, table
from grafana.generator.targets import FLAG, NUMBER, TEXT, TIME, api, column, promql

MIB = 1024 * 1024


def pipeline_health() -> dict:
    rows = [
        (4, [(24, parts())]),
        (8, [(9, end_to_end()), (8, freshness()), (7, ages())]),
        (8, [(8, events()), (8, lag()), (8, slot())]),
        (7, [(4, connector()), (4, heartbeat()), (6, weight()), (10, weight_over_time())]),
        (8, [(8, refused()), (8, retries()), (8, failures())]),
        (8, [(9, api_latency()), (9, api_requests()), (6, api_errors())]),
    ]
    text = "Whether every part runs, how fresh the rows are, and what is repeated or refused."
    return dashboard("pipeline-health", "Pipeline health", text, rows, [], "now-30m", "5s")


def quantile(share: float, metric: str, by: str = "le") -> str:
    return f"histogram_quantile({share}, sum by ({by}) (rate({metric}_bucket[$__rate_interval])))"


def parts() -> dict:
    return stat(
        "Is all well?",
        "One tile a part, in the order data flow; all are OK when all is well. NOT OK: the panels below show more"
        " of that part, the README's table Operations says what to do.",
        [promql("crypto:part_ok", "{{part}}", instant=True)],
        "none",
        background=True,
        text_mode="value_and_name",
        mappings=OK_OR_NOT,
        thresholds=steps((None, BAD), (1, GOOD)),
    )


def end_to_end() -> dict:
    metric = "consumer_end_to_end_seconds"
    shares = (("A", 0.5, "median"), ("B", 0.95, "95 %"), ("C", 0.99, "99 %"))
    return lines(
        "Seconds from PostgreSQL to Cassandra",
        "From commit to confirmed write, for so many of the changes. Usually below 0.3 s; higher: look at the lag"
        " and at the retries.",
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
    state = texts(("true", "LATE", BAD), ("false", "fresh", GOOD))
    return table(
        "Is every table fresh?",
        "The age of the newest row by its own time. LATE: five polls brought nothing new; look at the first tile "
        "above that is not OK.",
        [api("/freshness", columns)],
        ["Table", "State", "Age", "Late after", "Newest row"],
        "s",
        decimals=1,
        only=[only("State", mappings=state, custom_cellOptions={"type": "color-text"})],
    )


def ages() -> dict:
    return lines(
        "Age of the newest row",
        "Rises between two changes and falls with each. A steady climb: nothing arrives any more.",
        [promql("max by (table) (api_newest_row_age_seconds)", "{{table}}")],
        "s",
        min=0,
        legend=True,
    )


def events() -> dict:
    return lines(
        "Change events taken from Kafka",
        "Per second and table. Nothing of a table that should change: look at producer and capture.",
        [promql("sum by (table) (rate(consumer_records_total[$__rate_interval]))", "{{table}}")],
        "cps",
        min=0,
        legend=True,
    )


def lag() -> dict:
    return lines(
        "Consumer lag",
        "Records in Kafka that are not taken yet, by topic. Near 0 is normal; growing: the consumer or Cassandra "
        "is too slow or down.",
        [promql("crypto:consumer_lag:records", "{{topic}}")],
        "locale",
        min=0,
        decimals=0,
        legend=True,
    )


def slot() -> dict:
    return lines(
        "WAL held back by the slot",
        "What PostgreSQL keeps for Debezium. A few MiB are normal; growing without end: the connector does not "
        "read. At 2 GiB the slot is given up.",
        [promql("max(guard_slot_lag_bytes)", "held back")],
        "bytes",
        min=0,
        colour=PLAIN,
        custom={"thresholdsStyle": {"mode": "dashed"}},
        thresholds=steps((None, PLAIN), (512 * MIB, BAD)),
    )


def connector() -> dict:
    return stat(
        "Debezium",
        "Whether connector and task run. If not, the guard restarts them within seconds; its log says why.",
        [promql("min(guard_connector_running)", "connector", instant=True)],
        "none",
        background=True,
        text_mode="value",
        mappings=texts(("1", "RUNNING", GOOD), ("0", "NOT RUNNING", BAD)),
        thresholds=steps((None, BAD), (1, GOOD)),
    )


def heartbeat() -> dict:
    return stat(
        "Heartbeat",
        "Since Debezium's own row last arrived in Kafka, every 5 s. Older than a minute: it runs but delivers nothing.",
        [promql("max(guard_heartbeat_age_seconds)", "age", instant=True)],
        "s",
        decimals=0,
        text_mode="value",
        thresholds=steps((None, GOOD), (30, WARNING), (60, BAD)),
    )


def weight() -> dict:
    return gauge(
        "Weight used of the exchange's limit",
        "Of the request weight that the exchange allows this address in a minute, by everybody on it. Above 90 % "
        "it may ban us.",
        [promql("crypto:exchange_weight_used:ratio", "used", instant=True)],
        "percentunit",
        min=0,
        max=1,
        decimals=0,
        thresholds=steps((None, GOOD), (0.7, WARNING), (0.9, BAD)),
    )


def weight_over_time() -> dict:
    return lines(
        "Request weight per minute",
        "Used in the running minute, our own budget, and the exchange's limit. The saw teeth are the minutes.",
        [
            promql("max(producer_used_weight)", "used", ref="A"),
            promql("max(producer_weight_budget)", "budget", ref="B"),
            promql("max(producer_weight_limit)", "limit", ref="C"),
        ],
        "locale",
        min=0,
        decimals=0,
        only=[only("used", colour=PLAIN), only("budget", colour=DOWN), only("limit", colour=BAD)],
    )


def refused() -> dict:
    return bars(
        "Dead letters in 15 minutes",
        "Records that can never be written; they wait in the topic crypto.dead_letters. Not 0: list them, mend "
        "the cause, replay them (README, Operations).",
        [promql("crypto:dead_letters:15m", "dead letters")],
        "locale",
        min=0,
        decimals=0,
        colour=BAD,
    )


def retries() -> dict:
    return bars(
        "Writes repeated",
        "Per minute, because Cassandra did not confirm. Now and then one is normal; steady ones: Cassandra is "
        "overloaded or away.",
        [promql("60 * sum(rate(consumer_store_retries_total[$__rate_interval]))", "retries")],
        "locale",
        min=0,
        decimals=1,
        colour=ACCENT,
    )


def failures() -> dict:
    return bars(
        "Requests to the exchange that failed",
        "Per minute; each is tried again. Steady ones: the producer's log names the kind and the error.",
        [promql("60 * (sum(rate(producer_failures_total[$__rate_interval])) or vector(0))", "failures")],
        "locale",
        min=0,
        decimals=1,
        colour=ACCENT,
    )


def api_latency() -> dict:
    return lines(
        "Seconds until the API answers",
        "95 % of the requests of each route are answered within. Usually below 0.05 s.",
        [promql(quantile(0.95, "api_request_seconds", by="le, route"), "{{route}}")],
        "s",
        min=0,
        legend=True,
    )


def api_requests() -> dict:
    return lines(
        "Requests to the API",
        "Per second, by HTTP status. 5xx: Cassandra does not answer; 4xx: somebody asks wrongly.",
        [promql("sum by (status) (rate(api_requests_total[$__rate_interval]))", "{{status}}")],
        "reqps",
        min=0,
        legend=True,
    )


def api_errors() -> dict:
    return stat(
        "API errors",
        "Share of requests of the last five minutes that the API could not answer (5xx).",
        [promql("crypto:api_errors:ratio5m", "errors", instant=True)],
        "percentunit",
        decimals=1,
        text_mode="value",
        thresholds=steps((None, GOOD), (0.01, WARNING), (0.05, BAD)),
    )
