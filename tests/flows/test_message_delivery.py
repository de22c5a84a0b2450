"""Messages: told once, by the ways of their route, gathered where they are many, whatever happens on the way."""

from collections.abc import Callable

import pytest

from connectors.sandbox.slack.workspace import Channel
from connectors.store import OutboxState
from flows import delivery, message_delivery, outbox, pulse
from tests.faults import points
from tests.flows.desk import Desk, unfinished
from tests.flows.test_delivery import Killed, decide_late, late, settled
from tests.flows.test_lease import overtake
from tests.profiles import edited

TELLING = """
targets:
  First response: {late: [tell leads]}
routes:
  leads: {email: leads@example.com, slack: "#leads"}
tools: {slack: true}
"""

ALONE = "\nrules: {frequent reporter: null}\n"
"""The small account's companies write often: nobody is told of that here."""


@pytest.fixture
def telling(desk: Desk) -> Desk:
    """The builder profile, whose leads are told of what is late: in Slack, and by mail where that fails."""
    return tell(desk)


def tell(desk: Desk, text: str = TELLING) -> Desk:
    """The builder profile with other lines, and the channels that they name."""
    for name in ("leads", "others"):
        desk.slack.workspace.channels[f"C0{name}"] = Channel(f"C0{name}", name)
    desk.ctx.profile = edited("builder", text if "rules:" in text else text + ALONE)
    return desk


def mailed(desk: Desk, address: str = "leads@example.com") -> int:
    """How many mails somebody was sent."""
    return len(desk.mail.to(address))


@pytest.mark.req("NTF-01", "NTF-09")
def test_late_ticket_is_told_once(telling: Desk) -> None:
    """A late ticket is told in the leads' channel: severity, number, plan, due time, rule and link; and not again."""
    (ticket,) = late(telling)
    telling.minutes(1)
    settled(telling)
    (text,) = telling.slack.said("leads")
    assert text.splitlines()[:2] == [
        f"*[builder] P2 Major feature broken: ticket {ticket} (business)*",
        "First response was due 14:03 (P2, Business: 4 business hours). Rule: First response."
        f" <{telling.ctx.ticket_link(ticket)}|Open>",
    ]
    assert mailed(telling) == 0


@pytest.mark.req("NTF-01")
def test_changed_route_takes_the_next_message(telling: Desk) -> None:
    """The route's line in the profile is changed: the next message goes there, and what was told is not told again."""
    (first,) = late(telling)
    telling.minutes(2)
    telling.ctx.profile = edited("builder", TELLING.replace("#leads", "#others") + ALONE)
    second = telling.file("P2", "business")
    telling.minutes(1)
    telling.move("2026-03-04 10:30")
    telling.minutes(3)
    told = {name: "\n".join(telling.slack.said(name)) for name in ("leads", "others")}
    assert [told["leads"].count(f"ticket {ticket} ") for ticket in (first, second)] == [1, 0]
    assert [told["others"].count(f"ticket {ticket} ") for ticket in (first, second)] == [0, 1]


@pytest.mark.req("NTF-12")
def test_slack_away_is_mailed(telling: Desk) -> None:
    """Slack cannot be reached: after five minutes mail is sent, the run says so once, and Slack hears nothing later."""
    late(telling)
    telling.fail(vendor="slack", kind="away")
    beats = telling.minutes(5)
    assert mailed(telling) == 0
    beats += telling.minutes(4)
    assert mailed(telling) == 1
    said = [line for beat in beats for line in beat.delivered.problems if "go by their next way" in line]
    assert len(said) == 1
    telling.well()
    settled(telling)
    assert (telling.slack.said("leads"), mailed(telling)) == ([], 1)


def kick(desk: Desk) -> None:
    """The app is no member of the channel."""
    desk.slack.kick("leads")


def archive(desk: Desk) -> None:
    """The channel is in the archive."""
    desk.slack.archive("leads")


def rename(desk: Desk) -> None:
    """There is no channel of that name."""
    desk.slack.channel("leads").name = "chiefs"


def narrow(desk: Desk) -> None:
    """The app may not post."""
    body = {"ok": False, "error": "missing_scope", "needed": "chat:write", "provided": "identify"}
    desk.fail(vendor="slack", kind="status", status=200, path="postMessage", body=body)


