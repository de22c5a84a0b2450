"""Every rule of the five shipped profiles: a ticket on which it fires, and one much like it on which it does not."""

from collections.abc import Callable
from typing import Any

import pytest

from mappings.model import Actor
from mappings.policies.rules import Around
from mappings.policies.rules.conditions import fires
from mappings.policies.rules.moments import moments
from mappings.profile import Profile, Rule
from tests.mappings.policies.rules.cases import DAY, NIGHT, SATURDAY, Told, beside, itself, plain, said
from tests.profiles import profile
from tests.stories import Story

Make = Callable[[Profile], Told]
PROFILES = ("builder", "roofing", "pmerit", "archbuilder", "lasercalc")
PROBLEM = 500


def ticket(severity: str | None = None, **told: Any) -> Make:
    """A ticket of whichever profile."""
    return lambda org: plain(org, severity, **told)


def unjudged(filed: str) -> Make:
    """A ticket whose severity nobody has said yet."""
    return lambda org: Told(Story(filed, severity=None, plan=None, channel="email", zone=org.zone))


def later(when: str, actor: Actor = Actor.AGENT, **fields: str | None) -> Callable[[Story], object]:
    """Something that is changed afterwards."""
    return lambda story: story.set(when, actor, **fields)


def rated(score: str) -> Callable[[Story], object]:
    """Solved, and rated by the customer."""
    return lambda story: story.set("2026-03-03 12:00", status="solved").set(
        "2026-03-03 15:00", Actor.CUSTOMER, rating=score
    )


def reopened(times: int) -> Callable[[Story], object]:
    """Solved and reopened, so many times."""

    def play(story: Story) -> None:
        for hour in range(12, 12 + times):
            story.set(f"2026-03-03 {hour}:00", status="solved")
            story.set(f"2026-03-03 {hour}:30", Actor.CUSTOMER, status="open")

    return play


def company_files(*before: str) -> Make:
    """The ticket of Tuesday 11:00, and others that its company filed before it."""
    return lambda org: plain(
        org, around=[*(beside(id, when, org) for id, when in enumerate(before, 1)), itself(DAY, org)]
    )


def on_problem(*companies: int) -> Make:
    """The ticket is on a problem with one ticket of each of these companies."""
    when = "2026-03-03 10:00"
    return lambda org: plain(
        org,
        around=[
            *(beside(id, when, org, company=one, problem=PROBLEM) for id, one in enumerate(companies, 1)),
            itself(DAY, org, problem=PROBLEM, since="2026-03-03 12:00"),
        ],
        then=later("2026-03-03 12:00", problem_id=str(PROBLEM)),
    )


BASE: dict[str, tuple[Make, Make]] = {
    "security": (ticket(kind="security"), ticket()),
    "customer asks": (ticket(then=later("2026-03-03 12:00", tags="escalate_please")), ticket(tags="please")),
    "low rating": (ticket(then=rated("1")), ticket(then=rated("5"))),
    "referral": (ticket(tags="services other"), ticket(tags="other")),
}
FEATURE = {"feature request": (ticket(kind="feature_request"), ticket())}

