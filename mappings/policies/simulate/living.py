"""One ticket lived through under one profile: what its clocks came to, and what would have been done.

The same functions decide as in a pulse: `clocks` and `notice`, and the judges that are handed in. They are asked at the
instants at which something can happen, with nothing known of what came later.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from mappings.model import Clock, ClockState, History, Status, TicketEvent
from mappings.plan import ON_HOLD, Action, TicketChange
from mappings.policies.escalation import one_step, taken_by
from mappings.policies.simulate.deeds import WARNING, Deed, deeds
from mappings.policies.simulate.judges import Judge
from mappings.policies.simulate.past import as_of, changes, message, with_ours, without_us
from mappings.policies.sla.clocks import clocks
from mappings.policies.sla.lateness import Noticed, late_at, notice, spoken_of
from mappings.policies.sla.measures import Life, live
from mappings.profile import Profile
from mappings.timeline import Step, Timeline, build

_SPOKEN = ("escalate", "note")
_STEPS = 200
_NOTICED = timedelta(seconds=1)
"""How long after its instant a step of ours shows on the ticket: a clock that is late then ended too late by it."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What a promise came to: `met`, `missed`, `late` (over its time, still running) or `running`.

    `missed_by` is in seconds of the promise's own clock; null for what still runs. `plan` and `severity` are keys.
    """

    target: str
    cause: str
    start_at: datetime
    result: str
    due_at: datetime | None = None
    ended_at: datetime | None = None
    missed_by: int | None = None
    plan: str = ""
    severity: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one ticket came to under one profile. `known` is false where its beginning was never read."""

    ticket_id: int
    kept: tuple[Kept, ...] = ()
    deeds: tuple[Deed, ...] = ()
    known: bool = True


def lived(
    history: History, profile: Profile, judges: Collection[Judge], *, groups: Mapping[int, str], until: datetime
) -> Outcome:
    """Live one ticket through, from its creation to `until`. `groups` are the account's, by id."""
    line = build(history)
    if not line.known:
        return Outcome(ticket_id=history.ticket.id, known=False)
    return _Living(history, without_us(line), profile, judges, dict(groups), until).outcome()


