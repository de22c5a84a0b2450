"""Triage against the simulated tools: what new tickets become, who is given them, and who is asked before a page."""

from pathlib import Path

import pytest

from connectors.store import Mode
from flows import pulse, sync
from tests.flows.conftest import deployment, settle
from tests.flows.desk import Desk, unfinished

SILENT = {"kind": None}


@pytest.fixture
def night(desk: Desk) -> Desk:
    """Two in the morning, and everything from before is done."""
    desk.move("2026-03-04 02:00")
    desk.minutes(3)
    return desk


def assignee(desk: Desk, ticket: int) -> str | None:
    """Who has a ticket."""
    id = desk.sim.account.tickets[ticket].assignee_id
    return None if id is None else desk.sim.account.users[id].email


@pytest.mark.req("INT-01", "INT-04", "TRI-01", "TRI-06")
def test_a_ticket_from_the_product(either_desk: Desk) -> None:
    """Filed with user and page only: builder, plan, role, module, source, priority and an owner within the minute."""
    desk, customer = either_desk, either_desk.customer("professional")
    page = "https://app.example/projects/7/schedule"
    ticket = desk.file("P2", requester=customer, channel="in_app", fields={"current_url": page})
    desk.minutes(1)
    company = desk.sim.account.organizations[desk.sim.user(customer).organization_id or 0]
    found = {
        key: desk.field(ticket, key) for key in ("builder_id", "user_id", "plan_at_submission", "module", "source")
    }
    assert found == {
        "builder_id": company.external_id,
        "user_id": desk.sim.user(customer).external_id,
        "plan_at_submission": "professional",
        "module": "module_scheduling",
        "source": "source_in_app",
    }
    assert desk.field(ticket, "user_role") is not None
    assert desk.sim.account.tickets[ticket].priority == "high"
    assert assignee(desk, ticket) in desk.sim.agents("Support")
    assert desk.notes(ticket) == []  # everything that needs judging stood in the form
    desk.minutes(5)
    assert [state for _, state in desk.states(ticket, "fields", "assign")].count("done") >= 2
    assert unfinished(desk.rows()) == []


@pytest.mark.req("INT-02")
def test_mail_from_a_stranger(desk: Desk) -> None:
    """Mail from an unknown address: the lowest plan, the tag `unmatched`, a clock, and a note that says why."""
    ticket = desk.file(None, requester="who@nowhere.example", channel="email", subject="Refund please", fields=SILENT)
    desk.minutes(4)
    assert "unmatched" in desk.tags(ticket)
    assert desk.field(ticket, "plan_at_submission") == "starter"
    assert (desk.field(ticket, "severity"), desk.field(ticket, "kind")) == ("severity_p3", "kind_billing")
    assert desk.clocks(ticket)["First response"].dims["plan"] == "starter"
    [note] = desk.notes(ticket)
    assert "Kind: Billing, because of the word “refund” in the subject." in note


@pytest.mark.req("INT-11", "TRI-05")
def test_mail_to_an_address(tmp_path: Path) -> None:
    """Mail to billing@ lands in Billing with kind billing, with somebody of that group."""
    with deployment(f"sqlite:///{tmp_path}/lasercalc.db", "lasercalc") as desk:
        settle(desk)
        customer = desk.sim.people()[0]
        ticket = desk.sim.file_ticket(
            requester=customer, subject="Hello", body="Hi", channel="email", recipient="billing@lasercalc.com"
        )
        desk.minutes(2)
        assert desk.group(ticket) == "Billing"
        assert desk.field(ticket, "kind") == "kind_billing"
        assert assignee(desk, ticket) in [*desk.sim.agents("Billing"), None]


@pytest.mark.req("TRI-03", "TRI-17")
def test_a_human_change_stays(desk: Desk) -> None:
    """We say billing, an agent says bug: it stays, whatever the customer writes afterwards; nothing is done twice."""
    ticket = desk.file(None, subject="Charged twice", fields=SILENT)
    desk.minutes(3)
    assert desk.field(ticket, "kind") == "kind_billing"
    desk.sim.edit(ticket, author=desk.agent, fields={"kind": "bug", "severity": "P4"}, priority="low")
    desk.minutes(3)
    desk.sim.reply(ticket, author=desk.customer("business"), body="charged, refund, payment")
    desk.minutes(4)
    assert (desk.field(ticket, "kind"), desk.field(ticket, "severity")) == ("kind_bug", "severity_p4")
    assert desk.sim.account.tickets[ticket].priority == "low"
    assert len(desk.notes(ticket)) == 1


