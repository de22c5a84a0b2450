"""A critical severity that the customer chose is confirmed before it pages (TRI-18)."""

from datetime import timedelta

import msgspec
import pytest

from mappings.model import Actor
from mappings.plan import Action, TicketChange
from mappings.policies.rules import judge
from mappings.policies.triage import answer, deadline, triage, withheld
from tests.mappings.policies.triage.told import FIELDS, NOBODY, REPLIES, changes, decided, fields, filed, form, life_of
from tests.profiles import edited, profile
from tests.stories import Story, at

NIGHT = "2026-03-04 02:00"


def claimed(working: str | None = None) -> Story:
    """At night a customer says that the system is down."""
    story = filed(NIGHT, severity="P1", kind="bug")
    return form(story, working=working) if working else story


def pages(story: Story, minutes: float, **ticket: object) -> list[Action]:
    """The pages that go out so long after the ticket was filed."""
    org, life = profile("builder"), life_of(story, profile("builder"), **ticket)
    now = story.created + timedelta(minutes=minutes)
    wanted = [action for action in judge(life, org, REPLIES, link=str) if action.verb == "page"]
    return [action for action in wanted if not withheld(action, life, org, now)]


@pytest.mark.req("TRI-18")
def test_nobody_can_work_pages_at_once() -> None:
    """The form says that nobody can work: paged in the same minute, nothing is asked."""
    assert len(pages(claimed("no"), 0)) == 1
    assert not [action for action in decided(claimed("no")) if action.verb == "reply"]


@pytest.mark.req("TRI-18")
def test_others_can_work_lowers_and_never_pages() -> None:
    """A Starter chooses P1 and answers that others can work: P2, a note, no page however long nobody looks."""
    story = claimed("yes")
    actions = decided(story)
    assert (fields(actions)["severity"], fields(actions)["priority"]) == ("P2", "high")
    assert "the customer chose P1 and says that others can work" in (changes(actions)[0].note or "")
    assert pages(story, 0) == pages(story, 600) == []
    lowered = story.set("2026-03-04 02:01", Actor.US, severity="P2")
    assert pages(lowered, 600) == []
    assert "severity" not in fields(decided(lowered))


@pytest.mark.req("TRI-18")
def test_no_answer_is_asked_once_and_pages_at_the_deadline() -> None:
    """Without an answer the customer is asked; until ten minutes are over nobody is paged, and then somebody is."""
    story, org = claimed(), profile("builder")
    [asked] = [action for action in decided(story, now=story.created) if action.verb == "reply"]
    assert isinstance(asked.change, TicketChange)
    assert "Can anybody at your company still work?" in (asked.change.reply or "")
    assert asked.not_after == deadline(life_of(story, org), org, story.created) == at("2026-03-04 02:10")
    assert [len(pages(story, minutes)) for minutes in (0, 9.9, 10, 500)] == [0, 0, 1, 1]
    assert not [action for action in decided(story, now=at("2026-03-04 02:10")) if action.verb == "reply"]


@pytest.mark.req("TRI-18")
def test_the_question_keeps_its_key() -> None:
    """Whatever else happens to the ticket, it is the same question: asked once."""
    before = decided(claimed(), now=at(NIGHT))
    later = claimed().reply("2026-03-04 02:03", Actor.CUSTOMER).set("2026-03-04 02:04", Actor.CUSTOMER, kind="security")
    after = decided(later, now=at("2026-03-04 02:05"))
    keys = [[action.key for action in found if action.verb == "reply"] for found in (before, after)]
    assert keys[0] == keys[1] != []


@pytest.mark.req("TRI-18")
@pytest.mark.parametrize(("answer", "count"), [("no", 1), ("yes", 0)])
def test_the_answer_decides_when_it_comes(answer: str, count: int) -> None:
    """Answered after four minutes: paged at once, or not at all."""
    assert len(pages(claimed().set("2026-03-04 02:04", Actor.CUSTOMER, working=answer), 5)) == count


ANSWERS = [
    ("Yes", "yes"),
    ("yes, the office in Austin can", "yes"),
    ("Sí.\n\nOn Tuesday you wrote: …", "yes"),
    ("No!", "no"),
    ("Nobody can", "no"),
    ("Yes and no: nobody here", "no"),
    ("Nadie", "no"),
    ("Yes, everything is down, we can’t work", "no"),
    ("Sí, no podemos", "no"),
    ("Hello,\n\nNo, nobody can work.", "no"),
    ("Hola, buenos días:\nsí", "yes"),
    ("Hi", None),
    ("Not sure", None),
    ("Well, no idea", None),
    ("It happened again", None),
    ("", None),
]


@pytest.mark.req("TRI-18")
@pytest.mark.parametrize(("text", "said"), ANSWERS)
def test_a_reply_in_words(text: str, said: str | None) -> None:
    """A plain yes or no is understood in either language; only a plain yes keeps anybody from being woken."""
    assert answer(text) == said