class _Living:
    """A ticket's life as far as it has been lived."""

    def __init__(
        self,
        history: History,
        others: Timeline,
        profile: Profile,
        judges: Collection[Judge],
        groups: dict[int, str],
        until: datetime,
    ) -> None:
        self.history, self.others, self.profile, self.judges = history, others, profile, judges
        self.groups, self.until = groups, until
        self.by_name = {name: id for id, name in groups.items()}
        self.own: list[Step] = []
        self.said: list[TicketEvent] = []
        self.done: dict[str, Action] = {}
        self.deeds: list[Deed] = []
        self.seen: list[Clock] = []
        self.again: datetime | None = None
        self._live()

    def outcome(self) -> Outcome:
        """Live to the end, and tell what it came to."""
        at: datetime | None = None
        while len(self.done) < _STEPS and (at := self._next(at)) is not None:
            if self._look(at):
                self._live()
        kept = tuple(_kept(row, self.profile, self.until) for row in self.rows if row.state is not ClockState.VOID)
        return Outcome(ticket_id=self.history.ticket.id, kept=kept, deeds=tuple(self.deeds))

    def _live(self) -> None:
        """The whole life with our steps so far: its clocks to their end, and when there is something to look at."""
        self.whole = live(self.history, self._line(), self.profile, self.groups)
        self.rows = clocks(self.whole, self.profile)
        self.crossings = set(self._crossings())
        self.causes = self._causes()

    def _next(self, after: datetime | None) -> datetime | None:
        """The next instant at which something can happen."""
        times = self.crossings | self.causes.keys() | ({self.again} if self.again else set())
        return min((at for at in times if at <= self.until and (after is None or at > after)), default=None)

    def _crossings(self) -> Iterator[datetime]:
        """When clocks are late, and where it does more than tell the owner, when they are near."""
        for row in self.rows:
            target = self.profile.targets[row.target]
            marks = []
            if row.due_at is not None and target.late:
                grace = self.profile.grace if row.cell == "immediate" else 0
                marks.append(row.due_at + timedelta(seconds=grace))
            if row.warn_at is not None and any(str(do) != WARNING for do in target.warn_do):
                marks.append(row.warn_at)
            yield from (at for at in marks if row.stopped_at is None or at < row.stopped_at)

    def _causes(self) -> dict[datetime, list[Judge]]:
        """When something happens that a judge acts on, whatever became of the ticket later; all, once it is let go."""
        ticket = self.whole.history.ticket
        free = msgspec.structs.replace(ticket, status=Status.OPEN, tags=ticket.tags - {ON_HOLD})
        anyhow = msgspec.structs.replace(self.whole, history=msgspec.structs.replace(self.history, ticket=free))
        found: dict[datetime, list[Judge]] = defaultdict(list)
        for judge in self.judges:
            for at in dict.fromkeys(judge.when(anyhow)):
                found[at].append(judge)
        return found | {at: list(self.judges) for at in self._let_go()}

    def _let_go(self) -> Iterator[datetime]:
        """When somebody took off the tag that kept us away."""
        for step in self.whole.line.of("tags"):
            if ON_HOLD in (step.old or "").split() and ON_HOLD not in (step.new or "").split():
                yield step.at

    def _look(self, at: datetime) -> bool:
        """Decide as a pulse would at `at`; True where something changed the ticket."""
        life = live(*as_of(self.history, self._line(), at), self.profile, self.groups)
        crossing = at in self.crossings or at == self.again
        self.again = None if at == self.again else self.again
        judged = [x for judge in self.causes.get(at, ()) for x in judge.wants(life, at) if x.cause_at <= at]
        noticed = self._noticed(life, at) if crossing else ()
        wanted = {action.key: action for action in (*judged, *noticed)}
        before = {f"zendesk:{self.history.ticket.id}": taken_by(self.done.values())}
        new = one_step([action for key, action in wanted.items() if key not in self.done], before)
        self.done |= {action.key: action for action in new}
        self.deeds += [deed for action in new for deed in deeds(action, at, life, self.profile)]
        done = [self._do(action, at + _NOTICED) for action in new]
        return any(done)

    def _line(self) -> Timeline:
        return with_ours(self.others, self.own, self.said)

    def _noticed(self, life: Life, at: datetime) -> Iterable[Action]:
        """What clocks that are near or late by now want done; what was noticed once is not noticed again."""
        spoken = [action for action in self.done.values() if action.verb in _SPOKEN]
        found: Noticed = notice(
            life,
            clocks(life, self.profile, stored=self.seen),
            self.profile,
            at,
            stepped=taken_by(spoken),
            known={about for action in spoken for about in spoken_of(action)},
        )
        noticed = {clock.key: clock for clock in found.clocks}
        self.seen = [clock for clock in self.seen if clock.key not in noticed] + list(noticed.values())
        if found.waits:
            self.again = self._waits_until(life, at)
        return found.actions

    def _waits_until(self, life: Life, at: datetime) -> datetime | None:
        """When a step that may not be taken yet is looked at again: the stay is long enough, or tags change."""
        settled = life.stays[-1].start + timedelta(seconds=self.profile.min_stay)
        tagged = [step.at for step in self.whole.line.of("tags")]
        return min((when for when in (settled, *tagged) if when > at), default=None)

    def _do(self, action: Action, at: datetime) -> bool:
        """Put what an action does to the ticket into its past; False where it leaves the ticket as it is."""
        if not isinstance(action.change, TicketChange):
            return False
        _, line = as_of(self.history, self._line(), at)
        own = changes(action.change, line, at, f"own-{len(self.own)}", self.by_name)
        said = message(action.change, self.history.ticket, at)
        self.own += own
        self.said += said
        return bool(own or said)


def _kept(row: Clock, profile: Profile, until: datetime) -> Kept:
    result = row.state.value
    if row.stopped_at is None:
        late = row.state is ClockState.RUNNING and late_at(row, profile, until)
        result = "late" if late else ClockState.RUNNING.value
    return Kept(
        target=row.target,
        cause=row.cause,
        start_at=row.start_at,
        result=result,
        due_at=row.due_at,
        ended_at=row.stopped_at,
        missed_by=row.missed_by,
        plan=row.dims.get("plan", ""),
        severity=row.dims.get("severity", ""),
    )
