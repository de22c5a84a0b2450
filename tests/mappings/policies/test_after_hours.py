"""After hours, organisation by organisation: who is paged, who waits, and what the customer is told (AFT)."""

from pathlib import Path

import pytest

from flows.context import load_replies
from mappings.model import Actor
from mappings.plan import Action, TicketChange
from mappings.policies.rules import judge
from mappings.policies.sla.measures import live
from mappings.profile import Profile
from mappings.timeline import build
from tests.profiles import CONFIG, profile
from tests.stories import GROUPS, Story

REPLIES = load_replies(Path(CONFIG))
TUESDAY, NIGHT, SATURDAY = "2026-03-03 11:00", "2026-03-03 20:00", "2026-03-07 12:00"
FRIDAY_LATE, HOLIDAY = "2026-03-06 23:30", "2026-07-03 11:00"
PAGED, QUEUED = "page on_call", "tag next_business_day"


def judged(story: Story, org: Profile) -> list[Action]:
    """What the rules want done for a story."""
    history = story.history()
    return judge(live(history, build(history), org, GROUPS), org, REPLIES, link=str)


def after_hours(story: Story, org: Profile) -> set[str]:
    """Is somebody paged, is it queued for the next business day, is the customer told?"""
    wanted = {" ".join(action.key.split(":")[1:3]) for action in judged(story, org)}
    return wanted & {PAGED, QUEUED, "reply after_hours"}


QUEUE = {QUEUED, "reply after_hours"}
PMERIT = [
    # (filed, severity, what happens)
    (TUESDAY, "P0", {PAGED}),  # by the rule for P0, at any hour
    (TUESDAY, "P1", set()),
    (TUESDAY, "P2", set()),
    (NIGHT, "P0", {PAGED}),
    (NIGHT, "P1", {PAGED}),
    (NIGHT, "P2", QUEUE),
    (NIGHT, "P3", QUEUE),
    (SATURDAY, "P0", {PAGED}),
    (SATURDAY, "P1", QUEUE),
    (SATURDAY, "P3", QUEUE),
    (FRIDAY_LATE, "P1", {PAGED}),  # Friday's night is a weekday's until midnight
    ("2026-03-07 00:00", "P1", QUEUE),
    ("2026-03-09 00:00", "P1", {PAGED}),  # and Monday's begins with the day
    (HOLIDAY, "P2", QUEUE),  # a federal holiday
]


@pytest.mark.req("AFT-03", "AFT-04", "AFT-09")
@pytest.mark.parametrize(("filed", "severity", "wanted"), PMERIT)
def test_pmerit(filed: str, severity: str, wanted: set[str]) -> None:
    """Weekday nights page P0 and P1, weekends P0 alone; what is not served is queued, and its customer told."""
    org = profile("pmerit")
    story = Story(filed, severity=severity, plan="standard", kind="technical", channel="email", zone=org.zone)
    assert after_hours(story, org) == wanted


ARCHBUILDER = [
    ("2026-03-04 03:00", "P1", "basic", "software_bug", True),  # critical: whoever it is
    ("2026-03-07 12:00", "P1", "basic", "software_bug", True),
    ("2026-03-04 03:00", "P2", "enterprise", "software_bug", True),  # Enterprise is served around the clock
    ("2026-03-04 03:00", "P2", "professional", "software_bug", False),
    ("2026-03-04 03:00", "P3", "enterprise", "software_bug", False),  # its clock runs, and nobody is woken
    ("2026-03-04 03:00", "P2", "basic", "security", True),  # so is security
    ("2026-03-03 11:00", "P2", "enterprise", "software_bug", False),  # by day somebody is there
]


@pytest.mark.req("AFT-05")
@pytest.mark.parametrize(("filed", "severity", "plan", "kind", "paged"), ARCHBUILDER)
def test_archbuilder(filed: str, severity: str, plan: str, kind: str, paged: bool) -> None:
    """Critical tickets page at any hour, and at night what the plan or the kind has served around the clock."""
    org = profile("archbuilder")
    story = Story(filed, severity=severity, plan=plan, kind=kind, zone=org.zone)
    assert (PAGED in after_hours(story, org)) is paged


@pytest.mark.req("AFT-01")
def test_a_night_page_does_not_fire_again_in_the_morning() -> None:
    """Paged at 02:00 and touched at 09:00, also with a change of severity and back: one page, under one key."""
    org = profile("builder")
    story = Story("2026-03-04 02:00", severity="P1").reply("2026-03-04 09:00")
    story.set("2026-03-04 09:10", severity="P2").set("2026-03-04 22:00", severity="P1")
    assert [action.key for action in judged(story, org) if action.verb == "page"] == ["rule:page:on_call:zendesk:123"]


