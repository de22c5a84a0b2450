"""Handing a decision over: clocks, progress and actions into the store in one transaction, or nothing in a plan.

Before its first decision a policy says which rules it has: each acts on causes from then on.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from connectors.store import Applied
from flows.cases import Decided
from flows.context import Context
from mappings.model import Clock
from mappings.plan import Action, Limits


def begin(ctx: Context, policy: str, rules: Iterable[str]) -> Mapping[str, datetime]:
    """Since when each rule of a policy acts: from the first run that knew it, not from its first cause (`act_from`)."""
    names = list(rules)
    if ctx.plan_only:
        known = ctx.store.starts(policy)
        return {rule: known.get(rule, ctx.now()) for rule in names}
    return {rule: at for (_, rule), at in ctx.store.begin([(policy, rule) for rule in names], ctx.now()).items()}


def store_decision(
    ctx: Context,
    decided: Decided,
    *,
    decided_seq: int | None,
    clocks: Sequence[Clock] = (),
    actions: Sequence[Action] = (),
) -> None:
    """Store one decision of a policy and note in `decided` what was new. A plan only asks what would be new."""
    policy = decided.policy
    if ctx.plan_only:
        decided.add(actions, _states(ctx.store.preview(policy=policy, actions=actions, now=ctx.now())))
        return
    if not clocks and not actions and decided_seq is None:
        return
    applied = ctx.store.decide(
        policy=policy,
        decided_seq=decided_seq,
        now=ctx.now(),
        mode=ctx.mode(policy),
        clocks=clocks,
        actions=actions,
        fence=ctx.fence,
        limits=limits(ctx),
    )
    decided.add(actions, _states(applied))


def limits(ctx: Context) -> Limits:
    """How much a policy may do at once, as the profile says."""
    said = ctx.profile.limits
    return Limits(within=timedelta(seconds=said.within), other=said.other, most=said.most)


def _states(applied: Applied) -> dict[str, str]:
    named = {
        "planned": applied.planned,
        "shadow": applied.shadow,
        "baseline": applied.baseline,
        "not_connected": applied.not_connected,
        "held": applied.held,
    }
    return {key: state for state, keys in named.items() for key in keys}
