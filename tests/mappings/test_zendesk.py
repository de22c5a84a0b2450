"""Zendesk's JSON and our words: what is read, who did what, what is parked, what is written and found again."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.model import Actor, EventKind, Status, Ticket
from mappings.plan import CompanyChange, TicketChange
from mappings.profile import Source, load_tools
from mappings.zendesk import (
    Page,
    Reading,
    build_reading,
    find_keys,
    job_results,
    jobs_results,
    read_page,
    rule_titles,
    said_by,
    shows,
    ticket_row,
)
from mappings.zendesk.companies import company_row, company_shows, read_company
from mappings.zendesk.writing import UnknownName, digest
from tests.profiles import CONFIG, profile

NOON = "2026-03-03T12:00:00Z"
US, AGENT, ADMIN, BOT, CUSTOMER = 900, 901, 902, 903, 100
FIELDS = {"Severity": 1, "Kind": 2, "Support tier": 3, "SLA due": 4, "Can anybody work?": 5, "Affected users": 6}
GROUPS = {"Support": 10, "Technical": 11}


def dump(**body: Any) -> bytes:
    """A body as it comes over the wire."""
    return json.dumps(body).encode()


def a_reading(*more: bytes, **table: Any) -> Reading:
    """A small account of the builder profile, with a bot among its agents, and `more` pages of them."""
    shipped = load_tools([Source(path.name, path.read_text()) for path in sorted((CONFIG / "tools").glob("*.yaml"))])
    staff = [(US, "flows@us.example"), (AGENT, "ann@us.example"), (ADMIN, "bo@us.example"), (BOT, "bot@us.example")]
    return build_reading(
        shipped.zendesk.model_copy(update={"bots": ("Bot@us.example",), **table}),
        profile("builder"),
        ticket_fields=[
            dump(ticket_fields=[{"id": id, "title": title} for title, id in FIELDS.items()]),
            dump(ticket_fields=[{"id": 7, "title": "Source", "active": False}]),
        ],
        groups=[dump(groups=[{"id": id, "name": name} for name, id in GROUPS.items()])],
        agents=[dump(users=[{"id": id, "name": "x", "email": email} for id, email in staff]), *more],
        me=dump(user={"id": US, "name": "Helpdesk Flows"}),
    )


READING = a_reading()


def a_ticket(**changes: Any) -> dict[str, Any]:
    """A ticket as Zendesk prints it."""
    return {"id": 1, "status": "open", "created_at": NOON, "updated_at": NOON, "via": {"channel": "web"}, **changes}


def a_user(**changes: Any) -> dict[str, Any]:
    """A user as Zendesk prints it."""
    return {"id": CUSTOMER, "name": "Cy", "role": "end-user", "updated_at": NOON, **changes}


def read(**body: Any) -> Page:
    """A body, read."""
    return read_page(dump(**body), READING)


@pytest.mark.req("TRI-18", "INT-06")
def test_what_a_customer_said() -> None:
    """Their public comments, in order; nobody else's, no note, and nothing of a comment that cannot be read."""
    rows: list[dict[str, Any]] = [
        {"author_id": CUSTOMER, "created_at": NOON, "public": True, "plain_body": "Yes", "body": "**Yes**"},
        {"author_id": AGENT, "created_at": NOON, "public": True, "body": "Still down?"},
        {"author_id": CUSTOMER, "created_at": NOON, "public": False, "body": "hidden"},
        {"author_id": None, "created_at": NOON, "public": True, "body": "?"},
        {"author_id": CUSTOMER, "created_at": "yesterday", "public": True, "body": "?"},
        {"author_id": CUSTOMER, "created_at": NOON, "public": True, "body": "Thanks"},
    ]
    assert [text for _, text in said_by(dump(comments=rows), CUSTOMER)] == ["Yes", "Thanks"]


@pytest.mark.req("TRI-15")
@pytest.mark.parametrize(
    ("changes", "free"),
    [
        ({}, True),
        ({"role_type": 0}, True),
        ({"role_type": 1}, False),  # a light agent
        ({"role_type": 3}, False),  # a contributor
        ({"user_fields": {"away": True}}, False),
        ({"user_fields": {"away": False}}, True),
        ({"suspended": True}, False),
    ],
)
def test_who_may_be_given_tickets(changes: dict[str, Any], free: bool) -> None:
    """Not who is away or suspended, and not who is an agent by name only: Zendesk would refuse the whole update."""
    reading = a_reading(dump(users=[{"id": 950, "name": "x", **changes}]))
    assert (950 not in reading.absent) is free


