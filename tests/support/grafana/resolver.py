"""What a panel shows, without Grafana: asks the running API or Prometheus what the panel asks, and
makes the frames the panel would get. Knows HTTP and the query models."""

import math
import time
from collections.abc import Mapping
from typing import Any

import requests

from tests.support.grafana.infinity import Field, NoFrame, epoch_ms, frame
from tests.support.grafana.metric_names import fill_rate_interval
from tests.support.grafana.variables import View, chosen, view

# Points of a query over a range, as many as a panel has pixels or fewer.
POINTS = 300


class Resolver:
    """`addresses`: where each data source is, by its uid. `api_seconds` adds up the time that API
    requests took."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = addresses
        self._session = requests.Session()
        self.requests = 0
        self.api_seconds = 0.0

    def open(self, dashboard: Mapping[str, Any], now_ms: int, **values: str) -> View:
        """The dashboard as somebody opens it now: default range, variables from their queries, or
        as given."""
        seen = view(dashboard, now_ms)
        found: dict[str, str] = {}
        for variable in dashboard["templating"]["list"]:
            options = self._options(variable, View(seen.from_ms, seen.to_ms, found))
            name, range_ms = variable["name"], seen.to_ms - seen.from_ms
            found[name] = values.get(name) or chosen(variable, options, range_ms)
        return View(seen.from_ms, seen.to_ms, found)

    def frames(self, target: Mapping[str, Any], seen: View) -> list[list[Field]]:
        """The frames of a target. Raises NoFrame where the panel would show an error."""
        kind = target["datasource"]["type"]
        if kind == "prometheus":
            return self._prometheus(target, seen)
        assert kind == "yesoreyeram-infinity-datasource", kind
        found = self._infinity(target, seen)
        return [found] if found else []

    def _options(self, variable: Mapping[str, Any], seen: View) -> list[str]:
        if variable["type"] != "query":
            return []
        fields = self._infinity(variable["query"]["infinityQuery"], seen)
        return [value for field in fields if field.name == "__value" for value in field.values]

    def _infinity(self, query: Mapping[str, Any], seen: View) -> list[Field]:
        given = query["url_options"]
        assert (given["method"], query["pagination_mode"]) == ("GET", "none")
        parameters = {each["key"]: seen.filled(each["value"]) for each in given["params"]}
        began = time.perf_counter()
        address = self._addresses["market-api"] + seen.filled(query["url"])
        reply = self._session.get(address, params=parameters, timeout=10)
        self.api_seconds += time.perf_counter() - began
        self.requests += 1
        if reply.status_code >= 400:
            raise NoFrame(f"{reply.url}: unsuccessful HTTP response code {reply.status_code}: {reply.text}")
        return frame(reply.json(), query)

    def _prometheus(self, target: Mapping[str, Any], seen: View) -> list[list[Field]]:
        expression = fill_rate_interval(target["expr"])
        end = seen.to_ms / 1000
        if target["instant"]:
            return [_series(each) for each in self.promql("query", query=expression, time=end)]
        start = seen.from_ms / 1000
        step = max(5, (end - start) / POINTS)
        return [_series(each) for each in self.promql("query_range", query=expression, start=start, end=end, step=step)]

    def promql(self, kind: str, **parameters: Any) -> list[dict[str, Any]]:
        """The result of an instant or range query. Raises NoFrame."""
        reply = self._session.get(f"{self._addresses['prometheus']}/api/v1/{kind}", params=parameters, timeout=10)
        if reply.status_code != 200:
            raise NoFrame(f"{parameters['query']}: {reply.text}")
        return reply.json()["data"]["result"]


def has_values(frames: list[list[Field]]) -> bool:
    """Whether a panel would draw something: some number that is one."""
    numbers = [value for fields in frames for field in fields if field.kind == "number" for value in field.values]
    return any(value is not None and math.isfinite(value) for value in numbers)


def _series(found: Mapping[str, Any]) -> list[Field]:
    samples = found.get("values") or [found["value"]]
    times = tuple(epoch_ms(moment * 1000) for moment, _ in samples)
    values = tuple(float(value) for _, value in samples)
    return [Field("Time", "time", times), Field("Value", "number", values, found["metric"])]
