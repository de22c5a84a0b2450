"""The profile's rules at work: judged on the events of tickets that changed."""

from flows.cases import Decided, cases
from flows.context import Context
from flows.journal import store_decision
from mappings.policies.rules import POLICY, judge


def decide(ctx: Context) -> Decided:
    """Judge all rules on what changed; gives what was newly decided."""
    decided = Decided(POLICY)
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