TABLE: dict[str, dict[str, tuple[Make, Make]]] = {
    "builder": {
        **BASE,
        **FEATURE,
        "night page": (ticket("P1", filed=NIGHT), ticket("P1", filed=DAY)),
        "night queue": (ticket("P2", filed=NIGHT), ticket("P1", filed=NIGHT)),
        "frequent reporter": (
            company_files("2026-02-25 11:00", "2026-03-01 09:00"),
            company_files("2026-02-24 11:00", "2026-03-01 09:00"),
        ),
        "portal user": (ticket(role="client", kind="bug"), ticket(role="client", kind="platform_issue")),
        "abusive": (ticket(tags="abusive"), ticket()),
        "named manager": (ticket(plan="enterprise", csm="eva@platform.example"), ticket(plan="business")),
        "channel not in plan": (ticket(plan="starter", channel="chat"), ticket(plan="professional", channel="chat")),
    },
    "roofing": {
        **BASE,
        **FEATURE,
        "straight to engineering": (ticket("critical"), ticket("urgent")),
        "security direct": (ticket(kind="security"), ticket(kind="technical")),
        "many complaints": (on_problem(8), on_problem(7)),
        "business impact": (ticket(tags="executive"), ticket(tags="business")),
        "vip first": (ticket(vip=True), ticket()),
        "vip critical": (ticket("critical", vip=True), ticket("urgent", vip=True)),
        "named manager": (ticket(vip=True, csm="eva@roof.example"), ticket()),
    },
    "pmerit": {
        **BASE,
        **FEATURE,
        "P0": (ticket("P0"), ticket("P1")),
        "P1 escalated": (ticket("P1", then=later("2026-03-03 12:00", Actor.US, tier="2")), ticket("P1")),
        "P2 escalated": (
            ticket("P2", then=later("2026-03-03 12:00", Actor.US, tier="2")),
            ticket("P3", then=later("2026-03-03 12:00", Actor.US, tier="2")),
        ),
        "P3 escalated": (ticket("P3", then=later("2026-03-03 12:00", Actor.US, tier="2")), ticket("P3")),
        "night page": (ticket("P1", filed="2026-03-03 20:00"), ticket("P1", filed=SATURDAY)),
        "night queue": (ticket("P2", filed=NIGHT), ticket("P0", filed=NIGHT)),
        "many users": (
            ticket(then=later("2026-03-03 12:00", affected_users="11")),
            ticket(then=later("2026-03-03 12:00", affected_users="10")),
        ),
        "sensitive": (ticket(tags="press"), ticket(tags="pressing")),
        "legal": (ticket(tags="legal"), ticket(tags="press")),
    },
    "archbuilder": {
        **BASE,
        "feature request": (ticket(kind="enhancement"), ticket(kind="documentation")),
        "critical": (ticket("P1"), ticket("P2")),
        "night page": (ticket("P2", plan="enterprise", filed=NIGHT), ticket("P2", plan="basic", filed=NIGHT)),
        "failed attempts": (ticket(then=reopened(2)), ticket(then=reopened(1))),
        "dissatisfied": (ticket(then=rated("1")), ticket(then=rated("5"))),
        "vip": (ticket(vip=True), ticket()),
        "product defect": (ticket(then=later("2026-03-03 12:00", tags="product_defect")), ticket(tags="defect")),
        "tell customer": (
            ticket(then=later("2026-03-03 12:00", Actor.US, tier="2")),
            ticket(then=later("2026-03-03 12:00", Actor.US, tier="1")),
        ),
    },
    "lasercalc": {
        **BASE,
        **FEATURE,
        "emergency": (ticket("urgent"), ticket("normal")),
        "named manager": (ticket(plan="enterprise", csm="eva@laser.example"), ticket(plan="pro")),
    },
}
NEARLY: dict[tuple[str, str], list[Make]] = {
    ("builder", "night page"): [ticket("P2", filed=NIGHT)],
    ("builder", "night queue"): [ticket("P2")],
    ("builder", "portal user"): [ticket(kind="bug")],
    ("roofing", "vip critical"): [ticket("critical")],
    ("pmerit", "P1 escalated"): [ticket("P0", then=later("2026-03-03 12:00", Actor.US, tier="2"))],
    ("pmerit", "P2 escalated"): [ticket("P2")],
    ("pmerit", "P3 escalated"): [ticket("P1", then=later("2026-03-03 12:00", Actor.US, tier="2"))],
    ("pmerit", "night page"): [ticket("P0")],
    ("pmerit", "night queue"): [ticket("P3"), unjudged(NIGHT)],
    ("archbuilder", "night page"): [ticket("P2", plan="enterprise"), ticket("P3", plan="enterprise", filed=NIGHT)],
}
"""Further tickets on which a rule does not fire, so that each line of its `when` is missed by itself by one of them."""
IDLE = {("pmerit", "night page", "severity")}
"""Lines that no ticket misses by itself: what is covered while pmerit's office is closed is P0 or P1."""
ALSO = {
    ("archbuilder", "dissatisfied"): ["tell leads"],
    ("archbuilder", "low rating"): [],
}
"""What another rule of the same moment does for one of these, or goes before: the rule itself does the rest."""
SHOWS = {
    ("builder", "customer asks"): "ESC-05",
    ("builder", "low rating"): "ESC-05",
    ("builder", "frequent reporter"): "ESC-15",
    ("builder", "named manager"): "CHN-10",
    ("archbuilder", "dissatisfied"): "ESC-05",
    ("archbuilder", "failed attempts"): "ESC-05",
    ("roofing", "many complaints"): "ESC-07",
    ("roofing", "business impact"): "ESC-07",
    ("roofing", "vip first"): "VIP-01",
    ("roofing", "vip critical"): "VIP-03",
    ("roofing", "named manager"): "CHN-10",
    ("lasercalc", "named manager"): "CHN-10",
    ("archbuilder", "vip"): "VIP-06",
    ("pmerit", "many users"): "ESC-09",
    ("pmerit", "sensitive"): "ESC-09",
    ("roofing", "straight to engineering"): "AFT-06",
}
CASES = [
    pytest.param(
        name,
        rule,
        id=f"{name}: {rule}",
        marks=[pytest.mark.req(SHOWS[name, rule])] if (name, rule) in SHOWS else [],
    )
    for name in PROFILES
    for rule in TABLE[name]
]


@pytest.mark.parametrize("name", PROFILES)
def test_every_rule_is_in_the_table(name: str) -> None:
    """No rule of a profile, its base's included, is left out here."""
    assert set(TABLE[name]) == set(profile(name).rules)