CLIMBING = [
    # (organisation, severity, plan, filed, moved up, is somebody paged by then?)
    ("pmerit", "P1", "standard", "2026-03-03 16:00", "2026-03-03 20:00", True),
    ("pmerit", "P1", "standard", "2026-03-06 16:00", "2026-03-07 12:00", False),  # not at weekends
    ("pmerit", "P2", "standard", "2026-03-03 16:00", "2026-03-03 20:00", False),
    ("archbuilder", "P2", "enterprise", "2026-03-03 17:00", "2026-03-03 21:00", True),
    ("archbuilder", "P2", "basic", "2026-03-03 17:00", "2026-03-03 21:00", False),
    ("archbuilder", "P3", "enterprise", "2026-03-03 17:00", "2026-03-03 21:00", False),
]


@pytest.mark.req("AFT-03", "AFT-05")
@pytest.mark.parametrize(("name", "severity", "plan", "filed", "moved", "paged"), CLIMBING)
def test_what_climbs_at_night(name: str, severity: str, plan: str, filed: str, moved: str, paged: bool) -> None:
    """Filed by day, and moved up while the office is closed: who would be woken for a new one is woken for it."""
    org = profile(name)
    story = Story(filed, severity=severity, plan=plan, kind=next(iter(org.kinds)), zone=org.zone)
    assert PAGED not in after_hours(story, org)
    assert (PAGED in after_hours(story.set(moved, Actor.US, tier="3"), org)) is paged


EXPECTED = [
    # (organisation, filed, severity, plan, what the customer reads)
    ("builder", "2026-03-07 12:00", "P3", "business", "You will hear from us by Mon 9 Mar 16:00 CDT."),
    ("builder", "2026-03-03 22:00", "P2", "business", "You will hear from us by Wed 4 Mar 12:00 CST."),
    ("builder", "2026-03-04 02:00", "P2", "enterprise", "You will hear from us by Wed 4 Mar 09:00 CST."),
    ("builder", "2026-03-07 12:00", "P4", "starter", "We will look at it when we open again: Mon 9 Mar 08:00 CDT."),
    ("builder", "2026-03-04 02:00", "P4", "starter", "We will look at it when we open again: Wed 4 Mar 08:00 CST."),
    ("pmerit", "2026-03-07 12:00", "P3", "standard", "You will hear from us by Tue 10 Mar 09:00 EDT."),
    ("pmerit", "2026-03-07 12:00", "P1", "standard", "You will hear from us by Mon 9 Mar 02:00 EDT."),
]


@pytest.mark.req("AFT-09", "SLA-14")
@pytest.mark.parametrize(
    ("severity", "said"),
    [("P1", "Mon 9 Mar 04:00"), ("P2", "Tue 10 Mar 09:00"), ("P3", "Wed 11 Mar 09:00")],
)
def test_a_mail_is_told_what_is_published(severity: str, said: str) -> None:
    """pmerit: a P2 mail of Saturday is told 24 hours, whatever the team holds itself to; so with the others."""
    org = profile("pmerit")
    story = Story(SATURDAY, severity=severity, plan="standard", kind="technical", channel="email", zone=org.zone)
    (reply,) = [action.change for action in judged(story, org) if action.verb == "reply"]
    assert isinstance(reply, TicketChange)
    assert f"You will hear from us by {said} EDT." in (reply.reply or "")


@pytest.mark.req("AFT-09")
@pytest.mark.parametrize(("name", "filed", "severity", "plan", "said"), EXPECTED)
def test_the_expected_time_is_honest(name: str, filed: str, severity: str, plan: str, said: str) -> None:
    """The customer reads when the first reply is due; where none is promised, when we open again."""
    org = profile(name)
    kind = next(iter(org.kinds))
    story = Story(filed, severity=severity, plan=plan, kind=kind, channel="in_app", zone=org.zone)
    (reply,) = [action.change for action in judged(story, org) if action.verb == "reply"]
    assert isinstance(reply, TicketChange)
    assert said in (reply.reply or "")


@pytest.mark.req("AFT-09")
def test_a_ticket_made_milder_at_night_joins_the_queue() -> None:
    """A P1 that an agent makes a P2 at 03:00: its customer is told when it will be served."""
    org = profile("pmerit")
    story = Story(NIGHT, severity="P1", plan="standard", kind="technical", zone=org.zone)
    story.set("2026-03-04 03:00", Actor.AGENT, severity="P2")
    assert after_hours(story, org) == {PAGED, *QUEUE}
