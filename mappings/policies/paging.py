"""Pages and the ticket tell each other: acknowledged page → note, ticket done → page closed (AFT-07)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from mappings.model import DONE, ENDED, History, Incident, PageStatus
from mappings.notices import About, headline, told, ways
from mappings.plan import (
    ON_HOLD,
    Action,
    Change,
    Lane,
    Message,
    NotConnected,
    PageResolve,
    PageTrigger,
    Reason,
    TicketChange,
)
from mappings.policies.sla.measures import Life
from mappings.profile import Do, Profile, Route
from mappings.reasons import clock_face, reason
from mappings.timeline import epoch

POLICY = "paging"
RULE = "Page and ticket"
CONFIRMED = timedelta(minutes=3)
"""How long PagerDuty may take to show a page's incident, two pulses and a little: then the next route is told."""
_NEXT = "management"


def dedup_key(record: str, cause: str, service: str | None = None) -> str:
    """The page's key at PagerDuty: the ticket and the episode, so that a reopened ticket can page again.

    `service` is named for any but the profile's first: where two are woken, each has an incident of its own.
    """
    return f"hf-{record}-{cause}@{service}" if service else f"hf-{record}-{cause}"


def work_of(key: str) -> str:
    """What pages of one run of work have in common, whomever they wake: the key without its service."""
    return key.partition("@")[0]


def episode(life: Life, at: datetime) -> str:
    """What began the ticket's run of work at a time: its last reopening, else its creation."""
    reopened = [until for _, until, _ in life.solved if until is not None and until <= at]
    return str(epoch(max(reopened))) if reopened else life.created


def page(
    life: Life,
    profile: Profile,
    *,
    service: str,
    rule: str,
    facts: Mapping[str, object],
    at: datetime,
    due_at: datetime | None,
    link: str | None,
) -> PageTrigger:
    """A page about a ticket: severity, plan, due time, link, how to stop it.

    No names, subjects or addresses (design §4, "Privacy"). All pages of one episode are one incident a service.
    """
    first = next((route.pagerduty for route in profile.routes.values() if route.pagerduty), None)
    ticket = life.history.ticket
    details = {"rule": rule, "profile": profile.version}
    if due_at is not None:
        details["reply due"] = clock_face(due_at, profile.zone, at)
    details["to stop"] = "Solve the ticket, or resolve this incident."
    return PageTrigger(
        dedup_key=dedup_key(f"zendesk:{ticket.id}", episode(life, at), None if service == first else service),
        service=service,
        summary=headline(ticket.id, facts, profile),
        link=link,
        details=details,
    )


class Needless(msgspec.Struct, frozen=True):
    """Why a page need not go out. `again`: it is decided on again when the ticket changes."""

    why: str
    again: bool = False


def over(life: Life, change: Change) -> bool:
    """Is a page about work that ended, since the ticket was solved and reopened? Its rules page for what began then."""
    newest = dedup_key(f"zendesk:{life.history.ticket.id}", episode(life, datetime.max.replace(tzinfo=UTC)))
    return isinstance(change, PageTrigger) and work_of(change.dedup_key) != newest


def needless(life: Life, change: PageTrigger, *, rings: bool) -> Needless | None:
    """Why nobody is to be woken by a page now, if so. `rings`: an earlier page of the ticket is still open."""
    if ON_HOLD in life.history.ticket.tags:
        why = f"the ticket has the tag {ON_HOLD}: it is left alone, and decided on again once the tag is gone"
        return Needless(why, again=True)
    if life.history.ticket.status in DONE:
        return Needless("the ticket is done: nobody needs to be woken", again=True)
    if over(life, change):
        return Needless("the ticket was solved and reopened since: its rules page for what began then", again=True)
    return Needless("an earlier page of the ticket is still open") if rings else None