@pytest.mark.req("INT-04")
@pytest.mark.parametrize(
    ("via", "submitter", "channel"),
    [("web", CUSTOMER, "portal"), ("web", AGENT, "agent"), ("web", None, "portal"), ("voice", AGENT, "phone")],
)
def test_what_an_agent_files_by_hand_is_from_no_portal(via: str, submitter: int | None, channel: str) -> None:
    """After a call an agent files a ticket in a customer's name: it came by no form of the customer's."""
    row = a_ticket(via={"channel": via}, requester_id=CUSTOMER, submitter_id=submitter)
    assert read(tickets=[row]).tickets[0].channel == channel


@pytest.mark.parametrize(
    ("row", "users", "status"),
    [
        ({"status": "new"}, [], Status.NEW),
        ({"status": "hold"}, [], Status.HOLD),
        ({"status": "closed"}, [], Status.CLOSED),
        ({"status": "closed", "tags": ["closed_by_merge"]}, [], Status.MERGED),
        ({"status": "solved", "tags": ["closed_by_merge"]}, [], Status.SOLVED),
        ({"status": "deleted", "requester_id": CUSTOMER}, [a_user()], Status.DELETED),
        ({"status": "deleted", "requester_id": CUSTOMER}, [a_user(suspended=True)], Status.SPAM),
        ({"status": "open", "requester_id": CUSTOMER}, [a_user(suspended=True)], Status.OPEN),
        ({"status": "a status of next year"}, [], Status.OPEN),
    ],
)
def test_statuses(row: dict[str, Any], users: list[Any], status: Status) -> None:
    """Zendesk's categories are ours; merged and spam are told from what they leave; unknown ones count as open."""
    assert read(tickets=[a_ticket(**row)], users=users).tickets[0].status is status


@pytest.mark.parametrize(
    ("field", "value", "name", "word"),
    [
        ("Severity", "severity_p1", "severity", "P1"),
        ("Severity", "severity_of_another_profile", "severity", None),
        ("Kind", "kind_of_the_accounts_own", "kind", "kind_of_the_accounts_own"),
        ("Severity", None, "severity", None),
        ("Kind", "kind_bug", "kind", "bug"),
        ("Support tier", "tier_2", "tier", 2),
    ],
)
def test_dimensions(field: str, value: Any, name: str, word: Any) -> None:
    """An option's tag is the profile's key; one that the profile does not know is none."""
    ticket = read(tickets=[a_ticket(custom_fields=[{"id": FIELDS[field], "value": value}])]).tickets[0]
    assert getattr(ticket, name) == word


@pytest.mark.parametrize(
    ("field", "value", "name", "text"),
    [
        ("SLA due", "2026-03-03T14:00:00+00:00", "sla_due", "2026-03-03T14:00:00+00:00"),
        ("SLA due", "", "sla_due", None),
        ("Affected users", 12, "affected_users", "12"),
        ("Can anybody work?", "working_no", "working", "no"),
    ],
)
def test_named_fields(field: str, value: Any, name: str, text: str | None) -> None:
    """Every other field of ours is text, or null."""
    ticket = read(tickets=[a_ticket(custom_fields=[{"id": FIELDS[field], "value": value}])]).tickets[0]
    assert ticket.fields[name] == text


def test_companies_and_people() -> None:
    """Plan, VIP and manager of a company; role, staff and company of a person."""
    company = {"id": 7, "name": "Acme", "updated_at": NOON, "external_id": "b-7"}
    fields = {"plan": "plan_business", "vip": True, "csm": "csm@us.example"}
    page = read(
        organizations=[{**company, "organization_fields": fields}, {**company, "id": 8, "deleted_at": NOON}],
        users=[a_user(organization_id=7, user_fields={"role": "role_owner"}), a_user(id=AGENT, role="agent")],
    )
    acme, gone = page.companies
    assert (acme.plan, acme.vip, acme.csm, acme.external_id, acme.deleted) == (
        "business",
        True,
        "csm@us.example",
        "b-7",
        False,
    )
    assert (gone.plan, gone.vip, gone.deleted) == (None, False, True)
    cy, ann = page.people
    assert (cy.role, cy.agent, cy.company_id) == ("owner", False, 7)
    assert (ann.role, ann.agent, ann.admin) == (None, True, False)


def test_warnings_and_restrictions_of_companies() -> None:
    """How many, since when and until when; a day may come with a midnight behind, and none is none."""
    company = {"id": 7, "name": "Acme", "updated_at": NOON}
    fields = {"warnings": 2, "last_warning_at": "2026-03-03", "restricted_until": "2026-03-17T00:00:00+00:00"}
    page = read(organizations=[{**company, "organization_fields": fields}, {**company, "id": 8}])
    warned, other = page.companies
    assert (warned.warnings, warned.last_warning_at, warned.restricted_until) == (2, "2026-03-03", "2026-03-17")
    assert (other.warnings, other.last_warning_at, other.restricted_until) == (0, None, None)


