"""What an operator says to the store: each thing once, for the command line (flows/commands) and for forms in Prefect.

Nothing here calls a tool: it changes what the next pulse may do. Each function says what it came to, for a machine and
for a person; what it refuses is raised as an `Explained`, with place, cause and fix.
"""

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from connectors.store import Batch, Group, OutboxState, Store
from mappings.faults import Explained
from mappings.plan import POLICIES

TOOLS = ("zendesk", "intercom", "discourse", "pagerduty", "jira", "slack", "mail")
"""What may be named. Said here, and not taken from flows.context, so that `pause` works when nothing else does."""
SHOWN = 10
"""Tickets and rows that are named before it says how many more there are."""

Link = Callable[[str], str]


class NotUnderstood(Explained):
    """What was asked for makes no sense; its text says what would."""


class Told(NamedTuple):
    """What something came to: `value` for a machine, `text` for a person."""

    value: Any
    text: str


class Held(msgspec.Struct, frozen=True):
    """A held batch as an operator judges it: how much, for which tickets, and why."""

    batch: Batch
    groups: tuple[Group, ...]


def held(store: Store, examples: int = SHOWN) -> list[Held]:
    """The batches that wait for an operator, each with its rules and the newest few of their actions."""
    found = []
    for batch in store.batches():
        given = {"state": OutboxState.HELD, "policy": batch.policy, "verb": batch.verb}
        found.append(Held(batch, tuple(store.groups(examples=examples, **given))))
    return found


def waiting(store: Store) -> Told:
    """What is held back, and how to release or drop it."""
    found = held(store)
    return Told(found, "\n".join(line for one in found for line in _held_lines(one)) or "nothing is held back")


def _held_lines(one: Held) -> Iterable[str]:
    batch = one.batch
    yield f"{batch.hash}  {batch.policy}  {batch.verb}  {batch.count} actions, last added {_at(batch.at)}"
    for group in one.groups:
        yield f"    {group.count} × {group.rule}: {_records(group)}"
        yield f"        for example: {group.examples[0].action.reason.text}"
    yield f"    release: helpdesk approve {batch.hash}"
    yield f"    drop:    helpdesk approve {batch.hash} --refuse"


def settle(store: Store, now: datetime, hash: str, *, refuse: bool = False) -> Told:
    """Release or drop a held batch. `UnknownRow` where none of that hash is held."""
    settled = store.refuse(hash, now) if refuse else store.approve(hash, now)
    said = "dropped" if refuse else "released"
    became = "dropped, for good" if refuse else "released: the next pulse looks at each again and does what still holds"
    text = f"{hash}: {counted(settled.count)} {became}"
    if settled.left:
        text += f"\n{counted(settled.left)} came after that hash was shown, and wait on: `helpdesk approve` lists them"
    return Told({"batch": hash, said: settled.count, "left": settled.left}, text)


def paused(store: Store) -> Told:
    """What is paused, and since when."""
    found = store.paused()
    lines = [f"{scope}: paused since {_at(at)}" for scope, at in sorted(found.items())]
    return Told(found, "\n".join(lines) or "nothing is paused")


def pause(store: Store, now: datetime, scope: str) -> Told:
    """Stop deliveries of a scope before the next batch; what is paused then."""
    store.pause(known_scope("pause", scope), now)
    return paused(store)


def resume(store: Store, now: datetime, scope: str, *, keep: bool = False) -> Told:
    """End a pause; what was planned until now is put aside, unless it is to be kept."""
    aside = store.resume(scope, now, keep=keep)
    if aside is None:
        listed = ", ".join(sorted(store.paused())) or "nothing"
        raise NotUnderstood(f"resume: {scope!r} is not paused; paused: {listed}")
    return Told({"scope": scope, "put_aside": aside}, f"{scope}: resumed; {put_aside(aside)}")


def put_aside(count: int) -> str:
    """What became of what had been planned."""
    if not count:
        return "nothing had been planned before"
    return f"{count} actions planned before are put aside as baseline (`helpdesk adopt` lists them)"


