"""The SLA policy at work: replay the clocks of tickets that changed, then act on those that are near or late.

Before acting on lateness it looks again: candidates are fetched fresh, a hundred a call, and one that changed is read
from its audits and decided anew (design §4). A Zendesk that cannot be reached makes us wait.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from prefect import flow

from connectors.errors import ConnectorError
from connectors.store import OutboxState
from flows.account import know_account
from flows.audits import look_again
from flows.cases import Case, Decided, cases
from flows.context import Context, log
from flows.journal import begin, store_decision
from flows.runs import Apply, decide_alone, run_name
from mappings.model import Clock
from mappings.plan import Action
from mappings.policies.sla.clocks import clocks
from mappings.policies.sla.fields import FIELDS, upkeep
from mappings.policies.sla.lateness import POLICY, notice

LOOK = 100
"""Candidates a call: what `show_many` takes."""


def decide(ctx: Context) -> Decided:
    """Look at what changed, then at what is due; gives what was newly decided."""
    know_account(ctx)
    decided = Decided(POLICY)
    since = begin(ctx, POLICY, [*ctx.profile.targets, FIELDS])[FIELDS]
    if not ctx.plan_only:
        ctx.store.look_again(ctx.profile.version)
    more = True
    while more:
        changed = ctx.store.changed(POLICY)
        more = changed.more and not ctx.plan_only
        if changed.ticket_ids:
            _replay(ctx, cases(ctx, changed.ticket_ids), changed.through_seq, decided, since)
    _notice(ctx, decided)
    return decided


def _replay(ctx: Context, looked: Sequence[Case], through: int, decided: Decided, since: datetime) -> None:
    """Bring clocks and ticket fields of changed tickets up to date; fields only of what was touched `since`."""
    moved: list[Clock] = []
    actions: list[Action] = []
    released = ctx.store.released(POLICY)
    for case in looked:
        fresh = _clocks(ctx, case)
        moved += _differing(fresh, case.stored)
        wanted = upkeep(case.life, fresh, ctx.profile)
        actions += [action for action in wanted if action.cause_at >= since or action.key in released]
    decided.looked += len(looked)
    store_decision(ctx, decided, decided_seq=through, clocks=moved, actions=actions)


def _notice(ctx: Context, decided: Decided) -> None:
    """Warn and escalate: clocks that crossed a mark, and decisions whose ticket changed under them."""
    now = ctx.now()
    again = ctx.store.again(POLICY)
    due = ctx.store.due_clocks(now, limit=5000)
    unacknowledged = {_ticket_id(clock.record) for clock in due if clock.measure == "ack"}
    records = list(dict.fromkeys([clock.record for clock in due] + list(again)))
    for start in range(0, len(records), LOOK):
        ids = [_ticket_id(record) for record in records[start : start + LOOK]]
        try:
            fresh = look_again(ctx, ids, whole=unacknowledged.intersection(ids))
        except ConnectorError as error:
            log.warning("sla: %d late tickets wait: %s", len(records) - start, error)
            return
        _act(ctx, cases(ctx, fresh), now, again, decided)


def _act(ctx: Context, looked: Sequence[Case], now: datetime, again: dict[str, set[str]], decided: Decided) -> None:
    stepped = _stepped(ctx, [case.record for case in looked])
    moved: list[Clock] = []
    actions: list[Action] = []
    settled: set[str] = set()
    for case in looked:
        fresh = _clocks(ctx, case)
        found = notice(
            case.life,
            fresh,
            ctx.profile,
            now,
            stepped=stepped.get(case.record, frozenset()),
            again=again.get(case.record, set()),
        )
        noticed = {clock.key: clock for clock in found.clocks}
        moved += _differing([noticed.get(clock.key, clock) for clock in fresh], case.stored)
        actions += found.actions
        if not found.waits:
            settled.add(case.record)
    decided.looked += len(looked)
    store_decision(ctx, decided, decided_seq=None, clocks=moved, actions=actions)
    if not ctx.plan_only:
        ctx.store.settle(settled & set(again), POLICY)


def _clocks(ctx: Context, case: Case) -> list[Clock]:
    return clocks(case.life, ctx.profile, stored=case.stored)


def _differing(fresh: Iterable[Clock], stored: Iterable[Clock]) -> list[Clock]:
    known = {clock.key: clock for clock in stored}
    return [clock for clock in fresh if known.get(clock.key) != clock]


def _stepped(ctx: Context, records: Sequence[str]) -> dict[str, frozenset[str]]:
    """The stays from which a step up was already taken or is under way, by record."""
    found: dict[str, frozenset[str]] = {}
    under_way = (OutboxState.PLANNED, OutboxState.SENDING, OutboxState.UNKNOWN, OutboxState.DONE)
    for row in ctx.store.acted(records, "escalate", under_way):
        stay = row.action.reason.facts.get("stay")
        if stay is not None:
            found[row.action.record] = found.get(row.action.record, frozenset()) | {stay}
    return found


def _ticket_id(record: str) -> int:
    return int(record.partition(":")[2])


@flow(name="sla", flow_run_name=run_name, persist_result=False)
async def sla(mode: Apply = Apply.PLAN) -> str:
    """Judge the clocks of tickets that changed, and those that are near their due time or late.

    Decides on what was read last, and looks again at late tickets. The next pulse delivers what is decided.

    Args:
        mode: "plan only" shows what would be decided and changes nothing. "apply" puts it into the outbox.
    """
    return await decide_alone(mode, POLICY, decide)
