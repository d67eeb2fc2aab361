"""`python3 -m grafana.generator` writes every dashboard as JSON for Grafana."""

import json
from pathlib import Path

from grafana.generator.boards.cassandra_direct import cassandra_direct
from grafana.generator.boards.forecast import forecast
from grafana.generator.boards.live import live
from grafana.generator.boards.market_overview import market_overview
from grafana.generator.boards.pipeline_health import pipeline_health
from grafana.generator.boards.start_here import start_here
from grafana.generator.boards.symbol import symbol

GRAFANA = Path(__file__).resolve().parents[1]
FILES = {
    GRAFANA / "dashboards" / "start_here.json": start_here,
    GRAFANA / "dashboards" / "market_overview.json": market_overview,
    GRAFANA / "dashboards" / "symbol.json": symbol,
    GRAFANA / "dashboards" / "live.json": live,
    GRAFANA / "dashboards" / "forecast.json": forecast,
    GRAFANA / "dashboards" / "pipeline_health.json": pipeline_health,
    # In a folder of its own: it needs a plugin that only the Grafana of the compose profile
    # `cassandra-datasource` has.
    GRAFANA / "cassandra" / "dashboards" / "cassandra_direct.json": cassandra_direct,
}


def to_json(dashboard: dict) -> str:
    return json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    for path, build in FILES.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_json(build()), encoding="utf-8")


if __name__ == "__main__":
    main()
