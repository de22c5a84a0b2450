"""What each measure watches on a ticket: from when, to when, and what does not count (docs: profiles.md §6).

A `Watch` is one run of a measure: a chain of episodes (a new one after each reopening) and the spans that do not count.
Only Zendesk's facts are read here; measures that other tools feed have no watch yet.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import pairwise

import msgspec

from mappings.model import Actor, EventKind, History, Status
from mappings.policies.abuse.flags import flags
from mappings.profile import Profile
from mappings.timeline import Step, Timeline, epoch, plan_at, spans


class Episode(msgspec.Struct, frozen=True):
    """One stretch of a watch: what began it, and what ended it (`stop` None: still going)."""

    cause: str
    start: datetime
    stop: datetime | None = None
    by: str | None = None


class Watch(msgspec.Struct, frozen=True):
    """A measure's run on one ticket. `pauses` do not count: waiting for the customer, and solved between episodes."""

    measure: str
    episodes: tuple[Episode, ...]
    pauses: tuple[tuple[datetime, datetime | None], ...] = ()


class Stay(msgspec.Struct, frozen=True):
    """A ticket's stay in a support tier. `first` marks the tier that it was created in."""

    tier: int
    cause: str
    start: datetime
    stop: datetime | None
    first: bool


class Life(msgspec.Struct, frozen=True):
    """A ticket's past, prepared once for all measures."""

    history: History
    line: Timeline
    stays: tuple[Stay, ...]
    waiting: tuple[tuple[datetime, datetime | None], ...]
    solved: tuple[tuple[datetime, datetime | None, str], ...]
    away: tuple[tuple[datetime, datetime | None], ...] = ()
    """When it lay in the bin or among spam and was taken out again: no time of anybody's passed."""
    group: str | None = None
    """The name of the group that it is in now."""

    @property
    def created(self) -> str:
        """The cause that the ticket's own creation is: known from the first sight of it, unlike an audit's id."""
        return str(epoch(self.line.created_at))


_BIN = frozenset({Status.DELETED, Status.SPAM})
_SOLVED = frozenset({Status.SOLVED, Status.CLOSED, Status.MERGED}) | _BIN


def live(history: History, line: Timeline, profile: Profile, groups: dict[int, str]) -> Life:
    """Prepare a ticket's past: its stays in tiers, when it waited for the customer, when it was solved."""
    waiting = {Status.PENDING, Status.HOLD} if profile.pauses.on_hold else {Status.PENDING}
    ended = spans(line, _SOLVED)
    away = [span for span in ended if _returned(line, *span[:2])]
    return Life(
        history,
        line,
        tuple(_stays(history, line, profile, groups)),
        tuple((start, stop) for start, stop, _ in spans(line, frozenset(waiting))),
        tuple(span for span in ended if span not in away),
        tuple((start, stop) for start, stop, _ in away),
        groups.get(int(line.value("group_id", history.ticket.updated_at) or 0)),
    )


def _returned(line: Timeline, start: datetime, stop: datetime | None) -> bool:
    """Was a ticket only deleted or taken for spam from `start`, and restored at `stop`?"""
    if stop is None:
        return False
    inside = [step.new for step in line.of("status") if start <= step.at < stop]
    return bool(inside) and all(status in _BIN for status in inside)


def entry_tier(history: History, line: Timeline, profile: Profile) -> int:
    """The tier that the customer's plan enters at (1 where the plan is not known)."""
    plan = plan_at(history, line, history.ticket.created_at)
    return profile.plans[plan].enters_tier if plan is not None and plan in profile.plans else 1


def _stays(history: History, line: Timeline, profile: Profile, groups: dict[int, str]) -> Iterable[Stay]:
    """Tiers one after another: the tier field says, and so does an agent who moves the ticket to a tier's group."""
    tier = int(line.initial.get("tier") or entry_tier(history, line, profile))
    cause, start, first = str(epoch(line.created_at)), line.created_at, True
    for step in line.steps:
        new = _tier_of(step, profile, groups)
        if new is None or new == tier:
            continue
        yield Stay(tier, cause, start, step.at, first)
        tier, cause, start, first = new, step.cause, step.at, False
    yield Stay(tier, cause, start, None, first)


