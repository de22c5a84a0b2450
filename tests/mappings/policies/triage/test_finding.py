"""What a ticket says of itself: kind, severity, module, source, each by what it was found."""

import pytest

from mappings.model import Actor
from tests.mappings.policies.triage.told import TUESDAY, changes, decided, fields, filed, form
from tests.profiles import edited, profile
from tests.stories import Story

ADDRESSES = [
    # (profile, written to, kind, severity, group)
    ("lasercalc", "support@lasercalc.com", "general", None, None),
    ("lasercalc", "technical@lasercalc.com", "technical", None, "Technical"),
    ("lasercalc", "Billing@LaserCalc.com", "billing", None, "Billing"),
    ("lasercalc", "billing+4711@lasercalc.com", "billing", None, "Billing"),
    ("lasercalc", "enterprise@lasercalc.com", "sales", None, "Sales"),
    ("roofing", "features@roofingplatform.com", "feature_request", None, "Product"),
    ("roofing", "feedback@roofingplatform.com", "feedback", None, "Success"),
    ("roofing", "emergency@roofingplatform.com", None, "critical", None),
    ("roofing", "support-director@roofingplatform.com", None, None, "Management"),
    ("roofing", "success@roofingplatform.com", None, None, "Success"),
    ("roofing", "product@roofingplatform.com", None, None, "Product"),
    ("archbuilder", "security@archbuilder.app", "security", None, None),
    ("archbuilder", "status@archbuilder.app", "system_error", "P1", None),
    ("archbuilder", "data-support@archbuilder.app", "data", None, None),
]


@pytest.mark.req("INT-11", "INT-12", "INT-13", "FRQ-12")
@pytest.mark.parametrize(("org", "recipient", "kind", "severity", "group"), ADDRESSES)
def test_the_address_decides(
    org: str, recipient: str, kind: str | None, severity: str | None, group: str | None
) -> None:
    """The address that a mail is written to says what it is about, how bad it is, and where it goes."""
    said = fields(
        decided(filed(channel="email", plan=next(iter(profile(org).plans))), profile(org), recipient=recipient)
    )
    assert (said.get("kind"), said.get("group")) == (kind, group)
    assert severity is None or said["severity"] == severity


TEXTS = [
    ("archbuilder", "API returns 500 after token refresh", "", "integration"),
    ("archbuilder", "The viewer is slow", "It worked last week", "performance"),
    ("archbuilder", "Help", "please send me the invoice again", "payment"),
    ("archbuilder", "Was charged twice", "the manual says nothing", "payment"),  # the subject weighs more
    ("pmerit", "A complaint about your support", "", "complaint"),
    ("pmerit", "Feature request: dark mode", "", "feature_request"),
    ("pmerit", "I cannot log in", "", "account"),
    ("pmerit", "Hello", "just saying hello", None),
]


@pytest.mark.req("TRI-03", "TRI-05")
@pytest.mark.parametrize(("org", "subject", "body", "kind"), TEXTS)
def test_the_words_decide_where_nothing_else_does(org: str, subject: str, body: str, kind: str | None) -> None:
    """The first categorisation is by words of the profile; where none fits it is left to a human."""
    story = filed(plan=next(iter(profile(org).plans)))
    assert fields(decided(story, profile(org), subject=subject, description=body)).get("kind") == kind


@pytest.mark.req("TRI-03")
def test_a_note_says_by_what_and_how_sure() -> None:
    """The agent reads by which word, and that a single word far down is no proof."""
    sure = changes(decided(filed(), profile("archbuilder"), subject="API returns 500 after token refresh"))[0]
    unsure = changes(decided(filed(), profile("archbuilder"), subject="Help", description="The api is odd"))[0]
    assert "Kind: Integration, because of the word “api” in the subject." in (sure.note or "")
    assert "because of the word “api” in the message (not certain)." in (unsure.note or "")


@pytest.mark.req("TRI-03", "TRI-17")
def test_what_a_human_said_stays() -> None:
    """The form's kind, and the one that an agent set after ours, stay; so does one that an agent took away."""
    org, subject = profile("archbuilder"), "API returns 500"
    assert "kind" not in fields(decided(filed(kind="data"), org, subject=subject))
    assert "kind" not in fields(decided(filed(kind="kind_of_the_accounts_own"), org, subject=subject))
    changed = filed().set("2026-03-03 10:05", Actor.US, kind="integration")
    assert "kind" not in fields(decided(changed.set("2026-03-03 10:09", kind="software_bug"), org, subject=subject))
    assert "kind" not in fields(decided(changed.set("2026-03-03 10:12", kind=None), org, subject=subject))


FAMILIES = {"technical": 6, "billing": 5, "feature_request": 5, "training": 5}


