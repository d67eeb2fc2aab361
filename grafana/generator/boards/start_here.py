"""Start here: how data flows, and which dashboard answers which question."""

from grafana.generator.dashboard import dashboard
from grafana.generator.panels import text_panel

FLOW = """
```
exchange ─► producer ─► PostgreSQL ─► Debezium ─► Kafka ─► consumer ─► Cassandra ─► API ─► Grafana
            polls,      current       reads the   topics   versions,   history      JSON   Infinity
            no gaps     truth         WAL                  batches
```
Each row that changes in PostgreSQL becomes one event, and one row in Cassandra, usually within a fifth of a second.
The API reads single partitions of Cassandra. These dashboards query the API and Prometheus, which collects the
metrics of every program.
"""
QUESTIONS = """
| question | dashboard |
|---|---|
| What is the market doing? | [Market overview](/d/market-overview) |
| What is one symbol doing? | [Symbol](/d/symbol) |
| How far may its price move, and how good were the forecasts? | [Forecast](/d/forecast) |
| Is everything running, and how fresh is it? | [Pipeline health](/d/pipeline-health) |

The links at the top of each dashboard keep the time range and the chosen symbol.
"""
CHANGE = """
The panels are defined in `grafana/generator/boards`, one file per dashboard;
`python3 -m grafana.generator` writes the JSON.
Changes made in the browser cannot be saved: they would be lost at the next start.

Alerts are listed under [Alerting](/alerting/list). Notifications are off until `ALERT_WEBHOOK_URL` is set.
"""
COLOURS = """
Blue is up, bought or bid; orange is down, sold or ask. Green is OK, yellow needs attention soon, vermilion needs
attention now, and a word says the same. Readers with a red-green colour deficiency can tell the colours apart.
"""


def start_here() -> dict:
    rows = [
        (8, [(24, text_panel("How data flows", FLOW, "The path of a price from the exchange to this page."))]),
        (
            9,
            [
                (9, text_panel("Where to look", QUESTIONS, "Which dashboard answers which question.")),
                (
                    8,
                    text_panel(
                        "How to change panels and notifications", CHANGE, "Where the panels and alerts are defined."
                    ),
                ),
                (7, text_panel("What the colours mean", COLOURS, "The same on every dashboard.")),
            ],
        ),
    ]
    return dashboard("start-here", "Start here", "How data flows, and where to look.", rows, [], "now-6h", "")
