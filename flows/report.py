"""What a run tells people: a sentence, lines in its log, and one page of markdown with links into the tools.

Design §4, "Privacy": pages and logs get id, severity and link; no names, subjects or addresses.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from textwrap import wrap

import msgspec

from connectors.store import OutboxState
from flows.cases import Decided
from flows.context import Context
from flows.journal import limits
from flows.operations import held
from mappings.plan import Action, Lane, Message

SHOWN = 200
"""Rows of a table before it says how many more there are."""
WIDE = 64
"""Letters in a line of a table's cell."""
LOGGED = 20
"""Actions that a log tells one by one; the page has them all."""

_STATES = {
    "planned": "waits",
    "sending": "on its way",
    "unknown": "sent, not confirmed",
    "done": "done",
    "failed": "**failed**",
    "dropped": "not apt any more",
    "held": "**held back**",
    "shadow": "not done: shadow",
    "not_connected": "not done: tool not connected",
}
_BASELINE = "baseline"
_VERBS = {
    "resolve_page": "close page",
    "fields": "update fields",
    "leave": "leave the field to a rule",
}
_PROFILES = ("rule", "late", "warn")
"""The beginnings of the keys of what the profile's rules and targets ask for."""
_UNNAMED = {
    "page_acknowledged": "Somebody on call has taken the page.",
    "abuse_flagged": "Flagged as abusive.",
    "abuse_refused": "Somebody who may not decide on abuse has tried to.",
    "abuse_decided": "A manager has decided on abuse.",
    "abuse_warned": "A manager has decided to warn.",
    "abuse_warn": "A warning is counted on the company.",
    "abuse_restrict": "A manager has decided to restrict the company.",
    "abuse_restricted": "A manager has decided to restrict the company.",
    "abuse_review": "A manager has asked for the account's review.",
}
"""Reasons that name a colleague to colleagues, and what is said in their place on a page for everybody."""
_ADDRESS = re.compile(r"[^\s<>()\"',;:|]+@[\w-]+(\.[\w-]+)+")


class Delivered(msgspec.Struct):
    """What one delivery came to: rows by outcome, and what went wrong in words."""

    done: int = 0
    failed: int = 0
    unknown: int = 0
    dropped: int = 0
    waiting: int = 0
    calls: int = 0
    problems: list[str] = []

    def sentence(self) -> str:
        """The outcomes that there were: `3 delivered, 1 failed`."""
        counts = {"delivered": self.done} | {name: getattr(self, name) for name in _OUTCOMES}
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


_OUTCOMES = ("failed", "unknown", "dropped", "waiting")


class Pulse(msgspec.Struct):
    """What one run did, start to end. `news` are the sources that stopped or began to answer."""

    at: datetime
    synced: dict[str, str] = {}
    news: list[str] = []
    decided: list[Decided] = []
    delivered: Delivered = msgspec.field(default_factory=Delivered)
    skipped: str | None = None

    @property
    def actions(self) -> int:
        """How many actions were new."""
        return sum(len(decided.actions) for decided in self.decided)

    def sentence(self) -> str:
        """The run's last log line and its result in the UI."""
        if self.skipped:
            return self.skipped
        looked = sum(decided.looked for decided in self.decided)
        parts = [f"looked at {_count(looked, 'ticket')}", _count(self.actions, "new action")] if self.decided else []
        parts += [f"{source}: {said}" for source, said in self.synced.items() if not self.decided]
        return ", ".join(filter(None, [*parts, self.delivered.sentence()])) or "nothing to do"


def worth_telling(found: Pulse) -> bool:
    """Does a run get a page? When something was decided, delivered or went wrong; and the first run of each hour."""
    told = found.delivered
    happened = found.actions or told.done or told.failed or told.unknown or told.problems or found.news
    return bool(happened or (found.at.minute == 0 and not found.skipped))


def read_lines(said: Mapping[str, str]) -> Iterator[str]:
    """What reading a tool came to, for the log: one line, for a quiet minute should be short."""
    yield "; ".join(f"{source}: {result}" for source, result in said.items())