@pytest.mark.req("TRI-04")
def test_each_kind_has_a_family_and_a_way_to_be_told() -> None:
    """The four families of five (and security) each resolve to a family, have words, and name a ladder or none."""
    kinds = profile("archbuilder").kinds.values()
    counted = {family: sum(kind.family == family for kind in kinds) for family in FAMILIES}
    assert counted == FAMILIES
    assert all(kind.signs for kind in kinds)
    assert {kind.ladder for kind in kinds} == {"technical", "performance", "integration", "billing", "security", None}


def test_an_address_with_a_plus_of_its_own() -> None:
    """A profile may name an address with a plus; any other plus is the customer's or the tool's."""
    org = edited("lasercalc", "channels: {email: {addresses: {support+eu@lasercalc.com: {kind: sales}}}}")
    for recipient, kind in (("support+eu@lasercalc.com", "sales"), ("support+id7@lasercalc.com", "general")):
        assert fields(decided(filed(channel="email", plan="free"), org, recipient=recipient))["kind"] == kind


URLS = [
    ("/projects/7/schedule", "scheduling"),
    ("https://app.example.com/projects/7/Schedule?tab=2#x", "scheduling"),
    ("https://app.example.com/invoices/12", "invoicing"),
    ("/scheduled", None),
    ("https://schedule.example.com/", None),
    ("", None),
]


@pytest.mark.req("TRI-01", "INT-01")
@pytest.mark.parametrize(("url", "module"), URLS)
def test_the_page_says_the_module(url: str, module: str | None) -> None:
    """The customer's page decides where in the product it is: whole steps of its path."""
    assert fields(decided(form(filed(), current_url=url))).get("module") == module


@pytest.mark.req("TRI-01")
def test_the_longest_path_wins() -> None:
    """Of two modules whose paths are in the address, the more exact one."""
    org = edited("builder", "modules: {gantt: {name: Gantt, urls: [/schedule/gantt]}}")
    assert fields(decided(form(filed(), current_url="/p/1/schedule/gantt"), org))["module"] == "gantt"


@pytest.mark.req("INT-04")
@pytest.mark.parametrize("channel", ["in_app", "email", "chat", "phone", "portal"])
def test_the_source_is_the_channel(channel: str) -> None:
    """The way in stands on the ticket, in the profile's words."""
    assert fields(decided(filed(channel=channel)))["source"] == channel


def test_an_unknown_channel_is_no_source() -> None:
    """What the profile does not know as a source is not written down as one."""
    assert "source" not in fields(decided(filed(channel="sample_ticket")))


SIGNS = [
    ("roofing", "payments failing for all customers", "", "critical"),
    ("roofing", "Bad day", "The system is down. Nobody works.", "critical"),
    ("pmerit", "Security breach!", "", "P0"),
    ("archbuilder", "Possible data loss in project 3", "", "P1"),
    ("archbuilder", "Complete system outage", "", "P1"),
    ("archbuilder", "Data corruption after import", "", "P1"),
    ("archbuilder", "Help", "We had a security incident.", "P1"),
    ("pmerit", "Production site returning 500 errors", "", "P0"),
    ("pmerit", "Database inaccessible", "", "P0"),
    ("pmerit", "Security vulnerability being exploited", "", "P0"),
    ("pmerit", "Privacy violation", "", "P0"),
    ("roofing", "Critical system failure", "", "critical"),
    ("roofing", "Payment processing failures", "", "critical"),
    ("builder", "El sistema está caído", "", "P1"),
    ("builder", "Ayuda", "Hay una perdida de datos en la obra 3", "P1"),
    ("roofing", "No data loss, just a question", "", "standard"),
]


@pytest.mark.req("TRI-11", "SEC-02", "TRI-07", "TRI-08")
@pytest.mark.parametrize(("org", "subject", "body", "severity"), SIGNS)
@pytest.mark.parametrize("said", [False, True])
def test_signs_raise_severity(org: str, subject: str, body: str, severity: str, said: bool) -> None:
    """Breach, loss, failing payments and a system that is down are critical at once, whatever the form said."""
    milder = list(profile(org).severities)[-1]
    story = filed(severity=milder if said else None, plan=next(iter(profile(org).plans)))
    actions = decided(story, profile(org), subject=subject, description=body)
    if said and severity not in ("critical", "P0", "P1"):
        assert "severity" not in fields(actions)
        return
    assert fields(actions)["severity"] == severity
    if severity in ("critical", "P0", "P1"):
        assert f"severities.{severity}.signs" in (changes(actions)[0].note or "")


@pytest.mark.req("SEC-02")
@pytest.mark.parametrize("org", ["builder", "roofing", "pmerit", "archbuilder", "lasercalc"])
@pytest.mark.parametrize("told", ["Data breach", "a security breach", "Data loss", "You lost all our data!"])
def test_a_breach_or_a_loss_is_critical_everywhere(org: str, told: str) -> None:
    """On a Sunday night: the worst severity, whose clocks run at any hour; lasercalc's sources name no such hours."""
    known = profile(org)
    worst = next(iter(known.severities.values()))
    story = filed("2026-03-08 03:00", severity=list(known.severities)[-1], plan=next(iter(known.plans)))
    assert fields(decided(story, known, subject="Help", description=told))["severity"] == worst.key
    assert worst.critical
    assert known.serving_calendar(severity=worst.key).is_open(story.created) is (org != "lasercalc")


