"""Rules: judged on events, once per ticket, with the facts as they were then."""

from pathlib import Path

import msgspec
import pytest

from flows.context import load_replies
from mappings.model import Actor, Person
from mappings.plan import Action, KeepEvidence, Message, NotConnected, PageTrigger, TicketChange
from mappings.policies.rules import judge
from mappings.policies.sla.measures import live
from mappings.policies.triage.finding import sign
from mappings.profile import Profile
from mappings.timeline import build, epoch
from tests.profiles import CONFIG, edited, profile
from tests.stories import GROUPS, Story, at

REPLIES = load_replies(Path(CONFIG))
NIGHT, DAY, WEEKEND = "2026-03-04 02:00", "2026-03-03 11:00", "2026-03-07 12:00"


def judged(story: Story, rules: Profile | None = None, *, locale: str | None = None) -> list[Action]:
    """What the rules want done for a story."""
    rules = rules or profile("builder")
    history = story.history()
    if locale is not None:
        reader = Person(id=9, name="Ana Ruiz", updated_at=story.created, role="owner", locale=locale)
        history = msgspec.structs.replace(history, requester=reader)
    life = live(history, build(history), rules, GROUPS)
    return judge(life, rules, REPLIES, link=lambda id: f"https://desk.example/{id}")


def said(actions: list[Action]) -> list[str]:
    """`verb argument` of each action, as the profile spells it."""
    return [" ".join(action.key.split(":")[1:3]) for action in actions]


AFTER_HOURS = [
    # (filed, severity, what the rules do)
    (NIGHT, "P1", ["page on_call"]),
    (NIGHT, "P2", ["tag next_business_day", "reply after_hours"]),
    (NIGHT, "P4", ["tag next_business_day", "reply after_hours"]),
    (WEEKEND, "P1", ["page on_call"]),
    (WEEKEND, "P3", ["tag next_business_day", "reply after_hours"]),
    (DAY, "P1", []),
    (DAY, "P2", []),
    ("2026-03-03 17:59", "P1", []),
    ("2026-03-03 18:00", "P1", ["page on_call"]),
    (NIGHT, None, []),
]


@pytest.mark.req("AFT-01")
@pytest.mark.parametrize(("filed", "severity", "wanted"), AFTER_HOURS)
def test_after_hours(filed: str, severity: str | None, wanted: list[str]) -> None:
    """The worst severity pages while the office is closed; the others are tagged for the next business day and told."""
    assert said(judged(Story(filed, severity=severity))) == wanted


@pytest.mark.req("AFT-02")
@pytest.mark.parametrize(("plan", "pages"), [("starter", 0), ("professional", 0), ("business", 1), ("enterprise", 1)])
def test_paged_plans_are_configuration(plan: str, pages: int) -> None:
    """One line in the profile says which plans are paged for, also when a ticket moves up at night."""
    rules = edited(
        "builder",
        "rules: {night page: {when: {severity: P1, office: closed, plan: [business, enterprise]}, do: [page on_call]}}",
    )
    story = Story(NIGHT, severity="P1", plan=plan).set("2026-03-04 03:00", Actor.US, tier="2")
    assert said(judged(story, rules)).count("page on_call") == pages


def test_page_tells_nothing_personal() -> None:
    """A page has severity, plan, ticket, due time, link and how to stop it; no names, subjects or addresses."""
    (action,) = [found for found in judged(Story(NIGHT, severity="P1", plan="enterprise")) if found.verb == "page"]
    page = action.change
    assert isinstance(page, PageTrigger)
    assert page.summary == "P1 System down: ticket 123 (enterprise)"
    assert page.link == "https://desk.example/123"
    assert page.details["reply due"] == "02:15"
    assert "Ann" not in repr(page)
    assert action.not_after is None  # it makes sense until the ticket is done, however late we come


