"""The recording rules and every alert over time, simulated by promtool: each alert fires after its
`for` and resolves. The rules that fire here are translated for Prometheus; Grafana evaluates the
same queries and thresholds."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.grafana.alerts import as_prometheus_rule
from tests.support.grafana.files import RULES, alert_rules
from tests.support.grafana.server import MISSING, program

JOBS = ("producer", "consumer", "consumer-redis", "guard", "api", "forecaster", "live")
UP = {f'up{{job="{job}"}}': "1x300" for job in JOBS}
# The auditor writes as the consumer does, and has the same metrics under its own job.
RETRIES = 'consumer_store_retries_total{job="consumer"}'
QUIET = {
    "live_connected": "1x300",
    'api_requests_total{status="200"}': "0+100x300",
    RETRIES: "0x300",
}

# A sample every 10 s. Per alert: the series, when it must not fire yet, when it must fire, and when
# it must have resolved.
# `stale`: the program is down from here on; `_`: no sample; `a+bxn`: start at a, add b n times.
CASES = {
    "stale-table": ({'api_newest_row_late{table="klines"}': "0x11 1x18 0x60"}, "2m", "4m", "6m"),
    "stale-table, API down": ({'api_newest_row_late{table="klines"}': "0x11 stale _x18 0x60"}, "2m", "4m", "9m"),
    "consumer-lag-growing": ({'consumer_lag_records{topic="t"}': "0x11 0+100x60 0x60"}, "3m", "9m", "16m"),
    "consumer-lag-growing, consumer down": (
        dict.fromkeys(('consumer_lag_records{topic="t"}', RETRIES), "0x11 stale _x60 0x60"),
        "5m",
        "10m",
        "16m",
    ),
    "consumer-lag-growing, Cassandra down": (
        {RETRIES: "0x11 0+1x60 60x60", 'consumer_lag_records{topic="t"}': "5x130"},
        "4m",
        "10m",
        "15m",
    ),
    "dead-letters": ({'consumer_dead_letters_total{table="klines"}': "_x12 1x200"}, "1m50s", "2m10s", "20m"),
    "dead-letters, again": ({'consumer_dead_letters_total{table="klines"}': "3x100 4x200"}, "16m30s", "17m30s", "34m"),
    "records-lost": ({'consumer_records_lost_total{topic="t"}': "_x12 19x200"}, "1m50s", "2m10s", "20m"),
    "connector-not-running": ({"guard_connector_running": "1x11 0x18 1x60"}, "2m30s", "4m", "6m"),
    "connector-not-running, guard down": ({"guard_connector_running": "1x11 stale _x60 1x60"}, "2m", "10m", "13m"),
    "capture-silent": ({"guard_heartbeat_age_seconds": "3x11 90x18 3x60"}, "2m30s", "4m", "6m"),
    "capture-problem": ({'guard_capture_problems{kind="unreadable"}': "0x11 1x18 0x60"}, "2m30s", "4m", "6m"),
    "records-skipped": ({'guard_skipped_records_total{table="public.a"}': "_x12 1x200"}, "1m50s", "2m10s", "20m"),
    "topic-deleted": (
        {
            'guard_remedies_total{remedy="restart_topic"}': "_x12 1x200",
            'guard_remedies_total{remedy="register"}': "0+1x200",
        },
        "1m50s",
        "2m10s",
        "20m",
    ),
    "slot-retains-wal": ({"guard_slot_lag_bytes": "9e6x11 6e8x18 9e6x60"}, "2m30s", "4m", "6m"),
    "exchange-weight": (
        {"producer_used_weight": "3000x11 5500x6 100x60", "producer_weight_limit": "6000x100"},
        "1m50s",
        "2m40s",
        "4m",
    ),
    "live-not-connected": ({"live_connected": "1x11 0x18 1x60"}, "2m30s", "4m", "6m"),
    "live-not-connected, pusher down": ({"live_connected": "1x11 stale _x60 1x60"}, "2m", "10m", "13m"),
    "redis-not-current": (
        {"redis_consumer_behind_seconds": "0x11 60x18 0x60", "redis_consumer_complete": "1x90"},
        "2m30s",
        "4m",
        "6m",
    ),
    "redis-not-current, incomplete": (
        {"redis_consumer_behind_seconds": "0x90", "redis_consumer_complete": "1x11 0x18 1x60"},
        "2m30s",
        "4m",
        "6m",
    ),
    "redis-not-current, consumer down": (
        {"redis_consumer_behind_seconds": "0x11 stale _x60 0x60", "redis_consumer_complete": "1x11 stale _x60 1x60"},
        "2m",
        "10m",
        "13m",
    ),
    "api-errors": ({'api_requests_total{status="503"}': "0x11 0+20x18 360x90"}, "2m", "5m", "12m"),
    "rows-differ": ({'auditor_differences{table="klines",kind="missing"}': "0x11 3x120 0x60"}, "14m", "19m", "26m"),
}


def series(given: dict[str, str]) -> list[dict[str, str]]:
    return [{"series": name, "values": values} for name, values in {**UP, **QUIET, **given}.items()]


def simulate(directory: Path, tests: list[dict]) -> str:
    """Empty if promtool finds every expectation met, else its output."""
    alerts = [as_prometheus_rule(rule) for rule in alert_rules()]
    (directory / "alerts.yml").write_text(yaml.safe_dump({"groups": [{"name": "alerts", "rules": alerts}]}))
    simulation = {"rule_files": [*map(str, RULES), "alerts.yml"], "evaluation_interval": "10s", "tests": tests}
    (directory / "simulation.yml").write_text(yaml.safe_dump(simulation))
    command = [promtool(), "test", "rules", "simulation.yml"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def promtool() -> str:
    path = program("promtool")
    if path is None:
        pytest.skip(MISSING)
    return path


def expected(alert: str, at: str, fires: bool, labels: dict[str, str]) -> dict:
    return {"eval_time": at, "alertname": alert, "exp_alerts": [{"exp_labels": labels}] if fires else []}


def test_every_alert_is_simulated() -> None:
    assert {name.split(",")[0] for name in CASES} == {rule["uid"] for rule in alert_rules()}


def test_recording_rules_are_valid() -> None:
    done = subprocess.run([promtool(), "check", "rules", *map(str, RULES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", CASES)
def test_alert_fires_after_its_time_and_resolves(name: str, tmp_path: Path) -> None:
    given, before, during, after = CASES[name]
    alert = name.split(",")[0]
    labels = {"table": "klines"} if name == "stale-table" else {}
    times = [expected(alert, at, at == during, labels) for at in (before, during, after)]
    assert simulate(tmp_path, [{"interval": "10s", "input_series": series(given), "alert_rule_test": times}]) == ""


# Every part is OK after 5 minutes.
ALL_OK = {
    **UP,
    **QUIET,
    "producer_silent_seconds": "0x300",
    "producer_used_weight": "3000x300",
    "producer_weight_limit": "6000x300",
    'producer_last_success_timestamp_seconds{kind="a"}': "0+10x300",
    "guard_connector_running": "1x300",
    "guard_heartbeat_age_seconds": "3x300",
    "guard_slot_usable": "1x300",
    "guard_slot_lag_bytes": "9e6x300",
    'consumer_lag_records{topic="t"}': "5x300",
    'api_newest_row_late{table="klines"}': "0x300",
    "forecast_last_success_timestamp_seconds": "0+10x300",
}
# What breaks each part.
BROKEN = {
    "1 exchange": [("producer_silent_seconds", "60x300"), ("producer_used_weight", "5900x300")],
    "2 producer": [('up{job="producer"}', "0x300"), ('producer_last_success_timestamp_seconds{kind="a"}', "0x300")],
    "3 capture": [("guard_connector_running", "0x300"), ("guard_heartbeat_age_seconds", "99x300")],
    "4 slot": [("guard_slot_usable", "0x300"), ("guard_slot_lag_bytes", "9e8x300")],
    "5 consumer": [('up{job="consumer"}', "0x300"), ('consumer_lag_records{topic="t"}', "99999x300")],
    "6 dead letters": [('consumer_dead_letters_total{table="a"}', "_x9 1x290")],
    "7 fresh rows": [('api_newest_row_late{table="klines"}', "1x300")],
    "8 api": [('up{job="api"}', "0x300"), ('api_requests_total{status="500"}', "0+50x300")],
    "10 live": [('up{job="live"}', "0x300"), ("live_connected", "0x300")],
    "9 forecasts": [('up{job="forecaster"}', "0x300"), ("forecast_last_success_timestamp_seconds", "1x300")],
}
BREAKAGES = [(part, name, values) for part, series_of_part in BROKEN.items() for name, values in series_of_part]


def part_is(part: str, value: int) -> dict:
    label = f'crypto:part_ok{{part="{part}"}}'
    return {"expr": label, "eval_time": "5m", "exp_samples": [{"labels": label, "value": value}]}


def test_every_part_is_ok_when_all_series_are(tmp_path: Path) -> None:
    given = [{"series": name, "values": values} for name, values in ALL_OK.items()]
    samples = [part_is(part, 1) for part in BROKEN]
    assert simulate(tmp_path, [{"interval": "10s", "input_series": given, "promql_expr_test": samples}]) == ""


@pytest.mark.parametrize(("part", "name", "values"), BREAKAGES, ids=[f"{part}: {name}" for part, name, _ in BREAKAGES])
def test_part_is_not_ok_when_it_is_broken(part: str, name: str, values: str, tmp_path: Path) -> None:
    given = [{"series": each, "values": samples} for each, samples in {**ALL_OK, name: values}.items()]
    assert (
        simulate(tmp_path, [{"interval": "10s", "input_series": given, "promql_expr_test": [part_is(part, 0)]}]) == ""
    )


@pytest.mark.parametrize("part", BROKEN)
def test_no_part_is_ok_when_nothing_is_exported(part: str, tmp_path: Path) -> None:
    tests = [{"interval": "10s", "input_series": [], "promql_expr_test": [part_is(part, 0)]}]
    assert simulate(tmp_path, tests) == ""
