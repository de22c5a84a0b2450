"""`helpdesk due`: which targets hold for a ticket of a kind, and by when each would be warned and due."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import msgspec
import typer

from flows.profiles import config_dir, read_profile
from mappings.policies.sla.targets import Due, due, promises
from mappings.profile import Profile
from mappings.profile.problems import suggest

T = TypeVar("T")

_FLAGS = {"true": True, "yes": True, "false": False, "no": False}
_FACTS = ("vip", "escalated", "role", "tag", "brand", "family", "ladder")
"""The dimensions without an option of their own (design §11)."""
_ASKED_BY = {"family": "kind", "ladder": "kind"}
"""Dimensions that come with another one."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked: the moment each target's clock starts, and the dimensions that are known."""

    at: datetime
    dims: Mapping[str, object]


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """One target's answer. `binds`: of its measure's targets this one falls due first."""

    target: str
    measure: str
    figure: str
    due: Due
    published: bool
    attain: float | None
    binds: bool


class QuestionError(ValueError):
    """A question that the profile does not understand; `problems` holds every option that is wrong, with the fix."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def ask(
    profile: Profile,
    *,
    severity: str,
    at: str,
    plan: str | None = None,
    kind: str | None = None,
    channel: str | None = None,
    tier: int | None = None,
    facts: Sequence[str] = (),
) -> Question:
    """Type the options of a question; names and aliases will do, in any case. Raises `QuestionError` with all problems.

    `at` is ISO 8601, in the office zone where it names none. The plan defaults to the only one there is, the tier to
    the one that the plan enters. `facts` are `key=value`.
    """
    problems: list[str] = []
    plan = plan or (next(iter(profile.plans)) if len(profile.plans) == 1 else None)
    plan_key = _found("plan", plan, profile.find_plan(plan) if plan else None, profile.plans, problems)
    kind_key = _found("kind", kind, profile.find_kind(kind) if kind else None, profile.kinds, problems)
    channels = dict.fromkeys([*profile.channels, *profile.sources])
    way = channel.lower() if channel else None
    if tier is None and plan_key is not None:
        tier = profile.plans[plan_key].enters_tier
    dims: dict[str, object] = {
        "severity": _found("severity", severity, profile.find_severity(severity), profile.severities, problems),
        "plan": plan_key,
        "kind": kind_key,
        "family": profile.kinds[kind_key].family if kind_key else None,
        "ladder": profile.kinds[kind_key].ladder if kind_key else None,
        "channel": _found("channel", channel, way if way in channels else None, channels, problems),
        "tier": _found("tier", tier, tier if tier in profile.tiers else None, profile.tiers, problems),
    }
    dims |= _facts(profile, facts, problems)
    moment = _moment(profile, at, problems)
    if problems or moment is None:
        raise QuestionError(problems)
    return Question(at=moment, dims={key: value for key, value in dims.items() if value is not None})


def quote(profile: Profile, question: Question) -> list[Quote]:
    """Every target that applies, in the profile's order."""
    known = question.dims
    calendar = profile.serving_calendar(**{key: known.get(key) for key in ("severity", "plan", "kind", "channel")})
    found = [(promise, due(profile, promise, calendar, question.at)) for promise in promises(profile, known)]
    first: dict[str, datetime] = {}
    for promise, answer in found:
        if answer.due_at is not None:
            first[promise.measure] = min(answer.due_at, first.get(promise.measure, answer.due_at))
    return [
        Quote(
            target=promise.target,
            measure=promise.measure,
            figure=promise.budget.say(),
            due=answer,
            published=promise.published,
            attain=promise.attain,
            binds=answer.due_at is not None and answer.due_at == first[promise.measure],
        )
        for promise, answer in found
    ]


def as_json(quotes: Iterable[Quote]) -> str:
    """The answer for machines (design §10): UTC, ISO 8601, null where never due."""
    return json.dumps(
        [
            {
                "target": found.target,
                "measure": found.measure,
                "due_at": _utc(found.due.due_at),
                "warn_at": _utc(found.due.warn_at),
            }
            for found in quotes
        ],
        indent=2,
    )


