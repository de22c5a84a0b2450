"""Where our facts live in the tools: config/tools, typed."""

from datetime import date

import pytest

from mappings.profile import ProfileError, Source, ToolTable, load_tools
from mappings.profile.tools import TICKET_FIELDS
from tests.profiles import CONFIG

FILES = {path.stem: path.read_text() for path in sorted(CONFIG.glob("tools/*.yaml"))}


def tools(**edited: str) -> ToolTable:
    """The shipped tables, some with another text."""
    return load_tools([Source(f"{name}.yaml", text) for name, text in {**FILES, **edited}.items()])


def problems(**edited: str) -> list[str]:
    """What is told of edited tables."""
    with pytest.raises(ProfileError) as caught:
        tools(**edited)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("name", "title", "prefix"),
    [
        ("severity", "Severity", "severity_"),
        ("kind", "Kind", "kind_"),
        ("module", "Module", "module_"),
        ("source", "Source", "source_"),
        ("tier", "Support tier", "tier_"),
        ("working", "Can anybody work?", "working_"),
        ("affected_users", "Affected users", None),
        ("sla_due", "SLA due", None),
        ("next_escalation", "Next escalation", None),
        ("first_response_at", "First response at", None),
        ("resolved_at", "Resolved at", None),
        ("builder_id", "Builder id", None),
        ("plan_at_submission", "Plan at submission", None),
    ],
)
def test_a_ticket_field_is_known_by_its_title(name: str, title: str, prefix: str | None) -> None:
    """Ids differ by account; titles are ours."""
    field = tools().zendesk.ticket_fields[name]
    assert (field.known_by, field.prefix) == (title, prefix)


def test_a_value_becomes_a_tag() -> None:
    """The prefix and our value in lower case; text stays as it is."""
    fields = tools().zendesk.ticket_fields
    assert fields["severity"].tag("P1") == "severity_p1"
    assert fields["working"].tag("no") == "working_no"
    assert fields["sla_due"].tag("2026-03-03T14:00:00-06:00") == "2026-03-03T14:00:00-06:00"


def test_only_our_own_fields_are_written() -> None:
    """What people tell us is read; what we work out is ours to write."""
    fields = tools().zendesk.ticket_fields
    ours = {name for name, field in fields.items() if field.ours}
    assert ours == {"tier", "sla_due", "next_escalation", "first_response_at", "resolved_at"}


def test_organisation_and_user_fields_are_known_by_key() -> None:
    """The plan is a dropdown of the organisation, the role one of the user."""
    zendesk = tools().zendesk
    assert zendesk.organization_fields["plan"].tag("business") == "plan_business"
    assert zendesk.user_fields["role"].known_by == "role"
    assert zendesk.company == "external_id"


def test_names_that_differ_are_translated() -> None:
    """An account may call a group or a service otherwise."""
    found = tools(
        zendesk=FILES["zendesk"].replace("groups: {} ", "groups: {Technical: Tech support} "),
        pagerduty=FILES["pagerduty"].replace("services: {} ", "services: {support-on-call: Nights} "),
    )
    assert found.zendesk.group("Technical") == "Tech support"
    assert found.zendesk.group("Support") == "Support"
    assert found.pagerduty.service("support-on-call") == "Nights"


def test_a_scope_can_be_set() -> None:
    """A first deployment may begin from one day on; a scope that nothing would keep to is refused."""
    text = FILES["zendesk"].replace("forms: []", "forms: [Help]").replace("  # created_after", "  created_after")
    scope = tools(zendesk=text).zendesk.scope
    assert scope.forms == ("Help",)
    assert scope.created_after == date(2026, 1, 1)
    with pytest.raises(ProfileError, match="brands"):
        tools(zendesk=FILES["zendesk"].replace("forms: []", "brands: [Pro]"))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("  severity: ", "  severty: ", "ticket_fields.severty: no field 'severity'; rename 'severty'?"),
        (
            "title: Kind,",
            "title: Severity,",
            "ticket_fields.kind: 'Severity' already is field 'severity'; name each field once",
        ),
        (
            "prefix: kind_",
            "prefix: severity_",
            "ticket_fields.kind: 'severity_' already is field 'severity'; name each field once",
        ),
        ("title: Kind,", "titel: Kind,", "ticket_fields.kind.titel: unknown key 'titel'; did you mean 'title'?"),
        (
            "title: Kind, type: dropdown, prefix: kind_",
            "title: Kind, type: dropdown",
            "ticket_fields.kind: a dropdown has a prefix, and nothing else has; write type: dropdown with prefix: ",
        ),
        (
            "{title: Kind, ",
            "{title: Kind, key: kind, ",
            "ticket_fields.kind: is known by a title (ticket fields) or a key (others); write one of title: and key:",
        ),
        (
            "type: integer}\n  working",
            "type: number}\n  working",
            "ticket_fields.affected_users.type: unknown value 'number'; ",
        ),
        ("bots: []", "bot: []", "bot: unknown key 'bot'; did you mean 'bots'?"),
        ("tool: zendesk", "tool: zendsek", "tool: unknown tool 'zendsek'; did you mean 'zendesk'?"),
    ],
)
def test_a_fault_in_a_table_is_told_by_line(old: str, new: str, problem: str) -> None:
    """The same messages as for a profile: file, line, field, problem, fix."""
    text = FILES["zendesk"].replace(old, new, 1)
    assert text != FILES["zendesk"]
    line = next(
        number
        for number, (was, now) in enumerate(zip(FILES["zendesk"].splitlines(), text.splitlines(), strict=True), 1)
        if was != now
    )
    found = problems(zendesk=text)
    assert any(told.startswith(f"zendesk.yaml:{line}: {problem}") for told in found), found


def test_a_missing_table_is_told() -> None:
    """Each tool that is connected has its table."""
    with pytest.raises(ProfileError, match=r"config/tools/pagerduty\.yaml:1: tool: no such table; add tool: pagerduty"):
        load_tools([Source("zendesk.yaml", FILES["zendesk"])])


def test_every_field_that_policies_use_is_in_the_table() -> None:
    """Else a fact would be read from nowhere."""
    assert set(TICKET_FIELDS) <= set(tools().zendesk.ticket_fields)
