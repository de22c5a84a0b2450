"""Our PagerDuty client against the simulated account, over real HTTP: pages, their fate, faults on both sides."""

from datetime import timedelta

import pytest

from connectors.errors import BadRequest, NotFound, TooMany, Unauthorized, Unavailable, Uncertain
from mappings.model import PageStatus
from tests.connectors.pagerduty.conftest import KEY, SERVICE, Account


def test_services_and_their_keys(account: Account) -> None:
    """Each service's routing key by its name, asked once a run."""
    assert set(account.client.services()) == {"support-on-call", "billing-on-call"}
    calls = account.client.policy.calls
    assert len(account.client.services()[SERVICE]) == 32
    assert account.client.policy.calls == calls


def test_the_life_of_a_page(account: Account) -> None:
    """Triggered, acknowledged by somebody at some time, resolved: as the incident tells it."""
    assert account.client.incident_by_key(KEY) is None
    assert account.trigger() == KEY
    page = account.incident()
    assert page is not None
    assert (page.status, page.dedup_key, page.title) == (PageStatus.TRIGGERED, KEY, "P1 is late")
    account.sim.acknowledge(page.id)
    taken = account.incident()
    assert taken is not None
    assert taken.status is PageStatus.ACKNOWLEDGED
    assert taken.acknowledged_by
    assert taken.acknowledged_at is not None
    assert taken.updated_at >= taken.acknowledged_at
    account.resolve()
    closed = account.incident()
    assert closed is not None
    assert (closed.status, closed.id) == (PageStatus.RESOLVED, page.id)
    assert closed.resolved_at is not None


def test_paging_twice_pages_once(account: Account) -> None:
    """The same key while the page is open is the same page; after its end it would be a new one."""
    account.trigger()
    account.trigger()
    assert len(account.sim.account.incidents) == 0
    account.incident()
    assert len(account.sim.account.incidents) == 1
    account.resolve()
    account.incident()
    account.trigger()
    newest = account.incident()
    assert len(account.sim.account.incidents) == 2
    assert newest is not None
    assert newest.status is PageStatus.TRIGGERED


def test_an_old_page_is_still_found(account: Account) -> None:
    """PagerDuty lists a month by default; a page is found by its key at any age."""
    account.trigger()
    account.incident()
    account.sandbox.advance(timedelta(days=70).total_seconds())
    assert account.incident() is not None


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "cut_before"},
        {"kind": "cut_after"},
        {"kind": "truncate"},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 500, "after": True},
        {"kind": "status", "status": 429, "headers": {}},
        {"kind": "html"},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
def test_a_page_gets_through_one_fault(account: Account, fault: dict[str, object]) -> None:
    """Whatever goes wrong once, on either side of the effect, somebody is paged, and once."""
    account.client.services()
    account.fault(path="enqueue", count=1, **fault)
    assert account.trigger() == KEY
    assert account.incident() is not None
    assert len(account.sim.account.incidents) == 1


@pytest.mark.parametrize("kind", ["away", "cut_after"])
def test_a_page_without_an_answer_is_uncertain(account: Account, kind: str) -> None:
    """Where no try gets an answer, the page may be out; it is looked up by its key."""
    account.client.services()
    account.fault(path="enqueue", kind=kind)
    with pytest.raises((Uncertain, Unavailable)):
        account.trigger()
    account.sandbox.core.faults.load([])
    assert (account.incident() is not None) == (kind == "cut_after")


def test_a_storm_of_429_ends(account: Account) -> None:
    """The library would wait for ever; we give up after a few tries, and know that nothing was queued."""
    account.client.services()
    account.fault(path="enqueue", kind="status", status=429)
    with pytest.raises(TooMany):
        account.trigger()
    assert len(account.waits) == 3
    assert account.incident() is None


def test_a_key_that_is_no_key(account: Account) -> None:
    """A wrong account key stops the connector; a renewed one is read at the next 401."""
    account.client.services()
    right = account.secrets["PAGERDUTY_TOKEN"]
    account.secrets["PAGERDUTY_TOKEN"] = "wrong"
    stranger = account.connect()
    with pytest.raises(Unauthorized) as told:
        stranger.services()
    assert told.value.code == "2006"
    assert "wrong" not in str(told.value)
    account.secrets["PAGERDUTY_TOKEN"] = right
    assert stranger.services()


def test_events_say_what_is_wrong_with_them(account: Account) -> None:
    """A page that PagerDuty refuses is our fault, and is told in its words."""
    broken = {"routing_key": account.client.services()[SERVICE], "event_action": "trigger", "dedup_key": KEY}
    with pytest.raises(BadRequest, match=r"payload|invalid"):
        account.client.send({**broken, "payload": {"summary": "s", "source": "us", "severity": "terrible"}})


def test_notes_need_a_sender(account: Account) -> None:
    """A note is written in the name of the From user; without one PagerDuty refuses it."""
    account.trigger()
    page = account.incident()
    assert page is not None
    account.client.add_note(page.id, "Escalated to management.")
    notes = account.sandbox.core.journal.rows(vendor="pagerduty", record=f"pagerduty:{page.id}")
    assert "Escalated to management." in str([row.detail for row in notes])
    with pytest.raises(BadRequest):
        account.connect(sender=None).add_note(page.id, "Who wrote this?")


def test_what_happened_since(account: Account) -> None:
    """Log entries tell who acknowledged what; on-calls tell who would be paged now."""
    account.trigger()
    page = account.incident()
    assert page is not None
    account.sim.acknowledge(page.id)
    rows = account.client.log_entries("2026-03-03T14:00:00Z")
    assert {"trigger_log_entry", "acknowledge_log_entry"} <= {row["type"] for row in rows}
    assert all(row["incident"]["id"] == page.id for row in rows)
    assert account.client.on_calls()
    assert len(account.client.incidents([page.id])) == 1
    with pytest.raises(NotFound):
        account.client.incidents(["PNONE"])


def test_the_budget_is_known(account: Account) -> None:
    """What PagerDuty says of its window is kept."""
    account.client.services()
    window = account.client.policy.budget.window()
    assert window is not None
    assert (window.limit, window.left) == (960, 959)
