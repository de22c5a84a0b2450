"""The profile's rules from end to end: what a ticket at night, a keyword or a role leads to."""

import pytest
from sqlalchemy import event

from connectors.store import OutboxState
from flows.cases import cases
from flows.rules import beside
from tests.flows.desk import Desk
from tests.profiles import edited

DAY = 86_400


def night(desk: Desk) -> None:
    """The office has closed, and everything from before is done."""
    desk.move("2026-03-03 22:00")
    desk.minutes(3)


@pytest.mark.req("AFT-01")
def test_night_queue(desk: Desk) -> None:
    """A P2 at night: nobody is paged; tagged for the next business day, and the customer is told when to expect us."""
    night(desk)
    ticket = desk.file("P2", "business")
    desk.minutes(4)
    assert desk.incidents == []
    assert "next_business_day" in desk.tags(ticket)
    assert len(desk.replies(ticket)) == 1
    assert "Wed 4 Mar 12:00" in desk.replies(ticket)[0]


def test_rule_acts_on_its_first_cause(desk: Desk) -> None:
    """A rule that nothing has ever met acts on the first thing that does: it began with our first run, not with it."""
    ticket = desk.file("P3", "business", fields={"kind": "security"})
    desk.minutes(2)
    assert "security" in desk.tags(ticket)
    assert {row.state for row in desk.rows(ticket) if row.action.verb == "tag"} == {OutboxState.DONE}


def test_reply_to_somebody_new(desk: Desk) -> None:
    """A customer's very first mail, in the minute that the exports hide: the notice knows their name all the same."""
    night(desk)
    ticket = desk.file("P3", requester=desk.sim.writer("carmen.ruiz@cliente.example", name="Carmen Ruiz").email)
    desk.sandbox.advance(20)
    desk.beat()
    (reply,) = desk.replies(ticket)
    assert reply.startswith("Hello Carmen,")


