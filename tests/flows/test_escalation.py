"""Escalation from end to end: ladders, rules and agents; one step, its message, and what the customer is told."""

from collections.abc import Callable

import pytest

from tests.flows.desk import Desk
from tests.profiles import edited, profile
from tests.stories import at

Open = Callable[[str], Desk]


def move(desk: Desk, text: str) -> None:
    """Set the clock to a time of the profile's own office, and let our minutes pass."""
    desk.core.set_time(at(text, desk.ctx.profile.zone))
    desk.minutes(3)


def moves(desk: Desk, ticket: int) -> list[str]:
    """Where our notes say that a ticket was moved to, in order."""
    notes = [note for note in desk.notes(ticket) if "Moved to " in note]
    return [note.split("Moved to ")[1].split(" (")[0] for note in notes]


@pytest.mark.req("ESC-03", "ESC-16", "SEC-01")
def test_security_climbs_at_the_weekend(desk_of: Open) -> None:
    """archbuilder, a Basic customer's security ticket on Saturday: up after 2 h, 1 h more, 30 min more, and at each
    tier among its own few: nobody else may look into it."""
    desk = desk_of("archbuilder")
    move(desk, "2026-03-07 01:57")
    ticket = desk.file("P3", "basic", fields={"kind": "security"})
    desk.minutes(3)
    for before, after, tier in (
        ("03:56", "04:00", "tier_2"),
        ("04:57", "05:03", "tier_3"),
        ("05:27", "05:34", "tier_4"),
    ):
        held = desk.field(ticket, "tier")
        move(desk, f"2026-03-07 {before}")
        assert desk.field(ticket, "tier") == held
        move(desk, f"2026-03-07 {after}")
        assert desk.field(ticket, "tier") == tier
        assert desk.group(ticket) == "Security"
    assert not desk.sim.sees(desk.sim.agents("Tier 1")[-1], ticket)
    assert moves(desk, ticket) == ["Technical", "Expert", "Engineering"]
    first = next(note for note in desk.notes(ticket) if "Moved to Technical" in note)
    assert "The plan Basic does not include this tier." in first


@pytest.mark.req("ESC-06", "ESC-12")
def test_an_agent_hands_a_ticket_on(either_desk: Desk) -> None:
    """The macro without a reason: asked once, nothing moves. With one: tier 2, the eight lines, and the form is clear
    for the next request; the next one leads to tier 3."""
    desk = either_desk
    ticket = desk.file("P2", "business")
    desk.minutes(2)
    desk.sim.edit(ticket, author=desk.agent, tags_add=("hf_escalate",))
    desk.minutes(4)
    assert desk.group(ticket) == "Support"
    assert len([note for note in desk.notes(ticket) if "without a reason" in note]) == 1
    filled = {"escalation_reason": "escalation_defect", "impact": "Nobody can invoice", "needed": "A developer"}
    desk.sim.edit(ticket, author=desk.agent, fields=filled)
    desk.minutes(4)
    assert desk.group(ticket) == "Technical"
    (note,) = [note for note in desk.notes(ticket) if "An agent asked for it" in note]
    for said in (
        "a defect of the product. Moved to Technical support (tier 2).",
        "Before: Help and chat since 10:03.",
        "Impact: Nobody can invoice",
        "Attempted: not filled in; please fill in the field “Attempted”",
        "Needed: A developer",
    ):
        assert said in note
    assert "hf_escalate" not in desk.tags(ticket)
    assert desk.field(ticket, "escalation_reason") is None
    assert desk.field(ticket, "impact") == "Nobody can invoice"
    desk.sim.edit(ticket, author=desk.agent, tags_add=("hf_escalate",), fields={"escalation_reason": "escalation_vip"})
    desk.minutes(4)
    assert moves(desk, ticket) == ["Technical support", "Engineering"]


