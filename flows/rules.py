"""The profile's rules at work: judged on the events of tickets that changed."""

from prefect import flow

from flows.account import know_account
from flows.cases import Decided, cases
from flows.context import Context
from flows.journal import begin, store_decision
from flows.runs import Apply, decide_alone, run_name
from mappings.policies.rules import POLICY, judge


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
        actions = [
            action for case in looked for action in judge(case.life, ctx.profile, ctx.replies, link=ctx.ticket_link)
        ]
        decided.looked += len(looked)
        store_decision(ctx, decided, decided_seq=changed.through_seq, actions=actions)
    return decided


@flow(name="rules", flow_run_name=run_name, persist_result=False)
async def rules(mode: Apply = Apply.PLAN) -> str:
    """Judge the profile's rules on tickets that changed.

    Decides on what was read last. The next pulse delivers what is decided.

    Args:
        mode: "plan only" shows what would be decided and changes nothing. "apply" puts it into the outbox.
    """
    return await decide_alone(mode, POLICY, decide)
