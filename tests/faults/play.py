"""Plays a story with a schedule of mishaps, to the point where nothing moves any more, and asks the judge.

Every play is a fork of a process that holds the settled deployment: the same world for each, at the cost of a copy.
"""

import gc
import logging
import os
import pickle
import shutil
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors.sandbox.zendesk.errors import Refusal
from connectors.store import OutboxState
from flows.report import Pulse
from tests.faults import judge
from tests.faults.deployment import Deployment, Process, settled
from tests.faults.people import DEEDS, let_go
from tests.faults.schedule import ANSWERS, WEBHOOKS, Mishap, Schedule
from tests.faults.stories import Stage, Story
from tests.stories import at

IMPOSSIBLE = (Refusal, LookupError, IndexError)
"""What people cannot do because of what went wrong before: where nothing does, they can."""
QUIET, PATIENCE = 2, 45
"""So many pulses in a row without anything new are the end; after so many at the latest there has to be one."""


@dataclass
class Verdict:
    """What came of one play. `wrong` holds a line for each broken promise."""

    schedule: Schedule
    wrong: list[str] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)
    """How often each kind of mishap really struck."""
    beats: int = 0
    hints: int = 0
    """Webhooks that arrived."""


class Play:
    """One story under one schedule."""

    def __init__(self, story: Story, deployment: Deployment, schedule: Schedule) -> None:
        self.story, self.here, self.schedule = story, deployment, schedule
        self.stage = Stage(deployment.desk)
        self.verdict = Verdict(schedule)
        self.process: Process | None = None
        self._armed: dict[str, list[list[Any]]] = {}
        self._down = 0
        self._words = 0

    def run(self) -> Verdict:
        """Play to the end and judge."""
        self._turn_switches()
        before = len(self.here.core.journal)
        for number, moment in enumerate(self.story.moments):
            self._prepare([mishap for mishap in self.schedule if mishap.beat == number])
            if self.here.now() < at(moment.at):
                self.here.core.set_time(at(moment.at))
            if moment.deed is not None:
                with suppress(*(IMPOSSIBLE if self.schedule else ())):
                    moment.deed(self.stage)
            if self._down:
                self._down -= 1
            else:
                self._beat()
        self._quiesce()
        self.verdict.hints = self.here.hints
        self.verdict.wrong += judge.judge(self.here, self.stage, self._open(), since=before)
        return self.verdict

    def _open(self) -> Process:
        """The process that is running, a new one where the last has died."""
        if self.process is None or self.process.dead:
            self.process = Process(self.here, self._reached)
        return self.process

    def _beat(self) -> Pulse | None:
        self.verdict.beats += 1
        process = self._open()
        told = process.beat()
        if process.dead:
            process.close()
        return told

    def _quiesce(self) -> None:
        """Everything works again, everybody lets go; pulses follow each other until nothing is new."""
        self.here.core.faults.clear()
        self.here.desk.sim.switches.job_breaks_at = 0
        self._armed.clear()
        self.here.pass_time(60)
        let_go(self.here.desk, self.stage.tickets)
        self.here.pass_time(60)  # the exports hide the newest minute
        quiet = 0
        for _ in range(PATIENCE):
            before = len(self.here.desk.effects())
            self._retry()
            told = self._beat()
            rows = judge.left(self.here, self._open().ctx.store.outbox(limit=100_000))
            still = told is not None and told.skipped is None and len(self.here.desk.effects()) == before and not rows
            quiet = quiet + 1 if still else 0
            if quiet == QUIET:
                return
            self.here.pass_time(60)
        self.verdict.wrong.append(f"never quiet: after {PATIENCE} pulses {[str(row.action.key) for row in rows]}")

    def _retry(self) -> None:
        """Where every job broke down at a ticket that went alone, an operator tries again, as the dead letter says."""
        store = self._open().ctx.store
        for row in store.outbox(state=OutboxState.FAILED):
            if "breaks down at it" in (row.error or ""):
                store.retry(row.id, self.here.now())

    # mishaps

    def _turn_switches(self) -> None:
        for mishap in self.schedule:
            if mishap.kind == "webhooks":
                self._struck(mishap)
                self.here.core.switches.turn(WEBHOOKS[mishap.given["come"]])
                self.here.send_webhooks()
            if mishap.kind == "switch":
                self._struck(mishap)
                for switches in (self.here.core.switches, self.here.desk.sim.switches, self.here.desk.phone):
                    for name, value in mishap.given.items():
                        if hasattr(switches, name):
                            setattr(switches, name, value)

    def _prepare(self, mishaps: list[Mishap]) -> None:
        """Arm what is to go wrong with the coming pulse."""
        for mishap in mishaps:
            given = mishap.given
            match mishap.kind:
                case "answer":
                    self._fault(mishap, given["vendor"], given["call"], ANSWERS[given["says"]], given["times"])
                case "away":
                    self._away(mishap)
                case "down":
                    self._struck(mishap)
                    self._down = given["beats"]
                case "jump":
                    self._struck(mishap)
                    self.here.pass_time(timedelta(minutes=given["minutes"]).total_seconds())
                case "person" if "point" not in given:
                    self._person(mishap)
                case "killed" | "second worker" | "stalled" | "person":
                    self._armed.setdefault(given["point"], []).append([given.get("nth", 1), mishap])

    def _fault(self, mishap: Mishap, vendor: str, path: str, fault: dict[str, Any], count: int) -> None:
        self.here.core.faults.add(vendor=vendor, path=path, count=count, **fault)
        self._struck(mishap)

    def _away(self, mishap: Mishap) -> None:
        since = self.here.now()
        until = since + timedelta(minutes=mishap.given["minutes"])
        self.here.core.faults.add(vendor=mishap.given["vendor"], kind="away", between=(since, until))
        self._struck(mishap)

    def _struck(self, mishap: Mishap) -> None:
        said = next((mishap.given[name] for name in ("says", "does", "come", "point") if name in mishap.given), "")
        self.verdict.struck[f"{mishap.kind} {said.partition(':')[0]}".strip()] += 1

    def _reached(self, process: Process, point: str) -> None:
        """A process came to a point: whatever is armed there happens now."""
        for armed in list(self._armed.get(point, ())):
            armed[0] -= 1
            if armed[0] == 0:
                self._armed[point].remove(armed)
                self._happens(armed[1], process, point)

    def _happens(self, mishap: Mishap, process: Process, point: str) -> None:
        self._struck(mishap)
        match mishap.kind:
            case "killed":
                process.kill(point)
            case "person":
                self._person(mishap, counted=True)
            case "stalled":
                self.here.pass_time(mishap.given["seconds"])
                self._another()
            case "second worker":
                self._another()

    def _another(self) -> None:
        """A second process of ours takes its turn while the first stands still."""
        other = Process(self.here)
        other.beat()
        other.close()

    def _person(self, mishap: Mishap, *, counted: bool = False) -> None:
        """Somebody acts, in a second of its own: a safe update cannot tell two changes of one second apart."""
        if not counted:
            self._struck(mishap)
        self._words += 1
        self.here.pass_time(1)
        with suppress(*IMPOSSIBLE):
            DEEDS[mishap.given["does"]](self.stage.desk, self.stage.tickets[mishap.given["to"]], f"word {self._words}")
        self.here.pass_time(1)