def as_text(profile: Profile, question: Question, quotes: Sequence[Quote]) -> str:
    """The answer for people: local times, which target binds where several share a measure, and what was not asked."""
    zone = profile.zone
    rows = [("TARGET", "MEASURE", "FIGURE", "WARNED", "DUE", "")]
    rows += [
        (
            found.target,
            found.measure,
            found.figure,
            _local(found.due.warn_at, profile),
            _local(found.due.due_at, profile) if found.due.due_at else "never",
            _remarks(found),
        )
        for found in quotes
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    known = ", ".join(f"{key} {_word(value)}" for key, value in question.dims.items())
    lines = [f"{profile.name}: {known}", f"from {_local(question.at, profile)} ({zone.key}):", ""]
    lines += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines = lines if quotes else [*lines[:2], "no target applies"]
    silent = _unasked(profile, question, {found.target for found in quotes})
    return "\n".join([*lines, "", f"Not quoted: {'; '.join(silent)}."] if silent else lines)


def register(app: typer.Typer) -> None:
    """Add `due` to the command line."""
    app.command("due")(_command)


def _command(
    severity: Annotated[str, typer.Option(help="Key, name or alias of a severity.")],
    at: Annotated[
        str, typer.Option(help="When the clock starts: 2026-03-06T17:30, in the office zone unless it says.")
    ],
    profile: Annotated[str, typer.Option(help="Which organisation.", envvar="HELPDESK_PROFILE")],
    plan: Annotated[str | None, typer.Option(help="The customer's plan; not needed where there is only one.")] = None,
    kind: Annotated[str | None, typer.Option(help="What the ticket is.")] = None,
    channel: Annotated[str | None, typer.Option(help="How it came in.")] = None,
    tier: Annotated[int | None, typer.Option(help="Support tier; by default the one that the plan enters.")] = None,
    fact: Annotated[
        list[str] | None, typer.Option(help="vip=true, escalated=true, role=owner, tag=…; repeat it.")
    ] = None,
    as_json_list: Annotated[bool, typer.Option("--json", help="For machines: UTC, null where never due.")] = False,
) -> None:
    """When would a ticket be due? Every target that applies; of several with one measure the earliest binds."""
    house = read_profile(profile, config_dir())
    try:
        question = ask(
            house, severity=severity, at=at, plan=plan, kind=kind, channel=channel, tier=tier, facts=fact or ()
        )
    except QuestionError as wrong:
        typer.echo(str(wrong), err=True)
        raise typer.Exit(2) from None
    quotes = quote(house, question)
    typer.echo(as_json(quotes) if as_json_list else as_text(house, question, quotes))


def _found(option: str, given: object, found: T | None, known: Iterable[object], problems: list[str]) -> T | None:
    if given is not None and found is None:
        problems.append(f"--{option}: unknown {given!r}; {suggest(str(given), [str(one) for one in known])}")
    return found


def _unasked(profile: Profile, question: Question, quoted: set[str]) -> list[str]:
    """Targets that might apply if more were known of the ticket, with what is missing."""
    told = []
    for name, target in profile.targets.items():
        asked = (_ASKED_BY.get(dimension, dimension) for dimension in (*target.by, *target.where))
        missing = [dimension for dimension in dict.fromkeys(asked) if dimension not in question.dims]
        if name not in quoted and missing:
            told.append(f"{name} (needs {' and '.join(missing)})")
    return told


def _facts(profile: Profile, facts: Iterable[str], problems: list[str]) -> dict[str, object]:
    """`vip=true` and the like as dimensions; several tags make a set."""
    choices: dict[str, Iterable[object]] = {
        "role": profile.roles,
        "family": {kind.family for kind in profile.kinds.values()},
        "ladder": {kind.ladder for kind in profile.kinds.values()} - {None},
    }
    found: dict[str, object] = {}
    tags: list[str] = []
    for fact in facts:
        key, equals, value = (part.strip() for part in fact.partition("="))
        if not equals or not value:
            problems.append(f"--fact: {fact!r} is no fact; write key=value, for example vip=true")
        elif key not in _FACTS:
            problems.append(f"--fact: unknown {key!r}; {suggest(key, _FACTS)}")
        elif key == "tag":
            tags.append(value)
        elif key in ("vip", "escalated"):
            found[key] = _found(f"fact {key}", value, _FLAGS.get(value.lower()), ("true", "false"), problems)
        elif key in choices and value not in choices[key]:
            _found(f"fact {key}", value, None, sorted(map(str, choices[key])), problems)
        else:
            found[key] = value
    return found | ({"tag": frozenset(tags)} if tags else {})


def _moment(profile: Profile, text: str, problems: list[str]) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        problems.append(f"--at: {text!r} is no time; write 2026-03-06T17:30, or with an offset 2026-03-06T23:30Z")
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=profile.zone)).astimezone(UTC)


def _utc(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _local(at: datetime | None, profile: Profile) -> str:
    if at is None:
        return "-"
    local = at.astimezone(profile.zone)
    seconds = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return f"{local:%a} {local.day} {local:%b %Y} {seconds}"


def _remarks(found: Quote) -> str:
    remarks = ["binds"] if found.binds else []
    remarks += ["published"] if found.published else []
    remarks += [f"for {found.attain:.0%} of tickets"] if found.attain is not None else []
    return ", ".join(remarks)


def _word(value: object) -> str:
    if isinstance(value, frozenset):
        return "+".join(sorted(map(str, value)))
    return str(value).lower() if isinstance(value, bool) else str(value)