def summary(store: Store, state: OutboxState, *, link: Link = str, **given: Any) -> Told:
    """Rows in a state by policy, rule and verb: how many, how old, and an example with its reason and `link`."""
    groups = store.groups(state=state, examples=3, **given)
    lines = [line for group in groups for line in _group_lines(group, link)]
    total = sum(group.count for group in groups)
    text = "\n".join([*lines, f"{counted(total)} in all"]) if groups else f"no rows are {state}"
    return Told(groups, text)


def _group_lines(group: Group, link: Link) -> Iterable[str]:
    span = _at(group.oldest) if group.oldest == group.newest else f"{_at(group.oldest)} to {_at(group.newest)}"
    yield f"{group.count:>6} × {group.policy}  {group.rule}  {group.verb}  (causes of {span})"
    for row in group.examples:
        yield f"         {link(row.action.record)}  {row.action.reason.text}"


def adopt(store: Store, now: datetime, ids: Collection[int] = (), **given: Any) -> Told:
    """Release actions of before the start, by id or by what they are; the next pulse decides on them anew.

    Raises `NotUnderstood` where nothing is chosen, or nothing of it is there.
    """
    narrowed = {name: value for name, value in given.items() if value is not None}
    if ids and narrowed:
        raise NotUnderstood(f"adopt: both ids and {_options(narrowed)} are given; write either of the two")
    if not ids and not narrowed:
        options = "--policy, --rule, --verb, --record or --since"
        raise NotUnderstood(f"adopt: nothing says which of all that came before the start; add ids, or {options}")
    count = store.adopt(now, ids=ids) if ids else store.adopt(now, **narrowed)
    if not count:
        wanted = (
            f"none of {', '.join(map(str, ids))} is a baseline row" if ids else f"no such row: {_options(narrowed)}"
        )
        raise NotUnderstood(f"adopt: {wanted}; `helpdesk adopt` lists what there is")
    of = f"{count} of {len(ids)}" if ids else str(count)
    then = "the next pulse looks at their tickets again and does what still holds"
    over = "what is more than the profile's limits is held back: `helpdesk approve`"
    return Told({"adopted": count}, f"{of} released; {then}; {over}")


def known_scope(command: str, scope: str) -> str:
    """A scope that means something, so that a slip of the pen does not pause nothing. Raises `NotUnderstood`."""
    if re.fullmatch(r"[a-z]+:\S+", scope) and scope.partition(":")[0] in TOOLS:
        return scope
    return one_of(command, scope, ["all", *POLICIES, *TOOLS], "a record such as zendesk:123")


def one_of(command: str, word: str, known: Sequence[str], other: str = "") -> str:
    """A word that is known. Raises `NotUnderstood`, which names those that are."""
    if word not in known:
        near = difflib.get_close_matches(word, known, 1)
        hint = f"; did you mean {str(near[0])!r}?" if near else ""
        listed = f"{', '.join(known)}{f', or {other}' if other else ''}"
        raise NotUnderstood(f"{command}: {word!r} is not known; write {listed}{hint}")
    return word


def linked(zendesk_url: str | None) -> Link:
    """How a record is shown: with its address in the tool, where that is known."""
    root = (zendesk_url or "").rstrip("/")

    def shown(record: str) -> str:
        tool, _, id = record.partition(":")
        return f"{record} {root}/agent/tickets/{id}" if tool == "zendesk" and id.isdecimal() and root else record

    return shown


def _records(group: Group) -> str:
    names = list(dict.fromkeys(row.action.record for row in group.examples))
    more = group.count - len(group.examples)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _options(given: dict[str, Any]) -> str:
    return ", ".join(f"--{name} {value}" for name, value in given.items())


def counted(number: int) -> str:
    """`1 action`, `2 actions`."""
    return f"{number} action{'' if number == 1 else 's'}"


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
