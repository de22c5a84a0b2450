"""Clocks: what a ticket's past and the profile's targets make of each other (design §4, "Clocks").

`clocks` replays a ticket from its beginning, so it gives the same rows whatever happened to the stored ones. Stored
clocks are asked for two things only: the figures that were in force (a profile edit leaves a running clock alone) and
what has been noticed already.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from mappings.model import Clock, ClockState, Status
from mappings.policies.sla.measures import WATCHES, Life, Watch
from mappings.policies.sla.meter import Left, Marks, Meter
from mappings.policies.sla.targets import Promise, grace, promises
from mappings.profile import Profile
from mappings.profile.durations import parse_budget
from mappings.timeline import UNREAD, epoch, plan_at

_VOID = (Status.MERGED, Status.DELETED, Status.SPAM)
_SHOWN = ("severity", "plan", "kind", "channel", "tier")


class Facing(msgspec.Struct, frozen=True):
    """What the targets see of a ticket from `at` on: its dimensions, and the promises that hold for them."""

    at: datetime
    dims: Mapping[str, object]
    promises: Mapping[str, Promise]


def clocks(life: Life, profile: Profile, *, stored: Sequence[Clock] = ()) -> list[Clock]:
    """Every clock of a ticket, running, paused and finished, in the order of the profile's targets.

    A ticket whose beginning was not read has no clock, and its stored ones are left as they are. A stored clock that
    the replay no longer yields is given back void, unless it is finished and its target has left the profile. A stretch
    that began with an event not yet read has no clock until it is: its cause is not known.
    """
    if not life.line.known:
        return list(stored)
    fresh = _replayed(life, profile, list(profile.targets), {clock.key: clock for clock in stored})
    keys = {clock.key for clock in fresh}
    return fresh + [_gone(clock, life) for clock in stored if clock.key not in keys and _mistaken(clock, profile)]


def owed(life: Life, profile: Profile, measure: str, at: datetime, *, told: bool = False) -> datetime | None:
    """By when a measure that had begun at a time is due by its clocks; null where nothing of it runs.

    The earliest; of what customers are `told` the earliest of the published ones, where there are any.
    """
    names = [name for name, target in profile.targets.items() if target.measure == measure]
    running = [clock for clock in _replayed(life, profile, names, {}) if clock.state is ClockState.RUNNING]
    found = [clock for clock in running if clock.start_at <= at]
    published = [clock for clock in found if profile.targets[clock.target].published] if told else []
    return min((clock.due_at for clock in published or found if clock.due_at is not None), default=None)


def _replayed(
    life: Life, profile: Profile, targets: Sequence[str], kept: Mapping[tuple[str, str, str], Clock]
) -> list[Clock]:
    facings = list(_facings(life, profile))
    fresh: list[Clock] = []
    for name in targets:
        measure = profile.targets[name].measure
        for watch in WATCHES[measure](life) if measure in WATCHES else ():
            rows = _Replay(life, profile, name, watch, facings, kept).rows()
            fresh += [row for row in rows if row.cause != UNREAD]
    return fresh


def _mistaken(clock: Clock, profile: Profile) -> bool:
    """Was a row that the replay does not yield counted on too little knowledge, as before a comment had its author?"""
    living = clock.state in (ClockState.RUNNING, ClockState.PAUSED)
    return living or (clock.state is not ClockState.VOID and clock.target in profile.targets)


def _gone(clock: Clock, life: Life) -> Clock:
    ended = clock.stopped_at or life.history.ticket.updated_at
    return msgspec.structs.replace(clock, state=ClockState.VOID, stopped_at=ended, fulfilled_by="gone")


def dimensions(life: Life, profile: Profile, at: datetime) -> dict[str, object]:
    """A ticket's dimensions at a time, as the targets' tables name them (profiles.md §6)."""
    history, line = life.history, life.line
    severity, kind = line.value("severity", at), line.value("kind", at)
    plan = plan_at(history, line, at)
    stay = next((stay for stay in reversed(life.stays) if stay.start <= at), life.stays[0])
    found = {
        "severity": severity if severity in profile.severities else None,
        "plan": plan if plan in profile.plans else next(iter(profile.plans), None),
        "kind": kind if kind in profile.kinds else None,
        "channel": history.ticket.channel,
        "tier": stay.tier,
        "role": history.requester.role if history.requester else None,
        "vip": bool(history.company and history.company.vip),
        "tag": frozenset((line.value("tags", at) or "").split()),
        "escalated": stay.tier > life.stays[0].tier,
        "brand": line.value("brand", at),
    }
    if kind is not None and kind in profile.kinds:
        found |= {"family": profile.kinds[kind].family, "ladder": profile.kinds[kind].ladder}
    return {key: value for key, value in found.items() if value is not None}


def _facings(life: Life, profile: Profile) -> Iterable[Facing]:
    """The dimensions at creation and at each moment that changed one."""
    line = life.line
    watched = ("severity", "kind", "tier", "tags", "company_id", "brand")
    times = {line.created_at}
    times |= {step.at for step in line.steps if step.field in watched and step.at > line.created_at}
    times |= {stay.start for stay in life.stays if stay.start > line.created_at}
    times |= {at for at, _ in life.history.plan_history if at > line.created_at}
    last: dict[str, object] | None = None
    for at in sorted(times):
        dims = dimensions(life, profile, at)
        if dims != last:
            yield Facing(at, dims, {promise.target: promise for promise in promises(profile, dims)})
        last = dims


class _Replay:
    """One target's clock on one watch, counted from its start."""

    def __init__(
        self,
        life: Life,
        profile: Profile,
        target: str,
        watch: Watch,
        facings: list[Facing],
        stored: Mapping[tuple[str, str, str], Clock],
    ) -> None:
        self.life, self.profile, self.target, self.watch = life, profile, target, watch
        self.record = f"zendesk:{life.history.ticket.id}"
        self.stored = stored
        self.start = watch.episodes[0].start
        before = [facing for facing in facings if facing.at <= self.start]
        self.facing = before[-1] if before else facings[0]
        self.later = [facing for facing in facings if facing.at > self.start]
        self.meter: Meter | None = None
        self.marks = Marks(None, None)
        self.left: Left | None = None
        self.since: datetime | None = self.start
        self.ran: list[tuple[datetime, datetime]] = []
        self.missed = False
        self.overspent = False
        self.segments: list[tuple[int, str]] = []
        self.version = profile.version
        self.episode = watch.episodes[0]

    def rows(self) -> list[Clock]:
        """The watch's episodes as clocks; none where no promise ever held."""
        self._take(self.facing, self.start)
        found: list[Clock] = []
        for at, _, what, facing in self._moments():
            if what == "stop":
                found += self._close(at)
            elif what == "pause":
                self._pause(at)
            elif what == "resume":
                self._resume(at)
            elif facing is not None:
                self._change(facing)
        if self.episode.stop is None:
            found += self._row(None)
        return found

    def _moments(self) -> list[tuple[datetime, int, str, Facing | None]]:
        """All that happens to the clock, in order; of simultaneous things a stop first, then pauses, then changes."""
        moments: list[tuple[datetime, int, str, Facing | None]] = []
        for begin, end in _merged(self.watch.pauses):
            moments.append((begin, 1, "pause", None))
            if end is not None:
                moments.append((end, 2, "resume", None))
        moments += [(episode.stop, 0, "stop", None) for episode in self.watch.episodes if episode.stop is not None]
        last = self.watch.episodes[-1].stop
        moments += [(facing.at, 3, "change", facing) for facing in self.later if last is None or facing.at < last]
        return sorted(moments, key=lambda moment: moment[:2])

    def _cell(self, facing: Facing) -> str:
        """The figure for a facing: the one already in force where the stored clock knows it, else the profile's."""
        promise = facing.promises.get(self.target)
        own = promise.budget.text if promise else ""
        clock = self.stored.get((self.record, self.target, self.episode.cause))
        if clock is None or clock.profile_version == self.profile.version:
            return own
        at = epoch(facing.at if self.segments else self.start)
        known = dict(clock.segments)
        if at in known:
            self.version = clock.profile_version
            return known[at]
        self.version = self.profile.version
        return own

    def _take(self, facing: Facing, at: datetime) -> bool:
        """Put a facing's figure in force; False where it does not move the clock."""
        same = bool(self.segments) and self._asked(facing) == self._asked(self.facing)
        cell, before = self.segments[-1][1] if same else self._cell(facing), self.meter
        calendar = self.profile.serving_calendar(
            **{key: facing.dims.get(key) for key in ("severity", "plan", "kind", "channel")}
        )
        self.facing = facing
        if self.segments and cell == self.segments[-1][1] and (before is None or before.calendar is calendar):
            if not same:  # written down all the same: this change has had its figure, also after a profile's edit
                self.segments.append((epoch(at), cell))
            return False
        self.segments.append((epoch(at), cell))
        self.meter = Meter(self.profile, parse_budget(cell), calendar) if cell else None
        if before is None and len(self.segments) == 1 and self.meter:
            self.marks = self.meter.marks(at)
        return True

    def _asked(self, facing: Facing) -> tuple[object, ...]:
        """What the target's figure and calendar depend on: a tag that it does not name changes nothing."""
        target = self.profile.targets[self.target]
        names = dict.fromkeys((*target.by, *target.where, "severity", "plan", "kind", "channel"))
        asked = (facing.dims.get(name) for name in names if name != "tag" or name in target.by)
        return (*asked, self.target in facing.promises)

    def _overdue(self, at: datetime) -> bool:
        return self.missed or (self.since is not None and (until := self._allowed()) is not None and until < at)

    def _allowed(self) -> datetime | None:
        """Until when what is due counts as met."""
        return None if self.marks.due is None else self.marks.due + grace(self.segments[-1][1], self.profile)

    def _used(self, at: datetime) -> int:
        spans = [*self.ran, (self.since, at)] if self.since is not None else self.ran
        return sum(self.meter.spent(begin, end) for begin, end in spans) if self.meter else 0

    def _pause(self, at: datetime) -> None:
        self.missed = self._overdue(at)
        if self.since is None:
            return
        self.ran.append((self.since, at))
        self.since = None
        if self.meter and not self.missed:
            self.left = self.meter.put_aside(at, self.marks)

    def _resume(self, at: datetime) -> None:
        if self.since is not None:
            return
        self.since = at
        if self.overspent:
            due = self.meter.take_up(at, Left(None, 0, Marks(None, at))).due if self.meter else at
            self.marks, self.left, self.overspent = Marks(None, due), None, False
        if self.meter and self.left is not None:
            self.marks, self.left = self.meter.take_up(at, self.left), None

    def _change(self, facing: Facing) -> None:
        """The dimensions changed: worse binds the earlier, milder counts anew from the start, a plan never loosens."""
        at, old, before = facing.at, self.meter, self.facing.dims
        if self._overdue(at) or (self.since is not None and self._allowed() == at):
            self.missed = True
            self.facing = facing
            return
        if not self._take(facing, at):
            return
        paused = self.since is None
        if paused and old and self.left:
            self.marks = old.take_up(at, self.left)
        self.marks = self._moved(old, self.marks, at, _direction(before, facing.dims, self.profile))
        if paused and self.meter:
            self.left = self.meter.put_aside(at, self.marks)

    def _moved(self, old: Meter | None, stood: Marks, at: datetime, direction: str) -> Marks:
        tightens = direction in ("worse", "plan")
        if self.meter is None or self.meter.marks(at).due is None:
            if tightens and old is not None:
                self.meter = old
                self.segments[-1] = (epoch(at), old.cell)
                return stood
            return Marks(None, None)
        anew = self.meter.marks(at)
        since_start = self.meter.resumed(at, self._used(at)) if self.ran else self.meter.marks(self.start)
        if direction == "worse":
            return _earlier(stood, anew)
        counted = since_start if since_start.due is not None and since_start.due > at else anew
        return _earlier(stood, counted) if tightens or counted is anew else counted

    def _close(self, at: datetime) -> list[Clock]:
        rows = self._row(at)
        index = self.watch.episodes.index(self.episode)
        if index + 1 < len(self.watch.episodes):
            self.episode = self.watch.episodes[index + 1]
            if self.missed or self._overdue(at):
                self.missed, self.overspent, self.marks = False, True, Marks(None, None)
        return rows

    def _row(self, stop: datetime | None) -> list[Clock]:
        if not any(cell for _, cell in self.segments) or (stop is not None and stop == self.episode.start):
            return []
        late = stop is not None and self._overdue(stop)
        return [
            Clock(
                record=self.record,
                target=self.target,
                measure=self.watch.measure,
                cause=self.episode.cause,
                start_at=self.episode.start,
                state=self._state(stop, late),
                cell=self.segments[-1][1],
                dims={key: str(self.facing.dims[key]) for key in _SHOWN if key in self.facing.dims},
                profile_version=self.version,
                warn_at=None if self.since is None else self.marks.warn,
                due_at=None if self.since is None and not self.missed else self.marks.due,
                remaining=self.left.due if self.left and self.since is None else None,
                used=self._used(stop or self.start),
                paused=_paused(self.watch, self.start, stop or self.start),
                stopped_at=stop,
                fulfilled_by=self.episode.by if stop else None,
                missed_by=self._missed_by(stop) if late else None,
                segments=tuple(self.segments),
                **self._noticed(),
            )
        ]

    def _state(self, stop: datetime | None, late: bool) -> ClockState:
        if stop is None:
            return ClockState.PAUSED if self.since is None and not self.missed else ClockState.RUNNING
        ended = self.life.line.value("status", stop)
        if self.episode.by == "solve" and ended in _VOID:
            return ClockState.VOID
        return ClockState.MISSED if late else ClockState.MET

    def _missed_by(self, stop: datetime | None) -> int | None:
        if stop is None or self.meter is None or self.marks.due is None:
            return None
        return self.meter.spent(self.marks.due, stop)

    def _noticed(self) -> dict[str, datetime | None]:
        clock = self.stored.get((self.record, self.target, self.episode.cause))
        return {"warned_at": clock.warned_at, "detected_at": clock.detected_at} if clock else {}


