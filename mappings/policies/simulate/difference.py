"""What two profiles make of the same tickets, held beside each other: counted, and told by example.

Only what comes to something else is told: a promise that is met under one and missed under the other, a page more or
less. What both make alike is counted and stays out of sight.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from mappings.policies.simulate.deeds import Deed
from mappings.policies.simulate.living import Kept, Outcome
from mappings.policies.simulate.words import deed_words, promise_words
from mappings.profile import Profile

EXAMPLES = 3
"""Tickets that a row names."""
MISSED = "missed"
_COUNTED = {"met": "met", "missed": MISSED, "late": MISSED}
"""What a result counts as; what still runs in time counts as neither."""
_FIRST = ("page", "escalate", "reply", "assign")

Kind = Literal["target", "action"]
Sides = Literal["before", "after"]


class Example(msgspec.Struct, frozen=True):
    """One ticket that comes to something else, in plain words."""

    ticket_id: int
    says: str


class Row(msgspec.Struct):
    """One target, or one kind of action, for one plan and severity (keys; empty: not known).

    `before` and `after` count under today's profile and the new one: a target's promises by result (`met`, `missed`),
    an action as `times`. `tickets` counts those that come to something else, `examples` are the first of them.
    """

    kind: Kind
    name: str
    plan: str
    severity: str
    before: Counter[str]
    after: Counter[str]
    tickets: int = 0
    examples: list[Example] = []


class Preview(msgspec.Struct):
    """The difference over many tickets. `unknown` are those whose beginning was never read: they were not judged.

    `moved` counts, by action, tickets on which the same is done at another time.
    """

    before: str
    after: str
    since: datetime
    until: datetime
    tickets: int = 0
    unknown: int = 0
    differing: int = 0
    moved: dict[str, int] = {}
    rows: dict[tuple[str, str, str, str], Row] = {}

    @property
    def same(self) -> bool:
        """Does every ticket come to the same under both?"""
        return not self.differing and not self.moved

    def add(self, before: Outcome, after: Outcome, profiles: tuple[Profile, Profile]) -> None:
        """Count one ticket under today's profile and the new one."""
        self.tickets += 1
        if not (before.known and after.known):
            self.unknown += 1
            return
        told = [*self._targets(before, after, profiles), *self._deeds(before, after, profiles[1])]
        for row, says in told:
            row.tickets += 1
            if len(row.examples) < EXAMPLES:
                row.examples.append(Example(before.ticket_id, says))
        self.differing += bool(told)

    def shown(self, profile: Profile) -> list[Row]:
        """The rows that differ: actions before targets, pages first; by plan, then the worst severity first."""
        return sorted(
            (row for row in self.rows.values() if row.tickets),
            key=lambda row: (row.kind, _rank(row), row.name, _place(profile.severities, row), _plan(profile, row)),
        )

    def in_all(self, profile: Profile) -> list[Row]:
        """What differs, over all plans and severities: a row for each target and each kind of action, no examples."""
        found: dict[tuple[Kind, str], Row] = {
            (row.kind, row.name): _empty(row.kind, row.name) for row in self.shown(profile)
        }
        for row in self.rows.values():
            if (whole := found.get((row.kind, row.name))) is not None:
                whole.before += row.before
                whole.after += row.after
                whole.tickets += row.tickets
        return list(found.values())

    def _targets(self, before: Outcome, after: Outcome, profiles: tuple[Profile, Profile]) -> Iterable[tuple[Row, str]]:
        """Every promise of a ticket, counted; those that come to something else are given with their words."""
        old, new = self._kept(before), self._kept(after)
        told: dict[int, tuple[Row, str]] = {}
        for key in dict.fromkeys([*new, *old]):
            was, is_ = old.get(key), new.get(key)
            one = is_ or was
            assert one is not None
            row = self._row("target", one.target, one.plan, one.severity)
            results = [_COUNTED.get(side.result, "") if side else "" for side in (was, is_)]
            for counter, result in zip((row.before, row.after), results, strict=True):
                if result:
                    counter[result] += 1
            if results[0] != results[1]:
                told.setdefault(id(row), (row, promise_words(before.ticket_id, was, is_, profiles)))
        return told.values()

    def _kept(self, outcome: Outcome) -> dict[tuple[str, str], Kept]:
        """What was decided about within the window."""
        within = (one for one in outcome.kept if one.ended_at is None or one.ended_at >= self.since)
        return {(one.target, one.cause): one for one in within}

    def _deeds(self, before: Outcome, after: Outcome, profile: Profile) -> Iterable[tuple[Row, str]]:
        """Every action on a ticket, counted; where it is done more or less often, with its words."""
        old, new = self._done(before), self._done(after)
        for key in dict.fromkeys([*new, *old]):
            was, is_ = old.get(key, []), new.get(key, [])
            row = self._row("action", *key)
            row.before["times"] += len(was)
            row.after["times"] += len(is_)
            if len(was) != len(is_):
                yield row, deed_words(before.ticket_id, was, is_, profile)
            elif [deed.at for deed in was] != [deed.at for deed in is_]:
                self.moved[key[0]] = self.moved.get(key[0], 0) + 1

    def _done(self, outcome: Outcome) -> Mapping[tuple[str, str, str], list[Deed]]:
        found: dict[tuple[str, str, str], list[Deed]] = defaultdict(list)
        for deed in outcome.deeds:
            if deed.at >= self.since:
                found[deed.what, deed.plan, deed.severity].append(deed)
        return found

    def _row(self, kind: Kind, name: str, plan: str, severity: str) -> Row:
        key = (kind, name, plan, severity)
        if key not in self.rows:
            self.rows[key] = _empty(kind, name, plan, severity)
        return self.rows[key]


def _empty(kind: Kind, name: str, plan: str = "", severity: str = "") -> Row:
    return Row(kind, name, plan, severity, Counter(), Counter())


def _rank(row: Row) -> int:
    verb = row.name.partition(" ")[0]
    return _FIRST.index(verb) if row.kind == "action" and verb in _FIRST else len(_FIRST)


def _place(severities: Iterable[str], row: Row) -> int:
    known = list(severities)
    return known.index(row.severity) if row.severity in known else len(known)


def _plan(profile: Profile, row: Row) -> int:
    plans = list(profile.plans)
    return plans.index(row.plan) if row.plan in plans else len(plans)