def unset(desk: Desk) -> None:
    """Slack was never set up."""
    desk.ctx.slack = None


REFUSALS: dict[str, tuple[Callable[[Desk], None], str]] = {
    "not a member": (kick, "not_in_channel; invite the app to the channel (/invite)"),
    "archived": (archive, "the app sees no channel '#leads'; create it, invite the app"),
    "renamed": (rename, "the app sees no channel '#leads'"),
    "may not": (narrow, "missing_scope: chat:write; give the app this scope"),
    "not set up": (unset, "SLACK_TOKEN is not set; set it, or say slack: false"),
}


@pytest.mark.req("NTF-12")
@pytest.mark.parametrize("what", REFUSALS)
def test_refusal_is_mailed_at_once(telling: Desk, what: str) -> None:
    """Slack will never take it: mail goes out in the same minute, and the failure is told once, with its cure."""
    happens, cure = REFUSALS[what]
    (ticket,) = late(telling)
    happens(telling)
    beats = telling.minutes(1)
    assert mailed(telling) == 1
    beats += telling.minutes(8)
    assert mailed(telling) == 1
    assert telling.states(ticket, "message") == [("message", "failed"), ("message", "done")]
    problems = [line for beat in beats for line in beat.delivered.problems]
    assert len(problems) == 1
    assert cure in problems[0]


@pytest.mark.req("NTF-09")
@pytest.mark.parametrize("keeps_metadata", [True, False])
@pytest.mark.parametrize("kind", ["cut_after", "cut_before", "truncate"])
def test_lost_answer_of_slack(telling: Desk, kind: str, *, keeps_metadata: bool) -> None:
    """No answer to a post: it is looked for by its metadata or its last line, and posted again only where it is not."""
    telling.core.switches.slack_keeps_metadata = keeps_metadata
    (ticket,) = late(telling)
    telling.fail(vendor="slack", kind=kind, path="postMessage", count=1)
    telling.minutes(1)
    assert telling.states(ticket, "message") == [("message", "unknown")]
    telling.minutes(3)
    assert telling.states(ticket, "message") == [("message", "done")]
    assert (len(telling.slack.said("leads")), mailed(telling)) == (1, 0)


TWO_CHANNELS = TELLING.replace("[tell leads]", "[tell leads, tell others]").replace(
    "routes:", 'routes:\n  others: {slack: "#others"}'
)


def test_one_lost_channel_holds_up_no_look(telling: Desk) -> None:
    """Two answers are lost, and one channel does not let us in any more: the other message is found there in the next
    minute; what cannot be looked for goes by the route's next way, and the reason is told.
    """
    tell(telling, TWO_CHANNELS)
    (ticket,) = late(telling)
    telling.fail(vendor="slack", kind="cut_after", path="postMessage", count=2)
    telling.minutes(1)
    assert telling.states(ticket, "message") == [("message", "unknown")] * 2
    kick(telling)
    (beat,) = telling.minutes(1)
    assert telling.states(ticket, "message") == [("message", "failed"), ("message", "done"), ("message", "done")]
    assert [line for line in beat.delivered.problems if "not_in_channel; invite the app" in line]
    settled(telling, 7)
    assert (len(telling.slack.said("others")), mailed(telling)) == (1, 1)


SLACK_TROUBLE: list[dict[str, object]] = [
    {"kind": "status", "status": 429, "headers": {"retry-after": "2"}},
    {"kind": "status", "status": 429, "headers": {"retry-after": "90"}},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 500, "after": True},
    {"kind": "status", "status": 503, "headers": {"retry-after": "2"}},
    {"kind": "status", "status": 200, "body": {"ok": False, "error": "internal_error"}},
    {"kind": "status", "status": 200, "body": {"ok": False, "error": "ratelimited"}, "headers": {"retry-after": "1"}},
    {"kind": "status", "status": 200, "body": {"ok": False, "error": "token_revoked"}},
    {"kind": "html"},
    {"kind": "html", "status": 200},
    {"kind": "drift"},
]