@pytest.mark.parametrize(
    ("locale", "begins", "due"),
    [
        ("en-US", "Hello Ana,", "You will hear from us by Wed 4 Mar 12:00 CST."),
        ("es-MX", "Hola, Ana:", "Tendrá una respuesta antes de: mié 4 mar 12:00 CST."),
        ("fr", "Hello Ana,", "You will hear from us by Wed 4 Mar 12:00 CST."),
    ],
)
def test_reply_in_the_readers_language(locale: str, begins: str, due: str) -> None:
    """The notice is in the customer's language, else in English, and says when to expect an answer."""
    actions = judged(Story(NIGHT, severity="P2", plan="business"), locale=locale)
    change = actions[-1].change
    assert isinstance(change, TicketChange)
    assert change.reply is not None
    assert change.reply.startswith(begins)
    assert due in change.reply
    assert "123" in change.reply


def reply_of(actions: list[Action]) -> str:
    """The one text that the customer gets."""
    (text,) = [a.change.reply for a in actions if a.verb == "reply" and isinstance(a.change, TicketChange)]
    return text or ""


@pytest.mark.req("AFT-09", "NTF-05")
@pytest.mark.parametrize(
    ("org", "severity", "words"), [("builder", "P2", "system down"), ("pmerit", "P3", "site down")]
)
def test_the_way_to_whoever_is_on_duty_works(org: str, severity: str, words: str) -> None:
    """Who writes at night reads by which words a new message wakes somebody: those that triage goes by."""
    rules = profile(org)
    text = reply_of(judged(Story(NIGHT, severity=severity, plan=next(iter(rules.plans))), rules))
    assert f"send us a new message with “{words}” in its subject" in text
    mail = msgspec.structs.replace(Story(NIGHT).ticket(), subject=words.capitalize())
    found = sign(mail, rules)
    assert found is not None
    assert rules.severities[found.value].critical


@pytest.mark.req("NTF-05")
def test_who_asks_by_a_channel_of_other_plans_reads_which() -> None:
    """The upgrade prompt names the plans that have the channel."""
    text = reply_of(judged(Story(DAY, plan="starter", channel="phone")))
    assert "It comes with: Business, Enterprise." in text


def test_office_is_sampled_at_the_event() -> None:
    """Filed by day as P2 and made P1 at night: paged then. Filed by day as P1: the night alone changes nothing."""
    worse = Story(DAY, severity="P2").set("2026-03-03 22:00", severity="P1")
    assert said(judged(worse)) == ["page on_call"]
    assert said(judged(Story(DAY, severity="P1").reply("2026-03-03 22:00", Actor.CUSTOMER))) == []


def test_once_per_ticket() -> None:
    """Two nights, two changes: each rule fires at its first, in the order in which it came to that."""
    story = Story(NIGHT, severity="P2").set("2026-03-04 22:00", severity="P1").set("2026-03-05 22:00", severity="P3")
    assert said(judged(story)) == ["tag next_business_day", "reply after_hours", "page on_call"]


def test_again() -> None:
    """`again: true` fires at each event, under a key of its own; the page's episode stays that of the ticket."""
    rules = edited("builder", "rules: {night page: {again: true}}")
    story = Story(NIGHT, severity="P1").set("2026-03-04 22:00", severity="P2").set("2026-03-05 22:00", severity="P1")
    pages = [action for action in judged(story, rules) if action.verb == "page"]
    assert len({page.key for page in pages}) == 2
    assert len({page.change.dedup_key for page in pages if isinstance(page.change, PageTrigger)}) == 1


def test_reopened_at_night_pages_anew() -> None:
    """A P1 that was solved and is reopened at night wakes somebody again, as an incident of its own; nothing else."""
    story = Story(NIGHT, severity="P1").set("2026-03-04 03:00", status="solved")
    first = judged(story)
    story.reply("2026-03-04 23:00", Actor.CUSTOMER, status="open")
    then = judged(story)
    assert said(then)[len(first) :] == ["page on_call"]
    assert [action.key for action in then[: len(first)]] == [action.key for action in first]
    pages = [action for action in then if isinstance(action.change, PageTrigger)]
    assert len({page.key for page in pages}) == len({page.change.dedup_key for page in pages}) == 2  # type: ignore[union-attr]


