"""What people do in Zendesk, read back: tickets, events and authors as they were, by whichever way they are read."""

from datetime import timedelta

import pytest

from mappings.model import Actor, EventKind, Status, TicketEvent
from mappings.plan import TicketChange
from mappings.zendesk import find_keys
from tests.connectors.zendesk.conftest import Account

KEY = "late:escalate:zendesk:1:first_reply:1"


def test_a_ticket_in_our_words(account: Account) -> None:
    """Fields come by title, options by profile key, the channel by the ticket's source."""
    told = {"Severity": "P1", "Kind": "bug", "Affected users": "12", "Can anybody work?": "no", "Source": "in_app"}
    ticket = account.ticket(account.filed(fields=told))
    assert (ticket.severity, ticket.kind, ticket.channel, ticket.status) == ("P1", "bug", "in_app", Status.NEW)
    assert ticket.fields["affected_users"] == "12"
    assert ticket.fields["working"] == "no"
    assert ticket.fields["sla_due"] is None
    assert account.reading_once.missing == ()


@pytest.mark.parametrize(
    ("end", "status"),
    [("merge", Status.MERGED), ("delete", Status.DELETED), ("spam", Status.SPAM), ("restore", Status.NEW)],
)
def test_endings(account: Account, end: str, status: Status) -> None:
    """Merged, deleted, spam and restored tickets are told apart in the export."""
    ticket, other = account.filed(), account.filed(requester=account.sim.people()[1])
    if end == "merge":
        account.sim.merge(other, [ticket], author=account.agent)
    elif end == "spam":
        account.sim.mark_spam(ticket, author=account.agent)
    else:
        account.sim.delete(ticket, author=account.agent)
    if end == "restore":
        account.sandbox.advance(5)
        account.sim.restore(ticket, author=account.agent)
    account.sandbox.advance(120)
    page = account.page(account.client.export_tickets(start_time=0) or b"")
    assert {row.id: row.status for row in page.tickets}[ticket] is status


def comments(events: list[TicketEvent]) -> list[tuple[Actor, bool | None]]:
    """Who wrote, and whether the customer sees it."""
    return [(event.actor, event.public) for event in events if event.kind is EventKind.COMMENT]


@pytest.mark.req("SLA-05", "INT-06")
def test_who_wrote(account: Account) -> None:
    """Customer, agent and ourselves are told apart; notes are told from replies."""
    ticket = account.filed()
    account.sim.reply(ticket, author=account.agent, body="On it.")
    account.sim.reply(ticket, author=account.agent, body="He pays late.", public=False)
    account.sim.reply(ticket, author=account.customer, body="Thanks.")
    account.update(ticket, (KEY, TicketChange(note="First response was late.")))
    assert comments(account.audited(ticket)) == [
        (Actor.CUSTOMER, True),
        (Actor.AGENT, True),
        (Actor.AGENT, False),
        (Actor.CUSTOMER, True),
        (Actor.US, False),
    ]


def test_what_rules_and_automations_do_is_theirs(account: Account) -> None:
    """A trigger's change within somebody's update, and an automation's own update, are a rule's."""
    ticket = account.filed()
    account.sim.reply(ticket, author=account.agent, body="Done.")
    account.sim.edit(ticket, author=account.agent, assignee=account.agent, status="solved")
    account.sandbox.advance(timedelta(days=5).total_seconds())
    changes = [event for event in account.audited(ticket) if event.field in ("group_id", "status")]
    assert [(event.field, event.new, event.actor) for event in changes if event.kind is EventKind.CHANGE][-2:] == [
        ("status", "solved", Actor.AGENT),
        ("status", "closed", Actor.RULE),
    ]
    routed = next(event for event in changes if event.field == "group_id")
    assert (account.reading_once.groups[int(routed.new or 0)], routed.actor) == ("Support", Actor.RULE)


def test_mails_that_only_agents_get_are_no_message(account: Account) -> None:
    """The confirmation that a trigger mails to the requester is told; "you have been assigned" is not."""
    ticket = account.filed()
    account.sim.edit(ticket, author=account.sim.agents("Support")[0], assignee=account.agent)
    sent = account.sandbox.core.journal.rows(kind="notification", record=f"zendesk:{ticket}")
    assert {tuple(row.detail["to"]) for row in sent} == {(account.customer,), (account.agent,)}
    told = [event for event in account.audited(ticket) if event.kind is EventKind.NOTIFICATION]
    assert [event.actor for event in told] == [Actor.RULE]