def test_changes_of_companies() -> None:
    """Spelled by the account's keys, numbers as numbers; an answer is read back, and nonsense is none."""
    change = CompanyChange(fields={"warnings": "2", "last_warning_at": "2026-03-03", "restricted_until": None})
    row = company_row(change, READING)
    assert row == {"warnings": 2, "last_warning_at": "2026-03-03", "restricted_until": None}
    answer = {"organization": {"id": 7, "name": "Acme", "updated_at": NOON, "organization_fields": row}}
    written = read_company(dump(**answer), READING)
    assert written is not None
    assert company_shows(dict(change.fields), written)
    assert not company_shows({"warnings": "3"}, written)
    assert read_company(b'{"organizations": []}', READING) is None


@pytest.mark.parametrize(
    ("body", "cursor", "end"),
    [
        ({"after_cursor": "abc", "end_of_stream": False}, "abc", False),
        ({"after_cursor": "abc", "end_of_stream": True}, "abc", True),
        ({"meta": {"has_more": True, "after_cursor": "x"}}, "x", False),
        ({"meta": {"has_more": False, "after_cursor": "x"}}, "x", True),
        ({"end_time": 1707271741, "end_of_stream": False}, "1707271741", False),
        ({"end_time": 1707271741, "end_of_stream": True}, "1707271741", True),
        ({"end_time": None, "end_of_stream": True}, None, True),
        ({}, None, True),
    ],
)
def test_where_to_read_on(body: dict[str, Any], cursor: str | None, end: bool) -> None:
    """Cursor lists, cursor exports and exports by time each say it in their own way."""
    page = read(tickets=[], **body)
    assert (page.cursor, page.end) == (cursor, end)


# Who did it


@pytest.mark.parametrize(
    ("author", "via", "actor"),
    [
        (CUSTOMER, "web", Actor.CUSTOMER),
        (AGENT, "web", Actor.AGENT),
        (ADMIN, "email", Actor.AGENT),
        (US, "api", Actor.US),
        (BOT, "api", Actor.BOT),
        (AGENT, "answer_bot", Actor.BOT),
        (AGENT, "rule", Actor.RULE),
        (-1, "system", Actor.RULE),
        (-1, None, Actor.RULE),
        (US, "rule", Actor.RULE),
        (None, "web", Actor.UNKNOWN),
        (AGENT, "a channel of next year", Actor.AGENT),
        (AGENT, 42, Actor.AGENT),
        (US, "web", Actor.US),
        (CUSTOMER, "api", Actor.CUSTOMER),
        (AGENT, "api", Actor.AGENT),
        (AGENT, "automation", Actor.RULE),
        (BOT, "web", Actor.BOT),
        (404404, "web", Actor.CUSTOMER),
    ],
)
def test_authors(author: int | None, via: Any, actor: Actor) -> None:
    """A rule's work is the rule's, whoever's update set it off; a bot is no agent; we are nobody else.

    A program that writes with an agent's own key is that agent, unless the account's table names its user as a bot; who
    is not among the agents (a customer, somebody deleted) is no agent.
    """
    audit = {"id": 5, "ticket_id": 1, "created_at": NOON, "author_id": author, "via": {"channel": via}}
    change = {"id": 6, "type": "Change", "field_name": "status", "value": "open", "previous_value": "new"}
    assert read(audits=[{**audit, "events": [change]}]).events[0].actor is actor


def test_a_comment_is_its_authors() -> None:
    """An agent's update may carry what a customer wrote: then it is the customer's comment."""
    comment = {"id": 6, "type": "Comment", "author_id": CUSTOMER, "public": True}
    audit = {"id": 5, "ticket_id": 1, "created_at": NOON, "author_id": AGENT, "via": {"channel": "web"}}
    event = read(audits=[{**audit, "events": [comment]}]).events[0]
    assert (event.actor, event.actor_id, event.public) == (Actor.CUSTOMER, CUSTOMER, True)


AUDIT = {"id": 5, "ticket_id": 1, "created_at": NOON, "author_id": AGENT}


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"field_name": "group_id", "value": "11", "previous_value": "10"}, ("group_id", "10", "11")),
        ({"field_name": "organization_id", "value": "7", "previous_value": None}, ("company_id", None, "7")),
        ({"field_name": "tags", "value": ["b", "a"], "previous_value": []}, ("tags", None, "a b")),
        ({"field_name": "1", "value": "severity_p1", "previous_value": "severity_p2"}, ("severity", "P2", "P1")),
        ({"field_name": "3", "value": "tier_2", "previous_value": None}, ("tier", None, "2")),
        ({"field_name": "4", "value": None, "previous_value": "soon"}, ("sla_due", "soon", None)),
        ({"field_name": "priority", "value": "urgent", "previous_value": ""}, ("priority", None, "urgent")),
        ({"field_name": "subject", "value": "b", "previous_value": "a"}, None),
        ({"field_name": "99999", "value": "b", "previous_value": "a"}, None),
        ({"type": "External"}, None),
        ({"type": "SomethingNew", "field_name": "status", "value": "open"}, None),
        ({"id": None, "field_name": "status", "value": "open"}, None),
    ],
)
def test_changes(event: dict[str, Any], told: tuple[str, str | None, str | None] | None) -> None:
    """A change is told in our words with old and new value as text; what is nothing to us is passed over."""
    events = read(audits=[{**AUDIT, "events": [{"id": 6, "type": "Change", **event}]}]).events
    assert [(row.field, row.old, row.new) for row in events] == ([told] if told else [])
    assert all((row.id, row.audit_id, row.ticket_id, row.kind) == (6, 5, 1, EventKind.CHANGE) for row in events)


