"""What a browser gets per refresh: at most a third of what a real Grafana was seen to send when the
panels did not request their columns."""

import copy

import pytest

from tests.support.grafana.files import dashboards, targets
from tests.support.grafana.sizes import browser_kib

DASHBOARDS = dashboards()
EARLIER_KIB = {"market-overview": 229, "symbol": 242}


@pytest.mark.parametrize(("uid", "earlier"), EARLIER_KIB.items())
def test_refresh_sends_at_most_a_third_of_what_it_once_sent(uid: str, earlier: int) -> None:
    found = browser_kib(DASHBOARDS[uid])
    print(f"\n{uid}: {found:.1f} KiB, once {earlier}")
    assert found <= earlier / 3


def test_more_points_cost_more() -> None:
    symbol = copy.deepcopy(DASHBOARDS["symbol"])
    for _, target in targets(symbol):
        for parameter in target["url_options"]["params"]:
            if parameter["key"] == "points":
                parameter["value"] = "500"
    assert browser_kib(symbol) > EARLIER_KIB["symbol"] / 3
