"""What a run tells people: every page has links and reasons, and nobody's name."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from flows.cases import Decided
from flows.context import Context, open_context
from flows.report import SHOWN, Delivered, Pulse, decided_lines, page, worth_telling
from flows.settings import Settings
from mappings.plan import Action, Change, Lane, Message, NotConnected, Reason, TicketChange

NOW = datetime(2026, 3, 3, 16, 20, tzinfo=UTC)
"""Tuesday 10:20 in the office."""


@pytest.fixture
def ctx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    """A run's world with an empty store, and Zendesk's address for links."""
    monkeypatch.setenv("HELPDESK_DATABASE_URL", f"sqlite:///{tmp_path / 'store.sqlite'}")
    with open_context(Settings()) as opened:
        yield opened


def an_action(ticket: int, says: str, *, code: str = "sla_breached", severity: str = "", **more: object) -> Action:
    """An action with a reason, `says` without the rule and the profile that end it."""
    text = f"{says} Rule: First response, profile builder@3f2a."
    facts = {"severity": severity} if severity else {}
    given = {"verb": "escalate", "lane": Lane.ESCALATION, "change": TicketChange(note=text), **more}
    return Action(
        key=f"test:{given['verb']}:zendesk:{ticket}",
        policy="sla",
        rule="First response",
        tool="zendesk",
        record=f"zendesk:{ticket}",
        reason=Reason(code=code, rule="First response", text=text, profile="builder@3f2a", facts=facts),
        cause_at=NOW,
        **given,
    )


def decided(*actions: Action, state: str = "planned") -> Pulse:
    """A run that decided this."""
    return Pulse(at=NOW, decided=[Decided("sla", len(actions), list(actions), {a.key: state for a in actions})])


def rows(text: str) -> list[str]:
    """The first cells of the page's ticket rows."""
    return [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| [zendesk:")]


def test_a_page_has_links_and_reasons(ctx: Context) -> None:
    """A row leads to its ticket and tells outcome and reason, a line a sentence."""
    said = "First response was due 10:10 (P1, Enterprise: 15 minutes). Moved to Technical support (tier 2)."
    text = page(ctx, decided(an_action(605, said, severity="P1")), "pulse")
    assert text.startswith("# Pulse of Tue 3 Mar 10:20\n")
    assert "| [zendesk:605](/agent/tickets/605) | P1 | escalate, waits |" in text
    assert "minutes).<br>Moved to Technical support (tier 2).<br>Rule: First response |" in text


def test_the_worst_comes_first(ctx: Context) -> None:
    """Pages stand before escalations, the worst severity before the milder, the older ticket before the newer."""
    found = decided(
        an_action(4, "Late.", severity="P3"),
        an_action(3, "Late.", severity="P1"),
        an_action(2, "Late.", severity="P3"),
        an_action(9, "Late.", severity="P4", verb="page", lane=Lane.PAGE),
    )
    assert [row.partition("]")[0] for row in rows(page(ctx, found, "pulse"))] == [
        f"[zendesk:{ticket}" for ticket in (9, 3, 2, 4)
    ]


@pytest.mark.parametrize(
    ("key", "verb", "change", "said"),
    [
        ("warn:tell:owner:zendesk:1:first_reply:2", "tell", TicketChange(note="x"), "warn owner"),
        ("late:tell:leads:zendesk:1:first_reply:2", "tell", TicketChange(note="x"), "tell leads"),
        ("late:escalate:zendesk:1:first_reply:2", "escalate", TicketChange(note="x"), "escalate"),
        ("rule:escalate:next:zendesk:1", "escalate", TicketChange(note="x"), "escalate next"),
        ("rule:escalate:next:zendesk:1", "note", TicketChange(note="x"), "note"),
        ("rule:follow_up:zendesk:1", "follow_up", TicketChange(note="x"), "follow up"),
        ("rule:open:war_room:zendesk:1", "open", NotConnected(needs="x"), "open war_room"),
        (
            "rule:tell:leads:mail:zendesk:1",
            "message",
            Message(route="leads", ways=("mail leads@x.example",), subject="s", text="t"),
            "tell leads by mail",
        ),
    ],
)
def test_what_is_done_is_said_as_the_profile_spells_it(
    ctx: Context, key: str, verb: str, change: Change, said: str
) -> None:
    """Whom somebody told, which text was sent, what is not connected: several actions of one rule can be told apart."""
    action = msgspec.structs.replace(an_action(1, "Severity P0.", verb=verb, change=change), key=key, tool="mail")
    assert f"| {said}, waits |" in page(ctx, decided(action), "pulse")


def test_upkeep_is_a_line(ctx: Context) -> None:
    """Fields that follow a decision take a line for all tickets, not a row each."""
    actions = [an_action(ticket, "Brought up to date.", verb="fields", lane=Lane.UPKEEP) for ticket in (1, 2)]
    text = page(ctx, decided(*actions), "pulse")
    assert rows(text) == []
    assert "- update fields, waits: [zendesk:1](/agent/tickets/1), [zendesk:2](/agent/tickets/2)" in text


def test_what_was_late_before_is_counted(ctx: Context) -> None:
    """The first run's baseline is a number and the command that lists it."""
    text = page(ctx, decided(*[an_action(ticket, "Late.") for ticket in range(1000)], state="baseline"), "pulse")
    assert rows(text) == []
    assert "1000 causes from before our start: written down, not acted on (`helpdesk adopt` lists them)." in text


def test_a_long_table_ends(ctx: Context) -> None:
    """A page shows so many rows, and says how many more there are."""
    text = page(ctx, decided(*[an_action(ticket, "Late.") for ticket in range(SHOWN + 7)]), "pulse")
    assert len(rows(text)) == SHOWN
    assert "7 more" in text


def test_nobody_is_named(ctx: Context) -> None:
    """Neither the colleague who took a page nor an address in a tool's answer is on a page or in the log."""
    found = decided(an_action(5, "Dana Fox acknowledged the page at 10:15.", code="page_acknowledged"))
    found.delivered = Delivered(failed=1, problems=["outbox 3: requester sam@example.com is suspended"])
    found.news = ["zendesk tickets does not answer: sam@example.com may not"]
    told = page(ctx, found, "pulse") + "".join(decided_lines(found.decided[0]))
    assert "Somebody on call has taken the page." in told
    assert [word for word in ("Dana", "Fox", "sam@", "example.com") if word in told] == []


def test_what_cannot_be_done_is_said(ctx: Context) -> None:
    """An action whose tool is not there is on the page as what it is."""
    action = an_action(5, "Plan enterprise.", verb="follow", lane=Lane.UPKEEP, change=NotConnected(needs="Slack"))
    text = page(ctx, decided(action, state="not_connected"), "pulse")
    assert "- follow, not done: tool not connected: [zendesk:5]" in text


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Pulse(at=NOW), False),
        (Pulse(at=NOW.replace(minute=0)), True),
        (Pulse(at=NOW.replace(minute=0), skipped="Another run is at work."), False),
        (Pulse(at=NOW, synced={"zendesk tickets": "3 changed, 1 call"}), False),
        (Pulse(at=NOW, news=["zendesk tickets answers again"]), True),
        (Pulse(at=NOW, delivered=Delivered(done=1)), True),
        (Pulse(at=NOW, delivered=Delivered(waiting=1)), False),
        (Pulse(at=NOW, delivered=Delivered(problems=["no"])), True),
        (decided(an_action(1, "Late.")), True),
    ],
    ids=["quiet", "hourly", "skipped", "only read", "tool back", "delivered", "waiting", "failed", "decided"],
)
def test_quiet_minutes_have_no_page(found: Pulse, told: bool) -> None:
    """A run has a page when something was decided, delivered or went wrong, and once an hour."""
    assert worth_telling(found) is told


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (Pulse(at=NOW), "nothing to do"),
        (decided(an_action(1, "Late.")), "looked at 1 ticket, 1 new action"),
        (Pulse(at=NOW, delivered=Delivered(done=2, failed=1)), "2 delivered, 1 failed"),
        (Pulse(at=NOW, synced={"tickets": "3 changed, 1 call"}), "tickets: 3 changed, 1 call"),
        (Pulse(at=NOW, skipped="Another run is at work."), "Another run is at work."),
    ],
)
def test_a_run_in_a_sentence(found: Pulse, sentence: str) -> None:
    """What stands beside a run's state says what came of it."""
    assert found.sentence() == sentence