@pytest.mark.parametrize("days", [0, 1])
def test_a_company_becomes_important(fresh_desk: Desk, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    """A company is marked as VIP: a rule on it is judged for its open tickets within the companies' five minutes."""
    desk = fresh_desk
    rules = edited("builder", "rules: {important: {when: {vip: true}, do: [tag vip_company]}}")
    monkeypatch.setattr(desk.ctx, "profile", rules)
    desk.minutes(3)
    name = next(name for name in desk.sim.companies() if not desk.sim.company(name).fields["vip"])
    ticket = desk.file("P3", requester=desk.sim.people(name)[0])
    desk.minutes(2)
    desk.sandbox.advance(days * 86_400)
    assert "vip_company" not in desk.tags(ticket)
    desk.sim.change_company(name, vip=True)
    desk.minutes(8)
    assert "vip_company" in desk.tags(ticket)


def test_not_connected_verb_is_journalled(desk: Desk) -> None:
    """A verb whose tool is not there is written down as not connected; what else the rule says is done."""
    ticket = desk.file("P3", "business", fields={"kind": "feature_request"})
    desk.minutes(3)
    states = dict(desk.states(ticket))
    assert states["send_to_backlog"] == "not_connected"


def test_rules_fire_once_per_ticket(desk: Desk) -> None:
    """Changed, reopened, answered: the customer gets the notice once."""
    night(desk)
    ticket = desk.file("P2", "business")
    desk.minutes(3)
    desk.sim.edit(ticket, author=desk.agent, fields={"severity": "P3"})
    desk.minutes(3)
    desk.sim.reply(ticket, author=desk.customer("business"), body="And another thing.")
    desk.minutes(3)
    assert len(desk.replies(ticket)) == 1


def test_held_ticket_is_left_alone(desk: Desk) -> None:
    """The tag hf_hold keeps us off a ticket."""
    night(desk)
    ticket = desk.file("P2", "business")
    desk.sim.edit(ticket, author=desk.agent, tags_add=("hf_hold",))
    desk.minutes(4)
    assert desk.effects(ticket) == []


def company_of(desk: Desk, plan: str) -> str:
    """A company on a plan, by name."""
    return next(name for name in desk.sim.companies() if desk.sim.company(name).fields["plan"] == f"plan_{plan}")


def flagged(desk: Desk, tickets: list[int]) -> list[int]:
    """Those of these tickets that carry the flag."""
    return [ticket for ticket in tickets if "flag_cs_review" in desk.tags(ticket)]


def settle(desk: Desk) -> None:
    """We have begun, and nothing that was filed before is younger than a week any more."""
    desk.beat()
    desk.sandbox.advance(8 * DAY)
    desk.minutes(3)


@pytest.mark.req("ESC-15")
def test_the_third_ticket_in_seven_days_is_flagged(either_desk: Desk) -> None:
    """The third ticket on day 7 flags the company, once; the fourth does not flag it again; others are not touched."""
    desk, company = either_desk, company_of(either_desk, "business")
    settle(desk)
    who = desk.sim.people(company)
    tickets = [desk.file("P3", requester=who[0])]
    desk.minutes(3)
    desk.sandbox.advance(3 * DAY)
    tickets.append(desk.file("P3", requester=who[-1]))
    desk.minutes(3)
    desk.sandbox.advance(3 * DAY)
    tickets.append(desk.file("P4", requester=who[0]))
    desk.minutes(3)
    assert flagged(desk, tickets) == [tickets[2]]
    (row,) = [row for row in desk.rows(tickets[2]) if row.action.verb == "flag"]
    assert row.action.reason.text.startswith("Tickets from company: 3 in 7 days.")
    tickets.append(desk.file("P3", requester=who[0]))
    desk.minutes(3)
    desk.sim.edit(tickets[0], author=desk.agent, fields={"severity": "P2"})
    desk.minutes(3)
    assert flagged(desk, tickets) == [tickets[2]]


@pytest.mark.req("ESC-15")
def test_a_third_ticket_on_day_eight_is_not_flagged(desk: Desk) -> None:
    """Two tickets, and a third one seven days after the first: three, but not within seven days."""
    company = company_of(desk, "business")
    settle(desk)
    who = desk.sim.people(company)[0]
    tickets = [desk.file("P3", requester=who), desk.file("P3", requester=who)]
    desk.minutes(3)
    desk.sandbox.advance(7 * DAY - 180)
    tickets.append(desk.file("P3", requester=who))
    desk.minutes(3)
    assert flagged(desk, tickets) == []


@pytest.mark.req("ESC-05")
@pytest.mark.parametrize("listed", [True, False])
def test_a_low_rating(desk: Desk, listed: bool) -> None:
    """Rated bad: somebody is to call, whether the export tells of ratings or only the ticket's audits do."""
    desk.sim.switches.turn({"export_ratings": listed})
    ticket, other = desk.file("P3"), desk.file("P3")
    for id in (ticket, other):
        desk.sim.reply(id, author=desk.agent, body="Done.", status="solved")
    desk.minutes(3)
    desk.sim.rate(ticket, score="bad", comment="Too slow.")
    desk.sim.rate(other, score="good")
    desk.minutes(4)
    assert "follow_up" in desk.tags(ticket)
    assert "follow_up" not in desk.tags(other)
    assert any("Rating: 1." in note for note in desk.notes(ticket))


@pytest.mark.req("CHN-10")
def test_the_named_manager_follows(desk: Desk) -> None:
    """An enterprise ticket has its company's manager as a follower, once somebody is named; others have none."""
    company, manager = company_of(desk, "enterprise"), desk.sim.agents("Support")[0]
    desk.sim.change_company(company, csm="")
    ticket, other = desk.file("P3", requester=desk.sim.people(company)[0]), desk.file("P3", "business")
    desk.minutes(3)
    assert desk.sim.account.tickets[ticket].followers == ()
    assert ("follow", "not_connected") in desk.states(ticket)
    desk.sim.change_company(company, csm=manager)
    desk.sandbox.advance(300)
    desk.minutes(3)
    assert desk.sim.account.tickets[ticket].followers == (desk.sim.user(manager).id,)
    assert desk.sim.account.tickets[other].followers == ()


def test_a_channel_that_the_plan_lacks(desk: Desk) -> None:
    """A starter company on the phone is told what its plan has; a business company is not."""
    lacking = desk.file("P3", "starter", channel="phone")
    having = desk.file("P3", "business", channel="phone")
    desk.minutes(3)
    assert desk.states(lacking, "reply") == [("reply", "done")]
    assert not desk.states(having, "reply")


@pytest.mark.req("VIP-01")
def test_an_agents_group_stays(desk: Desk) -> None:
    """A rule wants a group; an agent chooses another one in the same minute: the agent's stays, with a note."""
    ticket = desk.file("P3", "business")
    desk.minutes(3)
    desk.sim.edit(ticket, author=desk.agent, fields={"kind": "security"})
    desk.sandbox.advance(30)
    desk.sim.edit(ticket, author=desk.agent, group="Technical")
    desk.minutes(4)
    assert desk.group(ticket) == "Technical"
    assert any("the group that was chosen stays" in note for note in desk.notes(ticket))


COMPLAINTS = 'rules: {complaints: {when: {companies_on_problem: ">=2"}, do: [escalate management, suggest incident]}}'


@pytest.mark.req("ESC-07")
def test_a_second_company_on_one_problem(either_desk: Desk) -> None:
    """Two tickets of one company are on a problem: nothing. Another company's joins: management hears of all three,
    and has one mail of the problem."""
    desk = either_desk
    desk.ctx.profile = edited("builder", COMPLAINTS)
    problem, first = desk.file("P3", "business"), desk.file("P3", "business")
    other, apart = desk.file("P3", "enterprise"), desk.file("P3", "starter")
    desk.sim.edit(problem, author=desk.agent, type="problem")
    desk.sim.edit(first, author=desk.agent, type="incident", problem=problem)
    desk.minutes(3)
    assert "incident_suggested" not in desk.tags(problem) | desk.tags(first)
    desk.sim.edit(other, author=desk.agent, type="incident", problem=problem)
    desk.minutes(4)
    for ticket in (problem, first, other):
        assert {"incident_suggested", "escalated_management"} <= desk.tags(ticket)
        assert any("Companies on problem: 2." in note for note in desk.notes(ticket))
    assert "incident_suggested" not in desk.tags(apart)
    (mail,) = desk.mail.to("support-manager@example.com")
    assert "Companies on problem" in mail.text
    assert {state for ticket in (problem, first, other) for _, state in desk.states(ticket, "suggest")} == {"done"}


def test_contradicting_rules_on_one_ticket(desk: Desk) -> None:
    """One assignment is done, the other is written down with the rule that goes before it."""
    desk.ctx.profile = edited(
        "builder",
        "routes: {one: {group: Technical}, two: {group: Product}}\n"
        "rules: {a: {when: {tag: go}, do: [assign one]}, b: {when: {tag: go}, do: [assign two]}}",
    )
    desk.beat()
    ticket = desk.file("P3")
    desk.sim.edit(ticket, author=desk.agent, tags_add=("go",))
    desk.minutes(3)
    assert desk.group(ticket) == "Technical"
    judged = [row for row in desk.rows(ticket, policy="rules") if row.action.verb in ("assign", "leave")]
    states = [(row.action.rule, row.action.verb, str(row.state)) for row in judged if row.action.rule in ("a", "b")]
    assert states == [("a", "assign", "done"), ("b", "leave", "not_connected")]
    (passed,) = [row for row in desk.rows(ticket) if row.action.verb == "leave"]
    assert "“a” goes before it with assign one" in passed.action.reason.text


def test_a_brand_by_its_name(fresh_desk: Desk) -> None:
    """Where a rule asks for a brand, the account is asked what its brands are called."""
    desk = fresh_desk
    desk.ctx.profile = edited("builder", "rules: {branded: {when: {brand: Builder}, do: [tag branded]}}")
    desk.beat()
    ticket = desk.file("P3")
    desk.minutes(2)
    assert "branded" in desk.tags(ticket)
    assert desk.calls("GET", "/brands")


def test_counting_costs_a_few_statements(desk: Desk) -> None:
    """Facts over several tickets are asked for together, not ticket by ticket, and only where a rule names them."""
    desk.beat()
    asked: list[str] = []
    event.listen(desk.ctx.store.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    looked = cases(desk.ctx, desk.ctx.store.open_tickets())
    few, asked[:] = len(asked), []
    lives = [case.life for case in looked]
    around = beside(desk.ctx.store, desk.ctx.profile.rules.values(), lives)
    assert len(looked) > 10
    assert sum(bool(one.neighbours) for one in around.values()) > 10
    assert 0 < len([statement for statement in asked if "SELECT" in statement]) <= max(few, 4)
    desk.ctx.profile = edited("builder", "rules: {frequent reporter: null}")
    asked.clear()
    assert beside(desk.ctx.store, desk.ctx.profile.rules.values(), lives) == {}
    assert asked == []
