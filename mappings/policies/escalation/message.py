"""The escalation message in its fixed form: eight lines that the next team reads first (ESC-12).

In a ticket's note it may name people; outside the ticket (Slack, mail) it has no names, subjects or texts that people
wrote, only what the ticket is and where to read on (design §4, "Privacy").
"""

from collections.abc import Mapping
from datetime import datetime

from mappings.model import Actor, EventKind
from mappings.policies.sla.clocks import dimensions
from mappings.policies.sla.measures import Life, replies
from mappings.profile import Profile
from mappings.reasons import clock_face

FORM = {"impact": "Impact", "attempted": "Attempted", "needed": "Needed"}
"""The ticket fields that an agent fills, by our names, and their lines."""
LONG = 300
"""Characters of an agent's words that a line takes."""


def escalation_subject(life: Life, profile: Profile, *, at: datetime) -> str:
    """`P2 escalated: ticket 123 (bug)`: the priority and a short text, without anybody's words."""
    dims = dimensions(life, profile, at)
    about = f" ({_kind(profile, dims)})" if "kind" in dims else ""
    return f"{dims.get('severity', 'Ungraded')} escalated: ticket {life.history.ticket.id}{about}"


def escalation_message(
    life: Life,
    profile: Profile,
    *,
    at: datetime,
    due_at: datetime | None = None,
    inside: bool = True,
    link: str | None = None,
) -> str:
    """The eight lines of an escalation at a time. `due_at` is when the new team owes its reply, if it owes one.

    `inside` a ticket's note names and agents' words are given; outside, what is personal is left to the ticket. An
    agent's field that is empty is asked for on its line.
    """
    ticket, dims = life.history.ticket, dimensions(life, profile, at)
    lines = {
        "Priority": _priority(profile, dims),
        "Ticket": f"{ticket.id} {link}" if link else str(ticket.id),
        "User": _user(life, profile, dims, inside=inside),
        "Issue": _issue(life, profile, dims, inside=inside),
        **{label: _form(life, name, label, inside=inside) for name, label in FORM.items()},
        "Timeline": _timeline(life, profile, at, due_at),
    }
    return "\n".join(f"{label}: {text}" for label, text in lines.items())


def _priority(profile: Profile, dims: Mapping[str, object]) -> str:
    severity = profile.severities.get(str(dims.get("severity")))
    return severity.title if severity is not None else "not set"


def _user(life: Life, profile: Profile, dims: Mapping[str, object], *, inside: bool) -> str:
    """Role and plan; in the ticket also who, and of which company."""
    requester, company = life.history.requester, life.history.company
    plan = profile.plans.get(str(dims.get("plan")))
    who = [requester.name] if inside and requester is not None else []
    who += [str(dims["role"])] if "role" in dims else []
    who += [company.name] if inside and company is not None else []
    who += [f"plan {plan.name}"] if plan is not None else []
    who += ["VIP"] if dims.get("vip") else []
    return ", ".join(who) or "not known"


def _issue(life: Life, profile: Profile, dims: Mapping[str, object], *, inside: bool) -> str:
    ticket = life.history.ticket
    module = profile.modules.get(ticket.module or "")
    what = [_kind(profile, dims)] if "kind" in dims else []
    what += [module.name] if module is not None else []
    about = ", ".join(what)
    if not inside or not ticket.subject:
        return about or "not classified"
    return f"{_one_line(ticket.subject)} ({about})" if about else _one_line(ticket.subject)


def _kind(profile: Profile, dims: Mapping[str, object]) -> str:
    return profile.kinds[str(dims["kind"])].name.lower()


def _form(life: Life, name: str, label: str, *, inside: bool) -> str:
    """An agent's field as a line. The number of users affected is told wherever it is known."""
    fields = life.history.ticket.fields
    said = [_one_line(text)] if (text := fields.get(name)) and inside else []
    said += ["see the ticket"] if text and not inside else []
    if name == "impact" and (count := fields.get("affected_users")):
        said.append(f"{count} users affected")
    return ", ".join(said) or f"not filled in; please fill in the field “{label}”"


def _timeline(life: Life, profile: Profile, at: datetime, due_at: datetime | None) -> str:
    """Filed, where it has been since when, the last words of either side, and when the next reply is due."""
    zone = profile.zone
    said = [f"filed {clock_face(life.line.created_at, zone, at)}"]
    said += [
        f"{profile.tiers[stay.tier].name} since {clock_face(stay.start, zone, at)}"
        for stay in life.stays
        if stay.tier in profile.tiers and stay.start <= at
    ]
    answered = [when for when, _ in replies(life) if when <= at]
    wrote = [m.at for m in life.line.messages if m.actor is Actor.CUSTOMER and m.kind is EventKind.COMMENT]
    asked = [when for when in wrote if life.line.created_at < when <= at]
    said += [f"last answered {clock_face(answered[-1], zone, at)}"] if answered else ["not answered yet"]
    said += [f"customer last wrote {clock_face(asked[-1], zone, at)}"] if asked else []
    said += [f"reply owed by {clock_face(due_at, zone, at)}"] if due_at is not None else []
    return "; ".join(said)


def _one_line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= LONG else f"{words[: LONG - 1]}…"
