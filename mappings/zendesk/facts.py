"""Pages of Zendesk's REST and export answers → tickets, people, companies, events; a malformed row is parked.

A page is decoded in one typed pass. Only where that fails is it read row by row, so that one bad record is set aside
with its reason (which record, which field) and the rest of its page goes on.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from mappings.model import ENDED, Company, Person, Status, Ticket, TicketEvent
from mappings.profile.tools import Field
from mappings.zendesk.events import MERGED_TAG, Audit, ExportedAudit, Moment, audit_events, exported_events, stars_of
from mappings.zendesk.reading import Reading
from mappings.zendesk.statuses import OWN_STATUS

_STATUSES = {status.value: status for status in Status}
_STAFF = frozenset({"agent", "admin"})
_WEB, _BY_HAND = "web", "agent"
SUBJECT = 300
"""So many characters of a subject are kept (INT-03)."""
LONGEST = 2000
"""So many characters of a first message are kept: what it is about stands at its beginning."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What one answer held. `cursor` says where to read on, as the endpoint wants it; `end` that there is no more."""

    tickets: tuple[Ticket, ...] = ()
    companies: tuple[Company, ...] = ()
    people: tuple[Person, ...] = ()
    events: tuple[TicketEvent, ...] = ()
    parked: tuple[tuple[str, str], ...] = ()
    cursor: str | None = None
    end: bool = True


class _Via(msgspec.Struct):
    channel: str | int | None = None


class _CustomField(msgspec.Struct):
    id: int
    value: Any = None


class _Ticket(msgspec.Struct):
    id: int
    status: str
    created_at: Moment
    updated_at: Moment
    subject: str | None = None
    description: str | None = None
    recipient: str | None = None
    priority: str | None = None
    via: _Via | None = None
    requester_id: int | None = None
    submitter_id: int | None = None
    assignee_id: int | None = None
    group_id: int | None = None
    organization_id: int | None = None
    ticket_form_id: int | None = None
    brand_id: int | None = None
    custom_status_id: int | None = None
    problem_id: int | None = None
    satisfaction_rating: Any = None
    tags: list[str] | None = None
    custom_fields: list[_CustomField] | None = None
    generated_timestamp: int | None = None


class _User(msgspec.Struct):
    id: int
    updated_at: Moment
    name: str | None = None
    role: str | None = None
    email: str | None = None
    organization_id: int | None = None
    locale: str | None = None
    active: bool | None = True
    suspended: bool | None = None
    external_id: str | int | None = None
    user_fields: dict[str, Any] | None = None


class _Organization(msgspec.Struct):
    id: int
    updated_at: Moment
    name: str | None = None
    external_id: str | int | None = None
    organization_fields: dict[str, Any] | None = None
    deleted_at: Moment | None = None


class _Meta(msgspec.Struct):
    has_more: bool = False
    after_cursor: str | None = None


class _Where(msgspec.Struct):
    after_cursor: str | None = None
    end_of_stream: bool | None = None
    end_time: int | None = None
    meta: _Meta | None = None


class _Body(msgspec.Struct):
    tickets: list[_Ticket] | None = None
    users: list[_User] | None = None
    organizations: list[_Organization] | None = None
    audits: list[Audit] | None = None
    ticket_events: list[ExportedAudit] | None = None
    after_cursor: str | None = None
    end_of_stream: bool | None = None
    end_time: int | None = None
    meta: _Meta | None = None


class _RawBody(msgspec.Struct):
    tickets: list[msgspec.Raw] | None = None
    users: list[msgspec.Raw] | None = None
    organizations: list[msgspec.Raw] | None = None
    audits: list[msgspec.Raw] | None = None
    ticket_events: list[msgspec.Raw] | None = None


_BODY = msgspec.json.Decoder(_Body)
_ROWS: dict[str, tuple[msgspec.json.Decoder[Any], str]] = {
    "tickets": (msgspec.json.Decoder(_Ticket), "zendesk"),
    "users": (msgspec.json.Decoder(_User), "zendesk:user"),
    "organizations": (msgspec.json.Decoder(_Organization), "zendesk:organization"),
    "audits": (msgspec.json.Decoder(Audit), "zendesk:audit"),
    "ticket_events": (msgspec.json.Decoder(ExportedAudit), "zendesk:audit"),
}

