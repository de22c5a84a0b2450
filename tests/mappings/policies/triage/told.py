"""Tickets for tests of triage: a story with texts and addresses, what is decided on it, and that carried out."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from flows.context import load_replies
from mappings.model import Actor, EventKind, History
from mappings.plan import Action, TicketChange
from mappings.policies.sla.measures import Life, live
from mappings.policies.triage import Staff, triage
from mappings.profile import Profile
from mappings.timeline import build
from tests.profiles import CONFIG, profile
from tests.stories import Story

REPLIES = load_replies(Path(CONFIG))
FIELDS = frozenset(
    {"severity", "kind", "module", "source", "affected_users", "working", "tier", "builder_id", "user_id", "user_role"}
    | {"current_url", "plan_at_submission"}
)
TUESDAY = "2026-03-03 10:00"
GROUPS = {1: "Support", 2: "Technical", 3: "Engineering", 4: "Management", 5: "Product"}
GROUPS |= {6: "Billing", 7: "Sales", 8: "Success", 9: "Leads", 10: "Security"}


def staff(**members: Sequence[int]) -> Staff:
    """Agents by group; nobody has anything to do."""
    return Staff(groups=GROUPS, members={name: frozenset(ids) for name, ids in members.items()})


NOBODY = Staff(groups=GROUPS)


def filed(created: str = TUESDAY, **more: Any) -> Story:
    """A ticket of which nobody has said anything yet."""
    return Story(created, **{"severity": None, "kind": None, **more})


def history(story: Story, **ticket: Any) -> History:
    """A story's ticket with what is not told in events: subject, description, recipient, channel …"""
    told = story.history()
    now = told.ticket
    plain = {name: now.fields[name] for name in ("priority", "module") if name in now.fields}
    fields = {name: value for name, value in now.fields.items() if name not in plain}
    changed = {"submitter_id": 9, "requester_id": 9, **plain, "fields": fields, **ticket}
    person = msgspec.structs.replace(told.requester, company_id=7, external_id="u-1")  # type: ignore[type-var]
    company = msgspec.structs.replace(told.company, external_id="co-1")  # type: ignore[type-var]
    return msgspec.structs.replace(
        told, ticket=msgspec.structs.replace(now, **changed), requester=person, company=company
    )


def life_of(story: Story, org: Profile, **ticket: Any) -> Life:
    """A story as policies look at it."""
    found = history(story, **ticket)
    return live(found, build(found), org, GROUPS)


def decided(
    story: Story, org: Profile | None = None, *, hands: Staff = NOBODY, now: datetime | None = None, **ticket: Any
) -> list[Action]:
    """What triage wants done for a story, an hour after its last event unless said otherwise."""
    org = org or profile("builder")
    at = now or story.last + timedelta(hours=1)
    return triage(life_of(story, org, **ticket), org, hands, REPLIES, at, fields=FIELDS)


def fields(actions: Sequence[Action]) -> dict[str, str | None]:
    """The fields that are set, with priority and group."""
    found: dict[str, str | None] = {}
    for change in changes(actions):
        found |= change.fields
        found |= {"priority": change.priority} if change.priority else {}
        found |= {"group": change.group} if change.group else {}
    return found


def changes(actions: Sequence[Action]) -> list[TicketChange]:
    """What actions do to the ticket."""
    return [action.change for action in actions if isinstance(action.change, TicketChange)]


def carried_out(story: Story, actions: Sequence[Action], minute: str) -> Story:
    """The story goes on: we do what was decided."""
    done: dict[str, str | None] = {}
    numbers = {name: id for id, name in GROUPS.items()}
    tags = set((story.values.get("tags") or "").split())
    for change in changes(actions):
        done |= change.fields
        done |= {"priority": change.priority} if change.priority else {}
        done |= {"group_id": str(numbers[change.group])} if change.group else {}
        done |= {"assignee_id": str(change.assignee_id)} if change.assignee_id else {}
        tags = (tags | set(change.add_tags)) - set(change.remove_tags)
        if change.reply is not None:
            story.reply(minute, Actor.US)
    if tags != set((story.values.get("tags") or "").split()):
        done["tags"] = " ".join(sorted(tags)) or None
    return story.set(minute, Actor.US, **done)


def form(story: Story, **answers: str) -> Story:
    """What the customer's form said beside severity and kind."""
    for name, value in answers.items():
        story.values[name] = value
        story._event(story.created, Actor.CUSTOMER, EventKind.CREATE, field=name, new=value)
    return story