def decided_lines(decided: Decided) -> Iterator[str]:
    """A policy's decisions for the log."""
    came_to = _count(len(decided.actions), "new action")
    yield f"{decided.policy}: looked at {_count(decided.looked, 'ticket')}, {came_to}"
    shown = [action for action in decided.actions if decided.states[action.key] != _BASELINE]
    for action in shown[:LOGGED]:
        yield f"{action.record}: {_verb(action)} ({decided.states[action.key]}): {_reason(action)}"
    if len(shown) > LOGGED:
        yield f"… and {len(shown) - LOGGED} more"


def page(ctx: Context, found: Pulse, title: str) -> str:
    """A run as markdown."""
    local = found.at.astimezone(ctx.profile.zone)
    mode = "plan only" if ctx.plan_only else ctx.settings.mode
    lines = [f"# {title.capitalize()} of {local:%a} {local.day} {local:%b %H:%M}", ""]
    lines += [f"{ctx.profile.name} · profile {ctx.profile.version} · mode {mode}"]
    lines += _section("Tools", [f"- {cell(line)}" for line in found.news])
    lines += _section("Not delivered", [f"- {cell(line)}" for line in found.delivered.problems])
    lines += _section("Held back", list(_held(ctx)))
    lines += _section("Would be held back", list(_too_many(ctx, found)) if ctx.plan_only else [])
    lines += _decisions(ctx, found)
    sources = [f"| {source} | {cell(said)} |" for source, said in found.synced.items()]
    lines += _section("What was read", ["| source | result |", "|---|---|", *sources] if sources else [])
    return "\n".join(lines)


def record_link(ctx: Context, record: str) -> str:
    """A record as a link into its tool."""
    tool, _, id = record.partition(":")
    return f"[{record}]({ctx.ticket_link(int(id))})" if tool == "zendesk" and id.isdecimal() else record


def _decisions(ctx: Context, found: Pulse) -> list[str]:
    """What was decided and why: what people notice in a table, upkeep of fields and tags folded away below it."""
    states = {key: state for decided in found.decided for key, state in decided.states.items()}
    every = [action for decided in found.decided for action in decided.actions]
    actions = [action for action in every if states[action.key] != _BASELINE]
    if not ctx.plan_only:
        states |= _now(ctx, actions)
    actions.sort(key=lambda action: _rank(ctx, action))
    lines = _section("In shadow: what would have been done", _in_shadow(actions, states))
    lines += _section("What was decided, and why", _table(ctx, actions, states))
    lines += _section("Upkeep", _upkeep(ctx, actions, states))
    before = len(every) - len(actions)
    if before:
        causes = _count(before, "cause")
        lines += ["", f"{causes} from before our start: written down, not acted on (`helpdesk adopt` lists them)."]
    return lines


def _held(ctx: Context) -> Iterator[str]:
    """The batches that wait for an operator: how much, for which tickets, why, and what to type."""
    minutes = ctx.profile.limits.within // 60
    for one in held(ctx.store):
        batch = one.batch
        yield f"- **{batch.count} × {batch.verb}** by {batch.policy}, more at once than the profile allows "
        yield f"  (`limits`, within {minutes} minutes). `helpdesk approve {batch.hash}` releases it, "
        yield f"  `helpdesk approve {batch.hash} --refuse` drops it; so does the form *approve*."
        for group in one.groups:
            rows = [row.action for row in group.examples]
            links = ", ".join(dict.fromkeys(record_link(ctx, action.record) for action in rows))
            more = group.count - len(rows)
            yield f"  - {group.count} × {group.rule}: {links}{f' and {more} more' if more > 0 else ''}."
            yield f"    For example: {cell(_reason(rows[0]))}"


def _too_many(ctx: Context, found: Pulse) -> Iterator[str]:
    """What a plan alone would bring over a limit of the profile."""
    states = {key: state for decided in found.decided for key, state in decided.states.items()}
    actions = [action for decided in found.decided for action in decided.actions if states[action.key] == "planned"]
    most = limits(ctx)
    for (policy, verb), count in Counter((action.policy, action.verb) for action in actions).items():
        if most.over(policy, verb, count):
            passes = most.most_of(policy, verb)
            yield f"- **{count} × {verb}** by {policy}, of which the profile lets {passes} pass at once (`limits`):"
            yield "  applied, they wait for `helpdesk approve`."