Row = TypeVar("Row")
Fact = TypeVar("Fact")


def read_page(body: bytes, reading: Reading) -> Page:
    """A body of /tickets, /users, /organizations, /tickets/…/audits or an incremental export as facts.

    Rows that cannot be read are in `parked` as (record, reason). Raises msgspec.DecodeError where the body is no JSON
    object at all.
    """
    parked: list[tuple[str, str]] = []
    try:
        read = _BODY.decode(body)
    except msgspec.ValidationError:
        read = _row_by_row(body, parked)
    events: list[TicketEvent] = []
    for audit in read.audits or ():
        events += audit_events(audit, reading)
    for exported in read.ticket_events or ():
        events += exported_events(exported, reading)
    cursor, end = _position(read)
    suspended = {user.id for user in read.users or () if user.suspended}
    return Page(
        tickets=_each(read.tickets, lambda row: _ticket(row, reading, suspended), "zendesk", parked),
        people=_each(read.users, lambda row: _person(row, reading), "zendesk:user", parked),
        companies=_each(read.organizations, lambda row: _company(row, reading), "zendesk:organization", parked),
        events=tuple(events),
        parked=tuple(parked),
        cursor=cursor,
        end=end,
    )


def _each(
    rows: list[Any] | None, make: Callable[[Any], Fact], kind: str, parked: list[tuple[str, str]]
) -> tuple[Fact, ...]:
    made: list[Fact] = []
    for row in rows or ():
        try:
            made.append(make(row))
        except (ValueError, TypeError, KeyError) as wrong:
            parked.append((f"{kind}:{row.id}", f"cannot be read: {wrong}"))
    return tuple(made)


def _row_by_row(body: bytes, parked: list[tuple[str, str]]) -> _Body:
    raw = msgspec.json.decode(body, type=_RawBody)
    where = msgspec.json.decode(body, type=_Where)
    good: dict[str, list[Any]] = {}
    for name, (decoder, kind) in _ROWS.items():
        good[name] = []
        for place, row in enumerate(getattr(raw, name) or ()):
            try:
                good[name].append(decoder.decode(row))
            except msgspec.ValidationError as wrong:
                parked.append((f"{kind}:{_id_of(row, place)}", f"{name[:-1]} cannot be read: {_plainly(wrong)}"))
    return _Body(
        **good,
        after_cursor=where.after_cursor,
        end_of_stream=where.end_of_stream,
        end_time=where.end_time,
        meta=where.meta,
    )


def _id_of(row: msgspec.Raw, place: int) -> str:
    loose = msgspec.json.decode(row)
    return str(loose.get("id", f"row {place}")) if isinstance(loose, dict) else f"row {place}"


def _plainly(wrong: msgspec.ValidationError) -> str:
    """`Expected `str`, got `int` - at `$.tags[0]`` as `tags[0]: expected str, got int`; never the value itself."""
    problem, _, place = str(wrong).replace("`", "").partition(" - at $.")
    problem = problem[:1].lower() + problem[1:]
    return f"{place}: {problem}" if place else problem


def _position(read: _Body) -> tuple[str | None, bool]:
    if read.meta is not None:
        return read.meta.after_cursor, not read.meta.has_more
    if read.after_cursor is not None:
        return read.after_cursor, read.end_of_stream is not False
    if read.end_time is not None:
        return str(read.end_time), read.end_of_stream is not False
    return None, True