@pytest.mark.req("TRI-18")
@pytest.mark.parametrize("said", ["yes", "no"])
def test_a_reply_fills_the_form_in(said: str) -> None:
    """What the customer replied is put where the form would have it, with a note; after the deadline it is not."""
    org, story = profile("builder"), claimed().reply("2026-03-04 02:03", Actor.CUSTOMER)
    life = life_of(story, org)
    [found] = triage(life, org, NOBODY, REPLIES, at("2026-03-04 02:04"), fields=FIELDS, said=said)
    assert isinstance(found.change, TicketChange)
    assert found.change.fields == {"working": said}
    assert "The customer replied that" in (found.change.note or "")
    late = triage(life, org, NOBODY, REPLIES, at("2026-03-04 02:11"), fields=FIELDS, said=said)
    assert "working" not in fields(late)
    asked = claimed(said).reply("2026-03-04 02:03", Actor.CUSTOMER)
    known = triage(life_of(asked, org), org, NOBODY, REPLIES, at("2026-03-04 02:04"), fields=FIELDS, said="yes")
    assert "working" not in fields(known)


@pytest.mark.req("TRI-18", "TRI-11")
def test_what_others_make_critical_needs_no_answer() -> None:
    """An agent, an address or the text itself: paged at once."""
    by_agent = filed(NIGHT, severity="P2").set("2026-03-04 02:01", severity="P1")
    by_us = filed(NIGHT).set("2026-03-04 02:01", Actor.US, severity="P1")
    assert len(pages(by_agent, 1)) == len(pages(by_us, 1)) == 1
    assert len(pages(claimed(), 0, subject="System down!")) == 1
    assert len(pages(claimed("yes"), 0, subject="Data loss in three projects")) == 1
    on_the_phone = claimed()
    on_the_phone.events = [msgspec.structs.replace(event, actor=Actor.AGENT) for event in on_the_phone.events]
    assert len(pages(on_the_phone, 0, submitter_id=55)) == 1


@pytest.mark.req("TRI-18")
@pytest.mark.parametrize(("actor", "asked"), [(Actor.CUSTOMER, True), (Actor.BOT, True), (Actor.AGENT, False)])
def test_a_form_that_files_in_its_own_name_says_what_the_customer_chose(actor: Actor, asked: bool) -> None:
    """The product's form files as a user of its own: the severity in it is the customer's claim, an agent's is none."""
    story = claimed()
    story.events = [msgspec.structs.replace(event, actor=actor) for event in story.events]
    found = decided(story, now=story.created, submitter_id=55)
    assert bool([action for action in found if action.verb == "reply"]) is asked
    assert len(pages(story, 0, submitter_id=55)) == (0 if asked else 1)
    lowered = decided(form(story, working="yes"), now=story.created, submitter_id=55)
    assert fields(lowered).get("severity") == ("P2" if asked else None)


@pytest.mark.req("TRI-18")
def test_nothing_is_asked_that_cannot_be_noted() -> None:
    """An account without the field for the answer: the customer is not asked."""
    org, story = profile("builder"), claimed()
    found = triage(life_of(story, org), org, NOBODY, REPLIES, story.created, fields=FIELDS - {"working"})
    assert not [action for action in found if action.verb == "reply"]


@pytest.mark.req("TRI-18")
def test_an_agents_severity_stands() -> None:
    """An agent sets it back to P1 after we lowered it: it stays, and pages."""
    story = claimed("yes").set("2026-03-04 02:01", Actor.US, severity="P2").set("2026-03-04 02:05", severity="P1")
    assert "severity" not in fields(decided(story))
    assert len(pages(story, 6)) == 1


@pytest.mark.req("TRI-18", "TRI-17")
@pytest.mark.parametrize("actor", [Actor.AGENT, Actor.CUSTOMER, Actor.RULE])
def test_what_somebody_made_milder_is_asked_no_more(actor: Actor) -> None:
    """Before an answer came the severity was made milder: nothing is asked, and nobody is woken at the deadline."""
    story = claimed().set("2026-03-04 02:01", actor, severity="P3")
    assert not [action for action in decided(story, now=at("2026-03-04 02:02")) if action.verb == "reply"]
    assert [len(pages(story, minutes)) for minutes in (2, 11, 600)] == [0, 0, 0]
    assert len(pages(story.set("2026-03-04 02:30", severity="P1"), 31)) == 1


def test_pages_of_milder_severities_do_not_wait() -> None:
    """Where a profile pages for a severity that is not critical, nothing has to be confirmed."""
    org = edited("builder", "rules: {night page: {when: {severity: P2, office: closed}, do: [page on_call]}}")
    life = life_of(filed(NIGHT, severity="P2"), org)
    [page] = [action for action in judge(life, org, REPLIES, link=str) if action.verb == "page"]
    assert not withheld(page, life, org, at(NIGHT))


def test_the_question_is_in_the_customers_language() -> None:
    """Who writes Spanish is asked in Spanish."""
    spanish = REPLIES.render("confirm_severity", "es-MX", {"name": "Ana", "ticket": "7", "organisation": "X"})
    assert "¿Puede trabajar todavía alguien en su empresa?" in spanish