@pytest.mark.parametrize("ids_as_text", [True, False])
@pytest.mark.parametrize("notifications", [True, False])
def test_the_same_happening_has_the_same_ids(account: Account, ids_as_text: bool, notifications: bool) -> None:
    """Audits and export tell the same events; only who wrote what an agent's update carried is not in the export."""
    account.sim.switches.export_ids_as_text = ids_as_text
    account.sim.switches.export_notifications = notifications
    ticket = account.filed(fields={"Severity": "P2", "Kind": "bug"})
    account.sim.edit(ticket, author=account.agent, assignee=account.agent, fields={"Severity": "P1"}, tags_add=["vip"])
    account.sim.reply(ticket, author=account.agent, body="On it.", status="pending")
    account.sim.reply(ticket, author=account.customer, body="Thanks.")
    account.update(ticket, (KEY, TicketChange(group="Technical", tier=2, note="Late.", fields={"sla_due": "soon"})))
    account.sim.merge(account.filed(), [ticket], author=account.agent)
    account.sandbox.advance(120)
    audited = {event.id: event for event in account.audited(ticket)}
    exported = {event.id: event for event in account.exported(ticket)}
    hidden = {id for id, event in audited.items() if event.kind is EventKind.NOTIFICATION}
    assert set(audited) - set(exported) == (set() if notifications else hidden)
    assert hidden
    for id, event in exported.items():
        known = audited[id]
        if event.actor is Actor.UNKNOWN:
            assert (known.kind, known.actor) == (EventKind.COMMENT, Actor.AGENT)
            assert (event.public, event.at, event.audit_id) == (known.public, known.at, known.audit_id)
        else:
            assert event == known
    assert [event.new for event in audited.values() if event.field == "status"][-1] == "merged"
    assert [event.new for event in audited.values() if event.field == "severity"] == ["P2", "P1"]


@pytest.mark.parametrize("kept", [True, False])
def test_our_writes_are_found_again(account: Account, kept: bool) -> None:
    """Notes and replies are found by key in the audits, whether Zendesk keeps a bulk update's metadata or not."""
    account.sandbox.core.switches.bulk_keeps_metadata = kept
    ticket = account.filed()
    assert account.update(ticket, ("note:1", TicketChange(note="Late.")), ("tag:1", TicketChange(add_tags=("late",))))
    assert account.update(ticket, ("reply:1", TicketChange(reply="We are on it.")))
    found: set[str] = set()
    for body in account.client.audits(ticket):
        found |= find_keys(body, ["note:1", "tag:1", "reply:1", "never:1"], account.reading().us)
    assert found == {"note:1", "tag:1", "reply:1"}


def test_a_change_as_people_see_it(account: Account) -> None:
    """Group, tier, fields, tags and note arrive; a person's own tags and the customer's view stay as they were."""
    ticket = account.filed()
    account.sim.edit(ticket, author=account.agent, tags_add=["vip", "old"])
    change = TicketChange(
        group="Technical",
        tier=2,
        add_tags=("sla_breached",),
        remove_tags=("old",),
        fields={"sla_due": "2026-03-03T20:00:00+00:00", "next_escalation": None},
        note="First response was due 14:00. Moved to Technical support.",
    )
    mark = len(account.sandbox.core.journal.rows())
    assert account.update(ticket, (KEY, change)).rows[ticket].done
    after = account.ticket(ticket)
    assert account.reading_once.groups[after.group_id or 0] == "Technical"
    assert after.tier == 2
    assert after.fields["sla_due"] == "2026-03-03T20:00:00+00:00"
    assert {"vip", "sla_breached"} <= after.tags
    assert "old" not in after.tags
    seen = account.sandbox.core.journal.rows(record=f"zendesk:{ticket}", after=mark)
    assert [row.kind for row in seen if row.kind in ("public_comment", "note", "notification")] == ["note"]


def test_a_plan_change_is_seen_without_a_ticket(account: Account) -> None:
    """The organisations' export tells a new plan, although no ticket moved."""
    company = account.sim.companies()[0]
    for plan in ("starter", "enterprise"):
        account.sim.change_plan(company, plan)
        account.sandbox.advance(120)
        page = account.page(account.client.export_organizations(0) or b"")
        found = next(row for row in page.companies if row.name == company)
        assert (found.plan, found.external_id is not None, found.vip) == (plan, True, found.vip)
