"""`python3 -m grafana.generator`: writes every dashboard as JSON, for Grafana to read."""

import json
from pathlib import Path

from grafana.generator.boards.cassandra_direct import cassandra_direct
from grafana.generator.boards.market_overview import market_overview
from grafana.generator.boards.pipeline_health import pipeline_health
from grafana.generator.boards.start_here import start_here
from grafana.generator.boards.symbol import symbol

HERE = Path(__file__).resolve().parents[1]
FILES = {
    HERE / "dashboards" / "start_here.json": start_here,
    HERE / "dashboards" / "market_overview.json": market_overview,
    HERE / "dashboards" / "symbol.json": symbol,
    HERE / "dashboards" / "pipeline_health.json": pipeline_health,
    # Apart: only the Grafana of the compose profile `cassandra-datasource` has the plugin it needs.
    HERE / "cassandra" / "dashboards" / "cassandra_direct.json": cassandra_direct,
}


def text_of(made: dict) -> str:
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    for path, make in FILES.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text_of(make()), encoding="utf-8")


if __name__ == "__main__":
    main()
