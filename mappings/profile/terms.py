"""The small words of a profile as typed values: actions (`escalate next`), comparisons (`>=3`), times (`Fri 14:00`).

Each type here reads its text and says in JSON Schema what it takes, so that the models only list fields.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, TypeVar

import msgspec
from pydantic import BeforeValidator, Discriminator, GetJsonSchemaHandler, PlainValidator, Tag, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from mappings.profile.durations import (
    BUDGET_PATTERN,
    SPAN_PATTERN,
    Budget,
    DurationError,
    parse_budget,
    parse_span,
)
from mappings.profile.problems import suggest

T = TypeVar("T")

FREE: frozenset[str] = frozenset()
NO_LIMIT = "no limit"

VERBS: dict[str, tuple[str, frozenset[str]]] = {
    "escalate": ("tier", frozenset({"next", "management"})),
    "assign": ("route", FREE),
    "tell": ("route", FREE),
    "mention": ("route", FREE),
    "page": ("route", FREE),
    "reply": ("template", FREE),
    "tag": ("word", FREE),
    "flag": ("word", FREE),
    "follow": ("one of", frozenset({"csm"})),
    "follow_up": ("nothing", FREE),
    "send_to_backlog": ("nothing", FREE),
    "create_lead": ("nothing", FREE),
    "hand_to_company_admin": ("nothing", FREE),
    "keep_evidence": ("nothing", FREE),
    "suggest": ("one of", frozenset({"incident"})),
    "open": ("one of", frozenset({"war_room"})),
    "name": ("one of", frozenset({"commander"})),
    "status_page": ("one of", frozenset({"open", "resolve"})),
    "banner": ("one of", frozenset({"on", "off"})),
    "link": ("one of", frozenset({"duplicates"})),
    "solve": ("one of", frozenset({"linked"})),
}
"""The actions there are: verb → (what follows it, the words it may be)."""

_EXAMPLES = {
    "page": "on_call",
    "assign": "management",
    "tier": "next",
    "route": "leads",
    "template": "after_hours",
    "word": "security",
}


class Do(msgspec.Struct, frozen=True):
    """One action: `escalate 3` is `Do("escalate", 3)`, `follow_up` is `Do("follow_up")`."""

    verb: str
    argument: str | int | None = None

    def __str__(self) -> str:
        return self.verb if self.argument is None else f"{self.verb} {self.argument}"


class Comparison(msgspec.Struct, frozen=True):
    """`>=3` as a value."""

    op: str
    number: float

    def holds(self, value: float) -> bool:
        """Does a number satisfy it?"""
        return _COMPARE[self.op](value, self.number)

    def __str__(self) -> str:
        return f"{self.op}{self.number:g}"


class Goal(msgspec.Struct, frozen=True):
    """A KPI's figure: `>= 95%` is `Goal(">=", 95, "%")`. A figure alone (`24h`) is at most that. `track` is no goal."""

    op: str
    number: float
    unit: str = ""


class Schedule(msgspec.Struct, frozen=True):
    """When a report is due, in the office zone. `every`: hour, day, week, month (first such day), quarter."""

    every: str
    days: tuple[int, ...] = ()
    """Weekdays, Monday 0."""
    hour: int = 0
    minute: int = 0


def wrong(problem: str, fix: str) -> PydanticCustomError:
    """A validation error with its fix; errors.py turns it into a `Problem`."""
    return PydanticCustomError("profile", "{problem}", {"problem": problem, "fix": fix})


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda value, bound: value >= bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    "<": lambda value, bound: value < bound,
    "=": lambda value, bound: value == bound,
}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_NUMBER = r"\d+(?:\.\d+)?"
_COMPARISON = re.compile(rf"(>=|<=|>|<|=)\s*({_NUMBER})")
_GOAL = re.compile(rf"(?:(>=|<=|>|<|=)\s*)?({_NUMBER})\s*(%|h|m|d|USD|months|days)?")
_SCHEDULE = re.compile(
    r"(?:(daily)|(first )?(Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:-(Mon|Tue|Wed|Thu|Fri|Sat|Sun))?( of quarter)?)"
    r" ([01]\d|2[0-3]):([0-5]\d)"
)


