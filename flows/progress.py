"""How far a long read has come: told by the newest record read, on its way from the first one to now."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import msgspec
from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact

T = TypeVar("T")
LOOK = 2.0
"""Seconds between two looks at how far it is."""


class Progress(msgspec.Struct):
    """Which of its `parts` a read is at, how far it is through that, in words and as a percentage of it all."""

    until: datetime
    parts: tuple[str, ...]
    percent: float = 0.0
    words: str = ""
    began: dict[str, datetime] = {}

    def reached(self, part: str, times: Iterable[datetime]) -> None:
        """Note that records of these times were read."""
        known = sorted(times)
        if not known:
            return
        begin = self.began.setdefault(part, known[0])
        way = (self.until - begin).total_seconds()
        share = min((known[-1] - begin).total_seconds() / way, 1.0) if way > 0 else 1.0
        percent = 100 * (self.parts.index(part) + share) / len(self.parts)
        if percent > self.percent:
            self.percent, self.words = percent, f"{part} read up to {known[-1]:%Y-%m-%d %H:%M} UTC"


async def shown(progress: Progress, work: Callable[[], T], key: str) -> T:
    """Do the work in a thread; what takes long has its progress on the run's page meanwhile."""
    doing = asyncio.create_task(asyncio.to_thread(work))
    shown: UUID | None = None
    last = progress.percent
    while not (await asyncio.wait([doing], timeout=LOOK))[0]:
        if progress.percent == last:
            continue
        last = progress.percent
        if shown is None:
            shown = await acreate_progress_artifact(last, key=key, description=progress.words)
        else:
            await aupdate_progress_artifact(shown, last, description=progress.words)
    if shown is not None and doing.exception() is None:
        await aupdate_progress_artifact(shown, 100.0, description="read to the end")
    return await doing
