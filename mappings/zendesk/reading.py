"""How one account is to be read: which field is which, who is an agent, who is a machine, who is us.

Field ids differ from account to account; titles are ours (config/tools/zendesk.yaml) and ids are looked up. Options are
tags made of a prefix and the lower-cased profile key: `severity_p1` is the severity P1.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from mappings.model import ESCALATION_REASONS, Actor
from mappings.profile import Profile
from mappings.profile.tools import Zendesk as ZendeskTable
from mappings.zendesk.statuses import CustomStatus, names_by_id

_MACHINES = frozenset({"rule", "automation", "trigger", "system", "admin_setting", "merge", "problem_incident"})
"""`via` channels (REST) and labels (export), lower-cased, that no person stands behind."""

SYSTEM_AUTHOR = -1


_SAID = frozenset({"kind", "module"})
_NO_TICKETS = frozenset({1, 2, 3, 5})
"""`role_type` of those who are agents by role and cannot be given tickets: light agents, chat agents, contributors,
billing admins.
"""
_BOT_CHANNELS = frozenset({"answer_bot", "answer_bot_for_agents", "answer_bot_api", "ai_agent"})


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """An account, ready for reading and writing. All ids are Zendesk's."""

    table: ZendeskTable
    fields: Mapping[int, str]
    """Custom field id → our name."""
    options: Mapping[str, Mapping[str, str]]
    """Our name → option tag → profile key."""
    groups: Mapping[int, str]
    agents: Mapping[int, str]
    us: frozenset[int]
    bots: frozenset[int] = frozenset()
    brands: Mapping[int, str] = {}
    statuses: Mapping[int, str] = {}
    """Status of the account's own → which of our five it is (INT-05), where the profile names it."""
    checkboxes: frozenset[str] = frozenset()
    """Our names of the fields that are ticked or not."""
    members: Mapping[int, frozenset[int]] = {}
    """Group id → its agents."""
    specialties: Mapping[int, frozenset[str]] = {}
    """Agent → kinds and modules that are theirs, by the profile's keys in lower case."""
    absent: frozenset[int] = frozenset()
    """Agents who are away, or may not hold tickets."""
    lacking: Mapping[str, tuple[str, ...]] = {}
    """Our name of a dropdown → the profile keys for which the account has no option."""
    missing: tuple[str, ...] = ()
    """Titles of our fields that the account lacks."""

    def actor(self, author_id: int | None, via: str | None) -> Actor:
        """Who is behind a happening, by its author and its `via`."""
        channel = (via or "").lower().replace(" ", "_")
        if channel in _MACHINES or author_id == SYSTEM_AUTHOR:
            return Actor.RULE
        if author_id is None:
            return Actor.UNKNOWN
        if author_id in self.us:
            return Actor.US
        if author_id in self.bots or channel in _BOT_CHANNELS:
            return Actor.BOT
        return Actor.AGENT if author_id in self.agents else Actor.CUSTOMER

    def key_of(self, name: str, value: object) -> str | None:
        """A custom field's value in our words: an option becomes its profile key, anything else its text.

        Of options that the profile does not know, a kind or a module stands as its tag: somebody has said it.
        """
        if value is None or value == "" or value == []:
            return None
        if name in self.options:
            return self.options[name].get(str(value), str(value) if name in _SAID else None)
        if name in self.checkboxes:  # true on the ticket, "1" in its audits
            return "true" if value in (True, 1, "1", "true") else None
        if isinstance(value, list):
            return " ".join(sorted(str(part) for part in value))
        return str(value)

    def brand(self, id: object) -> str | None:
        """The name of a brand, by its id as a number or in audits' text; null where the account tells of none."""
        return self.brands.get(int(str(id))) if str(id).isdigit() else None

    def own_status(self, id: object) -> str | None:
        """Which of our five a `custom_status_id` is; null for one that says no more than its category."""
        return self.statuses.get(int(str(id))) if str(id).isdigit() else None

    def tag_of(self, name: str, key: str | None) -> str | None:
        """The way back: a profile key as the option tag, text as it is."""
        if key is None or name not in self.options:
            return key
        return next((tag for tag, known in self.options[name].items() if known == key), None)

    def field_id(self, name: str) -> int | None:
        """The id of one of our fields, where the account has it."""
        return next((id for id, known in self.fields.items() if known == name), None)

    def group_id(self, name: str) -> int | None:
        """The id of a group by the profile's name for it, in any case."""
        wanted = self.table.group(name).casefold()
        return next((id for id, known in self.groups.items() if known.casefold() == wanted), None)

    def groups_as(self, names: Iterable[str]) -> dict[int, str]:
        """The account's groups by id: those that the profile names by its names, the others by their own."""
        ours = {self.table.group(name).casefold(): name for name in names}
        return {id: ours.get(known.casefold(), known) for id, known in self.groups.items()}


class _Option(msgspec.Struct):
    value: str


class _Field(msgspec.Struct):
    id: int
    title: str
    type: str = ""
    active: bool = True
    custom_field_options: list[_Option] = []


