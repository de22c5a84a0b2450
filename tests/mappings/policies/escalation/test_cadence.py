"""The rhythm of updates: by severity, for escalated tickets, for VIPs; silence is told (ESC-14, SLA-20, VIP-02)."""

import pytest

from mappings.model import Actor
from mappings.policies.sla.clocks import clocks
from mappings.policies.sla.lateness import notice
from tests.mappings.policies.escalation.climbing import life_of
from tests.profiles import profile
from tests.stories import Story, at

ARCH, PMERIT, ROOFING = profile("archbuilder"), profile("pmerit"), profile("roofing")


def told(story: Story, name: str, target: str, now: str) -> list[str]:
    """`warn` or `late` and whom, for one target at a time of the office."""
    org = profile(name)
    life = life_of(story, org)
    rows = [clock for clock in clocks(life, org) if clock.target == target]
    return [":".join(action.key.split(":")[:3]) for action in notice(life, rows, org, at(now, story.zone)).actions]


BY_SEVERITY = [
    # pmerit, last public update at 10:00: (severity, looked at, what is told)
    ("P0", "2026-03-03 10:22", []),
    ("P0", "2026-03-03 10:23", ["warn:tell:owner"]),
    ("P0", "2026-03-03 10:30", ["late:tell:leads"]),
    ("P1", "2026-03-03 11:59", []),
    ("P1", "2026-03-03 12:00", ["warn:tell:owner"]),
    ("P1", "2026-03-03 14:00", ["late:tell:leads"]),
    ("P2", "2026-03-04 10:00", ["warn:tell:owner"]),
    ("P3", "2026-03-05 10:00", ["late:tell:leads"]),
]


@pytest.mark.req("SLA-20")
@pytest.mark.parametrize(("severity", "now", "wanted"), BY_SEVERITY)
def test_each_severity_has_its_rhythm(severity: str, now: str, wanted: list[str]) -> None:
    """P0 every 30 minutes, P1 warned at 2 hours and late at 4, the others warned after one day and late after two."""
    story = Story("2026-03-03 09:50", severity=severity, plan="standard", kind="technical", zone=PMERIT.zone)
    assert told(story.reply("2026-03-03 10:00"), "pmerit", "User updates", now) == wanted


def escalated(*, moved: bool = True) -> Story:
    """archbuilder's P3, handed on at 10:00 and answered at 11:00 on Tuesday."""
    story = Story("2026-03-03 09:30", severity="P3", plan="basic", kind="software_bug", zone=ARCH.zone)
    if moved:
        story.set("2026-03-03 10:00", Actor.US, tier="2")
    return story.reply("2026-03-03 11:00")


WEDNESDAY = "2026-03-04 11:00"


@pytest.mark.req("ESC-14")
def test_silence_on_an_escalated_ticket_is_told() -> None:
    """A business day after the last update somebody is told; not for one that was never escalated, nor where an
    update came, the customer has the word, or it is solved."""
    assert told(escalated(), "archbuilder", "Escalated updates", "2026-03-04 10:59") == ["warn:tell:owner"]
    assert told(escalated(), "archbuilder", "Escalated updates", WEDNESDAY) == ["late:tell:leads"]
    assert told(escalated(moved=False), "archbuilder", "Escalated updates", WEDNESDAY) == []
    for story in (
        escalated().reply("2026-03-04 09:30"),
        escalated().set("2026-03-03 11:01", status="pending"),
        escalated().set("2026-03-03 16:00", status="solved"),
    ):
        assert told(story, "archbuilder", "Escalated updates", WEDNESDAY) == []


@pytest.mark.req("ESC-14")
def test_the_rhythm_begins_with_the_escalation() -> None:
    """Answered on Tuesday, escalated on Thursday: the day counts from Thursday, nothing is late at once."""
    story = escalated(moved=False).set("2026-03-05 10:00", Actor.US, tier="2")
    assert told(story, "archbuilder", "Escalated updates", "2026-03-05 10:01") == []
    assert told(story, "archbuilder", "Escalated updates", "2026-03-06 10:00") == ["late:tell:leads"]


@pytest.mark.req("VIP-02")
@pytest.mark.parametrize(("vip", "wanted"), [(True, ["late:tell:leads"]), (False, [])])
def test_a_vip_is_not_left_in_silence(vip: bool, wanted: list[str]) -> None:
    """roofing: a VIP who has heard nothing for a business day is brought to mind."""
    story = Story("2026-03-03 09:30", severity="standard", plan="standard", kind="question", vip=vip, zone=ROOFING.zone)
    assert told(story.reply("2026-03-03 11:00"), "roofing", "VIP updates", WEDNESDAY) == wanted


@pytest.mark.req("ESC-07")
def test_unresolved_for_a_day_is_managements() -> None:
    """roofing: unsolved after its business day, a ticket stays in its tier and management is called."""
    story = Story("2026-03-03 11:00", severity="standard", plan="standard", kind="question", zone=ROOFING.zone)
    found = told(story.reply("2026-03-03 11:10"), "roofing", "Resolution", "2026-03-04 11:00")
    assert found == ["late:escalate:zendesk", "late:escalate:message"]