class Theatre:
    """A settled deployment of a story, and plays in forks of it."""

    def __init__(self, story: Story, folder: Path) -> None:
        self.story, self.folder = story, folder
        compiled: dict[Any, Any] = {}
        rehearsal, opening = (folder / f"{story.name} {part}.db" for part in ("rehearsal", "opening"))
        warm = settled(story.org, story.opens, rehearsal, compiled)
        with warm.simulated():
            Play(story, warm, ()).run()
        self.deployment = settled(story.org, story.opens, opening, compiled)
        gc.freeze()

    def play(self, schedule: Schedule, mutate: Callable[[], None] = lambda: None) -> Verdict:
        """Play in a fork; `mutate` changes the product there first. What breaks in the fork is a broken promise."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            with os.fdopen(writing, "wb") as out:
                pickle.dump(self._played(schedule, mutate), out)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as told:
            said = told.read()
        os.waitpid(child, 0)
        verdict: Verdict = pickle.loads(said)
        return verdict

    def _played(self, schedule: Schedule, mutate: Callable[[], None]) -> Verdict:
        here = self.folder / str(os.getpid())
        here.mkdir()
        try:
            self.deployment.move_store(here / "store.db")
            logging.disable()
            gc.disable()  # a short life
            with self.deployment.simulated():
                mutate()
                return Play(self.story, self.deployment, schedule).run()
        except BaseException:
            return Verdict(schedule, [f"broke: {traceback.format_exc()}"])
        finally:
            shutil.rmtree(here)


@contextmanager
def memory_folder() -> Iterator[Path]:
    """A folder for stores, in memory where the machine has such a place."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)
