"""The templates in an alert rule's annotations and labels, as Grafana expands them. Grafana uses
Go's text/template; our rules only use the labels and the value, so this accepts those and refuses
all other syntax, also what Go would accept."""

import re
from collections.abc import Mapping

ACTION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
# `.Labels.table` and, by Grafana's own prelude, `$labels.table`; `.Value` and `$value`.
LABEL = re.compile(r"(?:\.Labels|\$labels)\.([A-Za-z_][A-Za-z0-9_]*)")
VALUE = re.compile(r"\.Value|\$value")


class BadTemplate(ValueError):
    """Grafana would log an error and show the template itself."""


def expand(text: str, labels: Mapping[str, str], value: str) -> str:
    """The text of an annotation for one alert instance. Raises BadTemplate."""

    def replaced(action: re.Match[str]) -> str:
        inside = action[1].strip()
        if VALUE.fullmatch(inside):
            return value
        found = LABEL.fullmatch(inside)
        if found is None:
            raise BadTemplate(f"{action[0]}: expected a label or the value")
        if found[1] not in labels:
            raise BadTemplate(f"{action[0]}: the rule's query has no label {found[1]}")
        return labels[found[1]]

    literal = ACTION.sub("", text)
    if "{{" in literal or "}}" in literal:
        raise BadTemplate(f"{text}: braces that do not match")
    return ACTION.sub(replaced, text)


def query_labels(expression: str) -> set[str]:
    """The labels that the outermost aggregation of a PromQL expression keeps: `max by (a, b)`."""
    found = re.match(r"\s*\w+\s+by\s*\(([^)]*)\)", expression)
    return {name.strip() for name in found[1].split(",")} if found else set()