TRIGGER = {"channel": "rule", "source": {"rel": "trigger", "from": {"id": "77", "title": "Tidy up"}}}


@pytest.mark.parametrize(
    ("told", "stars"),
    [
        (None, None),
        ({"score": "good", "id": 3, "comment": "Thanks"}, "5"),
        ({"score": "bad"}, "1"),
        ({"score": "offered"}, None),
        ({"score": ["bad"]}, None),
        ("good", None),
    ],
)
def test_a_tickets_rating(told: Any, stars: str | None) -> None:
    """Good and bad stand at the ends of our scale; what is no rating harms nothing."""
    page = read(tickets=[a_ticket(satisfaction_rating=told)])
    assert (page.tickets[0].fields.get("rating"), page.parked) == (stars, ())


RATED = {"id": 6, "type": "SatisfactionRating", "score": "bad", "body": "Slow"}
CHANGED = {"id": 6, "type": "Change", "field_name": "satisfaction_score", "value": "bad", "previous_value": "offered"}


@pytest.mark.parametrize("event", [RATED, CHANGED, {**RATED, "score": "offered"}, {**CHANGED, "value": "offered"}])
def test_a_rating_is_an_event(event: dict[str, Any]) -> None:
    """As an event of its own or a field's change, in audits and in the export: the same happening of the customer."""
    audit = {**AUDIT, "author_id": CUSTOMER}
    child = {"id": 6, "event_type": event["type"], "score": event.get("score")}
    if event["type"] == "Change":
        child = {"id": 6, "event_type": "Change", "satisfaction_score": event["value"], "previous_value": "offered"}
    exported = {"id": 5, "ticket_id": 1, "created_at": NOON, "updater_id": CUSTOMER, "child_events": [child]}
    found = read(audits=[{**audit, "events": [event]}]).events
    assert found == read(ticket_events=[exported]).events
    offered = "offered" in (event.get("score"), event.get("value"))
    told = [(row.field, row.old, row.new, row.actor) for row in found]
    assert told == ([] if offered else [("rating", None, "1", Actor.CUSTOMER)])


def test_problems_and_brands() -> None:
    """A ticket's link to a problem has its time; a brand is known by its name where the account tells of brands."""
    named = a_reading()
    reading = Reading(**{**{name: getattr(named, name) for name in Reading.__struct_fields__}, "brands": {8: "Acme"}})
    events = [
        {"id": 6, "type": "Change", "field_name": "problem_id", "value": "12", "previous_value": None},
        {"id": 7, "type": "Change", "field_name": "brand_id", "value": "8", "previous_value": "9"},
        {"id": 8, "type": "Create", "field_name": "brand_id", "value": "8"},
    ]
    page = read_page(dump(tickets=[a_ticket(brand_id=8)], audits=[{**AUDIT, "events": events}]), reading)
    assert page.tickets[0].fields["brand"] == "Acme"
    assert [(row.field, row.old, row.new) for row in page.events] == [
        ("problem_id", None, "12"),
        ("brand", None, "Acme"),
    ]
    assert "brand" not in read(tickets=[a_ticket(brand_id=8)]).tickets[0].fields


def test_a_rules_change_names_the_rule() -> None:
    """The same change read either way carries the rule's own id; its title stands in the audits."""
    change = {"id": 6, "type": "Change", "field_name": "4", "value": None, "previous_value": "soon", "via": TRIGGER}
    audit = {**AUDIT, "author_id": US, "events": [change]}
    child = {"id": 6, "event_type": "Change", "custom_ticket_fields": {"4": None}, "previous_value": "soon"}
    exported = {**AUDIT, "updater_id": US, "child_events": [{**child, "via": "Rule", "via_reference_id": 77}]}
    (told,), (also,) = read(audits=[audit]).events, read(ticket_events=[exported]).events
    assert (told.actor, told.actor_id) == (also.actor, also.actor_id) == (Actor.RULE, 77)
    assert rule_titles(dump(audits=[audit, {**AUDIT, "events": []}])) == {77: "Tidy up"}


