"""What is wrong with an account, a deployment or its surroundings, judged from what was read of them.

Nothing here asks: flows/doctor.py fetches, these say what it means. Each finding is a place, a cause and a fix.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from mappings.notices import ways
from mappings.plan import ON_HOLD
from mappings.policies.escalation import ESCALATED
from mappings.policies.sla.lateness import BREACHED, WARNED
from mappings.profile import Profile, ToolTable
from mappings.profile.tools import Zendesk as ZendeskTable
from mappings.zendesk import Reading
from mappings.zendesk.statuses import CustomStatus, names_by_id

TAGS = (WARNED, BREACHED, ESCALATED, ON_HOLD)
"""The tags that we set or obey, whatever the profile says."""
_RESERVED = re.compile(r"(^|\.)(example(\.(com|net|org))?|test|invalid|localhost)$")
"""Domains that are nobody's (RFC 2606): the base's routes have addresses there, for want of the account's own."""
_SEEN = 3
"""Tickets named in a finding before it says that there are more."""


class State(StrEnum):
    """How bad a finding is. `skip` was not looked at, since something before it is wrong."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at: where, how it is, and what to do about it (empty where nothing is to be done)."""

    state: State
    place: str
    cause: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.cause}; {self.fix}" if self.fix else f"{self.place}: {self.cause}"


def ok(place: str, cause: str) -> Finding:
    """All is well here."""
    return Finding(state=State.OK, place=place, cause=cause)


def warn(place: str, cause: str, fix: str) -> Finding:
    """It works, and may not be what is wanted."""
    return Finding(state=State.WARN, place=place, cause=cause, fix=fix)


def fail(place: str, cause: str, fix: str) -> Finding:
    """It does not work."""
    return Finding(state=State.FAIL, place=place, cause=cause, fix=fix)


class _Via(msgspec.Struct):
    channel: str | int = ""


class _Comment(msgspec.Struct):
    author_id: int
    public: bool = False
    via: _Via = msgspec.field(default_factory=_Via)


class _Condition(msgspec.Struct):
    field: str = ""
    value: object = None


class _Conditions(msgspec.Struct):
    all: list[_Condition] = []
    any: list[_Condition] = []


class _Trigger(msgspec.Struct):
    id: int
    title: str
    active: bool = True
    conditions: _Conditions = msgspec.field(default_factory=_Conditions)
    actions: list[_Condition] = []


class _Membership(msgspec.Struct):
    user_id: int
    group_id: int


class _Form(msgspec.Struct):
    name: str
    active: bool = True
    ticket_field_ids: list[int] = []


class _Group(msgspec.Struct):
    id: int
    is_public: bool | None = None


class _Keyed(msgspec.Struct):
    key: str
    active: bool = True


class _Option(msgspec.Struct):
    value: str


class _TicketField(msgspec.Struct):
    id: int
    title: str = ""
    active: bool = True
    custom_field_options: list[_Option] = []


class _User(msgspec.Struct):
    id: int
    role: str = ""
    email: str | None = None
    suspended: bool = False


class Pages(msgspec.Struct):
    """A page of any of the account's lists; each asks for its own part."""

    comments: list[_Comment] = []
    triggers: list[_Trigger] = []
    group_memberships: list[_Membership] = []
    groups: list[_Group] = []
    ticket_forms: list[_Form] = []
    organization_fields: list[_Keyed] = []
    user_fields: list[_Keyed] = []
    ticket_fields: list[_TicketField] = []
    custom_statuses: list[CustomStatus] = []
    user: _User | None = None


class Found(msgspec.Struct):
    """A search's answer."""

    count: int = 0
    results: list[dict[str, object]] = []

    @property
    def ids(self) -> list[int]:
        """The tickets found."""
        return [int(str(row["id"])) for row in self.results if "id" in row]


def read(bodies: Iterable[bytes]) -> list[Pages]:
    """Pages as they came. Raises msgspec.DecodeError."""
    return [msgspec.json.decode(body, type=Pages) for body in bodies]


def role(me: bytes) -> Finding:
    """May the service user do what we do? Exports are an administrator's."""
    user = read([me])[0].user
    place = "zendesk service user"
    if user is None or user.suspended:
        return fail(place, "suspended, or nobody", "give the credentials of an administrator that is no person")
    if user.role == "admin":
        return ok(place, "an administrator")
    return fail(place, f"its role is {user.role}, and exports are an administrator's", "make it an administrator")


def person(assigned: Found, asked: Found, written: Mapping[int, Sequence[bytes]], us: Iterable[int]) -> list[Finding]:
    """Is the service user also a person? Whatever it writes counts as ours and stops no clock.

    `assigned` and `asked` are tickets that it works on or filed; `written` the comments of tickets that it wrote to.
    A program writes through the API, a person does not.
    """
    place, fix = "zendesk service user", "give that person a login of their own: what this one writes stops no clock"
    ours, found = frozenset(us), []
    if assigned.count:
        found.append(fail(place, f"tickets are assigned to it ({_some(assigned.ids, assigned.count)})", fix))
    if asked.count:
        found.append(warn(place, f"it is the requester of tickets ({_some(asked.ids, asked.count)})", fix))
    by_hand = [ticket for ticket, bodies in written.items() if any(_by_hand(page, ours) for page in read(bodies))]
    if by_hand:
        found.append(fail(place, f"somebody answers customers with it ({_some(by_hand, len(by_hand))})", fix))
    return found or [ok(place, "no person: no tickets of its own, no answers by hand")]


