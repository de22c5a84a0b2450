"""What an operator says, as forms on Prefect's page: approve, pause, resume, adopt, restored.

Each calls the function that the command line calls (flows/operations.py). None of them calls a tool or takes the lease:
they change what the next pulse may do.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from prefect.runtime import flow_run
from prefect.states import Completed

from connectors.clock import domain_clock
from connectors.store import OutboxState, Store
from flows import operations, restore
from flows.operations import Told
from flows.runs import Apply, office, run_name, show_log
from flows.settings import read_settings

Work = Callable[[Store, datetime], Told]


class Answer(StrEnum):
    """What becomes of a held batch."""

    RELEASE = "release"
    REFUSE = "refuse"


class Scope(StrEnum):
    """What can be paused."""

    ALL = "all"
    TRIAGE = "triage"
    SLA = "sla"
    RULES = "rules"
    PAGING = "paging"
    ABUSE = "abuse"
    ZENDESK = "zendesk"
    PAGERDUTY = "pagerduty"
    SLACK = "slack"
    MAIL = "mail"


class Policy(StrEnum):
    """Whose actions are adopted."""

    ANY = "any"
    TRIAGE = "triage"
    SLA = "sla"
    RULES = "rules"
    PAGING = "paging"
    ABUSE = "abuse"


@flow(name="approve", flow_run_name=run_name, persist_result=False)
async def approve(mode: Apply = Apply.PLAN, batch: str = "", answer: Answer = Answer.RELEASE) -> str:
    """Release or drop a batch that a limit held back, or show what is held.

    What is released is looked at again by the next pulse, which does what still holds.

    Args:
        mode: "plan only" shows what is held back, for which tickets and why. "apply" releases or drops the batch.
        batch: The batch's hash, as the page of a pulse and "plan only" show it.
        answer: "release" has it done. "refuse" drops it for good.
    """

    def work(store: Store, now: datetime) -> Told:
        if mode is Apply.PLAN:
            return operations.waiting(store)
        return operations.settle(store, now, batch.strip(), refuse=answer is Answer.REFUSE)

    return await _say(work)


@flow(name="pause", flow_run_name=run_name, persist_result=False)
async def pause(mode: Apply = Apply.PLAN, scope: Scope = Scope.ALL, record: str = "") -> str:
    """Stop deliveries before the next batch; reading and deciding go on.

    Args:
        mode: "plan only" shows what is paused now. "apply" pauses.
        scope: What is paused: everything, one policy, or one tool.
        record: Only this ticket, for example zendesk:123, and not the scope above.
    """

    def work(store: Store, now: datetime) -> Told:
        if mode is Apply.PLAN:
            return operations.paused(store)
        return operations.pause(store, now, record.strip() or scope.value)

    return await _say(work)


@flow(name="resume", flow_run_name=run_name, persist_result=False)
async def resume(mode: Apply = Apply.PLAN, scope: Scope = Scope.ALL, record: str = "", keep: bool = False) -> str:
    """End a pause. What was planned until then is put aside and not sent, unless it is kept.

    Args:
        mode: "plan only" shows what is paused now. "apply" ends the pause.
        scope: What was paused: everything, one policy, or one tool.
        record: Only this ticket, for example zendesk:123, and not the scope above.
        keep: Send what was planned before, after all.
    """

    def work(store: Store, now: datetime) -> Told:
        if mode is Apply.PLAN:
            return operations.paused(store)
        return operations.resume(store, now, record.strip() or scope.value, keep=keep)

    return await _say(work)


@flow(name="adopt", flow_run_name=run_name, persist_result=False)
async def adopt(
    mode: Apply = Apply.PLAN,
    policy: Policy = Policy.ANY,
    rule: str = "",
    verb: str = "",
    record: str = "",
    since: datetime | None = None,
) -> str:
    """Release actions whose cause came before their rule acted, after looking at their tickets again.

    Args:
        mode: "plan only" shows what there is, by rule, with its age. "apply" releases all that is chosen below.
        policy: Only what this policy decided.
        rule: Only of this rule or target, by its name in the profile.
        verb: Only this kind of action, for example escalate.
        record: Only this ticket, for example zendesk:123.
        since: Only what was caused at this time or later.
    """
    at = None if since is None else since.replace(tzinfo=since.tzinfo or UTC)
    chosen: dict[str, Any] = {"rule": rule.strip() or None, "verb": verb.strip() or None, "since": at}
    chosen |= {"record": record.strip() or None, "policy": None if policy is Policy.ANY else policy.value}

    def work(store: Store, now: datetime) -> Told:
        if mode is Apply.APPLY:
            return operations.adopt(store, now, **chosen)
        link = operations.linked(read_settings().zendesk_url)
        return operations.summary(store, OutboxState.BASELINE, link=link, **chosen)

    return await _say(work)


@flow(name="restored", flow_run_name=run_name, persist_result=False)
async def restored(mode: Apply = Apply.PLAN) -> str:
    """Say that the database was put back from a backup, so that nothing goes out twice.

    A pulse notices it by itself after a gap, where Zendesk shows what we did since the backup.

    Args:
        mode: "plan only" changes nothing. "apply" has all rules act on causes from now on, and puts aside what waits.
    """

    def work(store: Store, now: datetime) -> Told:
        if mode is Apply.PLAN:
            return operations.summary(store, OutboxState.PLANNED)
        return restore.start_anew(store, now)

    return await _say(work)


async def _say(work: Work) -> str:
    """Do it in a thread; the run's page shows what it came to, and its state the first line of it."""
    show_log()
    told = await asyncio.to_thread(_done, work)
    first = told.text.partition("\n")[0]
    await acreate_markdown_artifact(f"```\n{told.text}\n```", key=str(flow_run.flow_name), description=first)
    return cast(str, Completed(message=first, data=told.text))


def _done(work: Work) -> Told:
    settings = read_settings()
    store = Store.open(settings.database_url, profile=office(settings).key)
    try:
        return work(store, domain_clock(settings.clock_url)())
    finally:
        store.close()
