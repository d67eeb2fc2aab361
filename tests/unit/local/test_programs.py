from types import SimpleNamespace
from typing import Any

import pytest

from local.services.programs import kind_of_exchange


@pytest.mark.parametrize(
    ("base_url", "kind"),
    [
        ("http://127.0.0.1:9600", "simulator"),
        ("http://localhost:9600", "simulator"),
        ("https://data-api.binance.vision", "live"),
        ("http://127.0.0.1:9700", None),  # an exchange of the user's on this machine
    ],
)
def test_kind_of_exchange_is_known_from_its_address(base_url: str, kind: str | None) -> None:
    site: Any = SimpleNamespace(
        settings=SimpleNamespace(BINANCE_BASE_URL=base_url), ports=SimpleNamespace(simulator=9600)
    )
    assert kind_of_exchange(site) == kind
