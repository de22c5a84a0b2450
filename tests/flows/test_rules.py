"""The profile's rules from end to end: what a ticket at night, a keyword or a role leads to."""

import pytest

from connectors.store import OutboxState
from tests.flows.desk import Desk
from tests.profiles import edited


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