@pytest.mark.parametrize(("name", "rule"), CASES)
def test_a_rule_fires(name: str, rule: str) -> None:
    """Where all its facts hold, it does all that it says, each once."""
    org = profile(name)
    done = said(TABLE[name][rule][0](org).judged(org), rule)
    wanted = [str(do) for do in org.rules[rule].do if str(do) not in ALSO.get((name, rule), [])]
    assert done == wanted


@pytest.mark.parametrize(("name", "rule"), CASES)
def test_a_rule_does_not_fire(name: str, rule: str) -> None:
    """Where one of its facts does not hold, it does nothing, and is not journalled either."""
    org = profile(name)
    assert [action for action in TABLE[name][rule][1](org).judged(org) if action.rule == rule] == []


def without(rule: Rule, fact: str) -> Rule:
    """A rule that no longer asks for a fact."""
    empty = () if isinstance(getattr(rule.conditions, fact), tuple) else None
    looser = rule.model_copy(update={"conditions": rule.conditions.model_copy(update={fact: empty})})
    looser.__dict__.pop("when", None)  # it is kept once it was asked for
    return looser


LINES = [(name, rule, fact) for name in PROFILES for rule in TABLE[name] for fact in profile(name).rules[rule].when]


@pytest.mark.parametrize(("name", "rule", "fact"), LINES)
def test_no_line_of_a_rule_is_idle(name: str, rule: str, fact: str) -> None:
    """Of the tickets on which a rule does not fire, there is one on which it would without this line."""
    org = profile(name)
    looser = without(org.rules[rule], fact)

    def would(told: Told) -> bool:
        life, around = told.life(org), Around(told.around)
        lived = [moment for moment in moments(life, org, around) if moment.concerns(looser)]
        return any(fires(looser, moment, life, around) is not None for moment in lived)

    nearly = [make for make in (TABLE[name][rule][1], *NEARLY.get((name, rule), [])) if would(make(org))]
    assert bool(nearly) is ((name, rule, fact) not in IDLE)


@pytest.mark.parametrize(("name", "rule"), [(name, rule) for name, rule in NEARLY])
def test_a_rule_does_not_nearly_fire(name: str, rule: str) -> None:
    """Where all its facts but one hold, it does nothing, too."""
    org = profile(name)
    for make in NEARLY[name, rule]:
        assert [action for action in make(org).judged(org) if action.rule == rule] == []


NIGHTS = [
    # (profile, severity, filed, is somebody paged?)
    pytest.param("pmerit", "P0", "2026-03-03 20:00", True, marks=pytest.mark.req("AFT-03")),
    pytest.param("pmerit", "P1", "2026-03-03 20:00", True, marks=pytest.mark.req("AFT-03")),
    pytest.param("pmerit", "P2", "2026-03-03 20:00", False, marks=pytest.mark.req("AFT-03")),
    pytest.param("pmerit", "P1", "2026-03-03 11:00", False, marks=pytest.mark.req("AFT-03")),
    pytest.param("pmerit", "P0", SATURDAY, True, marks=pytest.mark.req("AFT-04")),
    pytest.param("pmerit", "P1", SATURDAY, False, marks=pytest.mark.req("AFT-04")),
    pytest.param("pmerit", "P1", "2026-03-06 23:59", True, marks=pytest.mark.req("AFT-04")),
    pytest.param("pmerit", "P1", "2026-03-07 00:00", False, marks=pytest.mark.req("AFT-04")),
    pytest.param("roofing", "critical", NIGHT, True, marks=pytest.mark.req("AFT-06")),
    pytest.param("roofing", "critical", DAY, True, marks=pytest.mark.req("AFT-06")),
    pytest.param("roofing", "urgent", NIGHT, False, marks=pytest.mark.req("AFT-06")),
    pytest.param("archbuilder", "P1", SATURDAY, True, marks=pytest.mark.req("AFT-06")),
    pytest.param("archbuilder", "P2", SATURDAY, False, marks=pytest.mark.req("AFT-06")),
]


@pytest.mark.parametrize(("name", "severity", "filed", "paged"), NIGHTS)
def test_who_is_woken(name: str, severity: str, filed: str, paged: bool) -> None:
    """Weekday nights page for the two worst, weekends for the worst alone; what is critical pages at any hour."""
    org = profile(name)
    assert ("page on_call" in said(plain(org, severity, filed=filed).judged(org))) is paged


@pytest.mark.req("VIP-01", "VIP-03")
def test_a_vip_in_a_critical_case() -> None:
    """Management is told at once, engineering has the ticket, and the assignment to seniors says why it stood back."""
    org = profile("roofing")
    actions = plain(org, "critical", vip=True).judged(org)
    assert {"escalate 3", "page on_call", "tell management"} <= set(said(actions))
    (passed,) = [action for action in actions if action.rule == "vip first"]
    assert passed.verb == "leave"
    assert "“straight to engineering” goes before it with escalate 3" in passed.reason.text
