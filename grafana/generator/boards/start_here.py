"""Start here: what flows where, and which dashboard answers which question."""

from grafana.generator.dashboard import dashboard
from grafana.generator.panels import note

FLOW = """
```
exchange ─► producer ─► PostgreSQL ─► Debezium ─► Kafka ─► consumer ─► Cassandra ─► API ─► Grafana
            polls,      current       reads the   topics   versions,   history      JSON   Infinity
            no gaps     truth         WAL                  batches
```
Each row that changes in PostgreSQL becomes one event, and one row in Cassandra: usually within a fifth of a second.
The API reads single partitions of Cassandra; these dashboards read the API, and Prometheus reads every program.
"""
QUESTIONS = """
| question | dashboard |
|---|---|
| What is the market doing? | [Market overview](/d/market-overview) |
| What is one symbol doing? | [Symbol](/d/symbol) |
| Is everything running, and how fresh is it? | [Pipeline health](/d/pipeline-health) |

Links on top of each dashboard take the time range and the chosen symbol along.
"""
CHANGE = """
The panels are written in `grafana/generator/boards`, one file for each dashboard;
`python3 -m grafana.generator` makes the JSON.
What is changed in the browser cannot be saved: it would be gone with the next start.

Alerts are listed under [Alerting](/alerting/list). They notify nobody until `ALERT_WEBHOOK_URL` is set.
"""
COLOURS = """
Blue is up, bought, or bid; orange is down, sold, or asked. Green is well, yellow needs a look soon, vermilion now;
a word says so as well. The colours stay apart for people who confuse red and green.
"""


def start_here() -> dict:
    rows = [
        (8, [(24, note("What flows where", FLOW, "The way of a price from the exchange to this page."))]),
        (
            9,
            [
                (9, note("Where to look", QUESTIONS, "Which dashboard answers which question.")),
                (8, note("How to change a panel, and who is told", CHANGE, "Where the panels and alerts are made.")),
                (7, note("What the colours mean", COLOURS, "The same on every dashboard.")),
            ],
        ),
    ]
    return dashboard("start-here", "Start here", "What flows where, and where to look.", rows, [], "now-6h", "")