@pytest.mark.req("ESC-09")
@pytest.mark.parametrize(
    ("updater", "public", "actor"),
    [
        (AGENT, False, Actor.AGENT),
        (AGENT, True, Actor.UNKNOWN),
        (US, False, Actor.US),
        (US, True, Actor.UNKNOWN),
        (CUSTOMER, True, Actor.CUSTOMER),
        (BOT, False, Actor.UNKNOWN),
    ],
)
def test_whose_comment_the_export_tells(updater: int, public: bool, actor: Actor) -> None:
    """The export names who made an update: enough for an internal note, which is work, not for an answer."""
    child = {"id": 6, "event_type": "Comment", "comment_public": public}
    (event,) = read(ticket_events=[{**AUDIT, "updater_id": updater, "child_events": [child]}]).events
    assert event.actor is actor


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (TicketChange(add_tags=("late",)), True),
        (TicketChange(add_tags=("late", "gone")), False),
        (TicketChange(remove_tags=("late",)), False),
        (TicketChange(remove_tags=("gone",), tier=2), True),
        (TicketChange(tier=3), False),
        (TicketChange(fields={"sla_due": "soon"}), True),
        (TicketChange(fields={"sla_due": None}), False),
        (TicketChange(group="technical"), True),
        (TicketChange(group="Support"), False),
        (TicketChange(assignee_id=5), True),
        (TicketChange(assignee_id=6), False),
        (TicketChange(add_tags=("late",), note="Late."), False),
        (TicketChange(add_tags=("late",), reply="Hello."), False),
    ],
)
def test_a_ticket_that_is_as_wanted(change: TicketChange, shown: bool) -> None:
    """What was set without a word can be seen on the ticket; words are never taken as said because the rest fits."""
    ticket = Ticket(
        id=1,
        status=Status.OPEN,
        created_at=STAMP,
        updated_at=STAMP,
        assignee_id=5,
        group_id=next(id for id, name in READING.groups.items() if name == "Technical"),
        tags=frozenset({"late"}),
        tier=2,
        fields={"sla_due": "soon"},
    )
    assert shows(change, ticket, READING) is shown


@pytest.mark.parametrize(
    ("recipients", "told"), [([CUSTOMER], 1), ([AGENT], 0), ([AGENT, CUSTOMER], 1), ([], 0), (None, 0)]
)
def test_mails(recipients: list[int] | None, told: int) -> None:
    """A rule's mail counts where somebody outside gets it."""
    mail = {"id": 6, "type": "Notification", "via": {"channel": "rule"}, "recipients": recipients}
    events = read(audits=[{**AUDIT, "events": [mail]}]).events
    assert [(row.kind, row.actor) for row in events] == [(EventKind.NOTIFICATION, Actor.RULE)] * told


# What cannot be read


@pytest.mark.parametrize(
    ("kind", "row", "record", "reason"),
    [
        ("tickets", a_ticket(id=9, updated_at=None), "zendesk:9", "updated_at: expected datetime, got null"),
        (
            "tickets",
            a_ticket(id=9, updated_at="2026-03-03T12:00:00"),
            "zendesk:9",
            "updated_at: expected datetime with a timezone component",
        ),
        (
            "tickets",
            a_ticket(id=9, created_at="yesterday"),
            "zendesk:9",
            "created_at: invalid RFC3339 encoded datetime",
        ),
        ("tickets", a_ticket(id=9, tags=["a", 7]), "zendesk:9", "tags[1]: expected str, got int"),
        ("tickets", a_ticket(id="nine"), "zendesk:nine", "id: expected int, got str"),
        ("tickets", a_ticket(id=9, custom_fields=[{"id": 3, "value": "tier_x"}], tags=None), None, None),
        ("tickets", "not a ticket", "zendesk:row 1", "expected object, got str"),
        ("users", a_user(id=9, updated_at=5.5e300), "zendesk:user:9", "updated_at: "),
        ("organizations", {"id": 9, "updated_at": NOON, "external_id": []}, "zendesk:organization:9", "external_id: "),
        ("audits", {**AUDIT, "ticket_id": None}, "zendesk:audit:5", "ticket_id: expected int, got null"),
        ("ticket_events", {"id": 5, "ticket_id": 1}, "zendesk:audit:5", "object missing required field created_at"),
    ],
)
def test_a_bad_record_is_parked(kind: str, row: Any, record: str | None, reason: str | None) -> None:
    """It is set aside with its number, its field and what is wrong; everything else of its page goes on."""
    good = {
        "tickets": a_ticket(),
        "users": a_user(),
        "organizations": {"id": 7, "name": "Acme", "updated_at": NOON},
        "audits": {**AUDIT, "events": [{"id": 6, "type": "Comment"}]},
        "ticket_events": {**AUDIT, "child_events": [{"id": 6, "event_type": "Comment", "comment_present": True}]},
    }
    body = {name: [known] for name, known in good.items()}
    body[kind] = [good[kind], row]
    page = read(**body, after_cursor="on", end_of_stream=False)
    assert len(page.tickets) == 1 + (record is None)
    assert (len(page.people), len(page.companies), len(page.events)) == (1, 1, 2)
    assert (page.cursor, page.end) == ("on", False)
    if record is None or reason is None:
        assert page.parked == ()
    else:
        ((parked, why),) = page.parked
        assert parked == record
        assert reason in why


