"""Targets (every number with a clock) and rules (when → do), with the closed lists of what they may name."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, PrivateAttr, Tag
from typing_extensions import TypeAliasType

from mappings.profile.durations import Budget
from mappings.profile.part import Part, Titled
from mappings.profile.terms import (
    ONE_OR_MORE,
    BudgetField,
    Comparison,
    ComparisonField,
    Do,
    DoField,
    Levels,
    Share,
    Span,
    Words,
    as_list,
)

Measure = Literal[
    "ack",
    "triage",
    "first_reply",
    "chat_reply",
    "handoff_reply",
    "update",
    "progress",
    "resolve",
    "time_in_tier",
    "incident_update",
    "postmortem",
    "abuse_review",
    "lead_followup",
    "roadmap_update",
]
"""What a target may measure (profiles.md §6 says from what to what)."""

Dimension = Literal[
    "severity", "plan", "kind", "family", "ladder", "channel", "tier", "role", "vip", "tag", "escalated", "brand"
]
"""What a target's table may depend on."""

Event = Literal["created", "escalated", "solved", "reopened"]
"""What may happen to a ticket that a rule asks for."""

Events = Annotated[tuple[Event, ...], BeforeValidator(as_list), ONE_OR_MORE]
Value = str | int | bool
Table = TypeAliasType(
    "Table",
    "Annotated[Annotated[BudgetField, Tag('cell')] | Annotated[Mapping[str, Table], Tag('map')], Discriminator(_form)]",
)
"""A figure, or rows by a dimension's values; rows nest in the order of `by`, `*` is all the others."""


def _form(value: object) -> str:
    return "map" if isinstance(value, Mapping) else "cell"


class Where(Part):
    """The dimensions that a target may ask for. A list means any of; all lines must hold."""

    severity: Words = ()
    plan: Words = ()
    kind: Words = ()
    family: Words = ()
    ladder: Words = ()
    channel: Words = ()
    tier: Levels = ()
    role: Words = ()
    vip: bool | None = None
    tag: Words = ()
    escalated: bool | None = None
    brand: Words = ()

    def facts(self) -> dict[str, tuple[Value, ...] | Comparison]:
        """What is asked for, in the order of the list above: values of which one must hold, or a comparison."""
        found: dict[str, tuple[Value, ...] | Comparison] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if value is None or value == () or name == "within":
                continue
            found[name] = value if isinstance(value, tuple | Comparison) else (value,)
        return found


class Conditions(Where):
    """The facts that a rule may ask for: the dimensions, and these."""

    kind_not: Words = ()
    office: Literal["open", "closed"] | None = None
    covered: bool | None = None
    """Whether the calendar that serves the ticket is open at the event."""
    event: Events = ()
    entitled: bool | None = None
    """Whether the plan has the channel."""
    rating: ComparisonField | None = None
    affected_users: ComparisonField | None = None
    companies_on_problem: ComparisonField | None = None
    failed_attempts: ComparisonField | None = None
    tickets_from_company: ComparisonField | None = None
    within: Span | None = None
    """The time over which tickets of a company are counted."""


class Rule(Titled):
    """When all facts hold at an event of the ticket, do this; once per ticket, unless `again`."""

    conditions: Conditions = Field(alias="when")
    do: tuple[DoField, ...]
    again: bool = False
    """Fire at every such event, not once per ticket (or company and window)."""

    @cached_property
    def when(self) -> Mapping[str, tuple[Value, ...] | Comparison]:
        """The facts that must hold: for each, the values of which one must hold, or a comparison."""
        return self.conditions.facts()

    @property
    def within(self) -> int | None:
        """The time over which tickets of a company are counted, in seconds."""
        return self.conditions.within


class Target(Titled):
    """A promise about time: what is measured, on what the figure depends, and what happens when it is late."""

    measure: Measure
    by: tuple[Dimension, ...] = ()
    table: Table
    asked: Where = Field(default_factory=Where, alias="where")
    published: bool = False
    """Whether customers are told."""
    attain: Share | None = None
    """The share that must be in time, where not every one."""
    warn: tuple[DoField, ...] | None = None
    """What happens when it is near, instead of the profile's `warn: do:`."""
    late: tuple[DoField, ...] = ()
    _warn_do: tuple[Do, ...] = PrivateAttr(())

    @cached_property
    def where(self) -> Mapping[str, tuple[Value, ...]]:
        """The dimensions that must hold: for each, the values of which one must hold."""
        return {name: value for name, value in self.asked.facts().items() if isinstance(value, tuple)}

    @cached_property
    def cells(self) -> Mapping[tuple[str, ...], Budget]:
        """The table flat: one key part for each dimension of `by`, in that order; no dimension, one cell `()`."""
        return dict(flatten(self.table))

    @cached_property
    def rows(self) -> "Rows | Budget":
        """The table as maps in maps, a level for each dimension of `by`, every key in words."""
        return _worded(self.table)

    def cell_keys(self, dims: Mapping[str, str]) -> tuple[str, ...] | None:
        """The cell for some dimensions: at each level the value's own row, else `*`; None where there is none."""
        keys: tuple[str, ...] = ()
        for dimension in self.by:
            rows = {cell[len(keys)] for cell in self.cells if cell[: len(keys)] == keys and len(cell) > len(keys)}
            row = dims.get(dimension, "*")
            if row not in rows and "*" not in rows:
                return None
            keys = (*keys, row if row in rows else "*")
        return keys if keys in self.cells else None

    def figure(self, dims: Mapping[str, str]) -> Budget | None:
        """The figure for some dimensions, None where there is no target for them."""
        keys = self.cell_keys(dims)
        return None if keys is None else self.cells[keys]

    @property
    def warn_do(self) -> tuple[Do, ...]:
        """What happens when it is near."""
        return self._warn_do if self.warn is None else self.warn


Rows = Mapping[str, "Rows | Budget"]
"""A level of a target's table: by a dimension's value the next level, or a figure."""


def _worded(table: object) -> Rows | Budget:
    if isinstance(table, Mapping):
        return {str(key): _worded(below) for key, below in table.items()}
    assert isinstance(table, Budget)
    return table


def flatten(table: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Budget]]:
    """Every figure of a table with the keys that lead to it."""
    if isinstance(table, Mapping):
        for key, below in table.items():
            yield from flatten(below, (*path, str(key)))
    elif isinstance(table, Budget):
        yield path, table