@pytest.mark.req("TRI-15")
def test_somebody_is_given_the_ticket(desk: Desk) -> None:
    """Not who is away; among the others who has least, counting what the same minute gives away."""
    support = desk.sim.agents("Support")
    away = support[0]
    for agent in support:
        desk.sim.change_person(agent, specialties=None, away=agent == away)
    desk.sandbox.advance(660)
    desk.beat()
    tickets = [desk.file("P3") for _ in range(2 * (len(support) - 1))]
    desk.minutes(2)
    owners = [assignee(desk, ticket) for ticket in tickets]
    assert None not in owners
    assert away not in owners
    ids = [desk.sim.user(agent).id for agent in support if agent != away]
    done = ("solved", "closed")
    held = [ticket.assignee_id for ticket in desk.sim.account.tickets.values() if ticket.status not in done]
    assert max(map(held.count, ids)) - min(map(held.count, ids)) <= 1


@pytest.mark.req("TRI-15")
def test_nobody_free_and_then_somebody(desk: Desk) -> None:
    """All away: the ticket stays with its group and has a tag. Somebody comes back: they have it, the tag is gone."""
    for agent in desk.sim.agents("Support"):
        desk.sim.change_person(agent, away=True)
    desk.sandbox.advance(660)
    desk.beat()
    ticket = desk.file("P3")
    desk.minutes(2)
    assert assignee(desk, ticket) is None
    assert "no_agent_free" in desk.tags(ticket)
    desk.sim.change_person(desk.agent, away=False)
    desk.sandbox.advance(660)
    desk.minutes(12)
    assert assignee(desk, ticket) == desk.agent
    assert "no_agent_free" not in desk.tags(ticket)


def test_late_before_anybody_had_it(desk: Desk) -> None:
    """Given to somebody and moved up in one update: it is in the next tier, and with somebody there."""
    ticket = desk.file("P1", "enterprise")
    desk.sandbox.advance(3 * 3600)
    desk.minutes(5)
    assert desk.group(ticket) in ("Technical", "Engineering")
    assert assignee(desk, ticket) in [*desk.sim.agents("Technical"), *desk.sim.agents("Engineering")]
    assert [row for row in desk.rows(ticket) if row.state.value == "failed"] == []


def test_an_agent_was_faster(desk: Desk) -> None:
    """Somebody takes the ticket between decision and delivery: it is theirs."""
    ticket = desk.file("P3")
    desk.sandbox.advance(60)
    with desk.another() as ctx:
        sync.all_tools(ctx)
        pulse.decide(ctx)
    desk.sandbox.advance(5)
    desk.sim.edit(ticket, author=desk.agent, assignee=desk.agent, fields={"severity": "P2"})
    desk.minutes(4)
    assert assignee(desk, ticket) == desk.agent
    assert desk.field(ticket, "severity") == "severity_p2"
    assert desk.sim.account.tickets[ticket].priority == "high"
    assert unfinished(desk.rows()) == []


@pytest.mark.req("TRI-18")
def test_a_top_severity_without_an_answer(night: Desk) -> None:
    """P1 at night without an answer: asked once, nobody is woken for ten minutes, and then somebody is."""
    ticket = night.file("P1", "starter", fields={"working": None})
    night.minutes(8)
    assert night.incidents == []
    assert len([said for said in night.replies(ticket) if "Can anybody at your company still work?" in said]) == 1
    night.minutes(4)
    assert len(night.incidents) == 1
    night.minutes(5)
    assert len(night.incidents) == 1
    assert len([said for said in night.replies(ticket) if "still work" in said]) == 1


@pytest.mark.req("TRI-18")
@pytest.mark.parametrize(("answer", "pages"), [("yes", 0), ("no", 1)])
def test_the_answer_comes_later(night: Desk, answer: str, pages: int) -> None:
    """Three minutes later the customer says whether others can work: lowered and told, or paged at once."""
    customer = night.customer("starter")
    ticket = night.file("P1", requester=customer, fields={"working": None})
    night.minutes(3)
    night.sim.edit(ticket, author=customer, fields={"working": answer})
    night.minutes(3)
    assert len(night.incidents) == pages
    night.minutes(12)
    assert len(night.incidents) == pages
    assert night.field(ticket, "severity") == ("severity_p2" if answer == "yes" else "severity_p1")