@given(
    st.dictionaries(
        st.sampled_from(
            ["id", "status", "created_at", "updated_at", "subject", "via", "tags", "custom_fields", "group_id"]
        ),
        st.one_of(st.none(), st.integers(), st.text(max_size=5), st.lists(st.integers(), max_size=2), st.booleans()),
        min_size=1,
    )
)
def test_nothing_stops_a_page(garbled: dict[str, Any]) -> None:
    """Whatever stands in a record, its neighbours are read, and it is itself either read or parked."""
    page = read(tickets=[a_ticket(id=2), {**a_ticket(), **garbled}, a_ticket(id=3)])
    assert {ticket.id for ticket in page.tickets} >= {2, 3}
    assert len(page.tickets) + len(page.parked) == 3


# Recorded answers of real accounts

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "recorded" / "zendesk"
KINDS = {"ticket": "tickets", "user": "users", "organization": "organizations"}


def exchanges() -> Iterator[dict[str, Any]]:
    """Every recorded exchange; skips where the recordings are not there."""
    if not RECORDED.is_dir():
        pytest.skip("the recorded answers of real accounts are not on this machine (../shared/recorded)")
    for path in sorted(RECORDED.glob("*.ndjson")):
        yield from (json.loads(line) for line in path.read_text().splitlines())


def recorded(kind: str) -> list[dict[str, Any]]:
    """Every ticket, user or organisation of real accounts (of /users/me, the recordings kept only a stub)."""
    found = []
    for exchange in exchanges():
        body = exchange["response_json"]
        if isinstance(body, dict) and "/users/me" not in exchange["path"]:
            rows = body.get(KINDS[kind])
            found += rows if isinstance(rows, list) else []
            found += [body[kind]] if isinstance(body.get(kind), dict) else []
    return found


@pytest.mark.parametrize("kind", list(KINDS))
def test_real_records_are_read_unharmed(kind: str) -> None:
    """Every recorded record is read: same id, same times, same place."""
    rows = recorded(kind)
    assert len(rows) >= 60
    page = read(**{KINDS[kind]: rows})
    assert page.parked == ()
    made: list[Any] = [*page.tickets, *page.people, *page.companies]
    assert [one.id for one in made] == [row["id"] for row in rows]
    for one, row in zip(made, rows, strict=True):
        assert one.updated_at == datetime.fromisoformat(row["updated_at"])
        if kind == "ticket":
            assert one.status.value == row["status"]
            assert (one.requester_id, one.company_id) == (row["requester_id"], row["organization_id"])
            assert one.tags == set(row["tags"])
            assert one.generated_at == row.get("generated_timestamp", 0)
        else:
            assert one.name == row["name"]


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_mangled_real_record_is_parked(kind: str) -> None:
    """A real record whose time is broken is parked by its number, and the others of its page are read."""
    first, second, *_ = recorded(kind)
    page = read(**{KINDS[kind]: [{**first, "updated_at": "2026-13-45"}, second]})
    ((record, reason),) = page.parked
    assert record.endswith(str(first["id"]))
    assert "updated_at" in reason
    assert len([*page.tickets, *page.people, *page.companies]) == 1


def test_real_jobs() -> None:
    """Every recorded job is understood: over or not, and which row failed and why."""
    told = [job_results(json.dumps(row["response_json"]).encode()) for row in exchanges() if _is_job(row)]
    assert len(told) >= 40
    assert {job.finished for job in told} == {True, False}
    refused = [row for job in told for row in job.rows.values() if not row.done]
    assert any("has already been taken" in str(row.error) for row in refused)
    assert any(row.done for job in told for row in job.rows.values())


def _is_job(exchange: dict[str, Any]) -> bool:
    body = exchange["response_json"]
    return isinstance(body, dict) and isinstance(body.get("job_status"), dict)


def test_real_audits() -> None:
    """Every recorded audit is read, its author known as whoever the account says it is."""
    audits = [row["response_json"]["audit"] for row in exchanges() if "audit" in (row["response_json"] or ())]
    page = read(audits=audits)
    assert page.parked == ()
    assert {event.audit_id for event in page.events} <= {audit["id"] for audit in audits}
    assert any(event.kind is EventKind.COMMENT for event in page.events)


# Writing

STAMP = datetime(2026, 3, 3, 13, tzinfo=timezone(timedelta(hours=1)))


def row_of(*changes: TicketChange) -> dict[str, Any]:
    """One row with keys k0, k1 …"""
    return ticket_row(
        [(f"k{place}", change) for place, change in enumerate(changes)], READING, ticket_id=1, stamp=STAMP
    )


