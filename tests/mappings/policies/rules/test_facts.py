"""The facts that rules ask for: each as it was at the moment, whatever has happened since."""

import msgspec
import pytest

from mappings.model import Actor, Neighbour
from mappings.policies.rules import Around
from mappings.policies.rules.moments import FACTS, Moment, entitled, moments
from mappings.profile import Profile
from mappings.profile.rules import Conditions
from mappings.timeline import build
from tests.mappings.policies.rules.cases import DAY, NUMBER, Told, beside, itself, plain, said
from tests.profiles import edited, profile
from tests.stories import Story, at

BUILDER, PMERIT = profile("builder"), profile("pmerit")
PROBLEM = 500


def test_every_fact_of_the_vocabulary_is_connected() -> None:
    """No condition that a profile may write is left unjudged."""
    assert set(Conditions.model_fields) - {"within"} == FACTS


def lived(told: Told, org: Profile = BUILDER) -> list[Moment]:
    """The moments of a ticket."""
    return list(moments(told.life(org), org, Around(told.around)))


def facts(told: Told, name: str, org: Profile = BUILDER) -> list[object]:
    """A fact at each moment of a ticket."""
    return [moment.facts.get(name) for moment in lived(told, org)]


def test_a_rating_has_its_time() -> None:
    """Not known at creation or at the solve, and from the rating on; a second word is the one that counts."""
    story = plain(BUILDER).story.set("2026-03-03 12:00", status="solved")
    story.set("2026-03-03 15:00", Actor.CUSTOMER, rating="1").set("2026-03-03 16:00", Actor.CUSTOMER, rating="5")
    assert facts(Told(story), "rating") == [None, None, 1, 5]


def test_a_rating_that_no_event_tells_has_no_time() -> None:
    """The ticket shows a rating and no event does: nothing is judged by it, least of all the ticket's creation."""
    story = plain(BUILDER).story.set("2026-03-03 12:00", status="solved")
    history = story.history()
    ticket = msgspec.structs.replace(history.ticket, fields={"rating": "1"})
    line = build(msgspec.structs.replace(history, ticket=ticket))
    assert line.value("rating", story.last) is None


def test_failed_attempts_are_reopenings_or_what_the_field_says() -> None:
    """Each reopening counts one more; a counter field of the account counts where it says more."""
    story = plain(BUILDER).story.set("2026-03-03 12:00", status="solved").set("2026-03-03 13:00", status="open")
    assert facts(Told(story), "failed_attempts") == [0, 0, 1]
    story.set("2026-03-03 14:00", failed_attempts="3")
    assert facts(Told(story), "failed_attempts") == [0, 0, 1, 3]


@pytest.mark.req("ESC-09")
def test_eleven_requesters_on_a_problem_are_eleven_users() -> None:
    """Nobody filled in how many are affected; the eleventh customer linked to the problem says it."""
    others = [beside(id, f"2026-03-03 10:{id:02}", PMERIT, problem=PROBLEM) for id in range(1, 11)]
    joins = {"since": "2026-03-03 12:00", "problem": PROBLEM}
    then = lambda story: story.set("2026-03-03 12:00", problem_id=str(PROBLEM))  # noqa: E731
    many = plain(PMERIT, then=then, around=[*others, itself(DAY, PMERIT, **joins)])
    assert "escalate next" in said(many.judged(PMERIT), "many users")
    fewer = plain(PMERIT, then=then, around=[*others[:9], itself(DAY, PMERIT, **joins)])
    assert said(fewer.judged(PMERIT), "many users") == []


