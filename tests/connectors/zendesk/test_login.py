"""Tokens of an account: refreshed in time, by one process of many, kept before they are used, and told when lost."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.errors import Unauthorized, Unavailable
from connectors.store import Store
from connectors.tokens import Pair
from connectors.zendesk import login
from connectors.zendesk.client import Zendesk
from tests.connectors.zendesk.conftest import Account

WORKERS = 3


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a migrated, empty store."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_store"))
    url = f"sqlite:///{tmp_path_factory.mktemp('tokens') / 'store.db'}"
    Store.open(url, migrate=True).close()
    return url


class Worker:
    """A process of ours: its own store, its own client."""

    def __init__(self, account: Account, url: str, sleep: Callable[[float], None] | None = None) -> None:
        self.store = Store.open(url)

        def secret(name: str) -> SecretStr | None:
            return SecretStr(account.secrets[name]) if name in account.secrets else None

        clock = account.sandbox.core.clock
        self.client = Zendesk(
            account.sandbox.urls["zendesk"],
            secret=secret,
            sleep=sleep or (lambda seconds: None),
            clock=lambda: clock.now().timestamp(),
            keeper=self.store,
        )

    def close(self) -> None:
        self.client.close()
        self.store.close()


@pytest.fixture
def worker(account: Account, store_url: str) -> Iterator[Callable[..., Worker]]:
    """Starts workers for an account whose client has a refresh token."""
    account.secrets["ZENDESK_REFRESH_TOKEN"] = consented(account)
    started: list[Worker] = []

    def begin(**more: Any) -> Worker:
        started.append(Worker(account, store_url, **more))
        return started[-1]

    yield begin
    for one in started:
        one.close()


def consented(account: Account) -> str:
    """A refresh token, as it comes out of the consent page."""
    user = account.sim.account.user_by_email(account.sim.service_email)
    assert user is not None
    body = {"grant_type": "authorization_code", "code": account.sim.auth.consent(user)}
    client = {"client_id": account.sim.auth.client_id, "client_secret": account.sim.auth.client_secret}
    return str(account.sim.auth.grant(body | client)["refresh_token"])


def exchanges(account: Account) -> int:
    """How often somebody asked for a token."""
    return len([row for row in account.sandbox.core.recorder.latest(300) if row["path"] == "/oauth/tokens"])


def test_a_chain_of_refreshes(account: Account, worker: Callable[..., Worker]) -> None:
    """Each token is used until shortly before its end; its successor lives on in the store, for the next process."""
    first = worker()
    assert first.client.me()
    assert exchanges(account) == 1
    for _ in range(3):
        account.sandbox.advance(1800)
        assert first.client.me()
    assert exchanges(account) == 4
    assert worker().client.me()
    assert exchanges(account) == 4, "another process uses the kept one"


def test_two_refresh_at_once(account: Account, worker: Callable[..., Worker]) -> None:
    """However many workers find the token at its end: one exchanges it, all go on."""
    workers = [worker() for _ in range(WORKERS)]
    workers[0].client.me()
    account.sandbox.advance(1800)
    start = Barrier(WORKERS)

    def ask(one: Worker) -> bytes:
        start.wait()
        return one.client.me()

    with ThreadPoolExecutor(WORKERS) as pool:
        assert all(pool.map(ask, workers))
    assert exchanges(account) == 2


def test_a_refused_token_is_refreshed_once(account: Account, worker: Callable[..., Worker]) -> None:
    """It ended early, in the middle of a run: one refresh, and the other worker finds the new one at its own 401."""
    one, other = worker(), worker()
    one.client.me()
    other.client.me()
    account.sim.auth.expire()
    assert one.client.me()
    assert other.client.me()
    assert exchanges(account) == 2


def test_waiting_for_somebody_elses_refresh(account: Account, worker: Callable[..., Worker]) -> None:
    """While another refreshes we wait for its result and use that; where none comes, the next pulse tries again."""
    holder = worker().store
    first = account.secrets["ZENDESK_REFRESH_TOKEN"]
    claim = holder.claim_refresh("zendesk", "another", 120)
    assert claim is not None
    waits: list[float] = []
    patient = worker(sleep=waits.append)
    with pytest.raises(
        Unavailable, match="another run has been refreshing the tokens for long; the next pulse goes on"
    ):
        patient.client.me()
    assert (sum(waits), exchanges(account)) == (9.5, 0)

    def done(_: float) -> None:
        """The other one is ready."""
        body = {"grant_type": "refresh_token", "refresh_token": first}
        client = {"client_id": account.sim.auth.client_id, "client_secret": account.sim.auth.client_secret}
        new = account.sim.auth.grant(body | client)
        ends = int(account.sandbox.core.clock.now().timestamp()) + new["expires_in"]
        holder.keep_pair("zendesk", first, first, Pair(new["access_token"], new["refresh_token"], ends))

    assert worker(sleep=done).client.me()
    assert exchanges(account) == 0


class Dead(BaseException):
    """The process ends here."""


def test_a_crash_before_the_new_pair_was_kept(
    account: Account, worker: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old pair is gone, the new one was lost: said as what it is, with the one thing that helps; and that helps."""

    def dies(*_: Any) -> bool:
        raise Dead

    victim = worker()
    monkeypatch.setattr(victim.store, "keep_pair", dies)
    with pytest.raises(Dead):
        victim.client.me()
    survivor = worker()
    with pytest.raises(
        Unauthorized, match=r"the refresh token is refused .*authorise the client again and set ZENDESK_R"
    ):
        survivor.client.me()
    account.secrets["ZENDESK_REFRESH_TOKEN"] = consented(account)
    assert survivor.client.me()
    assert worker().client.me()