def _by_hand(page: Pages, us: frozenset[int]) -> bool:
    return any(row.author_id in us and row.public and str(row.via.channel) != "api" for row in page.comments)


def fields(table: ZendeskTable, profile: Profile, reading: Reading, lists: Mapping[str, list[bytes]]) -> list[Finding]:
    """Has the account the fields that the profile needs, with their options?"""
    found = [
        fail("zendesk ticket field", f"{title!r} is missing", f"create it: {_recipe(table, title)}")
        for title in reading.missing
    ]
    for kind, rows in (("organization_fields", table.organization_fields), ("user_fields", table.user_fields)):
        there = {row.key for page in read(lists[kind]) for row in getattr(page, kind) if row.active}
        place = f"zendesk {kind.removesuffix('s').replace('_', ' ')}"
        found += [
            fail(place, f"{field.known_by!r} is missing", f"create it with that key as a {field.type} field")
            for field in rows.values()
            if field.known_by not in there
        ]
    found += _options(table, reading)
    return found or [ok("zendesk fields", "all there, with their options")]


def _recipe(table: ZendeskTable, title: str) -> str:
    field = next(field for field in table.ticket_fields.values() if field.known_by == title)
    return f"a {field.type} field of that title" + (f", its options' tags {field.prefix}…" if field.prefix else "")


def _options(table: ZendeskTable, reading: Reading) -> Iterator[Finding]:
    for name, keys in reading.lacking.items():
        field = table.ticket_fields[name]
        said = ", ".join(field.tag(key) for key in keys)
        place = f"zendesk ticket field {field.known_by!r}"
        yield fail(place, f"no option has the tag {said}", "add options with these tags")


def groups(table: ZendeskTable, profile: Profile, reading: Reading, lists: Mapping[str, list[bytes]]) -> list[Finding]:
    """Are the groups there that work is sent to, is somebody in them, and are those of private kinds private?"""
    found = []
    members: dict[int, set[int]] = {}
    public = {group.id for page in read(lists["groups"]) for group in page.groups if group.is_public}
    private = {kind.group: kind.name for kind in profile.kinds.values() if kind.private}
    for page in read(lists["group_memberships"]):
        for row in page.group_memberships:
            members.setdefault(row.group_id, set()).add(row.user_id)
    tiers = {tier.group: level for level, tier in profile.tiers.items()}
    for name in profile.groups:
        id, place = reading.group_id(name), f"zendesk group {table.group(name)!r}"
        if id is None:
            fix = f"create it, or name the account's under groups: in config/tools/zendesk.yaml ({name}: …)"
            found.append(fail(place, "missing", fix))
        elif not members.get(id, set()) & reading.agents.keys() - reading.us:
            say = fail if name in tiers else warn
            what = f", and it is tier {tiers[name]}" if name in tiers else ""
            found.append(say(place, f"no agent is in it{what}", "add agents to it"))
        if id in public and name in private:
            fix = "make a private group of that name in its stead; Zendesk has no other way"
            found.append(warn(place, f"every agent may look into it, and {private[name]} tickets are private", fix))
    return found or [ok("zendesk groups", "all there, with agents in them")]


def statuses(profile: Profile, bodies: list[bytes]) -> list[Finding]:
    """Are the account's own statuses there that the profile names (INT-05)?"""
    active = [row for page in read(bodies) for row in page.custom_statuses if row.active]
    known = set(names_by_id(profile, active).values())
    wanted = {name: place for name, place in profile.named_statuses.items() if place.label is not None}
    fix = "create it in category {}, or mend statuses: {}: in the profile"
    lacking = [
        warn(f"zendesk status {place.label!r}", "missing", fix.format(place.category, name))
        for name, place in wanted.items()
        if name not in known
    ]
    return lacking or [ok("zendesk statuses", "as named")]


_ON_FORMS = ("severity", "kind")
"""What a form asks of a ticket (INT-03), besides what every form of Zendesk's has."""


def forms(table: ZendeskTable, reading: Reading, bodies: list[bytes]) -> list[Finding]:
    """Are the forms there that the scope names, and do they ask for what a ticket is judged by?"""
    there = {form.name: form for page in read(bodies) for form in page.ticket_forms if form.active}
    fix = "mend scope: forms: in config/tools/zendesk.yaml"
    found = [fail(f"zendesk form {name!r}", "missing", fix) for name in table.scope.forms if name not in there]
    asked = {id: table.ticket_fields[name].known_by for name in _ON_FORMS if (id := reading.field_id(name)) is not None}
    for name in table.scope.forms or there:
        lacking = [title for id, title in asked.items() if name in there and id not in there[name].ticket_field_ids]
        if lacking:
            found.append(
                warn(f"zendesk form {name!r}", f"does not ask for {' and '.join(lacking)}", "add it to the form")
            )
    return found or [ok("zendesk forms", "as named")]