@pytest.mark.parametrize("again", [False, True])
def test_once_in_each_run_of_work(again: bool) -> None:
    """Reopened, made worse, and better and worse again: one incident since the reopening."""
    rules = edited("builder", f"rules: {{night page: {{again: {str(again).lower()}}}}}")
    story = Story(NIGHT, severity="P1").set("2026-03-04 03:00", status="solved")
    story.reply("2026-03-04 23:00", Actor.CUSTOMER, status="open").set("2026-03-04 23:30", severity="P2")
    story.set("2026-03-04 23:40", severity="P1")
    keys = [action.change.dedup_key for action in judged(story, rules) if isinstance(action.change, PageTrigger)]
    assert len(set(keys)) == 2
    assert len(keys) == (3 if again else 2)


@pytest.mark.req("AFT-01")
@pytest.mark.parametrize(("reopened", "pages"), [("2026-03-04 02:00", 1), ("2026-03-04 10:00", 0)])
def test_a_ticket_of_the_day_that_is_reopened_at_night(reopened: str, pages: int) -> None:
    """Filed and solved by day, nobody was paged; down again at night: somebody is woken. Down again by day: nobody."""
    story = Story(DAY, severity="P1").set("2026-03-03 17:00", status="solved")
    story.reply(reopened, Actor.CUSTOMER, status="open")
    assert said(judged(story)) == ["page on_call"] * pages


@pytest.mark.req("AFT-01")
def test_what_is_late_at_night_pages() -> None:
    """A P1 of the last minutes of the day, still unanswered when it climbs after closing: on-call is woken, once. So it
    is in each run of work, and not where a step comes by day or of a lesser severity."""
    story = Story("2026-03-03 17:55", severity="P1").set("2026-03-03 18:55", Actor.US, tier="2")
    assert said(judged(story)) == ["page on_call"]
    story.set("2026-03-03 19:55", Actor.US, tier="3")
    assert said(judged(story)) == ["page on_call"]
    story.set("2026-03-03 20:00", status="solved").set("2026-03-04 17:55", Actor.CUSTOMER, status="open")
    assert said(judged(story.set("2026-03-04 18:00", tier="2"))) == ["page on_call"]
    pages = [one for one in judged(story.set("2026-03-04 18:55", Actor.US, tier="3")) if one.verb == "page"]
    assert len({one.key for one in pages}) == 2
    by_day = Story(DAY, severity="P1").set("2026-03-03 12:00", Actor.US, tier="2")
    lesser = Story("2026-03-03 17:55", severity="P2").set("2026-03-03 18:55", Actor.US, tier="2")
    assert said(judged(by_day)) == said(judged(lesser)) == []


def test_reopened_pages_where_the_rule_still_holds() -> None:
    """Reopened while the office works, or as something lesser: nobody is woken. Made worse that night: somebody is."""
    by_day = Story(NIGHT, severity="P1").set("2026-03-04 03:00", status="solved")
    by_day.set("2026-03-04 10:00", status="open")
    assert said(judged(by_day)).count("page on_call") == 1
    lesser = Story(NIGHT, severity="P1").set("2026-03-04 02:30", severity="P3").set("2026-03-04 03:00", status="solved")
    lesser.set("2026-03-04 23:00", status="open")
    assert said(judged(lesser)).count("page on_call") == 1
    lesser.set("2026-03-04 23:30", severity="P1")
    assert said(judged(lesser)).count("page on_call") == 2


def test_judging_twice_gives_the_same_keys() -> None:
    """Judged again later, with more of its past, a ticket's earlier actions have the keys that they had."""
    before = judged(Story(NIGHT, severity="P2"))
    after = judged(Story(NIGHT, severity="P2").reply("2026-03-04 09:00", status="pending"))
    assert [action.key for action in after] == [action.key for action in before]


def test_not_connected_verbs() -> None:
    """A verb whose tool is not there yet is an action all the same, and says what it needs."""
    found = [action for action in judged(Story(DAY, tags="services")) if action.verb == "create_lead"]
    assert [isinstance(a.change, NotConnected) and "create_lead" in a.change.needs for a in found] == [True]


def test_evidence_is_kept_once_for_a_flag() -> None:
    """The rule's `keep_evidence` bears the key of the flag's own copy, also where the tag came after the field."""
    story = Story(DAY).set("2026-03-03 12:00", abuse="threats").set("2026-03-03 12:01", Actor.US, tags="abusive")
    (action,) = [action for action in judged(story) if action.verb == "keep_evidence"]
    assert isinstance(action.change, KeepEvidence)
    assert (action.tool, action.key) == ("evidence", f"abuse:evidence:zendesk:123:{epoch(at('2026-03-03 12:00'))}")


