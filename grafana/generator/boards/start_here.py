"""Start here: how data flows, and which dashboard answers which question."""

from grafana.generator.boards.data_source import data_source
from grafana.generator.dashboard import HORIZON, INTERVAL, QUOTE_ASSET, SYMBOL, dashboard, hidden
from grafana.generator.panels import text_panel

# One step per line: a drawing from left to right would wrap on a phone.
FLOW = """
1. The **exchange** is polled by the **producer**, without gaps.
2. **PostgreSQL** holds the current truth.
3. **Debezium** reads PostgreSQL's WAL: each row that changes becomes one event.
4. **Kafka** keeps the events.
5. The **consumer** writes each event as one row, in batches and with versions.
6. **Cassandra** holds the history.
7. The **API** reads single partitions of Cassandra and answers in JSON.
8. The **live pusher** reads the same events of Kafka and sends them into open dashboards at once.
9. **Grafana** queries the API through Infinity, and Prometheus, which collects the metrics of every program.

A change is usually in Cassandra within a fifth of a second.
"""
REST = "?${__url_time_range}&${__all_variables}"
QUESTIONS = f"""
| question | dashboard |
|---|---|
| What is the market doing? | [Market overview](/d/market-overview{REST}) |
| What is one symbol doing? | [Symbol](/d/symbol{REST}) |
| What is it doing right now, as changes come? | [Live](/d/live{REST}) |
| How far may its price move, and how good were the forecasts? | [Forecast](/d/forecast{REST}) |
| Is everything running, and how fresh is it? | [Pipeline health](/d/pipeline-health{REST}) |

Every link keeps the time range and the chosen symbol.
"""
CHANGE = """
The panels are defined in `grafana/generator/boards`, one file per dashboard;
`python3 -m grafana.generator` writes the JSON.
Changes made in the browser cannot be saved: they would be lost at the next start.

Alerts are listed under [Alerting](/alerting/list). Notifications are off until `ALERT_WEBHOOK_URL` is set.
"""
COLOURS = """
In charts, blue is up, bought or bid, and orange is down, sold or ask. As text, blue is up and red is down, because
orange cannot be read on white. A number without a colour means neither. Green tiles are OK, yellow ones need attention
soon, and brown ones need attention now; a word says the same.
Readers with a red-green colour deficiency can tell the colours apart.
"""


def start_here() -> dict:
    flow = text_panel("How data flows", FLOW, "The path of a price from the exchange to this page.")
    questions = text_panel("Where to look", QUESTIONS, "Which dashboard answers which question.")
    rows = [
        (9, [(11, flow), (9, questions), (4, data_source())]),
        (
            7,
            [
                (
                    12,
                    text_panel(
                        "How to change panels and notifications", CHANGE, "Where the panels and alerts are defined."
                    ),
                ),
                (12, text_panel("What the colours mean", COLOURS, "The same on every dashboard.")),
            ],
        ),
    ]
    variables = [hidden(SYMBOL), hidden(INTERVAL), hidden(QUOTE_ASSET), hidden(HORIZON)]
    return dashboard("start-here", "Start here", "How data flows, and where to look.", rows, variables, "now-6h", "")
