"""Where our facts live in a tool: the tables of config/tools, typed. Names and titles only; ids are looked up."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Literal

from pydantic import Field as Setting
from pydantic import ValidationError, model_validator

from mappings.profile.errors import tell
from mappings.profile.part import Keyed, Part, Parts
from mappings.profile.problems import Problem, ProfileError, nearest, suggest
from mappings.profile.reading import Source, read
from mappings.profile.terms import wrong

FieldType = Literal["dropdown", "text", "integer", "checkbox", "date"]

TICKET_FIELDS = (
    "severity",
    "kind",
    "module",
    "source",
    "tier",
    "affected_users",
    "working",
    "sla_due",
    "next_escalation",
    "first_response_at",
    "resolved_at",
    "abuse",
    "abuse_decision",
)
"""The ticket fields that policies read or write. A table may name more: what comes with a ticket."""
ORGANIZATION_FIELDS = ("plan", "vip", "csm", "warnings", "last_warning_at", "restricted_until")
USER_FIELDS = ("role",)


class Scope(Part):
    """How much of the account is looked at. There is no scope by brand or group: all tickets are looked after."""

    forms: tuple[str, ...] = ()
    """The forms that `helpdesk doctor` looks into; all, where none is named."""
    created_after: date | None = None
    """The day from which on an empty store reads the past: tickets that rested before are not known."""


class Field(Keyed):
    """One field of a tool, under our name for it."""

    type: FieldType = "text"
    title: str | None = None
    """How a ticket field is known: the title that agents see."""
    field_key: str | None = Setting(default=None, alias="key")
    """How a field of an organisation or a user is known: its key."""
    prefix: str | None = None
    """A dropdown's options are tags: this, and our value in lower case."""
    ours: bool = False
    """We write it; people may overrule us."""

    @model_validator(mode="after")
    def _knowable(self) -> "Field":
        if (self.title is None) == (self.field_key is None):
            raise wrong("is known by a title (ticket fields) or a key (others)", "write one of title: and key:")
        if (self.type == "dropdown") != (self.prefix is not None):
            raise wrong("a dropdown has a prefix, and nothing else has", "write type: dropdown with prefix: kind_")
        return self

    @property
    def known_by(self) -> str:
        """The title or key that finds it in the account."""
        return self.title or self.field_key or self.key

    def tag(self, value: str) -> str:
        """A value as the tool writes it: `P1` → `severity_p1`; unchanged where the field is no dropdown."""
        return value if self.prefix is None else f"{self.prefix}{value.lower()}"


class Zendesk(Part):
    """config/tools/zendesk.yaml."""

    tool: Literal["zendesk"]
    scope: Scope = Scope()
    ticket_fields: Parts[str, Field]
    organization_fields: Parts[str, Field]
    user_fields: Parts[str, Field]
    company: Literal["external_id"] = "external_id"
    """The organisation's property that holds the company's id in the product."""
    channels: Mapping[str, str] = {}
    """Zendesk's channel (`via`) → our source; one that is not listed keeps its name."""
    groups: Mapping[str, str] = {}
    """A group's name in the profile → its name in the account, where the two differ."""
    bots: tuple[str, ...] = ()
    """Users (by e-mail) whose comments count as a bot's, not as an agent's."""

    def group(self, name: str) -> str:
        """The account's name of a group that the profile names."""
        return self.groups.get(name, name)


class PagerDuty(Part):
    """config/tools/pagerduty.yaml."""

    tool: Literal["pagerduty"]
    services: Mapping[str, str] = {}
    """A service's name in the profile's routes → its name in the account, where the two differ."""
    source: str = "helpdesk-flows"
    """What pages say they come from."""
    severities: Mapping[
        Literal["urgent", "high", "normal", "low"], Literal["critical", "error", "warning", "info"]
    ] = {}
    """Our priority → the severity of the page."""

    def service(self, name: str) -> str:
        """The account's name of a service that a route names."""
        return self.services.get(name, name)


class ToolTable(Part):
    """The tables of config/tools."""

    zendesk: Zendesk
    pagerduty: PagerDuty


TOOLS: Mapping[str, type[Zendesk] | type[PagerDuty]] = {"zendesk": Zendesk, "pagerduty": PagerDuty}


def load_tools(sources: Iterable[Source]) -> ToolTable:
    """Type the tables of config/tools, each known by its `tool:`. Raises `ProfileError` with all problems."""
    tables: dict[str, Zendesk | PagerDuty] = {}
    problems: list[Problem] = []
    for source in sources:
        try:
            table = _typed(source)
        except ProfileError as wrong_table:
            problems += wrong_table.problems
        else:
            tables[table.tool] = table
    if not problems:
        for tool in TOOLS:
            if tool not in tables:
                problems.append(Problem(f"config/tools/{tool}.yaml", 1, "tool", "no such table", f"add tool: {tool}"))
    if problems:
        raise ProfileError(problems)
    return ToolTable.model_validate(tables)


def _typed(source: Source) -> Zendesk | PagerDuty:
    tree = read(source)
    tool = tree.at(["tool"])
    model = TOOLS.get(str(tool.value)) if tool is not None else None
    if model is None:
        told = "missing" if tool is None else f"unknown tool {tool.value!r}"
        raise ProfileError([tree.problem(["tool"], told, suggest(str(tool.value if tool else ""), TOOLS))])
    try:
        table = model.model_validate(tree.plain())
    except ValidationError as invalid:
        raise ProfileError(problem for _, problem in tell(model, tree, invalid)) from None
    if isinstance(table, Zendesk) and (faults := list(_faults(table))):
        raise ProfileError(tree.problem(path, problem, fix) for path, problem, fix in faults)
    return table


def _faults(table: Zendesk) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Fields that are missing, or that cannot be told apart."""
    sections = (
        ("ticket_fields", table.ticket_fields, TICKET_FIELDS),
        ("organization_fields", table.organization_fields, ORGANIZATION_FIELDS),
        ("user_fields", table.user_fields, USER_FIELDS),
    )
    for section, fields, needed in sections:
        extra = [name for name in fields if name not in needed]
        for name in needed:
            if name not in fields:
                meant = nearest(name, extra)
                fix = (
                    f"rename {meant!r}?"
                    if meant
                    else f"add {name}: with its {'title' if 'ticket' in section else 'key'}"
                )
                yield (section, meant) if meant else (section,), f"no field {name!r}", fix
        known: dict[str, str] = {}
        prefixes: dict[str, str] = {}
        for name, field in fields.items():
            for seen, word in ((known, field.known_by), (prefixes, field.prefix)):
                if word is not None and word in seen:
                    yield (section, name), f"{word!r} already is field {seen[word]!r}", "name each field once"
                elif word is not None:
                    seen[word] = name
