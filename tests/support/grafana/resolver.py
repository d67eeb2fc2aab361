"""What a panel shows, without Grafana: sends the panel's queries to the running API or Prometheus
and returns the frames that the panel would receive. Knows HTTP and the query models."""

import json
import math
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import requests

from tests.support.grafana.infinity import Field, NoFrame, epoch_ms, frame
from tests.support.grafana.metric_names import fill_rate_interval
from tests.support.grafana.variables import View, chosen, view

# Points of a range query, at most as many as a panel has pixels.
POINTS = 300


class Resolver:
    """`addresses`: the URL of each data source, by its uid. `api_seconds`: total duration of the
    requests to the API. `browser_bytes`: what the browser gets of their responses, which Infinity
    copies as a whole beside the frame that it makes of them (seen with 3.11)."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = addresses
        self._session = requests.Session()
        self.requests = 0
        self.api_seconds = 0.0
        self.browser_bytes = 0

    def open(self, dashboard: Mapping[str, Any], now_ms: int, **values: str) -> View:
        """The dashboard as it looks when it is opened now: the default range, and variables from
        their queries or from `values`."""
        opened = view(dashboard, now_ms)
        chosen_values: dict[str, str] = {}
        for variable in dashboard["templating"]["list"]:
            options = self._options(variable, View(opened.from_ms, opened.to_ms, chosen_values))
            name, range_ms = variable["name"], opened.to_ms - opened.from_ms
            chosen_values[name] = values.get(name) or chosen(variable, options, range_ms)
        return View(opened.from_ms, opened.to_ms, chosen_values)

    def frames(self, target: Mapping[str, Any], opened: View) -> list[list[Field]]:
        """The frames of a target. Raises NoFrame where the panel would show an error."""
        kind = target["datasource"]["type"]
        if kind == "prometheus":
            return self._prometheus(target, opened)
        assert kind == "yesoreyeram-infinity-datasource", kind
        fields = self._infinity(target, opened)
        return [fields] if fields else []

    def _options(self, variable: Mapping[str, Any], opened: View) -> list[str]:
        if variable["type"] != "query":
            return []
        fields = self._infinity(variable["query"]["infinityQuery"], opened)
        return [value for field in fields if field.name == "__value" for value in field.values]

    def _infinity(self, query: Mapping[str, Any], opened: View) -> list[Field]:
        options = query["url_options"]
        assert (options["method"], query["pagination_mode"]) == ("GET", "none")
        parameters = {each["key"]: opened.filled(each["value"]) for each in options["params"]}
        started = time.perf_counter()
        address = self._addresses["market-api"] + opened.filled(query["url"])
        reply = self._session.get(address, params=parameters, timeout=10)
        self.api_seconds += time.perf_counter() - started
        self.requests += 1
        if reply.status_code >= 400:
            raise NoFrame(f"{reply.url}: unsuccessful HTTP response code {reply.status_code}: {reply.text}")
        fields = frame(reply.json(), query)
        self.browser_bytes += len(reply.content) + frame_bytes(fields)
        return fields

    def _prometheus(self, target: Mapping[str, Any], opened: View) -> list[list[Field]]:
        expression = fill_rate_interval(target["expr"])
        end = opened.to_ms / 1000
        if target["instant"]:
            return [_series(each) for each in self.promql("query", query=expression, time=end)]
        start = opened.from_ms / 1000
        step = max(5, (end - start) / POINTS)
        return [_series(each) for each in self.promql("query_range", query=expression, start=start, end=end, step=step)]

    def promql(self, kind: str, **parameters: Any) -> list[dict[str, Any]]:
        """The result of an instant or range query. Raises NoFrame."""
        reply = self._session.get(f"{self._addresses['prometheus']}/api/v1/{kind}", params=parameters, timeout=10)
        if reply.status_code != 200:
            raise NoFrame(f"{parameters['query']}: {reply.text}")
        return reply.json()["data"]["result"]


def has_values(frames: list[list[Field]]) -> bool:
    """Whether a panel would draw something: at least one finite number, or a text where there are
    no numbers."""
    fields = [field for fields in frames for field in fields]
    numbers = [value for field in fields if field.kind == "number" for value in field.values]
    if not numbers:
        return any(value for field in fields if field.kind == "string" for value in field.values)
    return any(value is not None and math.isfinite(value) for value in numbers)


def frame_bytes(fields: list[Field]) -> int:
    """About how large the values of a frame are as JSON, which Grafana sends to the browser."""
    return len(json.dumps([[epoch(value) for value in field.values] for field in fields], separators=(",", ":")))


def epoch(value: Any) -> Any:
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else value


def _series(series: Mapping[str, Any]) -> list[Field]:
    samples = series.get("values") or [series["value"]]
    times = tuple(epoch_ms(seconds * 1000) for seconds, _ in samples)
    values = tuple(float(value) for _, value in samples)
    return [Field("Time", "time", times), Field("Value", "number", values, series["metric"])]
