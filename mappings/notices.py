"""Telling colleagues: from a route of the profile and what happened to the messages that go out (NTF-01, ESC-11).

A route that lies in the ticket (its assignee, a group) is told by a note; one with Slack or mail also by a message.
Slack goes first and mail takes over where it fails; what is critical is told in every way that the route has. No name,
subject or address of a customer leaves the ticket (SEC-07).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from mappings.plan import Action, Lane, Message, TicketChange
from mappings.profile import Do, Profile, Route
from mappings.reasons import clock_face
from mappings.schedules import next_time

VERB = "message"
SENSE = timedelta(hours=8)
"""How long a message makes sense: a working day. One for a digest waits for its time."""
_DIGEST_BY = "support"
"""The route by which a digest goes that has no way of its own."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a message may say of a ticket."""

    ticket_id: int
    facts: Mapping[str, object]
    says: str
    """What happened, in words without anything personal."""
    at: datetime
    due_at: datetime | None = None
    link: str | None = None


def ways(route: Route, profile: Profile) -> tuple[str, ...]:
    """How a route is reached outside the ticket, in order; a tool that is off in the profile is left out."""
    found = []
    if route.slack is not None and profile.tools.slack:
        if route.slack != "direct":
            found.append(f"slack {route.slack}")
        elif route.email is not None:
            found.append(f"slack direct {route.email}")
    if route.email is not None and profile.tools.mail:
        found.append(f"mail {route.email}")
    if not found and route.digest is not None and route.key != _DIGEST_BY and _DIGEST_BY in profile.routes:
        return ways(profile.routes[_DIGEST_BY], profile)
    return tuple(found)


def headline(ticket_id: int, facts: Mapping[str, object], profile: Profile) -> str:
    """`P1 System down: ticket 123 (business)`."""
    severity = profile.severities.get(str(facts.get("severity")))
    words = severity.title if severity else "Ticket"
    return f"{words}: ticket {ticket_id} ({facts.get('plan') or 'unknown plan'})"


def mentioned(route: Route) -> str:
    """Whom an internal note addresses: the route's group, people or address."""
    if route.assignee:
        return "the assignee"
    name = route.group or route.name.replace("_", " ")
    return f"{name} ({route.email})" if route.email else name


def told(action: Action, do: Do, profile: Profile, about: About) -> list[Action]:
    """What a policy's `tell` comes to: its note, where it has one, and a message by each way that is to be gone now.

    Any other action is given back as it is, and so is one whose route has no way.
    """
    route = profile.routes.get(str(do.argument))
    found = ways(route, profile) if route is not None and do.verb == "tell" else ()
    if route is None or not found:
        return [action]
    noted = isinstance(action.change, TicketChange)
    severity = profile.severities.get(str(about.facts.get("severity")))
    message = Message(
        route=route.key,
        ways=found,
        subject=headline(about.ticket_id, about.facts, profile),
        text=_text(about, profile),
        link=about.link,
        mention=route.mention,
        digest=route.digest is not None,
    )
    first = beside(action, VERB) if noted else action.key
    sent = msgspec.structs.replace(
        action,
        key=first,
        verb=VERB,
        tool=message.tool,
        change=message,
        lane=Lane.ESCALATION,
        not_before=None if route.digest is None else next_time(route.digest, profile.zone, action.cause_at),
        not_after=None if route.digest is not None else action.not_after or about.at + SENSE,
        expects={},
    )
    every = [sent]
    if severity is not None and severity.critical and route.digest is None:
        while (other := following(every[-1])) is not None:
            every.append(other)
    return [action, *every] if noted else every


def following(action: Action) -> Action | None:
    """The message by the route's next way, for where this one's fails; None after the last.

    Its key is this one's with the way in it: whatever brings it about, it is told once.
    """
    change = action.change
    if not isinstance(change, Message) or len(change.ways) < 2:
        return None
    after = msgspec.structs.replace(change, ways=change.ways[1:], mention=None)
    return msgspec.structs.replace(
        action, key=beside(action, after.tool), tool=after.tool, change=after, not_before=None
    )


def beside(action: Action, part: str) -> str:
    """The key of what goes with an action: `rule:tell:leads:zendesk:123` → `rule:tell:leads:mail:zendesk:123`."""
    head, _, tail = action.key.partition(f":{action.record}")
    return f"{head.removesuffix(f':{VERB}')}:{part}:{action.record}{tail}"


def _text(about: About, profile: Profile) -> str:
    if about.due_at is None:
        return about.says
    verb = "is due" if about.due_at > about.at else "was due"
    return f"{about.says} A reply {verb} {clock_face(about.due_at, profile.zone, about.at)}."