def _tier_of(step: Step, profile: Profile, groups: dict[int, str]) -> int | None:
    if step.field == "tier" and step.new:
        return int(step.new)
    if step.field == "group_id" and step.new and step.actor is Actor.AGENT:
        name = groups.get(int(step.new))
        return next((level for level, tier in profile.tiers.items() if tier.group == name), None)
    return None


def replies(life: Life) -> list[tuple[datetime, str]]:
    """Public replies by human agents, the opening comment excepted: (when, audit id). SLA-05."""
    comments = [event for event in life.line.messages if event.kind is EventKind.COMMENT]
    return [(event.at, str(event.audit_id)) for event in comments[1:] if event.public and event.actor is Actor.AGENT]


def _once(life: Life, measure: str, stop: datetime | None, by: str, *, pauses: bool = False) -> list[Watch]:
    """A watch from creation that `stop` fulfils; a solve ends an episode, a reopening begins the next."""
    chain = _episodes(life, life.created, life.line.created_at, stop, by)
    return [Watch(measure, chain, _gaps(life, chain, pauses))]


def _episodes(
    life: Life, cause: str, start: datetime, stop: datetime | None, by: str, *, end: datetime | None = None
) -> tuple[Episode, ...]:
    """Cut [start, stop) at each solve; `end` is when the watch ends without being fulfilled (a tier left)."""
    chain: list[Episode] = []
    last = min((at for at in (stop, end) if at is not None), default=None)
    for solved_from, solved_until, _ in life.solved:
        if solved_until is not None and solved_until <= start:
            continue
        if last is not None and solved_from >= last:
            break
        chain.append(Episode(cause, start, max(solved_from, start), "solve"))
        if solved_until is None or (last is not None and solved_until >= last):
            return tuple(chain)
        start, cause = solved_until, _reopening(life, solved_until)
    chain.append(Episode(cause, start, last, None if last is None else by if last == stop else "left"))
    return tuple(chain)


def _reopening(life: Life, at: datetime) -> str:
    return next((step.cause for step in life.line.of("status") if step.at == at), str(epoch(at)))


def _gaps(life: Life, chain: tuple[Episode, ...], pauses: bool) -> tuple[tuple[datetime, datetime | None], ...]:
    gaps: list[tuple[datetime, datetime | None]] = [(a.stop, b.start) for a, b in pairwise(chain) if a.stop is not None]
    begin, last = chain[0].start, chain[-1].stop
    for start, stop in (*life.away, *(life.waiting if pauses else ())):
        if (stop is None or stop > begin) and (last is None or start < last):
            gaps.append((max(start, begin), stop if last is None or (stop and stop <= last) else last))
    return tuple(sorted(gaps, key=lambda gap: gap[0]))


def ack(life: Life) -> list[Watch]:
    """Created → first message of any kind to the customer; automatic ones count."""
    outgoing = [
        event.at
        for index, event in enumerate(life.line.messages)
        if event.kind is EventKind.NOTIFICATION or (index > 0 and event.public and event.actor is not Actor.CUSTOMER)
    ]
    return _once(life, "ack", min(outgoing, default=None), "message")


def triage(life: Life) -> list[Watch]:
    """Created → a human has looked: an agent takes or gives it, its severity being a person's word; or works on it
    (a reply, a note, a field) while it has severity and owner, whoever set those, and so lets them stand (TRI-12).
    """
    line = life.line
    people = (Actor.AGENT, Actor.CUSTOMER, Actor.UNKNOWN)
    severity = [step.at for step in line.of("severity") if step.new and step.actor in people]
    if line.initial.get("severity") and line.authors.get("severity", Actor.CUSTOMER) in people:
        severity.append(line.created_at)
    owner = [step.at for step in line.of("assignee_id") if step.new and step.actor is Actor.AGENT]
    set_by_hand = max(min(severity), min(owner)) if severity and owner else None
    stands = (at for at, _ in _worked(life) if line.value("severity", at) and line.value("assignee_id", at))
    stops = [at for at in (set_by_hand, next(stands, None)) if at is not None]
    return _once(life, "triage", min(stops, default=None), "review")


