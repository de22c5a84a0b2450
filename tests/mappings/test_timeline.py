"""Who spoke on a ticket, by what the ticket itself tells of people."""

import msgspec
import pytest

from mappings.model import Actor, History
from mappings.policies.sla.measures import first_reply, live
from mappings.timeline import build
from tests.profiles import profile
from tests.stories import GROUPS, Story

REQUESTER, AGENT, LEFT = 9, 5, 6


def answered(by: int, actor: Actor, **ticket: object) -> History:
    """A ticket of REQUESTER's that LEFT was once given, with one public answer, its author as listed."""
    story = (
        Story("2026-03-03 10:00")
        .set("2026-03-03 10:05", assignee_id=str(LEFT))
        .set("2026-03-03 10:06", assignee_id=None)
    )
    history = story.reply("2026-03-03 10:20", actor).history()
    events = [msgspec.structs.replace(event, actor_id=by) if event.public else event for event in history.events]
    opening = next(index for index, event in enumerate(events) if event.public)
    events[opening] = msgspec.structs.replace(events[opening], actor_id=REQUESTER)
    now = msgspec.structs.replace(history.ticket, requester_id=REQUESTER, **ticket)
    return msgspec.structs.replace(history, events=tuple(events), ticket=now)


@pytest.mark.parametrize(
    ("by", "listed_as", "stops"),
    [
        (AGENT, Actor.AGENT, True),
        (REQUESTER, Actor.CUSTOMER, False),
        (REQUESTER, Actor.AGENT, False),
        (LEFT, Actor.CUSTOMER, True),
        (77, Actor.CUSTOMER, False),
        (AGENT, Actor.US, False),
        (AGENT, Actor.RULE, False),
        (AGENT, Actor.BOT, False),
        (AGENT, Actor.APP, False),
        (AGENT, Actor.UNKNOWN, False),
    ],
    ids=["agent", "customer", "agent who asked", "agent who left", "colleague", "us", "rule", "bot", "app", "unknown"],
)
def test_whose_answer_stops_the_clock(by: int, listed_as: Actor, stops: bool) -> None:
    """An agent's answer does, also one who has left since; not an agent's who asked for help, nor any program's."""
    history = answered(by, listed_as)
    (watch,) = first_reply(live(history, build(history), profile("builder"), GROUPS))
    assert (watch.episodes[-1].stop is not None) is stops