def unconfirmed(
    history: History, page: Action, profile: Profile, asked_at: datetime, *, link: Callable[[int], str]
) -> list[Action]:
    """Tell the next route that a page decided at `asked_at` shows no incident: nobody may have been woken.

    That is the page's own route by its other ways, else management. Once per page; the page itself is still tried.
    """
    change, ticket = page.change, history.ticket
    name, route = _next(page, profile)
    if not isinstance(change, PageTrigger) or route is None or ticket.status in DONE or ON_HOLD in ticket.tags:
        return []
    minutes = CONFIRMED.seconds // 60
    says = f"PagerDuty has shown no incident for its page within {minutes} minutes: call whoever is on call."
    why = reason("page_unconfirmed", RULE, says, profile, {"severity": ticket.severity or ""})
    note: Change = NotConnected(needs=route.needs)
    if route.group is not None and not ways(route, profile):
        note = TicketChange(note=f"For {route.group}: {why.text}")
    key = f"page:unconfirmed:{page.record}:{change.dedup_key}"
    base = _action(history, key, "tell", "zendesk", page.record, note, why, asked_at)
    about = About(
        ticket_id=ticket.id,
        facts={"severity": ticket.severity, "plan": history.company.plan if history.company else None},
        says=says,
        at=asked_at + CONFIRMED,
        link=link(ticket.id),
    )
    return [_about_page(action, change) for action in told(base, Do("tell", name), profile, about)]


def _next(page: Action, profile: Profile) -> tuple[str, Route | None]:
    """Whom to tell where a page does not arrive: its route's name, and the route."""
    service = page.change.service if isinstance(page.change, PageTrigger) else None
    for name, route in profile.routes.items():
        if route.pagerduty == service and ways(route, profile):
            return name, route
    return _NEXT, profile.routes.get(_NEXT)


def _about_page(action: Action, page: PageTrigger) -> Action:
    if not isinstance(action.change, Message):
        return action
    change = msgspec.structs.replace(action.change, subject=f"Page not confirmed: {page.summary}")
    return msgspec.structs.replace(action, change=change)


def pair(
    history: History, incidents: Sequence[Incident], services: Mapping[str, str], profile: Profile
) -> list[Action]:
    """What a ticket and its pages owe each other. `services` says which service each dedup key was sent to."""
    actions = []
    silent = history.ticket.status in ENDED or ON_HOLD in history.ticket.tags
    for incident in incidents:
        if incident.acknowledged_at is not None and not silent:
            actions.append(_acknowledged(history, incident, profile))
        if history.ticket.status in DONE and incident.status is not PageStatus.RESOLVED:
            actions.append(_done(history, incident, services.get(incident.dedup_key, ""), profile))
    return actions


def _acknowledged(history: History, incident: Incident, profile: Profile) -> Action:
    assert incident.acknowledged_at is not None
    record = f"zendesk:{history.ticket.id}"
    when = clock_face(incident.acknowledged_at, profile.zone, incident.acknowledged_at)
    who = incident.acknowledged_by or "On-call"
    why = reason("page_acknowledged", RULE, f"{who} acknowledged the page at {when}.", profile)
    key = f"page:acknowledged:{record}:{incident.id}:{epoch(incident.acknowledged_at)}"
    return _action(history, key, "note", "zendesk", record, TicketChange(note=why.text), why, incident.acknowledged_at)


def _done(history: History, incident: Incident, service: str, profile: Profile) -> Action:
    record = f"zendesk:{history.ticket.id}"
    why = reason("ticket_done", RULE, f"The ticket is {history.ticket.status}: its page is closed.", profile)
    change = PageResolve(dedup_key=incident.dedup_key, service=service)
    key = f"page:resolve:{record}:{incident.dedup_key}"
    return _action(history, key, "resolve_page", "pagerduty", record, change, why, history.ticket.updated_at)


def _action(
    history: History, key: str, verb: str, tool: str, record: str, change: Change, why: Reason, cause_at: datetime
) -> Action:
    expects = {"updated_at": history.ticket.updated_at.isoformat()} if tool == "zendesk" else {}
    return Action(
        key=key,
        policy=POLICY,
        rule=RULE,
        verb=verb,
        tool=tool,
        record=record,
        change=change,
        reason=why,
        lane=Lane.PAGE if tool == "pagerduty" else Lane.ESCALATION,
        cause_at=cause_at,
        expects=expects,
    )
