"""How one account is to be read: which field is which, who is an agent, who is a machine, who is us.

Field ids differ from account to account; titles are ours (config/tools/zendesk.yaml) and ids are looked up. Options are
tags made of a prefix and the lower-cased profile key: `severity_p1` is the severity P1.
"""

from collections.abc import Iterable, Mapping

import msgspec

from mappings.model import Actor
from mappings.profile import Profile

_MACHINES = frozenset({"rule", "automation", "trigger", "system", "admin_setting", "merge", "problem_incident"})
"""`via` channels (REST) and labels (export), lower-cased, that no person stands behind."""

SYSTEM_AUTHOR = -1


class FieldName(msgspec.Struct, frozen=True):
    """One of our ticket fields: its title in Zendesk, and the prefix of its option tags where it is a drop-down."""

    title: str
    prefix: str = ""


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What the account's things are called (config/tools/zendesk.yaml)."""

    fields: Mapping[str, FieldName]
    plan: str = "plan"
    vip: str = "vip"
    csm: str = "csm"
    role: str = "role"
    plan_prefix: str = "plan_"
    role_prefix: str = "role_"
    channels: Mapping[str, str] = {}
    """Zendesk's `via.channel` → our source; what is not listed is passed on as it is."""
    bots: frozenset[str] = frozenset()
    """E-mail addresses of users that are programs."""
    bot_channels: frozenset[str] = frozenset({"answer_bot", "answer_bot_for_agents", "answer_bot_api", "ai_agent"})


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """An account, ready for reading and writing. All ids are Zendesk's."""

    names: Names
    fields: Mapping[int, str]
    """Custom field id → our name."""
    options: Mapping[str, Mapping[str, str]]
    """Our name → option tag → profile key."""
    groups: Mapping[int, str]
    agents: Mapping[int, str]
    us: frozenset[int]
    bots: frozenset[int] = frozenset()
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
        if author_id in self.bots or channel in self.names.bot_channels:
            return Actor.BOT
        return Actor.AGENT if author_id in self.agents else Actor.CUSTOMER

    def key_of(self, name: str, value: object) -> str | None:
        """A custom field's value in our words: an option becomes its profile key, anything else its text."""
        if value is None or value == "" or value == []:
            return None
        if name in self.options:
            return self.options[name].get(str(value))
        if isinstance(value, bool):
            return "true" if value else None
        if isinstance(value, list):
            return " ".join(sorted(str(part) for part in value))
        return str(value)

    def tag_of(self, name: str, key: str | None) -> str | None:
        """The way back: a profile key as the option tag, text as it is."""
        if key is None or name not in self.options:
            return key
        return next((tag for tag, known in self.options[name].items() if known == key), None)

    def field_id(self, name: str) -> int | None:
        """The id of one of our fields, where the account has it."""
        return next((id for id, known in self.fields.items() if known == name), None)

    def group_id(self, name: str) -> int | None:
        """The id of a group by its name, in any case."""
        return next((id for id, known in self.groups.items() if known.casefold() == name.casefold()), None)


class _Field(msgspec.Struct):
    id: int
    title: str
    active: bool = True


class _Group(msgspec.Struct):
    id: int
    name: str
    deleted: bool = False


class _User(msgspec.Struct):
    id: int
    name: str
    email: str | None = None


class _Account(msgspec.Struct):
    ticket_fields: list[_Field] = []
    groups: list[_Group] = []
    users: list[_User] = []
    user: _User | None = None


def build_reading(
    names: Names,
    profile: Profile,
    *,
    ticket_fields: Iterable[bytes],
    groups: Iterable[bytes],
    agents: Iterable[bytes],
    me: bytes,
) -> Reading:
    """Put an account together from the bodies of /ticket_fields, /groups, /users?role[]=…, /users/me."""
    found_fields = [field for body in ticket_fields for field in _decode(body).ticket_fields if field.active]
    titles = {field.title.casefold(): field.id for field in found_fields}
    known = {name: titles.get(field.title.casefold()) for name, field in names.fields.items()}
    users = [user for body in agents for user in _decode(body).users]
    own = _decode(me).user
    return Reading(
        names=names,
        fields={id: name for name, id in known.items() if id is not None},
        options=_options(names, profile),
        groups={group.id: group.name for body in groups for group in _decode(body).groups if not group.deleted},
        agents={user.id: user.name for user in users},
        us=frozenset({own.id} if own else ()),
        bots=frozenset(user.id for user in users if (user.email or "").casefold() in names.bots),
        missing=tuple(names.fields[name].title for name, id in known.items() if id is None),
    )


def _decode(body: bytes) -> _Account:
    return msgspec.json.decode(body, type=_Account)


def _options(names: Names, profile: Profile) -> dict[str, dict[str, str]]:
    keys: dict[str, Iterable[object]] = {
        "severity": profile.severities,
        "kind": profile.kinds,
        "module": profile.modules,
        "source": profile.sources,
        "tier": range(1, len(profile.tiers) + 2),
    }
    return {
        name: {f"{names.fields[name].prefix}{str(key).lower()}": str(key) for key in listed}
        for name, listed in keys.items()
        if name in names.fields
    }