class _Group(msgspec.Struct):
    id: int
    name: str
    deleted: bool = False


class _Brand(msgspec.Struct):
    id: int
    name: str


class _User(msgspec.Struct):
    id: int
    name: str
    email: str | None = None
    active: bool | None = True
    suspended: bool | None = None
    role_type: int | None = None
    user_fields: dict[str, Any] | None = None


class _Membership(msgspec.Struct):
    user_id: int
    group_id: int


class _Account(msgspec.Struct):
    ticket_fields: list[_Field] = []
    group_memberships: list[_Membership] = []
    groups: list[_Group] = []
    brands: list[_Brand] = []
    custom_statuses: list[CustomStatus] = []
    users: list[_User] = []
    user: _User | None = None


def build_reading(
    table: ZendeskTable,
    profile: Profile,
    *,
    ticket_fields: Iterable[bytes],
    groups: Iterable[bytes],
    agents: Iterable[bytes],
    me: bytes,
    brands: Iterable[bytes] = (),
    memberships: Iterable[bytes] = (),
    custom_statuses: Iterable[bytes] = (),
) -> Reading:
    """Put an account together from the bodies of /ticket_fields, /groups, /users?role[]=…, /users/me, /brands,
    /group_memberships and /custom_statuses.
    """
    found = [field for body in ticket_fields for field in _decode(body).ticket_fields if field.active]
    titles = {field.title.casefold(): field.id for field in found}
    known = {name: titles.get(field.known_by.casefold()) for name, field in table.ticket_fields.items()}
    ours = {id: name for name, id in known.items() if id is not None}
    options = _options(table, profile)
    users = [user for body in agents for user in _decode(body).users]
    bots = {bot.casefold() for bot in table.bots}
    ourselves = _decode(me).user
    return Reading(
        table=table,
        fields=ours,
        options=options,
        groups={group.id: group.name for body in groups for group in _decode(body).groups if not group.deleted},
        agents={user.id: user.name for user in users},
        us=frozenset({ourselves.id} if ourselves else ()),
        statuses=names_by_id(profile, (row for body in custom_statuses for row in _decode(body).custom_statuses)),
        brands={brand.id: brand.name for body in brands for brand in _decode(body).brands},
        bots=frozenset(user.id for user in users if (user.email or "").casefold() in bots),
        checkboxes=frozenset(name for field in found if field.type == "checkbox" and (name := ours.get(field.id))),
        members=_members(memberships),
        specialties={user.id: skills for user in users if (skills := _specialties(user, table))},
        absent=frozenset(user.id for user in users if _away(user, table)),
        lacking=_lacking(found, ours, options),
        missing=tuple(table.ticket_fields[name].known_by for name, id in known.items() if id is None),
    )


def _decode(body: bytes) -> _Account:
    return msgspec.json.decode(body, type=_Account)


def _members(bodies: Iterable[bytes]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    for row in (row for body in bodies for row in _decode(body).group_memberships):
        found.setdefault(row.group_id, set()).add(row.user_id)
    return {group: frozenset(users) for group, users in found.items()}


def _specialties(user: _User, table: ZendeskTable) -> frozenset[str]:
    """The words of an agent's field: `billing, scheduling`."""
    own = table.user_fields.get("specialties")
    said = (user.user_fields or {}).get(own.known_by) if own is not None else None
    return frozenset(re.findall(r"[^\s,;]+", said.casefold())) if isinstance(said, str) else frozenset()


def _away(user: _User, table: ZendeskTable) -> bool:
    """Does an agent's field say that they are away, is their account closed, or may they not hold tickets?"""
    own = table.user_fields.get("away")
    said = (user.user_fields or {}).get(own.known_by) if own is not None else None
    return said is True or user.active is False or user.suspended is True or user.role_type in _NO_TICKETS


def _lacking(
    fields: Iterable[_Field], ours: Mapping[int, str], options: Mapping[str, Mapping[str, str]]
) -> dict[str, tuple[str, ...]]:
    lacking: dict[str, tuple[str, ...]] = {}
    for field in fields:
        name, there = ours.get(field.id, ""), {option.value for option in field.custom_field_options}
        if keys := tuple(key for tag, key in options.get(name, {}).items() if tag not in there):
            lacking[name] = keys
    return lacking


def _options(table: ZendeskTable, profile: Profile) -> dict[str, dict[str, str]]:
    keys: dict[str, Iterable[object]] = {
        "severity": profile.severities,
        "kind": profile.kinds,
        "module": profile.modules,
        "source": profile.sources,
        "tier": range(1, len(profile.tiers) + 2),
        "working": ("yes", "no"),
        "escalation_reason": ESCALATION_REASONS,
        "abuse": profile.abuse.categories,
        "abuse_decision": (*profile.abuse.actions, "none"),
    }
    return {
        name: {table.ticket_fields[name].tag(str(key)): str(key) for key in listed}
        for name, listed in keys.items()
        if name in table.ticket_fields
    }