@pytest.mark.req("ESC-09", "ESC-18")
def test_work_starts_the_hours_without_progress_anew(desk_of: Open) -> None:
    """pmerit: an internal note at 3 h 50 keeps a ticket where it is at 4 h; four hours after the note it goes up."""
    desk = desk_of("pmerit")
    ticket = desk.file("P3", "standard", fields={"kind": "question"})
    other = desk.file("P3", "standard", fields={"kind": "question"})
    filed = desk.now.astimezone(profile("pmerit").zone)
    assert f"{filed:%H:%M}" == "11:03"
    move(desk, "2026-03-03 14:53")
    desk.sim.reply(ticket, author=desk.agent, body="Found the log line.", public=False)
    assert desk.field(ticket, "next_escalation") == "T2 at 15:03"
    move(desk, "2026-03-03 14:56")
    assert desk.field(ticket, "next_escalation") == "T2 on Wed 4 Mar 10:56"
    move(desk, "2026-03-03 15:03")
    assert desk.group(other) == "Engineering"
    assert desk.group(ticket) == "Support"
    move(desk, "2026-03-04 10:50")
    assert desk.group(ticket) == "Support"
    move(desk, "2026-03-04 11:00")
    assert desk.group(ticket) == "Engineering"


@pytest.mark.req("ESC-08", "ESC-10")
def test_the_worst_severity_is_everybodys_at_once(desk_of: Open) -> None:
    """pmerit P0: one update moves it to tier 3 and calls management; on-call is paged."""
    desk = desk_of("pmerit")
    ticket = desk.file("P0", "standard", fields={"kind": "technical", "working": "working_no"})
    desk.minutes(3)
    assert desk.group(ticket) == "Tech leads"
    assert desk.field(ticket, "tier") == "tier_3"
    (note,) = [note for note in desk.notes(ticket) if "Moved to " in note]
    assert "Moved to Senior engineer / tech lead (L3) (tier 3)." in note
    assert "For Management: " in note
    assert len(desk.incidents) == 1
    assert desk.field(ticket, "next_escalation") == "Management at 15:03"


@pytest.mark.req("ESC-07", "ESC-09")
def test_a_lawyers_letter(desk_of: Open) -> None:
    """pmerit, tagged `legal`: one update takes it to tier 2 and calls management, each once; they are mailed."""
    desk = desk_of("pmerit")
    ticket = desk.file("P2", "standard", fields={"kind": "complaint"})
    desk.minutes(2)
    desk.sim.edit(ticket, author=desk.agent, tags_add=("legal",))
    desk.minutes(4)
    assert desk.group(ticket) == "Engineering"
    assert {"escalated", "escalated_management"} <= desk.tags(ticket)
    (note,) = [note for note in desk.notes(ticket) if "Moved to " in note]
    assert note.count("Management is called.") == 1
    desk.sim.edit(ticket, author=desk.agent, tags_add=("press",))
    desk.minutes(4)
    assert moves(desk, ticket) == ["Engineering"]
    (mail,) = desk.mail.to("support-manager@example.com")
    assert "Tag legal. Management is called." in mail.text
    assert "Priority: P2 Medium" in mail.text


@pytest.mark.req("ESC-13", "SLA-23")
def test_a_hand_off_is_whole(desk_of: Open) -> None:
    """archbuilder: handed on, the ticket shows reason, tiers before and new due time, and the customer is told it."""
    desk = desk_of("archbuilder")
    move(desk, "2026-03-03 09:57")
    ticket = desk.file("P3", "basic", fields={"kind": "software_bug"})
    desk.minutes(2)
    move(desk, "2026-03-03 10:57")
    agent = desk.sim.agents("Tier 1")[-1]
    desk.sim.edit(ticket, author=agent, fields={"escalation_reason": "escalation_expertise"})
    desk.minutes(4)
    (note,) = [note for note in desk.notes(ticket) if "Moved to " in note]
    assert "it takes special expertise. Moved to Technical (tier 2). Before: Basic since 10:00." in note
    assert "The new target is a reply by Wed 4 Mar 10:00." in note
    (told,) = desk.replies(ticket)
    assert "You will hear from them by Wed 4 Mar 10:0" in told
    assert desk.field(ticket, "sla_due").startswith("2026-03-04T10:0")


