"""The profile's rules at work: judged on the events of tickets that changed."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from prefect import flow

from flows.account import know_account
from flows.cases import Case, Decided, cases, forgotten
from flows.context import Context
from flows.journal import begin, store_decision
from flows.runs import Apply, decide_alone, run_name
from mappings.model import Status
from mappings.plan import ON_HOLD, Action, Mode
from mappings.policies import triage
from mappings.policies.rules import POLICY, judge
from mappings.policies.triage import withheld
from mappings.released import fit


def decide(ctx: Context) -> Decided:
    """Judge all rules on what changed; gives what was newly decided."""
    know_account(ctx)
    decided = Decided(POLICY)
    begin(ctx, POLICY, ctx.profile.rules)
    more = True
    while more:
        changed = ctx.store.changed(POLICY)
        more = changed.more and not ctx.plan_only
        if not changed.ticket_ids:
            continue
        looked = cases(ctx, changed.ticket_ids)
        released, came = ctx.store.released(POLICY), ctx.store.imported(changed.ticket_ids)
        actions = [action for case in looked for action in _judged(ctx, case, released, came)]
        decided.looked += len(looked)
        store_decision(ctx, decided, decided_seq=changed.through_seq, actions=actions)
        if released and not ctx.plan_only:
            ctx.store.settle([case.record for case in looked if _free(case)], POLICY)
    return decided


def _free(case: Case) -> bool:
    """May a ticket be acted on now? On one that is held, or lies in the bin, what was dropped waits."""
    ticket = case.life.history.ticket
    return ON_HOLD not in ticket.tags and ticket.status not in (Status.DELETED, Status.SPAM)


def _judged(ctx: Context, case: Case, released: Collection[str], came: Mapping[int, datetime]) -> Iterator[Action]:
    """What the rules want done for a ticket; of what an operator released, what still makes sense."""
    at, confirming = came.get(case.life.history.ticket.id), ctx.mode(triage.POLICY) is Mode.APPLY
    for action in judge(case.life, ctx.profile, ctx.replies, link=ctx.ticket_link):
        if confirming and withheld(action, case.life, ctx.profile, ctx.now()):
            continue  # looked at again when the answer comes, or the time for it is over
        meant = fit(action, case.life) if action.key in released else action
        if meant is not None:
            yield meant if at is None else forgotten(meant, at)


@flow(name="rules", flow_run_name=run_name, persist_result=False)
async def rules(mode: Apply = Apply.PLAN) -> str:
    """Judge the profile's rules on tickets that changed.

    Decides on what was read last. The next pulse delivers what is decided.

    Args:
        mode: "plan only" shows what would be decided and changes nothing. "apply" puts it into the outbox.
    """
    return await decide_alone(mode, POLICY, decide)