def test_followers_are_added_by_their_mail() -> None:
    """Each once; whether they follow is not read, so a change that names some is never taken for done by looking."""
    change = TicketChange(followers=("eva@us.example",))
    assert row_of(change, change)["followers"] == [{"user_email": "eva@us.example", "action": "put"}]
    assert "followers" not in row_of(TicketChange(add_tags=("x",)))
    stands = read(tickets=[a_ticket()]).tickets[0]
    assert not shows(change, stands, READING)


def test_a_row() -> None:
    """Several changes become one row, safe against others, with their keys in it."""
    row = row_of(
        TicketChange(group="technical", tier=2, add_tags=("late", "old"), note="Late.", fields={"sla_due": None}),
        TicketChange(remove_tags=("old", "gone"), note="Warned.", assignee_id=AGENT, fields={"working": "no"}),
    )
    assert row == {
        "id": 1,
        "safe_update": True,
        "updated_stamp": NOON,
        "metadata": {"helpdesk_flows": [digest("k0"), digest("k1")]},
        "group_id": 11,
        "assignee_id": AGENT,
        "custom_fields": [{"id": 4, "value": None}, {"id": 3, "value": "tier_2"}, {"id": 5, "value": "working_no"}],
        "additional_tags": ["late", "old"],
        "remove_tags": ["gone"],
        "comment": {"body": f"Late.\n\nWarned.\n\nref hf-{digest('k0')} hf-{digest('k1')}", "public": False},
    }


@pytest.mark.req("ESC-18")
@pytest.mark.parametrize("step_first", [True, False])
def test_a_step_says_the_tier(*, step_first: bool) -> None:
    """A step waits, and the fields are brought up to date on the ticket as it was before it: the step's tier counts."""
    step, upkeep = TicketChange(group="technical", tier=2), TicketChange(tier=1, fields={"working": "no"})
    row = row_of(*((step, upkeep) if step_first else (upkeep, step)))
    assert {"id": 3, "value": "tier_2"} in row["custom_fields"]
    assert row["group_id"] == 11


def test_a_customer_reads_one_reference() -> None:
    """What goes along with a reply is marked in the metadata; the reply itself carries its own mark alone."""
    row = row_of(TicketChange(add_tags=("t",)), TicketChange(reply="Hello."), TicketChange(priority="high"))
    assert row["comment"] == {"body": f"Hello.\n\nref hf-{digest('k1')}", "public": True}
    assert row["metadata"] == {"helpdesk_flows": [digest("k0"), digest("k1"), digest("k2")]}


@pytest.mark.parametrize(
    ("changes", "public"),
    [
        ((TicketChange(note="n"),), False),
        ((TicketChange(reply="r"),), True),
        ((TicketChange(reply="r"), TicketChange(add_tags=("t",))), True),
        ((TicketChange(add_tags=("t",)),), None),
    ],
)
@pytest.mark.req("INT-06")
def test_every_comment_says_whether_it_is_public(changes: tuple[TicketChange, ...], public: bool | None) -> None:
    """Left out, Zendesk would decide it by how the ticket was made; and tags are never replaced."""
    row = row_of(*changes)
    assert row.get("comment", {}).get("public") is public
    assert "tags" not in row


@pytest.mark.parametrize(
    "changes", [(TicketChange(reply="a"), TicketChange(reply="b")), (TicketChange(reply="a", note="b"),)]
)
def test_one_update_carries_one_comment(changes: tuple[TicketChange, ...]) -> None:
    """A reply never drags a note along, and two replies are two updates."""
    with pytest.raises(ValueError, match="one comment"):
        row_of(*changes)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (TicketChange(group="Plumbing"), "group 'Plumbing': Zendesk has none of that name; create it"),
        (
            TicketChange(fields={"next_escalation": "T2"}),
            "ticket field 'Next escalation': Zendesk has none of that title",
        ),
        (TicketChange(fields={"working": "perhaps"}), "ticket field 'working': there is no option for 'perhaps'"),
        (TicketChange(tier=99), "ticket field 'tier': there is no option for '99'"),
    ],
)
def test_names_that_the_account_lacks(change: TicketChange, fault: str) -> None:
    """They are told by name, with what to do about it."""
    with pytest.raises(UnknownName, match=fault):
        row_of(change)