@pytest.mark.req("TRI-18")
@pytest.mark.parametrize(("answer", "pages"), [("Yes, some of us can.", 0), ("No, nobody!", 1), ("Any news?", 0)])
def test_the_customer_replies_in_words(night: Desk, answer: str, pages: int) -> None:
    """A plain yes or no in a reply is understood; anything else is no answer, and pages at the deadline."""
    customer = night.customer("starter")
    ticket = night.file("P1", requester=customer, fields={"working": None})
    night.minutes(2)
    night.sim.reply(ticket, author=customer, body=answer)
    night.minutes(5)
    assert len(night.incidents) == pages
    night.minutes(8)
    assert len(night.incidents) == (1 if answer == "Any news?" else pages)


@pytest.mark.req("TRI-18")
def test_others_can_work(night: Desk) -> None:
    """A Starter chooses P1 and answers that others can work: P2, a note, no page, nothing asked."""
    ticket = night.file("P1", "starter", fields={"working": "yes"})
    night.minutes(15)
    assert night.incidents == []
    assert night.field(ticket, "severity") == "severity_p2"
    assert any("says that others can work" in note for note in night.notes(ticket))
    assert not any("still work" in said for said in night.replies(ticket))


@pytest.mark.req("TRI-11", "SEC-02")
def test_a_sign_in_the_text_pages(night: Desk) -> None:
    """A mail at night that says "data loss" is critical and pages within three minutes, with a note that says why."""
    ticket = night.file(None, channel="email", subject="Data loss in all projects", fields=SILENT)
    night.minutes(3)
    assert night.field(ticket, "severity") == "severity_p1"
    assert len(night.incidents) == 1
    assert any("severities.P1.signs" in note for note in night.notes(ticket))


@pytest.mark.req("TRI-18")
def test_without_a_place_for_the_answer_nothing_waits(night: Desk) -> None:
    """The account lacks the field "Can anybody work?": nobody is asked, and somebody is woken at once."""
    working = night.sim.account.field_named("working")
    assert working is not None
    del night.sim.account.ticket_fields[working.id]
    night.sandbox.advance(660)
    night.beat()
    ticket = night.file("P1", "starter", fields={"working": None})
    night.minutes(2)
    assert len(night.incidents) == 1
    assert not any("still work" in said for said in night.replies(ticket))


def test_in_shadow_nothing_waits(night: Desk) -> None:
    """While triage only writes down what it would do, it asks nobody, and holds no page back."""
    night.ctx.store.set_mode("triage", Mode.SHADOW, night.now)
    ticket = night.file("P1", "starter", fields={"working": None})
    night.minutes(2)
    assert len(night.incidents) == 1
    assert night.sim.account.tickets[ticket].priority is None
    assert ("assign", "shadow") in night.states(ticket, "assign")


def test_what_was_there_before_is_left_alone(fresh_desk: Desk) -> None:
    """The first run triages nothing of what was filed before it, and writes nothing down about it."""
    fresh_desk.beat()
    fresh_desk.minutes(3)
    assert [row for row in fresh_desk.rows() if row.action.policy == "triage"] == []


def test_an_import_is_left_alone(desk: Desk) -> None:
    """A ticket that is brought over with a past of its own is nobody's news."""
    import_at = desk.now.replace(day=1)
    ticket = desk.sim.import_ticket(requester=desk.customer("business"), subject="Old", body="Old", at=import_at)
    desk.minutes(4)
    assert [row for row in desk.rows(ticket) if row.action.policy == "triage"] == []


def test_run_twice(desk: Desk) -> None:
    """A second process that decides the same at the same time changes nothing."""
    ticket = desk.file(None, subject="Charged twice", fields=SILENT)
    desk.minutes(3)
    done = desk.done()
    desk.restart()
    desk.beat()
    desk.ctx.store.look_again("another version")
    desk.minutes(2)
    assert desk.done() == done
    assert len(desk.notes(ticket)) == 1


def test_a_ticket_that_cannot_be_read_stops_nobody(desk: Desk) -> None:
    """Zendesk does not tell who made a ticket critical: the others are judged, and it is once that is known."""
    closed = desk.file("P3", "business")
    desk.minutes(2)
    desk.fail(vendor="zendesk", kind="status", status=500, path=f"tickets/{closed}/audits")
    desk.sim.edit(closed, author=desk.agent, fields={"severity": "P1"})
    other = desk.file("P2", "business")
    desk.sandbox.advance(20)  # the exports hide what was done
    desk.beat()
    assert desk.field(other, "sla_due") is not None
    desk.well()
    desk.minutes(4)
    assert unfinished(desk.rows()) == []