@pytest.mark.req("NTF-09")
@pytest.mark.parametrize("fault", SLACK_TROUBLE, ids=lambda fault: " ".join(str(v) for v in fault.values())[:40])
def test_trouble_with_slack(telling: Desk, fault: dict[str, object]) -> None:
    """Whatever Slack answers to a post, twice: it stands there once in the end, and nobody is mailed besides."""
    (ticket,) = late(telling)
    telling.fail(vendor="slack", path="postMessage", count=2, **fault)
    settled(telling, 5)
    assert telling.states(ticket, "message") == [("message", "done")]
    assert (len(telling.slack.said("leads")), mailed(telling)) == (1, 0)


@pytest.fixture
def mailing(desk: Desk) -> Desk:
    """The builder profile, whose leads are told by mail."""
    return tell(desk, "targets: {First response: {late: [tell leads]}}")


@pytest.mark.req("NTF-09")
@pytest.mark.parametrize(
    ("fault", "copies"),
    [
        ({"kind": "cut_after", "method": "SEND"}, 2),
        ({"kind": "cut_before", "method": "SEND"}, 1),
        ({"kind": "away", "method": "CONNECT"}, 1),
        ({"kind": "status", "method": "SEND", "status": 451}, 1),
        ({"kind": "status", "method": "CONNECT", "status": 421}, 1),
    ],
    ids=["answer lost", "cut before", "away", "later", "busy"],
)
def test_trouble_with_mail(mailing: Desk, fault: dict[str, object], copies: int) -> None:
    """Whatever happens to a mail: it arrives. Where the server's answer was lost it goes again, under the same
    Message-ID and with the same words, by which it is known again.
    """
    (ticket,) = late(mailing)
    mailing.fail(vendor="mail", count=1, **fault)
    settled(mailing, 4)
    found = mailing.mail.to("leads@example.com")
    assert len(found) == copies
    assert len({(one.id, one.subject, one.text) for one in found}) == 1
    assert mailing.states(ticket, "message") == [("message", "done")]


@pytest.mark.req("NTF-09")
def test_a_server_that_never_answers(mailing: Desk) -> None:
    """The server takes each mail and never says so: it goes again less and less often, not every minute."""
    late(mailing)
    mailing.fail(vendor="mail", kind="cut_after", method="SEND", count=100)
    mailing.minutes(12)
    found = mailing.mail.to("leads@example.com")
    assert (len(found), len({one.id for one in found})) == (4, 1)


@pytest.mark.req("NTF-12")
def test_one_mailbox_of_a_route(mailing: Desk) -> None:
    """A route leads to two people, of whom one has left: the other is told, and the run says so once."""
    both = 'routes: {leads: {email: "gone@example.com, b@example.com"}}'
    mailing.ctx.profile = edited("builder", f"targets: {{First response: {{late: [tell leads]}}}}\n{both}{ALONE}")
    mailing.mail.lose("gone@example.com")
    (ticket,) = late(mailing)
    problems = [line for beat in mailing.minutes(3) for line in beat.delivered.problems]
    assert mailed(mailing, "b@example.com") == 1
    assert mailing.states(ticket, "message") == [("message", "done")]
    assert [line.partition(": ")[2] for line in problems] == [
        "the mail server refused 1 of the route's 2 addresses (550 No such user here): mend the profile's routes"
    ]


@pytest.mark.req("NTF-12")
def test_closed_mailbox_is_told_once(mailing: Desk) -> None:
    """A mailbox is no more, and the route has no other way: the row fails with its cure, told once; others go on."""
    mailing.ctx.profile = edited("builder", "targets: {First response: {late: [tell leads, tell management]}}" + ALONE)
    mailing.mail.lose("leads@example.com")
    (ticket,) = late(mailing)
    problems = [line for beat in mailing.minutes(5) for line in beat.delivered.problems]
    assert len(problems) == 1
    assert "no such mailbox: mend the profile's routes" in problems[0]
    assert "leads@" not in problems[0]
    assert mailing.states(ticket, "message") == [("message", "failed"), ("message", "done")]
    assert mailed(mailing, "support-manager@example.com") == 1


