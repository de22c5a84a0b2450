"""PagerDuty's JSON and our vocabulary: pages as events, incidents and log entries as what became of them."""

from datetime import datetime
from typing import Any

import msgspec

from mappings.model import Incident, PageStatus
from mappings.plan import PageResolve, PageTrigger

SOURCE = "helpdesk-flows"
SUMMARY_LIMIT = 1024


class _Reference(msgspec.Struct):
    summary: str | None = None


class _Acknowledgement(msgspec.Struct):
    at: datetime
    acknowledger: _Reference | None = None


class _Entry(msgspec.Struct):
    type: str
    created_at: datetime
    agent: _Reference | None = None


class _Log(msgspec.Struct):
    log_entries: list[_Entry] = []


class _Key(msgspec.Struct):
    incident_key: str | None = None


class _Incident(msgspec.Struct):
    id: str
    status: PageStatus
    created_at: datetime
    incident_key: str | None = None
    updated_at: datetime | None = None
    last_status_change_at: datetime | None = None
    title: str = ""
    html_url: str | None = None
    urgency: str | None = None
    resolved_at: datetime | None = None
    acknowledgements: list[_Acknowledgement] = []
    last_status_change_by: _Reference | None = None


def event(change: PageTrigger | PageResolve, routing_key: str) -> dict[str, Any]:
    """A page, or its end, as an Events v2 body (vendor-facts §4.7)."""
    if isinstance(change, PageResolve):
        return {"routing_key": routing_key, "event_action": "resolve", "dedup_key": change.dedup_key}
    body: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": change.dedup_key,
        "payload": {
            "summary": change.summary[:SUMMARY_LIMIT],
            "source": SOURCE,
            "severity": change.severity,
            "custom_details": dict(change.details),
        },
        "client": SOURCE,
    }
    if change.link is not None:
        body |= {"client_url": change.link, "links": [{"href": change.link, "text": "Ticket"}]}
    return body


def incident(body: bytes, dedup_key: str) -> Incident:
    """A REST incident. Raises msgspec.ValidationError naming the field that is wrong."""
    row = msgspec.json.decode(body, type=_Incident)
    first = min(row.acknowledgements, key=lambda acknowledgement: acknowledgement.at, default=None)
    changed = row.updated_at or row.last_status_change_at or row.created_at
    return Incident(
        id=row.id,
        dedup_key=dedup_key,
        status=row.status,
        created_at=row.created_at,
        updated_at=changed,
        title=row.title,
        url=row.html_url,
        urgency=row.urgency,
        acknowledged_at=first.at if first else None,
        acknowledged_by=first.acknowledger.summary if first and first.acknowledger else None,
        resolved_at=row.resolved_at or (changed if row.status is PageStatus.RESOLVED else None),
    )


def key_of(body: bytes) -> str | None:
    """The dedup key that a REST incident was opened with; null for one that nobody gave a key."""
    return msgspec.json.decode(body, type=_Key).incident_key


def taken(found: Incident, log: bytes) -> Incident:
    """An incident with its first acknowledgement from its log: once it is resolved, it tells of none itself."""
    entries = msgspec.json.decode(log, type=_Log).log_entries
    taking = [entry for entry in entries if entry.type.startswith("acknowledge_log_entry")]
    first = min(taking, key=lambda entry: entry.created_at, default=None)
    if first is None:
        return found
    by = first.agent.summary if first.agent else None
    return msgspec.structs.replace(found, acknowledged_at=first.created_at, acknowledged_by=by)