def test_managers_are_told_of_a_flag_once() -> None:
    """The rule's `tell management` is its note in the ticket: the message to them is the flag's own."""
    found = [action for action in judged(Story(DAY, tags="abusive")) if "management" in action.key]
    assert [action.verb for action in found] == ["assign", "tell"]
    assert [type(action.change) for action in found] == [TicketChange, TicketChange]
    org = edited("builder", "rules: {abusive: {when: {tag: [abusive, legal]}}}")
    wider = [action for action in judged(Story(DAY, tags="legal"), org) if "management" in action.key]
    assert [type(action.change) for action in wider] == [TicketChange, TicketChange, Message]


def test_customer_asks_for_escalation() -> None:
    """The tag escalate_please moves a ticket one tier up, with the reason in its note."""
    (action,) = judged(Story(DAY).set("2026-03-03 12:00", tags="escalate_please"))
    change = action.change
    assert isinstance(change, TicketChange)
    assert (change.group, change.tier) == ("Technical", 2)
    assert "Moved to Technical support (tier 2)." in (change.note or "")


def test_held_and_unread_tickets() -> None:
    """A ticket tagged hf_hold is left alone, and so is one whose beginning was never read."""
    assert judged(Story(NIGHT, severity="P1", tags="hf_hold")) == []
    history = Story(NIGHT, severity="P1").reply("2026-03-04 09:00").history()
    unread = msgspec.structs.replace(history, events=(), events_through=None)
    life = live(unread, build(unread), profile("builder"), GROUPS)
    assert judge(life, profile("builder"), REPLIES, link=str) == []


@pytest.mark.req("SLA-23", "ESC-13")
def test_an_escalated_customer_is_told_the_new_time() -> None:
    """Handed to tier 3 at 10:00, the customer is told that the new team answers by 14:00."""
    org = profile("archbuilder")
    story = Story("2026-03-03 09:10", severity="P3", plan="basic", kind="software_bug", zone=org.zone)
    story.set("2026-03-03 10:00", Actor.US, tier="3")
    [reply] = [action for action in judged(story, org) if action.verb == "reply"]
    assert isinstance(reply.change, TicketChange)
    assert "You will hear from them by Tue 3 Mar 14:00 PST." in (reply.change.reply or "")


def told(story: Story, org: Profile) -> list[Action]:
    """What the customer is told."""
    return [action for action in judged(story, org) if action.verb == "reply"]


@pytest.mark.req("SLA-23", "ESC-13")
def test_each_hand_off_is_told() -> None:
    """Moved on once more, the customer is told the next time; a step down, and what is seen again, are not."""
    org = profile("archbuilder")
    story = Story("2026-03-03 09:10", severity="P3", plan="basic", kind="software_bug", zone=org.zone)
    [first] = told(story.set("2026-03-03 10:00", Actor.US, tier="2"), org)
    _, second = told(story.set("2026-03-03 12:00", Actor.US, tier="3"), org)
    assert len(told(story.set("2026-03-03 13:00", tier="2"), org)) == 2
    assert isinstance(first.change, TicketChange)
    assert isinstance(second.change, TicketChange)
    assert "You will hear from them by Tue 3 Mar 18:00 PST." in (first.change.reply or "")
    assert "You will hear from them by Tue 3 Mar 16:00 PST." in (second.change.reply or "")
    assert first.key != second.key
    assert [action.key for action in told(story.reply("2026-03-03 14:00"), org)] == [first.key, second.key]


@pytest.mark.parametrize("rule", ["when: {event: escalated}", "when: {tag: [a, b]}, again: true"])
def test_any_other_text_goes_once(rule: str) -> None:
    """A rule without `again`, and one that is not about steps up: the same words reach a customer once."""
    org = edited("builder", f"rules: {{x: {{{rule}, do: [reply escalated]}}}}")
    story = Story("2026-03-03 10:00", severity="P3")
    story.set("2026-03-03 11:00", Actor.US, tier="2", tags="a").set("2026-03-03 12:00", Actor.US, tier="3", tags="a b")
    assert len(told(story, org)) == 1


