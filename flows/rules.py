"""The profile's rules at work: judged on the events of tickets that changed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from prefect import flow

from connectors.store import Store
from flows.account import know_account
from flows.cases import Case, Decided, cases, forgotten
from flows.context import Context
from flows.escalation import joined
from flows.journal import begin, store_decision
from flows.runs import Apply, decide_alone, run_name
from mappings.model import Status
from mappings.plan import ON_HOLD, Action, Mode
from mappings.policies import triage
from mappings.policies.escalation import MANUAL, asked
from mappings.policies.paging import over
from mappings.policies.rules import ALONE, ON_PROBLEM, POLICY, Around, arrivals, judge
from mappings.policies.sla.measures import Life
from mappings.policies.triage import withheld
from mappings.profile import Rule
from mappings.released import fit


def decide(ctx: Context) -> Decided:
    """Judge all rules on what changed; gives what was newly decided."""
    know_account(ctx)
    decided = Decided(POLICY)
    begin(ctx, POLICY, [*ctx.profile.rules, MANUAL])
    more = True
    while more:
        changed = ctx.store.changed(POLICY)
        more = changed.more and not ctx.plan_only
        if not changed.ticket_ids:
            continue
        looked = cases(ctx, changed.ticket_ids)
        released, came = ctx.store.released(POLICY), ctx.store.imported(changed.ticket_ids)
        around = beside(ctx.store, ctx.profile.rules.values(), [case.life for case in looked])
        actions = [action for case in looked for action in _judged(ctx, case, released, came, around)]
        decided.looked += len(looked)
        store_decision(ctx, decided, decided_seq=changed.through_seq, actions=joined(ctx, actions))
        if released and not ctx.plan_only:
            ctx.store.settle([case.record for case in looked if _free(case)], POLICY, keys=released)
    return decided


def _free(case: Case) -> bool:
    """May a ticket be acted on now? On one that is held, or lies in the bin, what was dropped waits."""
    ticket = case.life.history.ticket
    return ON_HOLD not in ticket.tags and ticket.status not in (Status.DELETED, Status.SPAM)


def beside(store: Store, rules: Collection[Rule], lives: Sequence[Life]) -> dict[int, Around]:
    """By ticket, the others that it is judged beside; nothing is asked where none of the rules counts them."""
    spans = [rule.within for rule in rules if rule.within is not None]
    asked = {life.history.ticket.id: arrivals(life) if spans else [] for life in lives}
    times = {one for arrived in asked.values() for one in arrived}
    of_companies = store.of_companies(times, timedelta(seconds=max(spans))) if spans else {}
    counted = any(ON_PROBLEM & set(rule.when) for rule in rules)
    on_problems = store.on_problems(list(asked)) if counted else {}
    shared: dict[tuple[int, ...], Around] = {}
    found: dict[int, Around] = {}
    for id, arrived in asked.items():
        companies = tuple(sorted({company for company, _ in arrived}))
        if companies and companies not in shared:
            shared[companies] = Around(tuple(one for company in companies for one in of_companies.get(company, ())))
        around, others = shared.get(companies, ALONE), on_problems.get(id, ())
        if others:
            found[id] = Around(tuple({one.id: one for one in (*around.neighbours, *others)}.values()))
        elif around.neighbours:
            found[id] = around
    return found


def _judged(
    ctx: Context,
    case: Case,
    released: Collection[str],
    came: Mapping[int, datetime],
    around: Mapping[int, Around],
) -> Iterator[Action]:
    """What the rules want done for a ticket; of what an operator released, what still makes sense."""
    id, there = case.life.history.ticket.id, () if ctx.reading is None else ctx.reading.fields.values()
    confirming = ctx.mode(triage.POLICY) is Mode.APPLY and "working" in there
    at = came.get(id)
    judged = judge(case.life, ctx.profile, ctx.replies, link=ctx.ticket_link, around=around.get(id, ALONE))
    for action in [*judged, *asked(case.life, ctx.profile, policy=POLICY, link=ctx.ticket_link)]:
        if over(case.life, action.change):
            continue
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