@pytest.mark.parametrize(
    ("audit", "found"),
    [
        ({"metadata": {"custom": {"helpdesk_flows": [digest("k")]}}}, True),
        ({"events": [{"type": "Comment", "body": f"Late.\n\nref hf-{digest('k')}"}]}, True),
        ({"events": [{"type": "Comment", "body": f"Late.\n\nref hf-{digest('x')} hf-{digest('k')}"}]}, True),
        ({"events": [{"type": "Comment", "body": f"Thanks!\n> ref hf-{digest('k')}"}]}, False),
        ({"author_id": 7, "events": [{"type": "Comment", "body": f"They said:\nref hf-{digest('k')}"}]}, False),
        ({"author_id": 7, "metadata": {"custom": {"helpdesk_flows": [digest("k")]}}}, False),
        ({"events": [{"type": "Comment", "body": f"It was ref hf-{digest('k')} that did it."}]}, False),
        ({"metadata": {"custom": {"helpdesk_flows": digest("k")}}}, False),
        ({"metadata": {"custom": None}, "events": [{"type": "Comment", "body": None}]}, False),
        ({"events": [{"type": "Change", "value": f"hf-{digest('k')}"}]}, False),
        ({"metadata": {"system": {}}}, False),
        ({}, False),
    ],
)
def test_keys_are_found_again(audit: dict[str, Any], found: bool) -> None:
    """By metadata or by a comment's `ref` line, in our own updates: others quote it, and that proves nothing."""
    assert find_keys(dump(audits=[{"author_id": 1, **audit}]), ["k", "never"], {1}) == ({"k"} if found else set())


@given(st.lists(st.text(min_size=1), unique=True, max_size=6), st.text())
def test_what_is_written_is_found(keys: list[str], note: str) -> None:
    """Whatever the keys and the note, a row's own comment proves exactly its keys."""
    row = (
        ticket_row([(key, TicketChange(note=note)) for key in keys], READING, ticket_id=1, stamp=STAMP) if keys else {}
    )
    audits = [{"author_id": 1, "events": [{"type": "Comment", **row.get("comment", {})}]}]
    assert find_keys(dump(audits=audits), [*keys, "\0 never written"], {1}) == set(keys)


@pytest.mark.parametrize(
    ("results", "told"),
    [
        ([{"id": 1, "action": "update", "status": "Updated", "success": True}], (True, False, None)),
        ([{"id": 1, "index": 0, "account_id": 9}], (True, False, None)),
        ([{"index": 0, "success": True}], (True, False, None)),
        ([{"id": 1, "error": "UpdateConflict", "details": "changed"}], (False, True, "UpdateConflict: changed")),
        (
            [{"id": 1, "error": "TicketUpdateFailed", "details": {"a": 1}}],
            (False, False, "TicketUpdateFailed: {'a': 1}"),
        ),
        ([{"id": 1, "success": False}], (False, False, "refused without a reason")),
        ([{"id": 2, "success": True}], None),
        ([{"success": True}], None),
        (["nonsense"], None),
        ({"success": True}, None),
        (None, None),
    ],
)
def test_what_became_of_a_row(results: Any, told: tuple[bool, bool, str | None] | None) -> None:
    """A completed job says nothing about its rows; each is read, by id or else by place; none at all is unknown."""
    body = dump(job_status={"id": "V3-1", "status": "completed", "results": results})
    row = job_results(body, ids=[1]).rows.get(1)
    assert (None if row is None else (row.done, row.conflict, row.error)) == told


@pytest.mark.parametrize(
    ("status", "finished"),
    [("queued", False), ("working", False), ("completed", True), ("failed", True), ("killed", True)],
)
def test_when_a_job_is_over(status: str, finished: bool) -> None:
    """Completed, failed or killed: nothing more will come."""
    assert job_results(dump(job_status={"id": "V3-1", "status": status, "results": None})).finished is finished


def test_several_jobs_at_once() -> None:
    """Of several jobs each is read as if it were asked alone; one that Zendesk has forgotten is not there."""
    one = {"id": "V3-1", "status": "completed", "results": [{"id": 1, "success": True}]}
    two = {"id": "V3-2", "status": "working", "results": None}
    told = jobs_results(dump(job_statuses=[one, two]))
    assert told == {job["id"]: job_results(dump(job_status=job)) for job in (one, two)}
    assert "V3-3" not in told


def test_an_account_that_lacks_fields() -> None:
    """What the table names and the account does not have is told by title; inactive fields do not count."""
    assert "Next escalation" in READING.missing
    assert "Source" in READING.missing
    assert "Severity" not in READING.missing


def test_a_group_may_be_called_otherwise() -> None:
    """The account's own name of a group is found by the profile's, and the other way round; strangers keep theirs."""
    reading = a_reading(groups={"Tier two": "technical"})
    assert reading.group_id("Tier two") == GROUPS["Technical"]
    assert reading.group_id("Nobody") is None
    assert reading.groups_as(["Tier two", "support"]) == {
        id: {"Technical": "Tier two", "Support": "support"}.get(name, name) for name, id in GROUPS.items()
    }


def test_times_are_utc() -> None:
    """Times come out aware, and the same whatever offset they were written in."""
    ticket = read(tickets=[a_ticket(updated_at="2026-03-03T13:00:00+01:00")]).tickets[0]
    assert ticket.updated_at == datetime(2026, 3, 3, 12, tzinfo=UTC)