def triggers(table: ZendeskTable, profile: Profile, reading: Reading, bodies: list[bytes]) -> list[Finding]:
    """Which of the account's triggers set or wait for what is ours to write?"""
    written = {name: field.known_by for name, field in table.ticket_fields.items() if field.ours}
    ours = {f"custom_fields_{reading.field_id(name)}": title for name, title in written.items()}
    moved = {"group_id"} if profile.tiers else set()
    tags = {*TAGS, *profile_tags(profile)}
    found = []
    for trigger in (row for page in read(bodies) for row in page.triggers if row.active):
        place = f"zendesk trigger {trigger.title!r} ({trigger.id})"
        sets = {row.field: row.value for row in trigger.actions}
        wrong = [f"it sets {ours[name]}" for name in sets if name in ours]
        wrong += [f"it {_WORDS[name]} {word}" for name in _WORDS for word in _words(sets.get(name)) if word in tags]
        if moved & sets.keys() and not _at_creation(trigger):
            wrong.append("it moves tickets to a group after their creation, and may undo an escalation")
        if wrong:
            found.append(warn(place, ", ".join(wrong), "switch it off, or leave that to helpdesk-flows"))
        waits = {w for row in _conditions(trigger) if row.field == "current_tags" for w in _words(row.value)} & tags
        if waits and not wrong:
            found.append(ok(place, f"waits for our tag {', '.join(sorted(waits))}"))
    return found or [ok("zendesk triggers", "none touches what is ours")]


_WORDS = {"current_tags": "adds our tag", "remove_tags": "removes our tag", "set_tags": "replaces tags, ours too:"}


def _conditions(trigger: _Trigger) -> list[_Condition]:
    return [*trigger.conditions.all, *trigger.conditions.any]


def _at_creation(trigger: _Trigger) -> bool:
    return any(row.field == "update_type" and row.value == "Create" for row in trigger.conditions.all)


def _words(value: object) -> list[str]:
    parts = value if isinstance(value, list) else [value] if value is not None else []
    return [word for part in parts for word in str(part).split()]


def profile_tags(profile: Profile) -> set[str]:
    """The tags that a profile's rules and targets set."""
    steps = [do for rule in profile.rules.values() for do in rule.do]
    steps += [do for target in profile.targets.values() for do in (*target.late, *target.warn_do)]
    return {str(do.argument) for do in steps if do.verb == "tag"}


def skew(place: str, ours: datetime, theirs: datetime) -> Finding:
    """Do our clock and the tool's agree? `not_after` and what the exports hide are reckoned by ours."""
    seconds = round((ours - theirs).total_seconds())
    said = f"our clock is {abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} the tool's"
    fix = "set this machine's clock by NTP"
    if abs(seconds) <= 30:
        return ok(place, "our clock and the tool's agree")
    return (warn if abs(seconds) <= 120 else fail)(place, said, fix)


def services(tables: ToolTable, profile: Profile, keys: Mapping[str, str]) -> list[Finding]:
    """Has each service that a route pages an Events API v2 integration?"""
    fix = "create it with an Events API v2 integration, or name the account's under services: in config/tools"
    wanted = {name: tables.pagerduty.service(name) for route in profile.routes.values() if (name := route.pagerduty)}
    return [
        ok(f"pagerduty service {there!r}", "takes events")
        if there in keys
        else fail(f"pagerduty service {there!r}", "missing, or it takes no events", f"{fix}/pagerduty.yaml")
        for there in dict.fromkeys(wanted.values())
    ]


def _some(ids: Sequence[int], count: int) -> str:
    named = ", ".join(f"zendesk:{id}" for id in list(ids)[:_SEEN])
    return f"{named}{', …' if count > min(_SEEN, len(ids)) else ''}"


def routes(profile: Profile) -> Iterator[Finding]:
    """Routes whose mail nobody reads: at a domain that is nobody's, or at an address of ours, where it is a ticket."""
    ours = {mail.casefold() for channel in profile.channels.values() for mail in channel.addresses}
    places: dict[str, list[str]] = {}
    for route in profile.routes.values():
        for way in ways(route, profile):
            for address in way.removeprefix("mail ").split(",") if way.startswith("mail ") else ():
                where = places.setdefault(address.strip(), [])
                where += [f"routes.{route.key}"] if f"routes.{route.key}" not in where else []
    fix = "write a mailbox that people read"
    for address, names in places.items():
        if _RESERVED.search(address.rpartition("@")[2]):
            yield warn(f"config: {', '.join(names)}", f"{address} is nobody's", fix)
        elif address.casefold() in ours:
            yield warn(f"config: {', '.join(names)}", f"{address} takes tickets: what we mail there becomes one", fix)