def _in_shadow(actions: Sequence[Action], states: Mapping[str, str]) -> list[str]:
    """What would have been done, counted by rule: the table below has each with its reason and link."""
    counts = Counter((a.policy, a.reason.rule, _verb(a)) for a in actions if states[a.key] == "shadow")
    lines = ["| policy | rule | what | how often |", "|---|---|---|---|"] if counts else []
    return lines + [
        f"| {policy} | {cell(rule)} | {verb} | {many} |" for (policy, rule, verb), many in counts.most_common()
    ]


def _now(ctx: Context, actions: Sequence[Action]) -> dict[str, str]:
    """How far the actions are by now, by key."""
    records = sorted({action.record for action in actions})
    verbs = sorted({action.verb for action in actions})
    rows = [row for verb in verbs for row in ctx.store.acted(records, verb, list(OutboxState))]
    wanted = {action.key for action in actions}
    return {row.action.key: row.state.value for row in rows if row.action.key in wanted}


def _table(ctx: Context, actions: Sequence[Action], states: Mapping[str, str]) -> list[str]:
    """A row for each action that somebody notices. Short cells first: what is long is cut off on a narrow page."""
    rows = [action for action in actions if action.lane is not Lane.UPKEEP]
    lines = ["| ticket | severity | what | why |", "|---|---|---|---|"] if rows else []
    for action in rows[:SHOWN]:
        severity = action.reason.facts.get("severity", "")
        done = "" if action.verb == "leave" else f", {_outcome(ctx, states[action.key])}"
        what = f"{_verb(action)}{done}"
        lines.append(f"| {record_link(ctx, action.record)} | {severity} | {what} | {_why(action)} |")
    if len(rows) > SHOWN:
        lines.append(f"| … | | {len(rows) - SHOWN} more | `helpdesk outbox list` |")
    return lines


def _upkeep(ctx: Context, actions: Sequence[Action], states: Mapping[str, str]) -> list[str]:
    """What follows from the rest and nobody notices: a line for each verb and outcome, with its tickets."""
    tickets: dict[tuple[str, str], dict[str, None]] = {}
    for action in actions:
        if action.lane is Lane.UPKEEP:
            tickets.setdefault((_verb(action), states[action.key]), {})[record_link(ctx, action.record)] = None
    return [
        f"- {verb}, {_outcome(ctx, state)}: {', '.join(list(links)[:SHOWN])}{' …' if len(links) > SHOWN else ''}"
        for (verb, state), links in tickets.items()
    ]


def _outcome(ctx: Context, state: str) -> str:
    return "would be done" if ctx.plan_only and state == "planned" else _STATES[state]


def _why(action: Action) -> str:
    """The reason, a line a sentence: a table's cell breaks no lines by itself."""
    text = _reason(action).removesuffix(f", profile {action.reason.profile}.")
    sentences = re.split(r"(?<=[.!?]) (?=[A-Z])", cell(text))
    return "<br>".join(line for sentence in sentences for line in wrap(sentence, WIDE))


def _rank(ctx: Context, action: Action) -> tuple[int, int, int]:
    """What comes first on a page: pages, then replies, then escalations; the worst severity; the oldest ticket."""
    severities = list(ctx.profile.severities)
    severity = action.reason.facts.get("severity")
    worst = severities.index(severity) if severity in severities else len(severities)
    return list(Lane).index(action.lane), worst, int(action.record.rpartition(":")[2])


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", f"## {title}", "", *lines] if lines else []


def _verb(action: Action) -> str:
    """What is done, as the profile spells it where it does: `tag late`, `tell leads by mail`, `warn owner`.

    The profile's words stand in the key: `rule:tag:late:zendesk:123`.
    """
    why, verb, argument, *_ = [*action.key.split(":"), "", ""]
    if isinstance(action.change, Message):
        return f"tell {action.change.route} by {action.tool}"
    if why in _PROFILES and verb == action.verb and argument != "zendesk":
        return f"{'warn' if (why, verb) == ('warn', 'tell') else _VERBS.get(verb, verb)} {argument}"
    return _VERBS.get(action.verb, action.verb.replace("_", " "))


def _reason(action: Action) -> str:
    return _UNNAMED.get(action.reason.code, action.reason.text)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def cell(text: str) -> str:
    """Text for a table's cell: on one line, and without the addresses that a tool's answer may carry."""
    return _ADDRESS.sub("(address)", text).replace("|", "\\|").replace("\n", " ")
