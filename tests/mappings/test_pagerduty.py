"""PagerDuty's JSON and our words: what a page says, and never says; what an incident tells."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.model import PageStatus
from mappings.pagerduty import SUMMARY_LIMIT, event, incident
from mappings.plan import PageResolve, PageTrigger

KEY = "hf-zendesk:123-1772550000"


def a_page(**changes: Any) -> PageTrigger:
    """A page for support."""
    return PageTrigger(**{"dedup_key": KEY, "service": "support-on-call", "summary": "P1 is late", **changes})


def test_a_page() -> None:
    """A trigger carries its key, summary, severity, details and the way to the ticket."""
    link = "https://acme.zendesk.com/agent/tickets/123"
    assert event(a_page(link=link, details={"due": "14:00"}), "R" * 32) == {
        "routing_key": "R" * 32,
        "event_action": "trigger",
        "dedup_key": KEY,
        "payload": {
            "summary": "P1 is late",
            "source": "helpdesk-flows",
            "severity": "critical",
            "custom_details": {"due": "14:00"},
        },
        "client": "helpdesk-flows",
        "client_url": link,
        "links": [{"href": link, "text": "Ticket"}],
    }


def test_the_end_of_a_page() -> None:
    """A resolve needs the key alone."""
    sent = event(PageResolve(dedup_key=KEY, service="support-on-call"), "R" * 32)
    assert sent == {"routing_key": "R" * 32, "event_action": "resolve", "dedup_key": KEY}


@given(st.text(max_size=3000), st.text(min_size=1, max_size=255))
def test_a_page_fits(summary: str, key: str) -> None:
    """PagerDuty's limits hold whatever the summary; the key is never touched."""
    sent = event(a_page(summary=summary, dedup_key=key), "R" * 32)
    assert len(sent["payload"]["summary"]) <= SUMMARY_LIMIT
    assert summary.startswith(sent["payload"]["summary"])
    assert sent["dedup_key"] == key


def an_incident(**changes: Any) -> bytes:
    """An incident as REST prints it."""
    row = {"id": "P1", "status": "triggered", "created_at": "2026-03-03T15:00:00Z", "title": "P1 is late"}
    return json.dumps(row | {"updated_at": "2026-03-03T15:05:00Z", "incident_key": KEY} | changes).encode()


def at(minute: int) -> datetime:
    """A minute after three."""
    return datetime(2026, 3, 3, 15, minute, tzinfo=UTC)


ANN = {"at": "2026-03-03T15:03:00Z", "acknowledger": {"id": "U1", "summary": "Ann"}}
BO = {"at": "2026-03-03T15:01:00Z", "acknowledger": {"id": "U2", "summary": "Bo"}}


@pytest.mark.parametrize(
    ("row", "status", "acknowledged", "by", "resolved"),
    [
        ({}, PageStatus.TRIGGERED, None, None, None),
        ({"status": "acknowledged", "acknowledgements": [ANN, BO]}, PageStatus.ACKNOWLEDGED, at(1), "Bo", None),
        (
            {"status": "acknowledged", "acknowledgements": [{"at": BO["at"]}]},
            PageStatus.ACKNOWLEDGED,
            at(1),
            None,
            None,
        ),
        ({"status": "resolved", "resolved_at": "2026-03-03T15:04:00Z"}, PageStatus.RESOLVED, None, None, at(4)),
        ({"status": "resolved", "resolved_at": None}, PageStatus.RESOLVED, None, None, at(5)),
        ({"something_new": [1], "priority": None}, PageStatus.TRIGGERED, None, None, None),
    ],
)
def test_an_incident(
    row: dict[str, Any], status: PageStatus, acknowledged: datetime | None, by: str | None, resolved: datetime | None
) -> None:
    """Its state, who took it first and when, and when it ended, also where only `updated_at` says so."""
    found = incident(an_incident(**row), KEY)
    assert (found.status, found.acknowledged_at, found.acknowledged_by, found.resolved_at) == (
        status,
        acknowledged,
        by,
        resolved,
    )
    assert (found.id, found.dedup_key, found.updated_at) == ("P1", KEY, at(5))


@pytest.mark.parametrize("change", [{"status": "sleeping"}, {"created_at": None}, {"id": 7}])
def test_an_incident_that_cannot_be_read(change: dict[str, Any]) -> None:
    """The field that is wrong is named."""
    with pytest.raises(msgspec.ValidationError, match=f"\\.{next(iter(change))}"):
        incident(an_incident(**change), KEY)