@pytest.mark.req("ESC-05")
def test_two_wishes_in_one_minute_are_one_step(desk: Desk) -> None:
    """The customer asks in the very minute in which the first response is late: one step, and a note with both."""
    ticket = desk.file("P2", "business")
    desk.minutes(2)
    desk.move("2026-03-03 14:02")
    desk.sim.edit(ticket, author=desk.agent, tags_add=("escalate_please",))
    desk.minutes(6)
    assert moves(desk, ticket) == ["Technical support"]
    assert desk.group(ticket) == "Technical"
    said = "\n".join(desk.notes(ticket))
    assert "First response was due 14:03" in said
    assert "Tag escalate_please" in said


@pytest.mark.req("ESC-05")
def test_a_rule_and_a_clock_decide_together(desk: Desk) -> None:
    """Both are decided in one pulse, before either is delivered: the second joins, and Zendesk sees one update."""
    ticket = desk.file("P2", "business")
    desk.minutes(2)
    desk.move("2026-03-03 14:05")
    desk.sim.edit(ticket, author=desk.agent, tags_add=("escalate_please",))
    desk.minutes(1)
    rows = [row for row in desk.rows(ticket) if row.action.key.startswith(("late:escalate", "rule:escalate"))]
    assert sorted(row.action.verb for row in rows) == ["escalate", "note"]
    (note,) = [note for note in desk.notes(ticket) if "Moved to " in note]
    assert "Already moved up from this tier." in note


def test_an_agent_and_a_clock_ask_for_one_step(desk: Desk) -> None:
    """An agent asks in the minute in which the first response is late: one step, and the form is clear again."""
    ticket = desk.file("P2", "business")
    desk.minutes(2)
    desk.move("2026-03-03 14:05")
    desk.sim.edit(ticket, author=desk.agent, fields={"escalation_reason": "escalation_defect"})
    desk.minutes(5)
    assert moves(desk, ticket) == ["Technical support"]
    assert "An agent asked for it: a defect of the product." in "\n".join(desk.notes(ticket))
    assert desk.field(ticket, "escalation_reason") is None


def test_two_rules_want_one_step(desk: Desk) -> None:
    """Two rules fire at one tag, with different steps in mind: the higher is taken, and says what it goes before."""
    desk.ctx.profile = edited("builder", "rules: {direct: {when: {tag: escalate_please}, do: [escalate 3]}}")
    ticket = desk.file("P2", "business")
    desk.minutes(2)
    desk.sim.edit(ticket, author=desk.agent, tags_add=("escalate_please",))
    desk.minutes(4)
    assert desk.group(ticket) == "Engineering"
    assert moves(desk, ticket) == ["Engineering"]
    said = "\n".join(desk.notes(ticket))
    assert "Rule: direct" in said
    assert "It goes before “customer asks”, which wanted escalate next." in said


@pytest.mark.req("ESC-14", "SLA-20")
def test_an_escalated_ticket_that_falls_silent(desk_of: Open) -> None:
    """archbuilder: escalated and answered, then nothing for a business day: the silence is late, once."""
    desk = desk_of("archbuilder")
    move(desk, "2026-03-03 09:57")
    ticket = desk.file("P3", "basic", fields={"kind": "software_bug"})
    plain = desk.file("P3", "basic", fields={"kind": "new_feature"})
    desk.minutes(2)
    agent = desk.sim.agents("Tier 1")[-1]
    desk.sim.edit(ticket, author=agent, fields={"escalation_reason": "escalation_expertise"})
    desk.minutes(3)
    for one in (ticket, plain):
        desk.sim.reply(one, author=agent, body="We look into it.")
    move(desk, "2026-03-04 10:00")
    assert desk.clocks(ticket)["Escalated updates"].detected_at is None
    move(desk, "2026-03-04 10:10")
    silent = [row for row in desk.rows(ticket) if row.action.key.startswith("late:tell:leads")]
    assert [row.action.rule for row in silent] == ["Escalated updates"]
    assert "Escalated updates" not in desk.clocks(plain)
