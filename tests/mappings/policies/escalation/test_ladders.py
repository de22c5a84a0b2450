"""Both ladders at once: by what a ticket is about and by its priority; the earlier limit moves it (ESC-03, ESC-04)."""

import pytest

from mappings.model import Actor
from tests.mappings.policies.escalation.climbing import ARCH, climbs, told
from tests.profiles import profile
from tests.stories import Story

FIRST_STEP = [
    # filed on Friday 13 March at 14:00 and answered at once: (kind, severity, when it comes to tier 2)
    ("software_bug", "P2", "Mon 13:00"),  # 8 open hours by priority, before a business day by kind
    ("software_bug", "P3", "Mon 14:00"),  # a business day by kind, before two by priority
    ("software_bug", "P4", "Mon 14:00"),
    ("performance", "P2", "Mon 13:00"),
    ("performance", "P3", "Mon 13:00"),
    ("performance", "P4", "Mon 13:00"),
    ("integration", "P2", "Mon 13:00"),
    ("integration", "P3", "Mon 17:00"),  # 12 open hours
    ("integration", "P4", "Mon 17:00"),
    ("security", "P2", "Fri 16:00"),  # two hours on the wall, whatever the day
    ("security", "P3", "Fri 16:00"),
    ("security", "P4", "Fri 16:00"),
    ("payment", "P2", "Mon 13:00"),
    ("payment", "P3", "Tue 14:00"),
    ("payment", "P4", "Tue 14:00"),
    ("new_feature", "P2", "Mon 13:00"),  # no ladder of its own: by priority alone
    ("new_feature", "P3", "Tue 14:00"),
    ("user_training", "P4", "Fri 14:00"),  # a week on the wall
]


@pytest.mark.req("ESC-03", "ESC-04")
@pytest.mark.parametrize(("kind", "severity", "when"), FIRST_STEP)
def test_the_earlier_of_two_ladders_moves_a_ticket(kind: str, severity: str, when: str) -> None:
    """The first tier is left at the earlier of the two limits; the weekend counts only on the wall."""
    story = Story("2026-03-13 14:00", severity=severity, plan="basic", kind=kind, zone=ARCH.zone)
    story.reply("2026-03-13 14:05")
    first = climbs(story, ARCH, "2026-03-21 00:00")[0]
    assert (first.at, first.tier) == (when, 2)


LADDERS = [
    # filed on Friday 13 March at 17:00 by a Basic customer, and nobody touches it: (kind, the steps)
    ("security", [("Fri 19:00", 2), ("Fri 20:00", 3), ("Fri 20:30", 4)]),
    ("software_bug", [("Mon 17:00", 2), ("Tue 16:00", 3), ("Wed 11:00", 4)]),
    ("performance", [("Mon 16:00", 2), ("Tue 11:00", 3), ("Tue 13:00", 4)]),
    ("integration", [("Tue 11:00", 2), ("Tue 17:00", 3), ("Wed 11:00", 4)]),
    ("payment", [("Tue 17:00", 2), ("Wed 16:00", 3), ("Wed 17:00", 4)]),  # the last: no first reply in 3 days
]


@pytest.mark.req("ESC-03")
@pytest.mark.parametrize(("kind", "steps"), LADDERS)
def test_a_neglected_ticket_climbs_its_whole_ladder(kind: str, steps: list[tuple[str, int]]) -> None:
    """Security goes up after 2 h, 1 h and 30 min, also at night; the others in open hours, tier by tier, to the top."""
    story = Story("2026-03-13 17:00", severity="P4", plan="basic", kind=kind, zone=ARCH.zone)
    found = climbs(story, ARCH, "2026-03-21 00:00")
    assert [(step.at, step.tier) for step in found[:3]] == steps
    assert found[3].tier is None
    assert "This is the last tier: Management is called." in (told(found[3].action).note or "")
    assert len(found) == 4


@pytest.mark.req("ESC-04", "AFT-05")
def test_enterprise_climbs_around_the_clock() -> None:
    """An Enterprise ticket enters tier 2, and its open hours are all hours: eight from Friday 14:00 are 22:00."""
    story = Story("2026-03-13 14:00", severity="P3", plan="enterprise", kind="software_bug", zone=ARCH.zone)
    story.reply("2026-03-13 14:05")
    first = climbs(story, ARCH, "2026-03-16 00:00")[0]
    assert (first.at, first.tier) == ("Fri 22:00", 3)


@pytest.mark.req("TRI-17")
@pytest.mark.parametrize(
    ("field", "value", "when"),
    [("kind", "security", "Fri 16:00"), ("severity", "P2", "Mon 14:00"), ("kind", "payment", "Tue 14:00")],
)
def test_what_a_ticket_becomes_chooses_its_ladder(field: str, value: str, when: str) -> None:
    """A P3 bug filed at 14:00 is graded anew at 15:00: the new ladder holds, counted from the beginning where that is
    not late already, and from the change where severity got worse."""
    story = Story("2026-03-13 14:00", severity="P3", plan="basic", kind="software_bug", zone=ARCH.zone)
    story.reply("2026-03-13 14:05").set("2026-03-13 15:00", Actor.AGENT, **{field: value})
    first = climbs(story, ARCH, "2026-03-21 00:00")[0]
    assert (first.at, first.tier) == (when, 2)


@pytest.mark.req("ESC-02")
def test_builder_climbs_by_its_figures() -> None:
    """A Business P2 filed on Friday 16:00: tier 2 and tier 3 after four open hours each, then management, once."""
    story = Story("2026-03-13 16:00")
    found = climbs(story, profile("builder"), "2026-03-21 00:00")
    assert [(step.at, step.tier) for step in found] == [("Mon 10:00", 2), ("Mon 14:00", 3), ("Mon 18:00", None)]


@pytest.mark.req("ESC-09")
def test_no_progress_for_four_hours_is_a_step() -> None:
    """pmerit: four open hours without work move a ticket up; an internal note at 3 h 50 starts them anew."""
    org = profile("pmerit")
    story = Story("2026-03-03 10:00", severity="P3", plan="standard", kind="question", zone=org.zone)
    [step] = [step for step in climbs(story, org, "2026-03-03 14:00") if step.tier == 2]
    assert step.at == "Tue 14:00"
    noted = Story("2026-03-03 10:00", severity="P3", plan="standard", kind="question", zone=org.zone)
    noted.reply("2026-03-03 13:50", public=False)
    assert climbs(noted, org, "2026-03-04 09:49") == []
    assert climbs(noted, org, "2026-03-04 09:50")[0].at == "Wed 09:50"