@pytest.mark.req("SLA-23", "ESC-05")
def test_nothing_is_promised_of_a_solved_ticket() -> None:
    """Solved, and rated badly: the next tier is given it, no time is named to anybody, for no clock runs; reopened, the
    tier owes its reply."""
    org = profile("archbuilder")
    story = Story("2026-03-03 09:10", severity="P3", plan="basic", kind="software_bug", zone=org.zone)
    story.reply("2026-03-03 10:00", status="solved").set("2026-03-03 11:00", Actor.CUSTOMER, rating="1")
    (step,) = [action for action in judged(story, org) if action.verb == "escalate"]
    assert isinstance(step.change, TicketChange)
    assert "The new target" not in (step.change.note or "")
    story.set("2026-03-03 11:01", Actor.US, tier="2")
    assert told(story, org) == []


OWED = [
    # what happens to a P2 of a Business customer, filed by day at 11:00; what leads are told of its reply
    pytest.param(Story(DAY, tags="go"), " A reply is due 15:00.", id="filed with it"),
    pytest.param(Story(DAY).set("2026-03-03 13:00", tags="go"), " A reply is due 15:00.", id="tagged later"),
    pytest.param(Story(DAY).reply("2026-03-03 12:00").set("2026-03-03 13:00", tags="go"), "", id="answered"),
    pytest.param(Story(DAY).set("2026-03-03 16:00", tags="go"), " A reply was due 15:00.", id="late"),
    pytest.param(Story(DAY).set("2026-03-03 12:00", status="solved").set("2026-03-03 13:00", tags="go"), "", id="done"),
    pytest.param(Story(DAY, severity="P3").set("2026-03-03 13:00", severity="P2").set("2026-03-03 13:30", tags="go"),
                 " A reply is due 17:00.", id="made worse"),
]  # fmt: skip


@pytest.mark.req("SLA-23")
@pytest.mark.parametrize(("story", "owed"), OWED)
def test_what_colleagues_are_told_of_the_reply(story: Story, owed: str) -> None:
    """By when the customer hears from us is what the ticket's own clock says, and nothing where no reply is owed."""
    org = edited("builder", "rules: {go: {when: {tag: go}, do: [tell leads]}}")
    [action] = judged(story, org)
    assert isinstance(action.change, Message)
    assert action.change.text == f"Tag go. Rule: go.{owed}"


def test_no_customer_is_promised_what_is_late_or_done() -> None:
    """Given its severity at night: before it was answered a time is promised, afterwards only when we open again."""
    new = Story(DAY, severity=None).set("2026-03-03 22:00", severity="P2")
    answered = Story(DAY, severity=None).reply("2026-03-03 12:00").set("2026-03-03 22:00", severity="P2")
    promised = "You will hear from us by Wed 4 Mar 12:00 CST."
    opening = "We will look at it when we open again: Wed 4 Mar 08:00 CST."
    for story, has, lacks in ((new, promised, opening), (answered, opening, promised)):
        [text] = [a.change.reply for a in judged(story) if isinstance(a.change, TicketChange) and a.change.reply]
        assert has in text
        assert lacks not in text


def test_an_upgrade_prompt_names_the_plans_that_have_the_channel() -> None:
    """A Professional customer phones: the text says with which plans the phone comes."""
    [text] = [
        action.change.reply
        for action in judged(Story(DAY, plan="professional", channel="phone"))
        if isinstance(action.change, TicketChange) and action.change.reply
    ]
    assert "It comes with: Business, Enterprise." in text


def test_a_reopened_page_promises_no_first_reply_again() -> None:
    """Answered, solved and reopened at night: who is woken is told of no reply that would be due."""
    story = Story(NIGHT, severity="P1").reply("2026-03-04 02:05").set("2026-03-04 03:00", status="solved")
    story.reply("2026-03-04 23:00", Actor.CUSTOMER, status="open")
    pages = [action.change for action in judged(story) if isinstance(action.change, PageTrigger)]
    assert len(pages) == 2
    assert "reply due" not in pages[1].details
