"""The files that Grafana and Prometheus read, parsed. Knows where they are; checks nothing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
PROVISIONING = ROOT / "grafana" / "provisioning"
RULES = sorted((ROOT / "prometheus" / "rules").glob("*.yml"))
DASHBOARDS = sorted((ROOT / "grafana").glob("**/dashboards/*.json"))


def read_yaml(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def dashboards() -> dict[str, dict]:
    """Every dashboard by its uid, the optional one included."""
    parsed = (json.loads(path.read_text(encoding="utf-8")) for path in DASHBOARDS)
    return {dashboard["uid"]: dashboard for dashboard in parsed}


def panels(dashboard: dict) -> Iterator[dict]:
    """Every panel, including those inside collapsed rows."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def targets(dashboard: dict) -> Iterator[tuple[dict, dict]]:
    """(panel, target) of every query of a dashboard."""
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            yield panel, target


def datasources() -> dict[str, dict]:
    """Every provisioned data source by its uid."""
    files = (ROOT / "grafana").glob("**/datasources/*.yaml")
    return {source["uid"]: source for path in files for source in read_yaml(path)["datasources"]}


def folder_names() -> set[str]:
    """The folders of the dashboards and of the alert rules."""
    providers = [each for path in (ROOT / "grafana").glob("**/*.yaml") for each in read_yaml(path).get("providers", [])]
    groups = read_yaml(PROVISIONING / "alerting" / "rules.yaml")["groups"]
    return {each["folder"] for each in [*providers, *groups]}


def alert_rules() -> list[dict]:
    return [rule for group in read_yaml(PROVISIONING / "alerting" / "rules.yaml")["groups"] for rule in group["rules"]]


def recording_rules() -> dict[str, list[str]]:
    """The expressions behind every recorded metric."""
    expressions: dict[str, list[str]] = {}
    for path in RULES:
        for group in read_yaml(path)["groups"]:
            for rule in group["rules"]:
                expressions.setdefault(rule["record"], []).append(rule["expr"])
    return expressions
