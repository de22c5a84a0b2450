"""When a ticket is flagged and what was decided, read from its past; and the review's clock on it."""

import pytest

from mappings.model import Actor, Clock, ClockState
from mappings.policies.abuse.flags import decisions, flags
from mappings.policies.sla.clocks import clocks
from mappings.policies.sla.measures import live
from mappings.timeline import build
from tests.profiles import profile
from tests.stories import GROUPS, Story

DAY = "2026-03-03"


def story() -> Story:
    """A ticket that nobody has flagged."""
    return Story(f"{DAY} 10:00")


FLAGS = [
    ("nothing", story(), []),
    ("a category", story().set(f"{DAY} 11:00", abuse="threats"), [("11:00", "threats", None)]),
    ("the tag", story().set(f"{DAY} 11:00", tags="abusive"), [("11:00", None, None)]),
    (
        "our tag joins the agent's field",
        story().set(f"{DAY} 11:00", abuse="threats").set(f"{DAY} 11:01", Actor.US, tags="abusive"),
        [("11:00", "threats", None)],
    ),
    (
        "the category comes later",
        story().set(f"{DAY} 11:00", tags="abusive").set(f"{DAY} 11:05", abuse="harassment"),
        [("11:00", "harassment", None)],
    ),
    (
        "taken back",
        story().set(f"{DAY} 11:00", tags="abusive").set(f"{DAY} 11:05", tags=None),
        [("11:00", None, "withdrawn")],
    ),
    (
        "decided",
        story().set(f"{DAY} 11:00", abuse="threats").set(f"{DAY} 12:00", abuse_decision="warn"),
        [("11:00", "threats", "decision")],
    ),
    (
        "flagged and decided in one update",
        story().set(f"{DAY} 11:00", abuse="threats", abuse_decision="none"),
        [("11:00", "threats", "decision")],
    ),
    (
        "an attempt that was set back decides nothing",
        story()
        .set(f"{DAY} 11:00", abuse="threats")
        .set(f"{DAY} 12:00", abuse_decision="warn")
        .set(f"{DAY} 12:01", Actor.US, abuse_decision=None),
        [("11:00", "threats", None)],
    ),
    (
        "another category after the decision is another flag",
        story()
        .set(f"{DAY} 11:00", abuse="harassment")
        .set(f"{DAY} 12:00", abuse_decision="warn")
        .set(f"{DAY} 13:00", abuse="threats"),
        [("11:00", "harassment", "decision"), ("13:00", "threats", None)],
    ),
    (
        "other tags and replies are none",
        story().set(f"{DAY} 11:00", tags="abuse angry").reply(f"{DAY} 11:30"),
        [],
    ),
]


@pytest.mark.req("ABU-01")
@pytest.mark.parametrize(("told", "expected"), [row[1:] for row in FLAGS], ids=[row[0] for row in FLAGS])
def test_flags(told: Story, expected: list[tuple[str, str | None, str | None]]) -> None:
    """Each flag: since when, of which category, and what ended it."""
    found = flags(build(told.history()))
    office = [(f"{flag.at.astimezone(told.zone):%H:%M}", flag.category, flag.ended) for flag in found]
    assert office == expected


def test_a_ticket_that_was_born_flagged() -> None:
    """Imported or filed with the tag: the flag is as old as the ticket."""
    (flag,) = flags(build(Story(f"{DAY} 10:00", tags="abusive").history()))
    assert flag.cause == "1772553600"


def test_whose_decisions_they_are() -> None:
    """Each value that the field was given, with who gave it; what we set back is marked, and is no decision of ours."""
    told = story().set(f"{DAY} 11:00", abuse_decision="warn").set(f"{DAY} 11:01", Actor.US, abuse_decision=None)
    told.set(f"{DAY} 12:00", abuse_decision="restrict").set(f"{DAY} 12:30", abuse_decision="none")
    found = decisions(build(told.history()))
    assert [(one.value, one.back, one.set_back) for one in found] == [
        ("warn", None, True),
        ("restrict", None, False),
        ("none", "restrict", False),
    ]


@pytest.mark.req("ABU-03")
def test_the_review_has_a_clock() -> None:
    """From the flag, due at once, to the decision: a solve does not end it, a new flag begins another."""
    told = story().set(f"{DAY} 11:00", abuse="threats").set(f"{DAY} 11:30", status="solved")
    assert [(clock.state, clock.cell) for clock in reviews(told)] == [(ClockState.RUNNING, "immediate")]
    told.set(f"{DAY} 12:00", abuse_decision="warn").set(f"{DAY} 13:00", abuse="harassment")
    assert [(clock.state, clock.missed_by) for clock in reviews(told)] == [
        (ClockState.MISSED, 3600),
        (ClockState.RUNNING, None),
    ]
    assert reviews(told)[0].fulfilled_by == "decision"


def reviews(told: Story) -> list[Clock]:
    """A story's clocks of the builder's target Abuse review."""
    history = told.history()
    life = live(history, build(history), profile("builder"), GROUPS)
    return [clock for clock in clocks(life, profile("builder")) if clock.target == "Abuse review"]