def first_reply(life: Life) -> list[Watch]:
    """Created → first public reply by a human agent; does not pause. A solve fulfils it, marked so."""
    return _once(life, "first_reply", min((at for at, _ in replies(life)), default=None), "reply")


def handoff_reply(life: Life) -> list[Watch]:
    """Entered a tier above the first → first public reply while there. Restarts on each hand-off (SLA-22)."""
    watches = []
    for stay in life.stays:
        if stay.tier == 1:
            continue
        answered = min((at for at, _ in replies(life) if at >= stay.start), default=None)
        chain = _episodes(life, stay.cause, stay.start, answered, "reply", end=stay.stop)
        watches.append(Watch("handoff_reply", chain, _gaps(life, chain, pauses=False)))
    return watches


def update(life: Life) -> list[Watch]:
    """Last public agent reply → the next one; repeats; pauses while the customer has the word (SLA-20)."""
    return _repeating(life, "update", replies(life))


def progress(life: Life) -> list[Watch]:
    """Last work by an agent (note, field, reply) → next; creation counts as work.

    Pauses while the customer has the word: nobody is late for work that they cannot do.
    """
    return _repeating(life, "progress", [(life.line.created_at, life.created), *_worked(life)])


def _worked(life: Life) -> list[tuple[datetime, str]]:
    """What agents did: notes, replies, fields, as (when, audit id), oldest first."""
    worked = {(event.at, str(event.audit_id)) for event in life.line.messages if event.actor is Actor.AGENT}
    worked |= {(step.at, step.cause) for step in life.line.steps if step.actor is Actor.AGENT}
    return sorted(worked)


def _repeating(life: Life, measure: str, beats: list[tuple[datetime, str]]) -> list[Watch]:
    watches = []
    for index, (at, cause) in enumerate(beats):
        following = beats[index + 1][0] if index + 1 < len(beats) else None
        if following == at:
            continue
        chain = _episodes(life, cause, at, following, measure)
        if chain[0].start == chain[0].stop and len(chain) == 1:
            continue
        watches.append(Watch(measure, chain, _gaps(life, chain, pauses=True)))
    return watches


def resolve(life: Life) -> list[Watch]:
    """Created → solved; pauses while the customer has the word; reopening resumes with the used time."""
    return _once(life, "resolve", None, "solve", pauses=True)


def time_in_tier(life: Life) -> list[Watch]:
    """Entered a tier → left it or solved; pauses while the customer has the word (ESC-03)."""
    watches = []
    for stay in life.stays:
        chain = _episodes(life, stay.cause, stay.start, None, "left", end=stay.stop)
        watches.append(Watch("time_in_tier", chain, _gaps(life, chain, pauses=True)))
    return watches


def abuse_review(life: Life) -> list[Watch]:
    """Flagged as abusive → a manager's decision (ABU-03); solving the ticket is none. A flag taken back needs none."""
    watches = []
    closed = next((step.at for step in life.line.of("status") if step.new == Status.CLOSED), None)
    for flag in flags(life.line):
        stop, by = (flag.stop, flag.ended) if flag.stop is not None else (closed, "closed" if closed else None)
        watches.append(Watch("abuse_review", (Episode(flag.cause, flag.at, stop, by),), life.away))
    return watches


WATCHES: dict[str, Callable[[Life], list[Watch]]] = {
    "ack": ack,
    "triage": triage,
    "first_reply": first_reply,
    "handoff_reply": handoff_reply,
    "update": update,
    "progress": progress,
    "resolve": resolve,
    "time_in_tier": time_in_tier,
    "abuse_review": abuse_review,
}
"""The measures that Zendesk's facts can feed."""