def test_companies_on_a_problem_are_counted_when_another_joins() -> None:
    """The ticket has been on the problem for long: that a second company joins is a moment of its own."""
    org = profile("roofing")
    mine = itself(DAY, org, problem=PROBLEM, since="2026-03-03 12:00")
    other = beside(1, DAY, org, company=8, problem=PROBLEM, since="2026-03-03 14:00")
    left = msgspec.structs.replace(other, problems=(*other.problems, (at("2026-03-03 16:00", org.zone), None)))
    then = lambda story: story.set("2026-03-03 12:00", problem_id=str(PROBLEM))  # noqa: E731
    told = plain(org, then=then, around=[mine, left])
    assert facts(told, "companies_on_problem", org) == [None, 1, 2, 1]
    (action, *_) = [action for action in told.judged(org) if action.rule == "many complaints"]
    assert action.cause_at == at("2026-03-03 14:00", org.zone)


def test_the_problem_itself_is_among_its_tickets() -> None:
    """A ticket that others are linked to counts its own company, and is judged when they are."""
    org = profile("roofing")
    linked = beside(1, DAY, org, company=8, problem=NUMBER, since="2026-03-03 14:00")
    told = plain(org, around=[itself(DAY, org), linked])
    assert facts(told, "companies_on_problem", org) == [None, 2]


def test_what_was_merged_counts_until_then() -> None:
    """A neighbour that was merged away before the moment is no customer's complaint any more; one merged later was."""
    for ended, wanted in (("2026-03-03 12:00", False), ("2026-03-03 15:00", True)):
        org = profile("roofing")
        other = beside(1, "2026-03-03 09:00", org, company=8, problem=PROBLEM, ended=ended)
        mine = itself(DAY, org, problem=PROBLEM, since="2026-03-03 14:00")
        then = lambda story: story.set("2026-03-03 14:00", problem_id=str(PROBLEM))  # noqa: E731
        told = plain(org, then=then, around=[other, mine])
        assert bool(said(told.judged(org), "many complaints")) is wanted


FILED = [
    # what the company filed before the ticket of Tuesday 3 March 11:00, and whether that one is flagged
    ([], False),
    (["2026-03-03 10:00"], False),
    (["2026-03-02 10:00", "2026-03-03 10:00"], True),
    (["2026-02-24 11:01", "2026-03-03 10:00"], True),
    (["2026-02-24 11:00", "2026-03-03 10:00"], False),  # a week to the minute is day 8
    (["2026-03-01 10:00", "2026-03-02 10:00", "2026-03-03 10:00"], False),  # the fourth
    (["2026-02-22 10:00", "2026-02-23 10:00", "2026-02-24 10:00", "2026-03-02 10:00"], False),  # only two in 7 days
    (["2026-02-20 10:00", "2026-02-21 10:00", "2026-02-22 10:00", "2026-03-02 10:00", "2026-03-03 10:00"], True),
]


@pytest.mark.req("ESC-15")
@pytest.mark.parametrize(("before", "flagged"), FILED)
def test_a_companys_third_ticket(before: list[str], flagged: bool) -> None:
    """The third within seven days flags; neither the second, nor the fourth, nor a third on day 8."""
    others = [beside(id, when, BUILDER) for id, when in enumerate(before, 1)]
    told = plain(BUILDER, around=[*others, itself(DAY, BUILDER)])
    done = said(told.judged(BUILDER), "frequent reporter")
    assert ("flag cs_review" in done) is flagged


@pytest.mark.req("ESC-15")
def test_a_company_is_flagged_once_for_its_window() -> None:
    """The key names the company and the first ticket that was counted, whichever ticket is judged."""
    others = [beside(1, "2026-03-01 10:00", BUILDER), beside(2, "2026-03-02 10:00", BUILDER)]
    told = plain(BUILDER, around=[*others, itself(DAY, BUILDER)])
    keys = [action.key for action in told.judged(BUILDER) if action.rule == "frequent reporter"]
    assert keys[0] == "rule:flag:cs_review:zendesk:organization:7:1"