def _earlier(first: Marks, second: Marks) -> Marks:
    if first.due is None or (second.due is not None and second.due < first.due):
        return second
    return first


def _direction(before: Mapping[str, object], after: Mapping[str, object], profile: Profile) -> str:
    """Which rule a change falls under: severity `worse` or `milder`, `plan`, or `other`."""
    old, new = before.get("severity"), after.get("severity")
    if old != new and old is not None and new is not None:
        return "worse" if profile.severity_rank(str(new)) < profile.severity_rank(str(old)) else "milder"
    return "plan" if before.get("plan") != after.get("plan") else "other"


def _merged(pauses: Iterable[tuple[datetime, datetime | None]]) -> list[tuple[datetime, datetime | None]]:
    """Overlapping pauses count once."""
    merged: list[tuple[datetime, datetime | None]] = []
    for begin, end in sorted(pauses, key=lambda pause: pause[0]):
        if merged and (merged[-1][1] is None or begin <= merged[-1][1]):
            last = merged[-1][1]
            merged[-1] = (merged[-1][0], None if last is None or end is None else max(last, end))
        elif end is None or end > begin:
            merged.append((begin, end))
    return merged


def _paused(watch: Watch, start: datetime, until: datetime) -> int:
    total = 0.0
    for begin, end in _merged(watch.pauses):
        stop = until if end is None else min(end, until)
        total += max(0.0, (stop - max(begin, start)).total_seconds())
    return int(total)
