"""Messages: told once, by the ways of their route, gathered where they are many, whatever happens on the way."""

from tests.flows.desk import Desk
from tests.flows.test_delivery import late
from tests.profiles import edited

import pytest

TELLING = """
targets:
  First response: {late: [escalate next, tell leads]}
routes:
  leads: {email: leads@example.com, slack: "#leads"}
tools: {slack: true}
"""


@pytest.fixture
def telling(desk: Desk) -> Desk:
    """The builder profile with leads who are told of what is late: in Slack, by mail where that fails."""
    desk.slack.workspace.channels["C0LEADS"] = type(desk.slack.channel("general"))("C0LEADS", "leads")
    desk.ctx.profile = edited("builder", TELLING)
    return desk


def test_late_ticket_is_told(telling: Desk) -> None:
    """A late ticket."""
    desk = telling
    (ticket,) = late(desk)
    desk.minutes(3)
    assert desk.slack.said("leads")
    print(desk.slack.said("leads"), desk.mail.mailbox, desk.states(ticket, "message"))
    assert desk.mail.mailbox == []


def test_falls_back(telling: Desk) -> None:
    """A late ticket."""
    desk = telling
    desk.slack.kick("leads")
    (ticket,) = late(desk)
    beats = desk.minutes(3)
    print([b.delivered.problems for b in beats])
    print(desk.mail.mailbox, desk.states(ticket, "message"))
    assert len(desk.mail.mailbox) == 1
