"""What goes out as one message, and how Slack and mail spell it."""

from datetime import timedelta

import msgspec
import pytest

from mappings.letters import FEW, LISTED, bundles, letter, mail_text, ref, slack_text
from mappings.plan import Action, Lane, Message, Reason
from tests.profiles import profile
from tests.stories import at

BUILDER = profile("builder")
NOW = at("2026-03-03 14:00")


def told(number: int, route: str = "leads", **more: object) -> Action:
    """A message about one ticket."""
    change = Message(
        route=route, ways=(f"slack #{route}",), subject=f"P2: ticket {number}", text="It was due <14:00> & more.",
        link=f"https://z.example/{number}", **more,
    )  # fmt: skip
    why = Reason(code="sla_breached", rule="First response", text="", profile="builder@1")
    return Action(
        key=f"late:tell:{route}:zendesk:{number}:first_reply:1", policy="sla", rule="First response", verb="message",
        tool="slack", record=f"zendesk:{number}", change=change, reason=why, lane=Lane.ESCALATION,
        cause_at=NOW - timedelta(minutes=number),
    )  # fmt: skip


@pytest.mark.req("NTF-08")
@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (FEW, [1] * FEW), (FEW + 1, [FEW + 1]), (300, [300])])
def test_many_to_one_route_are_one(count: int, sizes: list[int]) -> None:
    """A few messages to a route go one by one; more go as one."""
    found = bundles([told(number) for number in range(count)])
    assert [len(bundle) for bundle in found] == sizes


@pytest.mark.req("NTF-08")
def test_digest_is_always_one() -> None:
    """What waited for a meeting is told as one, also where it is little; routes are not mixed."""
    rows = [told(1, digest=True), told(2, digest=True), told(3, "weekly", digest=True), told(4)]
    assert [[row.record for row in bundle] for bundle in bundles(rows)] == [
        ["zendesk:1", "zendesk:2"],
        ["zendesk:3"],
        ["zendesk:4"],
    ]


def test_slack_spelling() -> None:
    """Slack's own characters are escaped, the channel is woken, the link can be clicked, the mark stands last."""
    text = slack_text(letter([told(7, mention="channel")], BUILDER))
    mark = ref(["late:tell:leads:zendesk:7:first_reply:1"])
    assert text.splitlines() == [
        "<!channel> *[builder] P2: ticket 7*",
        "It was due &lt;14:00&gt; &amp; more. <https://z.example/7|Open>",
        f"_ref {mark}_",
    ]


def test_flood_has_a_count_and_the_first_lines() -> None:
    """300 of them: how many tickets, the first lines with their links, and how many more there are."""
    found = letter([told(number) for number in range(300)], BUILDER)
    assert found.subject == "[builder] Leads: 300 tickets"
    lines = mail_text(found).splitlines()
    assert len(lines) == LISTED + 3
    assert lines[0] == "P2: ticket 0. It was due <14:00> & more. https://z.example/0"
    assert lines[LISTED:] == [f"… and {300 - LISTED} more.", "", f"ref {found.ref}"]


@pytest.mark.req("NTF-08")
def test_a_digest_has_a_line_a_ticket() -> None:
    """An escalation alone is told in its eight lines; beside others in one, for the meeting goes through a list."""
    lines = "\n".join(["Severity P2, escalated. Rule: P2 escalated.", "Priority: P2", "Ticket: 1"])
    rows = [
        msgspec.structs.replace(row, change=msgspec.structs.replace(row.change, text=lines))
        for row in (told(1, "standup", digest=True), told(2, "standup", digest=True))
    ]
    assert lines in mail_text(letter(rows[:1], BUILDER))
    assert mail_text(letter(rows, BUILDER)).splitlines()[:2] == [
        f"P2: ticket {id}. Severity P2, escalated. Rule: P2 escalated. https://z.example/{id}" for id in (1, 2)
    ]


@pytest.mark.req("NTF-09")
def test_mark_is_made_of_what_is_told() -> None:
    """The same messages have the same mark, in whatever order; one more or less is another."""
    rows = [told(number) for number in range(5)]
    assert letter(rows, BUILDER).ref == letter(rows[::-1], BUILDER).ref
    assert letter(rows, BUILDER).ref != letter(rows[1:], BUILDER).ref