def _text(value: object, what: str, fix: str) -> str:
    if not isinstance(value, str):
        raise wrong(f"{_show(value)} is no {what}", fix)
    return value.strip()


def _show(value: object) -> str:
    return "a list" if isinstance(value, list) else "a map" if isinstance(value, dict) else repr(value)


def read_do(value: object) -> Do:
    """`tell leads` → `Do("tell", "leads")`."""
    if isinstance(value, Do):
        return value
    text = _text(value, "action", "write a verb and what it takes, for example: tell leads")
    verb, _, rest = text.partition(" ")
    rest = rest.strip()
    if verb not in VERBS:
        raise wrong(f"unknown action {verb!r}", suggest(verb, VERBS))
    takes, words = VERBS[verb]
    if takes == "nothing":
        if rest:
            raise wrong(f"{verb!r} takes nothing after it", f"write {verb}")
        return Do(verb)
    if not rest:
        example = _EXAMPLES.get(verb) or _EXAMPLES.get(takes) or min(words)
        raise wrong(f"{verb!r} needs a {'word' if takes == 'one of' else takes}", f"write {verb} {example}")
    if takes == "tier":
        if rest.isdigit():
            return Do(verb, int(rest))
        if rest not in words:
            raise wrong(f"{verb!r} cannot take {rest!r}", "write escalate next, escalate management or escalate 3")
    if takes == "one of" and rest not in words:
        raise wrong(f"{verb!r} cannot take {rest!r}", suggest(rest, sorted(words)))
    if " " in rest:
        raise wrong(f"{rest!r} is more than one word", "join it with _")
    return Do(verb, rest)


def read_comparison(value: object) -> Comparison:
    """`">=3"` → `Comparison(">=", 3)`."""
    if isinstance(value, Comparison):
        return value
    fix = 'write for example ">=3" or "<=2", in quotes'
    match = _COMPARISON.fullmatch(_text(value, "comparison", fix))
    if match is None:
        raise wrong(f"{value!r} is no comparison", fix)
    return Comparison(match[1], float(match[2]))


def read_goal(value: object) -> Goal | None:
    """`"> 80%"` → `Goal(">", 80, "%")`; `track` → None."""
    if value is None or isinstance(value, Goal):
        return value
    fix = 'write for example ">= 95%", "< 4h", ">= 4.5" or track'
    text = _text(value, "target", fix)
    if text == "track":
        return None
    match = _GOAL.fullmatch(text)
    if match is None:
        raise wrong(f"{value!r} is no target", fix)
    return Goal(match[1] or "<=", float(match[2]), match[3] or "")


def read_goals(value: object) -> Goal | Mapping[str, Goal] | None:
    """One target, or a map with one for each value of `by`."""
    if not isinstance(value, Mapping):
        return read_goal(value)
    read = {str(key): read_goal(goal) for key, goal in value.items()}
    return {key: goal for key, goal in read.items() if goal is not None}


def read_schedule(value: object) -> Schedule:
    """`first Mon of quarter 09:00`, `Mon-Fri 17:45`, `daily 09:25` or `hourly`."""
    if isinstance(value, Schedule):
        return value
    fix = 'write hourly, "daily 09:25", "Mon-Fri 17:45", "Fri 14:00", "first Mon 09:00" or "first Mon of quarter 09:00"'
    text = _text(value, "schedule", fix)
    if text == "hourly":
        return Schedule("hour")
    match = _SCHEDULE.fullmatch(text)
    if match is None or (match[5] and not match[2]) or (match[2] and match[4]):
        raise wrong(f"{value!r} is no schedule", fix)
    daily, first, day, last, quarter, hour, minute = match.groups()
    at = (int(hour), int(minute))
    if daily:
        return Schedule("day", tuple(range(7)), *at)
    start, end = _DAYS.index(day), _DAYS.index(last or day)
    days = tuple((start + step) % 7 for step in range((end - start) % 7 + 1))
    every = "quarter" if quarter else "month" if first else "week"
    return Schedule(every, days, *at)


