"""Plays the world's past into the account, through the same doors as the present, so that every audit is a real one."""

import gc
import heapq
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

from connectors.sandbox.world import Happening
from connectors.sandbox.zendesk.errors import Refusal
from connectors.sandbox.zendesk.records import STATUSES

if TYPE_CHECKING:
    from connectors.sandbox.zendesk.sim import ZendeskSim


class Past:
    """The account's time while its past is played: `now` is the moment being played, work is done when it is due."""

    def __init__(self, start: int) -> None:
        self.now = start
        self._work: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()

    def schedule(self, at: int, do: Callable[[], None]) -> None:
        """Plan work (closing a solved ticket, scrubbing a deleted one)."""
        heapq.heappush(self._work, (at, next(self._order), do))

    def advance(self, to: int) -> None:
        """Move on, doing on the way what is due."""
        while self._work and self._work[0][0] <= to:
            self.now, _, do = heapq.heappop(self._work)
            do()
        self.now = max(self.now, to)

    def left(self) -> list[tuple[int, Callable[[], None]]]:
        """What is planned for after the past."""
        return [(at, do) for at, _, do in sorted(self._work)]


@contextmanager
def nothing_to_collect() -> Iterator[None]:
    """A large past is made of records that stay: looking for garbage among them would take a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def play(sim: "ZendeskSim", past: Past, happenings: Iterable[Happening]) -> None:
    """Do what people did. A step that has become impossible (its ticket is closed, merged, gone) did not happen."""
    tickets: dict[int, int] = {}
    for step in happenings:
        past.advance(step.at)
        if step.kind == "file":
            told = _known(sim, step.changes.get("fields", {}))
            tickets[step.ticket] = sim.file_ticket(
                requester=step.author,
                subject=step.subject,
                body=step.body,
                channel=step.channel,
                fields=told,
                recipient=step.recipient,
            )
            continue
        try:
            _do(sim, step, tickets)
        except (Refusal, LookupError):
            continue


def _do(sim: "ZendeskSim", step: Happening, tickets: dict[int, int]) -> None:
    id = tickets[step.ticket]
    if step.kind == "reply":
        ticket = sim.account.live(id)
        if ticket is not None and ticket.status == "closed":
            return
        status = step.status if step.status in STATUSES else None
        sim.reply(id, author=step.author, body=step.body, public=step.public, status=status)
    elif step.kind == "edit":
        sim.edit(id, author=step.author, **_possible(sim, id, dict(step.changes)))
    elif step.kind == "merge" and step.other is not None:
        sim.merge(tickets[step.other], [id], author=step.author)
    elif step.kind == "delete":
        sim.delete(id, author=step.author)
    elif step.kind == "spam":
        sim.mark_spam(id, author=step.author)


def _possible(sim: "ZendeskSim", id: int, changes: dict[str, object]) -> dict[str, object]:
    """An assignee takes the ticket into one of their own groups."""
    email, ticket = changes.get("assignee"), sim.account.live(id)
    if isinstance(email, str) and ticket is not None:
        agent = sim.user(email)
        if agent.id not in sim.account.members.get(ticket.group_id or 0, set()) and agent.default_group_id:
            changes["group"] = sim.account.groups[agent.default_group_id].name
    return changes


def _known(sim: "ZendeskSim", told: dict[str, str]) -> dict[str, str]:
    """Of what a story tells, the part that this account has fields and options for."""
    return {key: value for key, value in told.items() if (key, value) in sim.answers or _free(sim, key)}


def _free(sim: "ZendeskSim", key: str) -> bool:
    field = sim.account.field_named(key)
    return field is not None and not field.options