def test_a_dead_claim_ends(account: Account, worker: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever died before the exchange keeps nobody from it for longer than its claim."""
    monkeypatch.setattr(login, "_CLAIM", -1)
    victim = worker()
    assert victim.store.claim_refresh("zendesk", "dead", -1) is not None
    assert worker().client.me()


def test_an_answer_that_was_lost(account: Account, worker: Callable[..., Worker]) -> None:
    """The exchange was done and its answer cut off: the same as a crash, told at once. Cut before: tried again."""
    account.fault(kind="cut_before", path="/oauth/tokens", count=1)
    assert worker().client.me()
    account.sandbox.advance(1800)
    account.fault(kind="cut_after", path="/oauth/tokens", count=1)
    with pytest.raises(Unauthorized, match="authorise the client again"):
        worker().client.me()


@pytest.mark.parametrize("loss", ["revoked", "expired"])
def test_a_chain_that_ends(account: Account, worker: Callable[..., Worker], loss: str) -> None:
    """Revoked by an admin, or unused for longer than a refresh token lives: told, with what to do."""
    one = worker()
    one.client.me()
    if loss == "revoked":
        account.sim.auth.revoke()
    else:
        account.sandbox.advance(31 * 86400)
    with pytest.raises(Unauthorized, match="set ZENDESK_REFRESH_TOKEN") as told:
        one.client.me()
    assert account.secrets["ZENDESK_REFRESH_TOKEN"] not in str(told.value)


def test_a_wrong_client_is_not_taken_for_a_lost_token(account: Account, worker: Callable[..., Worker]) -> None:
    """A rotated client secret is named as such, uses up no refresh token, and counts as soon as it is put right."""
    right = account.secrets["ZENDESK_CLIENT_SECRET"]
    account.secrets["ZENDESK_CLIENT_SECRET"] = "old"
    one = worker()
    with pytest.raises(Unauthorized, match="check ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET"):
        one.client.me()
    account.secrets["ZENDESK_CLIENT_SECRET"] = right
    assert one.client.me()


def test_a_refresh_token_needs_a_keeper(account: Account) -> None:
    """Without a store its successor would be lost with the process: refused before it is used up."""
    account.secrets["ZENDESK_REFRESH_TOKEN"] = consented(account)
    with pytest.raises(Unauthorized, match="no store keeps its successors"):
        account.connect().me()
    assert exchanges(account) == 0


def test_the_oldest_of_too_many_tokens_goes(account: Account) -> None:
    """An account keeps 256 tokens: whoever holds the one that went is told 401, and fetches another."""
    account.client.me()
    body = {"grant_type": "client_credentials", "scope": "read write"}
    client = {"client_id": account.sim.auth.client_id, "client_secret": account.sim.auth.client_secret}
    for _ in range(256):
        account.sim.auth.grant(body | client)
    before = exchanges(account)
    assert account.client.me()
    assert exchanges(account) == before + 1
