"""What all runs in Prefect share: the words of their forms, their names, their steps, and what they tell.

A flow is a plain function with a page. The same function runs without Prefect (`helpdesk run`), and Prefect keeps
nothing that must not be lost.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from enum import StrEnum
from functools import cache
from typing import TypeVar, cast

from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.logging.handlers import APILogHandler
from prefect.runtime import flow_run
from prefect.states import Completed

from connectors.clock import domain_clock
from flows.cases import Decided
from flows.context import Context, log, open_context
from flows.lease import leased
from flows.profiles import read_profile
from flows.report import Pulse, decided_lines, page, worth_telling
from flows.restore import kept_from
from flows.settings import Settings, read_settings
from mappings.profile import Profile

T = TypeVar("T")
Steps = Callable[[Context, Pulse], Awaitable[None]]


class Apply(StrEnum):
    """What a run does with its decisions."""

    APPLY = "apply"
    PLAN = "plan only"


@cache
def office(settings: Settings) -> Profile:
    """The profile that this process serves, read once: the run's name needs it before the run does."""
    return read_profile(settings.profile, settings.config_dir)


def run_name() -> str:
    """What a run is called in lists: `Tue 3 Mar 10:13 pulse (apply)`, `… simulate (30 days)`, in the office's time."""
    settings, asked = read_settings(), flow_run.parameters
    mode = Apply.PLAN if asked.get("mode") == Apply.PLAN else settings.mode
    days = f"{asked['days']} days" if "days" in asked else mode
    says = f"{flow_run.flow_name} ({asked.get('tool', days)})"
    try:
        local = domain_clock(settings.clock_url)().astimezone(office(settings).zone)
    except Exception:  # a name is never why a run fails: what is wrong here, the run itself says
        return says
    return f"{local:%a} {local.day} {local:%b %H:%M} {says}"


def show_log() -> None:
    """Let our log lines appear on the page of the run, or of the task, that they belong to."""
    log.setLevel(logging.INFO)
    if not any(isinstance(handler, APILogHandler) for handler in log.handlers):
        log.addHandler(APILogHandler())


def step(
    name: str, ctx: Context, work: Callable[[Context], T], lines: Callable[[T], Iterable[str]] | None = None
) -> Awaitable[T]:
    """A step of a run as a Prefect task in a thread: the run's page shows how long it took, its log what came of it."""

    def told() -> T:
        result = work(ctx)
        for line in lines(result) if lines else ():
            log.info(line)
        return result

    @task(name=name, task_run_name=name, persist_result=False)
    async def take() -> T:
        return await asyncio.to_thread(told)

    return take()


async def run(mode: Apply, steps: Steps, *, alone: bool = True) -> str:
    """Take the steps in a world opened once, `alone` under the lease, and tell what came of it; gives the sentence.

    There is a page where something was decided, delivered or went wrong, and once an hour.
    """
    show_log()
    settings = read_settings()
    with open_context(settings, profile=office(settings), plan_only=mode is Apply.PLAN) as ctx:
        found = Pulse(at=ctx.now())
        try:
            if alone:
                with leased(ctx, found) as ours:
                    if ours:
                        await steps(ctx, found)
            else:
                await steps(ctx, found)
        finally:
            if worth_telling(found):
                text = page(ctx, found, title=flow_run.flow_name or "Run")
                await acreate_markdown_artifact(text, key=flow_run.flow_name, description=found.sentence())
    return _finished(found)


def _finished(found: Pulse) -> str:
    """How a run ends: Prefect shows the sentence beside the state, and gives it to whoever called the flow."""
    said = found.sentence()
    return cast(str, Completed(name="Skipped" if found.skipped else None, message=said, data=said))


async def decide_alone(mode: Apply, policy: str, work: Callable[[Context], Decided]) -> str:
    """One policy by itself: it decides on what the store holds, and the next pulse delivers."""

    async def steps(ctx: Context, found: Pulse) -> None:
        found.skipped = kept_from(ctx)
        if found.skipped is None:
            found.decided = [await step(f"decide {policy}", ctx, work, decided_lines)]

    return await run(mode, steps)