def test_one_slow_mailbox_holds_up_nobody(mailing: Desk) -> None:
    """The server wants one message later: the other one goes out in the same minute."""
    mailing.ctx.profile = edited("builder", "targets: {First response: {late: [tell leads, tell management]}}" + ALONE)
    late(mailing)
    mailing.fail(vendor="mail", kind="status", method="SEND", status=451, nth=1)
    mailing.minutes(1)
    assert [mailed(mailing, f"{who}@example.com") for who in ("leads", "support-manager")] == [0, 1]
    mailing.minutes(1)
    assert [mailed(mailing, f"{who}@example.com") for who in ("leads", "support-manager")] == [1, 1]


STEPS = {
    "before taking": (message_delivery, "take"),
    "after taking": (message_delivery, "_together"),
    "before the mark": (message_delivery, "letter"),
    "before the call": (message_delivery, "_post"),
    "before noting results": (message_delivery, "finish"),
    "before another way": (delivery, "take_over"),
}


@pytest.mark.req("NFR-03", "NTF-09")
@pytest.mark.parametrize("way", ["slack", "mail"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_and_run_again(telling: Desk, monkeypatch: pytest.MonkeyPatch, step: str, way: str) -> None:
    """Killed at any point and started again: told once in Slack; by mail once, or again under the same Message-ID."""
    module, name = STEPS[step]
    if way == "mail":
        telling.ctx.profile = edited("builder", "targets: {First response: {late: [tell leads]}}" + ALONE)
    profile = telling.ctx.profile
    late(telling)
    decide_late(telling)
    monkeypatch.setattr(outbox, "CALL_SECONDS", -1)  # what was in flight is overdue when the next process looks

    def die(*given: object, **_: object) -> None:
        if name != "finish" or list(given[2]):  # type: ignore[call-overload]
            raise Killed(step)

    with monkeypatch.context() as dying:
        dying.setattr(module, name, die)
        with pytest.raises(Killed):
            delivery.deliver(telling.ctx)
    telling.restart()
    telling.ctx.profile = profile
    settled(telling, 6)
    assert len(telling.slack.said("leads")) == (1 if way == "slack" else 0)
    found = telling.mail.to("leads@example.com")
    assert len({one.id for one in found}) == (1 if way == "mail" else 0)
    assert len(found) <= 1 or step == "before noting results"


@pytest.mark.req("NTF-09")
@pytest.mark.parametrize("where", ["slack.place:after", "slack.post:before"])
def test_who_slept_and_was_overtaken_posts_nothing(telling: Desk, where: str) -> None:
    """A process sleeps on its way to Slack, another one posts; what it was about to say is not said again."""
    (ticket,) = late(telling)
    telling.sandbox.advance(60)
    slept: list[str] = []

    def reached(point: str) -> None:
        if point == where and not slept:
            slept.append(point)
            overtake(telling)(point)

    with telling.another() as sleeper:
        sleeper.profile = telling.ctx.profile
        points.watch(sleeper, reached)
        found = pulse.beat(sleeper)
    assert slept
    assert "Another run took over" in (found.skipped or "")
    assert "\n".join(telling.slack.said("leads")).count(f"ticket {ticket} ") == 1


@pytest.mark.req("NTF-12", "NFR-03")
def test_killed_between_failure_and_the_next_way(telling: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The failure was noted, and we died before the next way was planned: the next process plans it, once."""
    late(telling)
    kick(telling)
    profile = telling.ctx.profile

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(message_delivery, "store_decision", die)
        telling.sandbox.advance(60)
        with pytest.raises(Killed):
            telling.beat()
    telling.restart()
    telling.ctx.profile = profile
    settled(telling, 4)
    assert mailed(telling) == 1


@pytest.mark.req("NTF-08")
def test_flood_is_one_message(telling: Desk) -> None:
    """300 tickets late in one minute are one message with a count, the first lines and their links; and not again."""
    telling.core.switches.rate_limits = False
    for _ in range(300):
        telling.file("P2", "business")
    telling.move("2026-03-03 14:04")
    telling.minutes(1)
    (text,) = telling.slack.said("leads")
    lines = text.splitlines()
    assert lines[0] == "*[builder] Leads: 300 tickets*"
    assert len([line for line in lines if "|Open>" in line]) == 30
    assert lines[-2] == "… and 270 more."
    telling.minutes(3)
    assert len(telling.slack.said("leads")) == 1
    assert unfinished(telling.rows()) == []


DIGEST = """
rules:
  frequent reporter: null
  For the meeting: {when: {severity: [P2, P3], event: created}, do: [tell standup]}
routes:
  standup: {digest: "daily 09:25"}
  support: {email: team@example.com}
"""


@pytest.mark.req("NTF-08")
def test_digest_waits_for_its_meeting(either_desk: Desk) -> None:
    """Three tickets for the stand-up are one mail at 09:25 by the team's way; it holds up nothing until then."""
    desk = tell(either_desk, DIGEST)
    desk.move("2026-03-03 16:00")
    desk.minutes(1)
    tickets = [desk.file(severity, "business") for severity in ("P2", "P3", "P2")]
    desk.minutes(2)
    assert [desk.states(ticket, "message") for ticket in tickets] == [[("message", "planned")]] * 3
    desk.minutes(2)
    assert desk.beat().delivered.waiting == 0
    desk.move("2026-03-04 09:23")
    desk.minutes(1)
    assert mailed(desk, "team@example.com") == 0
    desk.minutes(3)
    (mail,) = desk.mail.to("team@example.com")
    assert mail.subject == "[builder] Standup: 3 tickets"
    assert [desk.ctx.ticket_link(ticket) in mail.text for ticket in tickets] == [True] * 3
    assert [desk.states(ticket, "message") for ticket in tickets] == [[("message", "done")]] * 3


@pytest.mark.req("ESC-11", "NTF-02")
def test_worst_severity_reaches_everybody(desk: Desk) -> None:
    """The worst severity: the channel is woken, the leads get a direct message and mail, all at once and once each."""
    text = """
rules:
  frequent reporter: null
  All hands: {when: {severity: P1, event: created}, do: [tell all_hands, tell tech_leads]}
routes:
  all_hands:  {slack: "#general", mention: channel}
  tech_leads: {email: tech-leads@example.com, slack: direct}
tools: {slack: true}
"""
    tell(desk, text)
    people = desk.slack.workspace.members
    people.append(type(desk.slack.workspace.bot)("U0LEADS", "tech-leads", "tech-leads@example.com"))
    desk.minutes(1)
    desk.file("P1", "business")
    desk.minutes(1)
    settled(desk, 7)
    assert [line.startswith("<!channel> *[builder] P1 System down") for line in desk.slack.said("general")] == [True]
    assert (len(desk.slack.told("tech-leads@example.com")), mailed(desk, "tech-leads@example.com")) == (1, 1)


def test_nobody_is_told_of_a_held_ticket(telling: Desk) -> None:
    """Somebody keeps us off the ticket between decision and delivery: nobody is told."""
    (ticket,) = late(telling)
    decide_late(telling)
    telling.sim.edit(ticket, author=telling.agent, tags_add=("hf_hold",))
    telling.minutes(3)
    assert telling.slack.said("leads") == []
    assert telling.states(ticket, "message") == [("message", "dropped")]


def test_paused_tool_waits(telling: Desk) -> None:
    """`helpdesk pause slack`: messages wait, no other way takes over; resumed with what waited, they go out."""
    late(telling)
    telling.ctx.store.pause("slack", telling.now)
    telling.minutes(8)
    assert (telling.slack.said("leads"), mailed(telling)) == ([], 0)
    telling.ctx.store.resume("slack", telling.now, keep=True)
    telling.minutes(1)
    assert (len(telling.slack.said("leads")), mailed(telling)) == (1, 0)


def test_lost_answer_of_a_message_for_many(telling: Desk) -> None:
    """Five messages go out as one; where its answer was lost the same one goes again, and no other."""
    tickets = late(telling, 5)
    telling.fail(vendor="slack", kind="cut_before", path="postMessage", count=1)
    telling.minutes(1)
    sent = [(row.state, row.vendor_ref) for ticket in tickets for row in telling.rows(ticket, verb="message")]
    assert sent == [(OutboxState.UNKNOWN, sent[0][1])] * 5
    telling.minutes(4)
    (text,) = telling.slack.said("leads")
    assert "Leads: 5 tickets" in text
    again = [(row.state, row.vendor_ref) for ticket in tickets for row in telling.rows(ticket, verb="message")]
    assert again == [(OutboxState.DONE, sent[0][1])] * 5