@pytest.mark.req("TRI-11")
def test_signs_never_overrule_an_agent() -> None:
    """An agent who has read the ticket knows better than its words."""
    story = filed().set("2026-03-03 10:05", severity="standard")
    assert "severity" not in fields(decided(story, profile("roofing"), subject="payments failing"))


IMPACTS = [
    # (affected users, anybody can work, severity of builder)
    ("40", "no", "P1"),
    ("40", "yes", "P2"),
    ("40", None, "P2"),
    ("3", "no", "P2"),
    ("3", None, "P3"),
    ("1", "yes", "P4"),
    (None, "no", "P1"),
    (None, "yes", "P3"),
    (None, None, "P3"),
]


@pytest.mark.req("TRI-10")
@pytest.mark.parametrize(("users", "working", "severity"), IMPACTS)
def test_severity_follows_from_impact_and_urgency(users: str | None, working: str | None, severity: str) -> None:
    """How many are affected and whether anybody can work give a severity; one that was chosen wins."""
    answers = {name: value for name, value in (("affected_users", users), ("working", working)) if value}
    assert fields(decided(form(filed(), **answers)))["severity"] == severity
    assert "severity" not in fields(decided(form(filed(severity="P4"), **answers)))


@pytest.mark.req("TRI-10")
@pytest.mark.parametrize(("users", "severity"), [("1", "P4"), ("40", "P2"), ("100", "P1"), ("0", "P3")])
def test_an_impact_of_ones_own(users: str, severity: str) -> None:
    """A word that a profile adds stands behind the others: what counts is how many it takes."""
    org = edited("builder", "triage: {impact: {all: 100}, urgency: {all: {working: urgent}}}")
    assert fields(decided(form(filed(), affected_users=users, working="yes"), org))["severity"] == severity


@pytest.mark.req("TRI-10")
def test_what_nothing_tells_may_be_left_to_a_human() -> None:
    """A profile may leave the severity open instead of taking the ordinary one."""
    org = edited("builder", "triage: {otherwise: null}")
    assert "severity" not in fields(decided(filed(), org))


PRIORITIES = [
    ("builder", "P1", "urgent"),
    ("builder", "P2", "high"),
    ("builder", "P3", "normal"),
    ("builder", "P4", "low"),
    ("pmerit", "P0", "urgent"),
    ("pmerit", "P1", "high"),
    ("roofing", "standard", "normal"),
]


@pytest.mark.req("TRI-06", "TRI-07")
@pytest.mark.parametrize(("org", "severity", "priority"), PRIORITIES)
def test_the_tools_priority_follows_severity(org: str, severity: str, priority: str) -> None:
    """Choosing P1 sets the native priority urgent; a change of severity moves it, a person's own choice stays."""
    story = form(filed(severity=severity, plan=next(iter(profile(org).plans))), working="no")
    assert fields(decided(story, profile(org)))["priority"] == priority
    by_hand = Story(TUESDAY, severity=severity).set("2026-03-03 10:05", priority="low")
    assert "priority" not in fields(decided(by_hand, profile(org)))


@pytest.mark.req("TRI-06", "TRI-17")
def test_a_changed_severity_moves_the_priority() -> None:
    """An agent makes it P1: the priority that we set follows."""
    story = Story(TUESDAY, severity="P3").set("2026-03-03 10:01", Actor.US, priority="normal")
    assert fields(decided(story.set("2026-03-03 10:50", severity="P1")))["priority"] == "urgent"


@pytest.mark.req("INT-01", "INT-07")
def test_what_comes_from_the_product_is_filled_in() -> None:
    """A ticket with user and page only gets builder, plan and role, as they were at submission."""
    found = fields(decided(form(filed(plan="professional"), current_url="/estimates/1")))
    wanted = {"builder_id": "co-1", "user_id": "u-1", "user_role": "owner", "plan_at_submission": "professional"}
    assert wanted.items() <= found.items()
    assert found["module"] == "estimating"


@pytest.mark.req("INT-07")
def test_the_plan_at_submission_is_kept() -> None:
    """The company buys another plan: the value at submission stands; what the form said is not touched."""
    story = filed(plan="starter").set("2026-03-03 10:01", Actor.US, plan_at_submission="starter")
    assert "plan_at_submission" not in fields(decided(story.change_plan("2026-03-03 11:00", "business")))
    late = filed(plan="starter").change_plan("2026-03-03 10:30", "business").reply("2026-03-03 11:00", Actor.CUSTOMER)
    assert fields(decided(late))["plan_at_submission"] == "starter"
    assert "builder_id" not in fields(decided(form(filed(), builder_id="other")))