def read_share(value: object) -> float:
    """`95%` → 0.95."""
    match = re.fullmatch(rf"({_NUMBER})\s*%", value.strip()) if isinstance(value, str) else None
    if match is None or not 0 < float(match[1]) <= 100:
        raise wrong(f"{_show(value)} is no share", "write for example 75%")
    return float(Decimal(match[1]) / 100)


def read_most(value: object) -> int | None:
    """`30` → 30, `no limit` → None."""
    if value is None or value == NO_LIMIT:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise wrong(
            f"{_show(value)} is no limit", "write a number, for example 30, 0 to be asked each time, or no limit"
        )
    return value


def _read_budget(value: object) -> Budget:
    if isinstance(value, Budget):
        return value
    return _duration(value, parse_budget)


def _read_span(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        raise wrong(f"{value} has no unit", f"write {value}m, {value}h or {value}d")
    return _duration(value, parse_span)


def _duration(value: object, parse: Callable[[str], T]) -> T:
    fix = "write for example 15m, 4h or 4bh"
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            raise wrong(f"{value} has no unit", f"write {value}m, {value}h, {value}bh or {value}bd")
        return parse(_text(value, "duration", fix))
    except DurationError as bad:
        raise wrong(str(bad), bad.fix) from None


def form(value: object) -> str:
    """Which of several forms a value has, so that a fault is told of that form only."""
    return "map" if isinstance(value, Mapping) else "list" if isinstance(value, list | tuple) else "text"


def as_list(value: object) -> object:
    """One value where a list may stand is a list of one."""
    return [value] if isinstance(value, str | int | bool) else value


def _schema(pattern: str, about: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "description": about})


class _OneOrMore:
    """In JSON Schema, a list or one value of it."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        listed = handler(core)
        return {"anyOf": [listed["items"], listed]}


ONE_OR_MORE = _OneOrMore()

_verbs = "|".join(VERBS)
DoField = Annotated[Do, PlainValidator(read_do), _schema(rf"^({_verbs})( \S+)?$", "An action, for example: tell leads")]
BudgetField = Annotated[
    Budget,
    PlainValidator(_read_budget),
    _schema(
        BUDGET_PATTERN, "15m 4h 7d wall clock, 4bh business hours, 1bd business days, 2h..4h, immediate, best effort"
    ),
]
ComparisonField = Annotated[
    Comparison, PlainValidator(read_comparison), _schema(r"^(>=|<=|>|<|=) ?[\d.]+$", 'Such as ">=3"')
]
_AIM = {"type": "string", "pattern": r"^(track|((>=|<=|>|<|=) ?)?[\d.]+.*)$", "description": '">= 95%" or track'}
GoalField = Annotated[Goal | None, PlainValidator(read_goal), WithJsonSchema(_AIM)]
GoalsField = Annotated[
    Goal | Mapping[str, Goal] | None,
    PlainValidator(read_goals),
    WithJsonSchema({"anyOf": [_AIM, {"type": "object", "additionalProperties": _AIM}]}),
]
ScheduleField = Annotated[
    Schedule, PlainValidator(read_schedule), _schema(r"^(hourly|.* \d\d:\d\d)$", "Fri 14:00, first Mon 09:00")
]
Share = Annotated[float, PlainValidator(read_share), _schema(r"^[\d.]+ ?%$", "A share, for example 75%")]
Span = Annotated[int, PlainValidator(_read_span), _schema(SPAN_PATTERN, "A length of time: 15m, 4h, 14d, 7y")]
Most = Annotated[
    int | None,
    PlainValidator(read_most),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0}, {"const": NO_LIMIT}], "description": "30, or no limit"}
    ),
]
Words = Annotated[tuple[str, ...], BeforeValidator(as_list), ONE_OR_MORE]
Levels = Annotated[tuple[int, ...], BeforeValidator(as_list), ONE_OR_MORE]
Strings = Annotated[tuple[str, ...], Tag("list")]
Text = Annotated[str, Tag("text")]
TextOrStrings = Annotated[Text | Strings, Discriminator(form)]
"""One text, or a list of them."""
