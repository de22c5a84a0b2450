"""What people do while we are at work: an agent edits, a customer writes, somebody wants us to keep off."""

from collections.abc import Callable

from tests.flows.desk import Desk

THEIR_DUE = "2026-03-20T12:00:00-05:00"
"""What an agent writes into `SLA due` by hand."""

Deed = Callable[[Desk, int, str], None]
"""Something done to a ticket by somebody on the desk, with a word that is not used twice."""


def _agent(desk: Desk) -> str:
    return desk.sim.agents("Support")[0]


def _customer(desk: Desk, ticket: int) -> str:
    requester = desk.sim.account.users[desk.sim.account.tickets[ticket].requester_id]
    assert requester.email is not None
    return requester.email


def answer(desk: Desk, ticket: int, word: str, group: str = "Support") -> None:
    """An agent answers the customer."""
    desk.sim.reply(ticket, author=desk.sim.agents(group)[0], body=f"We are on it ({word}).")


def solve(desk: Desk, ticket: int, word: str, group: str = "Support") -> None:
    """An agent solves a ticket without a word."""
    agent = desk.sim.agents(group)[0]
    desk.sim.edit(ticket, author=agent, assignee=agent, status="solved")


DEEDS: dict[str, Deed] = {
    "answer": answer,
    "solve": solve,
    "note": lambda desk, ticket, word: _say(desk, ticket, word),
    "comment": lambda desk, ticket, word: _write(desk, ticket, word),
    "tag": lambda desk, ticket, word: desk.sim.edit(ticket, author=_agent(desk), tags_add=(f"theirs_{word}",)),
    "subject": lambda desk, ticket, word: desk.sim.edit(ticket, author=_agent(desk), subject=f"Agent's words {word}"),
    "priority": lambda desk, ticket, _: desk.sim.edit(ticket, author=_agent(desk), priority="high"),
    "due": lambda desk, ticket, _: desk.sim.edit(ticket, author=_agent(desk), fields={"sla_due": THEIR_DUE}),
    "worse": lambda desk, ticket, _: desk.sim.edit(ticket, author=_agent(desk), fields={"severity": "P1"}),
    "delete": lambda desk, ticket, _: desk.sim.delete(ticket, author=_agent(desk)),
    "restore": lambda desk, ticket, _: desk.sim.restore(ticket, author=_agent(desk)),
    "merge": lambda desk, ticket, _: _merge(desk, ticket),
    "hold": lambda desk, ticket, _: desk.sim.edit(ticket, author=_agent(desk), tags_add=("hf_hold",)),
}
"""By the words of a schedule."""


def _say(desk: Desk, ticket: int, word: str) -> None:
    desk.sim.reply(ticket, author=_agent(desk), body=f"Between us ({word}).", public=False)


def _write(desk: Desk, ticket: int, word: str) -> None:
    desk.sim.reply(ticket, author=_customer(desk, ticket), body=f"Any news ({word})?")


def _merge(desk: Desk, ticket: int) -> None:
    """Into a ticket of before: an agent thinks that they are the same."""
    target = next(
        other.id
        for other in desk.sim.account.tickets.values()
        if other.id != ticket and other.deleted_at is None and other.status != "closed"
    )
    desk.sim.merge(target, [ticket], author=_agent(desk))


def let_go(desk: Desk, tickets: list[int]) -> None:
    """Agents take their hands off again."""
    for ticket in tickets:
        found = desk.sim.account.live(ticket)
        if found is not None and "hf_hold" in found.tags and found.status != "closed":
            desk.sim.edit(ticket, author=_agent(desk), tags_remove=("hf_hold",))
