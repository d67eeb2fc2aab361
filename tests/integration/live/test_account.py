"""The service account and its tokens, against the HTTP API as Grafana answers."""

import time
from collections.abc import Iterator

import pytest
import requests

from pipeline.live.account import NAME, TOKEN_SECONDS, ServiceAccount, account_of
from pipeline.live.connection import GrafanaUnavailable, PushRefused
from tests.integration.live.conftest import settings_for
from tests.support.live.grafana_server import ADMIN, GrafanaServer


class Clock:
    now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def account(grafana: GrafanaServer, clock: Clock) -> Iterator[ServiceAccount]:
    account = ServiceAccount(settings_for(grafana), clock)
    yield account
    account.close()


def test_account_is_made_with_the_role_that_the_push_needs(grafana: GrafanaServer, account: ServiceAccount) -> None:
    assert grafana.accounts.role(account.token()) == "Admin"
    (made,) = grafana.accounts.accounts.values()
    assert (made["name"], made["role"]) == (NAME, "Admin")


def test_existing_account_is_found_among_others_of_similar_names(
    grafana: GrafanaServer, account: ServiceAccount
) -> None:
    for name in (f"{NAME}-2", f"my-{NAME}", NAME):
        grafana.accounts.answer("POST", "/api/serviceaccounts", f'{{"name":"{name}","role":"Viewer"}}'.encode())
    assert grafana.accounts.role(account.token()) == "Admin"
    assert [each["role"] for each in grafana.accounts.accounts.values()] == ["Viewer", "Viewer", "Admin"]


def test_account_that_another_pusher_makes_at_the_same_time_is_used(
    grafana: GrafanaServer, account: ServiceAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, other = grafana.accounts.answer, []

    def answer_late(method: str, path: str, body: bytes) -> tuple:
        found = answer(method, path, body)
        if "/search" in path and not other:  # between our search and our POST
            other.append(answer("POST", "/api/serviceaccounts", f'{{"name":"{NAME}","role":"Admin"}}'.encode()))
        return found

    monkeypatch.setattr(grafana.accounts, "answer", answer_late)
    assert grafana.accounts.role(account.token()) == "Admin"
    assert len(grafana.accounts.accounts) == 1
    assert ("POST", "/api/serviceaccounts", 400) in grafana.requests


def test_disabled_account_is_enabled_again(grafana: GrafanaServer, account: ServiceAccount) -> None:
    account.token()
    (made,) = grafana.accounts.accounts.values()
    made["isDisabled"] = True
    account.refused()
    assert grafana.accounts.role(account.token()) == "Admin"


def test_token_is_kept_until_shortly_before_its_end_and_the_old_one_is_removed(
    grafana: GrafanaServer, account: ServiceAccount, clock: Clock
) -> None:
    first = account.token()
    assert account.token() == first
    assert not account.is_due()
    clock.now += TOKEN_SECONDS - 60
    assert account.is_due()
    second = account.token()
    assert second != first
    assert set(grafana.accounts.tokens) == {second}


def test_ended_tokens_of_killed_pushers_are_removed_and_living_ones_stay(
    grafana: GrafanaServer, account: ServiceAccount
) -> None:
    others = [ServiceAccount(settings_for(grafana)) for _ in range(2)]
    killed, living = (other.token() for other in others)
    grafana.accounts.tokens[killed]["end"] = 0.0
    own = account.token()
    assert set(grafana.accounts.tokens) == {living, own}


def test_token_is_removed_at_the_end(grafana: GrafanaServer, account: ServiceAccount) -> None:
    account.token()
    account.close()
    assert grafana.accounts.tokens == {}


def test_wrong_password_is_refused_with_what_to_do(grafana: GrafanaServer) -> None:
    account = ServiceAccount(settings_for(grafana, GRAFANA_PASSWORD="s3cret"))
    with pytest.raises(PushRefused, match="GRAFANA_PASSWORD") as caught:
        account.token()
    assert "s3cret" not in str(caught.value)


def test_unreachable_grafana_is_an_outage(grafana: GrafanaServer) -> None:
    grafana.stop()
    with pytest.raises(GrafanaUnavailable):
        ServiceAccount(settings_for(grafana)).token()


@pytest.mark.parametrize("answer", [{}, [], {"serviceAccounts": [{}]}, {"serviceAccounts": 7}, None, "text"])
def test_answer_of_another_server_is_an_outage(
    grafana: GrafanaServer, account: ServiceAccount, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    monkeypatch.setattr(grafana.accounts, "answer", lambda *_: (200, answer))
    with pytest.raises(GrafanaUnavailable):
        account.token()


def test_token_of_the_setting_is_used_as_it_is(grafana: GrafanaServer) -> None:
    account = account_of(settings_for(grafana, GRAFANA_LIVE_TOKEN="glsa_mine"))
    account.refused()
    assert (account.token(), account.is_due()) == ("glsa_mine", False)
    assert grafana.requests == []


def test_server_wants_an_administrator(grafana: GrafanaServer) -> None:
    """Of the server itself: otherwise the tests above would prove nothing."""
    search = f"{grafana.url}/api/serviceaccounts/search"
    assert requests.get(search, timeout=5).status_code == 401
    assert requests.get(search, headers={"Authorization": ADMIN}, timeout=5).status_code == 200
