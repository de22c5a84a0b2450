"""Asynchronous jobs: queued, working, over; unordered results, and rows that fail inside a job that succeeds (§1.8)."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.zendesk.account import Account
from connectors.sandbox.zendesk.errors import Refusal
from connectors.sandbox.zendesk.records import Json
from connectors.sandbox.zendesk.switches import ZendeskSwitches
from connectors.sandbox.zendesk.texts import iso

DAY = 86_400


class BrokenDown(Exception):
    """A record's work that takes its whole job down."""


Row = Callable[[], Json]
"""One record's work: does it and returns its result, or the failure's result. Raises BrokenDown, and nothing else."""


@dataclass
class Job:
    """A job and how far it has got. `kind` is the vendor's class name, `doing` what `message` says of each record.

    `job_type` is what the answer shows; where it is null the key is missing, as recorded answers show both.
    """

    id: str
    kind: str
    doing: str
    rows: list[Row]
    created_at: int
    total: int | None
    job_type: str | None = None
    status: str = "queued"
    done: int = 0
    looks: int = 0
    results: list[Json] = field(default_factory=list)
    outcome: Json | None = None
    finished_at: int | None = None


@dataclass
class Jobs:
    """The account's job queue."""

    account: Account
    switches: ZendeskSwitches
    chance: random.Random
    schedule: Callable[[int, Callable[[], None]], None]
    seconds: Callable[[], float]
    limited: Callable[[], bool]
    _jobs: dict[str, Job] = field(default_factory=dict)

    def queue(
        self,
        kind: str,
        doing: str,
        rows: Sequence[Row],
        *,
        job_type: str | None = None,
        outcome: Json | None = None,
    ) -> Job:
        """Queue a job; Refusal (429 TooManyJobs) where too many are on their way."""
        running = [job.id for job in self._jobs.values() if job.finished_at is None]
        if self.limited() and len(running) >= self.switches.queued_jobs:
            text = f"Too many {kind} jobs are currently queued or running. Try again later."
            body: Json = {"error": "TooManyJobs", "description": text, "current_job_ids": running}
            raise Refusal(429, body, {"retry-after": "60"} if self.switches.retry_after else {})
        job = Job(
            id=f"V3-{self.chance.getrandbits(128):032x}",
            kind=kind,
            doing=doing,
            rows=list(rows),
            created_at=self.account.now(),
            total=None if outcome is not None else len(rows),
            job_type=job_type,
            outcome=outcome,
        )
        self._jobs[job.id] = job
        self.schedule(job.created_at + round(self.seconds()), lambda: self._work(job, len(job.rows)))
        return job

    def find(self, id: str) -> Job | None:
        """A job by its id; null for an unknown one, and after a day."""
        job = self._jobs.get(id)
        if job is None or self.account.now() > job.created_at + DAY:
            return None
        return job

    def look(self, job: Job) -> Job:
        """Somebody asks how far a job is: where the clock stands still, looking is what moves it on."""
        if job.finished_at is None:
            job.looks += 1
            share = job.looks / max(1, self.switches.job_looks)
            self._work(job, int(len(job.rows) * min(1.0, share)), over=share >= 1)
        return job

    def _work(self, job: Job, upto: int, *, over: bool = True) -> None:
        if job.finished_at is not None:
            return
        job.status = "working"
        breaks_at = self.switches.job_breaks_at
        while job.done < upto:
            try:
                if breaks_at and job.done == breaks_at - 1:
                    raise BrokenDown
                job.results.append(job.rows[job.done]())
            except BrokenDown:
                job.status, job.finished_at, job.results = "failed", self.account.now(), []
                return
            job.done += 1
        if over and job.done == len(job.rows):
            job.status, job.finished_at = "completed", self.account.now()
            job.rows = []
            self.chance.shuffle(job.results)

    def show(self, job: Job, base: str) -> Json:
        """A job as the API prints it."""
        done = job.status == "completed"
        working = f"{job.doing} #{job.done}"
        at = iso(job.finished_at or 0).replace("T", " ").replace("Z", " +0000")
        message = f"Completed at {at}" if done else (working if job.status == "working" else None)
        results: Any = (job.outcome or job.results) if done else None
        row: Json = {"id": job.id, "url": f"{base}/api/v2/job_statuses/{job.id}.json"}
        row |= {"job_type": job.job_type} if job.job_type else {}
        row |= {"total": job.total, "progress": job.done or None, "status": job.status}
        row |= {"message": message, "results": results}
        return row
