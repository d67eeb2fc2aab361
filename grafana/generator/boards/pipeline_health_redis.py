"""Pipeline health, the row about Redis: is the current state current, how long does a change take,
which store answers."""

from grafana.generator.fields import colours, threshold_steps, value_mappings
from grafana.generator.palette import ACCENT, BAD_TILE, DOWN, GOOD_TILE, UP
from grafana.generator.panels import heading, line_chart, stat
from grafana.generator.targets import promql


def redis_rows() -> list[tuple[int, list[tuple[int, dict]]]]:
    return [
        (1, [(24, heading("Redis"))]),
        (7, [(6, state()), (9, delay()), (9, answers())]),
    ]


def state() -> dict:
    return stat(
        "Current state in Redis",
        "CURRENT: complete, and read to the end of Kafka within the last 10 s. Otherwise the API reads Cassandra; the"
        " log of consumer-redis says what it waits for.",
        [promql("crypto:redis_not_current:bool", "state", instant=True)],
        "none",
        background=True,
        text_mode="value",
        mappings=value_mappings(("0", "CURRENT", GOOD_TILE), ("1", "NOT CURRENT", BAD_TILE)),
        thresholds=threshold_steps((None, GOOD_TILE), (1, BAD_TILE)),
    )


def delay() -> dict:
    shares = (("A", 0.5, "median"), ("B", 0.95, "95 %"), ("C", 0.99, "99 %"))
    rate = "sum by (le) (rate(redis_consumer_end_to_end_seconds_bucket[$__rate_interval]))"
    return line_chart(
        "Delay from PostgreSQL to Redis",
        "Time from commit to the row in Redis, for the given share of the changes. Usually below 0.3 s.",
        [promql(f"histogram_quantile({share}, {rate})", name, ref=ref) for ref, share, name in shares],
        "s",
        min=0,
        overrides=colours({"median": UP, "95 %": DOWN, "99 %": ACCENT}),
    )


def answers() -> dict:
    return line_chart(
        "Who answers the current state",
        "Answers per second of prices, statistics, rankings and symbols, by the store they were read from; those from"
        " the API's own cache are not counted. Cassandra: Redis is not used, or not current.",
        [promql("sum by (store) (rate(api_current_state_reads_total[$__rate_interval]))", "{{store}}")],
        "reqps",
        min=0,
        legend=True,
        overrides=colours({"redis": UP, "cassandra": DOWN}),
    )