def _ticket(row: _Ticket, reading: Reading, suspended: set[int]) -> Ticket:
    named: dict[str, str | None] = {}
    for field in row.custom_fields or ():
        name = reading.fields.get(field.id)
        if name is not None:
            named[name] = reading.key_of(name, field.value)
    rating = row.satisfaction_rating
    if isinstance(rating, dict) and (stars := stars_of(rating.get("score"))) is not None:
        named["rating"] = stars
    if (brand := reading.brand(row.brand_id)) is not None:
        named["brand"] = brand
    if (own := reading.own_status(row.custom_status_id)) is not None:
        named[OWN_STATUS] = own
    tier = named.pop("tier", None)
    source, status = named.get("source"), _status(row, suspended)
    return Ticket(
        id=row.id,
        status=status,
        created_at=row.created_at,
        updated_at=row.updated_at,
        subject=(row.subject or "")[:SUBJECT],
        priority=row.priority,
        channel=source or _channel(row, reading),
        requester_id=row.requester_id,
        submitter_id=row.submitter_id,
        assignee_id=row.assignee_id,
        group_id=row.group_id,
        company_id=row.organization_id,
        form_id=row.ticket_form_id,
        brand_id=row.brand_id,
        problem_id=row.problem_id,
        tags=frozenset(row.tags or ()),
        severity=named.pop("severity", None),
        kind=named.pop("kind", None),
        module=named.pop("module", None),
        tier=None if tier is None else int(tier),
        fields=named,
        generated_at=row.generated_timestamp or 0,
        recipient=row.recipient,
        description="" if row.description is None or status in ENDED else row.description[:LONGEST],
    )


def _status(row: _Ticket, suspended: set[int]) -> Status:
    """Where a ticket stands. A category we do not know counts as open: somebody still has to look at it.

    Zendesk has no status for two endings: a merged ticket is a closed one with a tag, and spam is a deleted one whose
    requester was suspended (vendor-facts §1.7, §1.8).
    """
    if row.status == "closed" and row.tags and MERGED_TAG in row.tags:
        return Status.MERGED
    if row.status == "deleted" and row.requester_id in suspended:
        return Status.SPAM
    return _STATUSES.get(row.status, Status.OPEN)


def _channel(row: _Ticket, reading: Reading) -> str:
    """The way that a ticket came in. What an agent files by hand comes by the web, too, and from no customer's form:
    how it really came, only they can say.
    """
    channel = _WEB if row.via is None or row.via.channel is None else str(row.via.channel)
    by_hand = channel == _WEB and row.submitter_id in reading.agents and row.submitter_id != row.requester_id
    return _BY_HAND if by_hand else reading.table.channels.get(channel, channel)


def _person(row: _User, reading: Reading) -> Person:
    role = reading.table.user_fields["role"]
    return Person(
        id=row.id,
        name=row.name or "",
        updated_at=row.updated_at,
        agent=row.role in _STAFF,
        admin=row.role == "admin",
        email=row.email,
        role=_value(row.user_fields, role),
        company_id=row.organization_id,
        locale=row.locale,
        active=row.active is not False,
        external_id=None if row.external_id is None else str(row.external_id),
    )


def _company(row: _Organization, reading: Reading) -> Company:
    named = reading.table.organization_fields
    csm = _value(row.organization_fields, named["csm"])
    return Company(
        id=row.id,
        name=row.name or "",
        updated_at=row.updated_at,
        external_id=None if row.external_id is None else str(row.external_id),
        plan=_value(row.organization_fields, named["plan"]),
        vip=bool((row.organization_fields or {}).get(named["vip"].known_by)),
        csm=csm,
        deleted=row.deleted_at is not None,
        warnings=int(_value(row.organization_fields, named["warnings"]) or 0),
        last_warning_at=_day(row.organization_fields, named["last_warning_at"]),
        restricted_until=_day(row.organization_fields, named["restricted_until"]),
    )


def _day(fields: dict[str, Any] | None, field: Field) -> str | None:
    """A date field's day; Zendesk may tell it with a time of midnight behind."""
    value = _value(fields, field)
    return None if value is None else value[:10]


def _value(fields: dict[str, Any] | None, field: Field) -> str | None:
    """A field of an organisation or a user, its option's prefix taken off."""
    tag = (fields or {}).get(field.known_by)
    return None if tag in (None, "") else str(tag).removeprefix(field.prefix or "")