def test_tickets_of_one_second_come_one_after_another() -> None:
    """Of two that were filed in the same second the one with the higher number is the third."""
    other, twin = beside(1, "2026-03-02 10:00", BUILDER), beside(NUMBER + 1, DAY, BUILDER)
    earlier = plain(BUILDER, around=[other, twin, itself(DAY, BUILDER)])
    assert said(earlier.judged(BUILDER), "frequent reporter") == []
    later = Told(Story(DAY, id=NUMBER + 1, severity="P4", channel="email"), around=earlier.around)
    assert "flag cs_review" in said(later.judged(BUILDER), "frequent reporter")


def test_a_ticket_counts_from_when_it_is_the_companys() -> None:
    """Filed by a stranger who was given a company on Tuesday: with that the company has its third."""
    mine = msgspec.structs.replace(
        itself("2026-03-01 09:00", BUILDER), company_since=at("2026-03-03 11:00", BUILDER.zone)
    )
    others: list[Neighbour] = [beside(1, "2026-03-02 10:00", BUILDER), beside(2, "2026-03-03 10:00", BUILDER)]
    story = Story("2026-03-01 09:00", severity="P4", channel="email")
    story.values["company_id"] = None
    story.set("2026-03-03 11:00", company_id="7")
    [action, *_] = [
        action for action in Told(story, around=(mine, *others)).judged(BUILDER) if action.rule == "frequent reporter"
    ]
    assert action.cause_at == at("2026-03-03 11:00", BUILDER.zone)


@pytest.mark.parametrize(
    ("plan", "channel", "wanted"),
    [
        ("starter", "email", True),
        ("starter", "chat", False),
        ("professional", "chat", True),
        ("professional", "phone", False),
        ("enterprise", "phone", True),
        ("starter", "social", True),  # no plan has it: nothing to sell
        (None, "chat", True),
    ],
)
def test_entitled(plan: str | None, channel: str, wanted: bool) -> None:
    """A plan has its own channels and those of the plans before it."""
    assert entitled(BUILDER, {"plan": plan, "channel": channel}) is wanted


def test_a_worse_plan_makes_no_channel_wrong_afterwards() -> None:
    """Filed by phone under Business; the company goes down to Professional: no upgrade is asked for in mid-talk."""
    story = plain(BUILDER, plan="business", channel="phone").story.change_plan("2026-03-04 10:00", "professional")
    assert said(Told(story).judged(BUILDER), "channel not in plan") == []


def test_only_a_move_up_is_an_escalation() -> None:
    """From tier 3 back to tier 2 is no escalation, though tier 2 is above the first."""
    story = plain(BUILDER).story.set("2026-03-03 12:00", Actor.US, tier="3").set("2026-03-03 13:00", tier="2")
    assert ["escalated" in moment.events for moment in lived(Told(story))] == [False, True, False]


def test_brand() -> None:
    """A rule may ask for a brand by its name in the account."""
    org = edited("builder", "rules: {acme: {when: {brand: Acme}, do: [tag acme]}}")
    story = plain(org).story
    story.values["brand"] = "Acme"
    assert said(Told(story).judged(org)) == ["tag acme"]
    story.values["brand"] = "Other"
    assert said(Told(story).judged(org)) == []


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("{vip: true, tag: [late, big]}", "Vip yes, tag big."),
        ("{kind_not: security, event: created}", "Kind bug, created."),
        ('{affected_users: ">2"}', "Affected users: 3."),
        ('{tickets_from_company: ">=1", within: 36h}', "Tickets from company: 1 in 36 hours."),
        ("{covered: true, office: open}", "Office open, covered yes."),
    ],
)
def test_a_reason_says_the_facts_in_words(when: str, told: str) -> None:
    """The reason names each fact that the rule asked for, as it was; of a ticket's tags those that were asked for."""
    org = edited("builder", f"rules: {{shown: {{when: {when}, do: [tag shown]}}}}")
    story = plain(org, kind="bug", vip=True, tags="big other").story
    story.values["affected_users"] = "3"
    [action] = [action for action in Told(story).judged(org) if action.rule == "shown"]
    assert action.reason.text.startswith(told)
