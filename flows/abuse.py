"""Abusive conduct at work: flags go to those who decide, their decisions are carried out, restrictions end in time.

Who may decide is asked at Zendesk when a decision is first seen; what the journal holds of it is the answer from then
on. Where Zendesk cannot be asked, the decision waits.
"""

from collections.abc import Iterable, Sequence

from prefect import flow

from connectors.errors import ConnectorError
from connectors.store import OutboxRow, OutboxState
from flows.account import know_account
from flows.audits import look_again
from flows.cases import Case, Decided, cases, forgotten
from flows.context import Context, log
from flows.journal import begin, store_decision
from flows.managers import managers
from flows.runs import Apply, decide_alone, run_name
from mappings.model import Actor, Company
from mappings.plan import ON_HOLD, Action, CompanyChange
from mappings.policies.abuse.acting import DECIDED, FLAGGED, Known, conduct
from mappings.policies.abuse.companies import OVER, POLICY, Entry, day, lift, record_of
from mappings.policies.abuse.flags import decisions
from mappings.policies.sla.measures import Life

LOOK = 100
_WAITS = (
    OutboxState.PLANNED,
    OutboxState.SENDING,
    OutboxState.UNKNOWN,
    OutboxState.FAILED,
    OutboxState.HELD,
)


def decide(ctx: Context) -> Decided:
    """Look at flagged tickets that changed, and at restrictions that are over; gives what was newly decided."""
    know_account(ctx)
    decided = Decided(POLICY)
    begin(ctx, POLICY, [FLAGGED, DECIDED, OVER])
    if ctx.zendesk is None or ctx.reading is None:
        return decided
    try:
        _changed(ctx, decided)
        _again(ctx, decided)
    except ConnectorError as error:  # nothing is decided on half of what is known: the same tickets come up again
        log.warning("abuse: flagged tickets wait: %s", error)
    over = ctx.store.restricted_before(day(ctx.now(), ctx.profile))
    store_decision(ctx, decided, decided_seq=None, actions=[lift(company, ctx.profile) for company in over])
    if not ctx.plan_only:
        ctx.store.erase_evidence(ctx.now())
    return decided


def _changed(ctx: Context, decided: Decided) -> None:
    more = True
    while more:
        changed = ctx.store.changed(POLICY)
        more = changed.more and not ctx.plan_only
        if changed.ticket_ids:
            looked = _whole(ctx, ctx.store.flagged(changed.ticket_ids))
            decided.looked += len(looked)
            store_decision(ctx, decided, decided_seq=changed.through_seq, actions=_conduct(ctx, looked))


def _again(ctx: Context, decided: Decided) -> None:
    """Decide anew what was dropped because somebody changed its company; what an operator released comes here too."""
    again = ctx.store.again(POLICY)
    if not again or ctx.plan_only:
        return
    looked = _whole(ctx, sorted({_ticket_of(record, key) for record, keys in again.items() for key in keys} - {0}))
    store_decision(ctx, decided, decided_seq=None, actions=_conduct(ctx, looked))
    held = {case.record for case in looked if ON_HOLD in case.life.history.ticket.tags}
    ctx.store.settle(again.keys() - held, POLICY)


def _ticket_of(record: str, key: str) -> int:
    """The ticket that an action is about: its record, or for a company's the last but one part of its key."""
    if record.count(":") == 1:
        return int(record.partition(":")[2])
    named = key.split(":")[-2]
    return int(named) if not key.startswith("abuse:lift:") else 0


def _whole(ctx: Context, ids: Sequence[int]) -> list[Case]:
    """Flagged tickets with all that happened to them, whatever the events' export still hides."""
    found = cases(ctx, ids)
    half = [case.life.history.ticket.id for case in found if not case.life.history.complete]
    if not half or ctx.plan_only:
        return found
    for start in range(0, len(half), LOOK):
        look_again(ctx, half[start : start + LOOK])
    return cases(ctx, ids)


def _conduct(ctx: Context, looked: Sequence[Case]) -> list[Action]:
    """What these tickets' flags and decisions ask for; of one company's, later ones count on from earlier ones."""
    assert ctx.reading is not None
    came = ctx.store.imported([case.life.history.ticket.id for case in looked])
    kept: dict[int, list[Entry]] = {}
    actions: list[Action] = []
    for case in looked:
        ticket, company = case.life.history.ticket, case.life.history.company
        taken, bosses = _judged(ctx, case)
        before = kept.setdefault(company.id, _entries(ctx, company)) if company is not None else []
        known = Known(
            managers=taken,
            names=ctx.reading.agents,
            before=before,
            proof=ctx.store.proof(case.record),
            bosses=bosses,
            link=ctx.ticket_link(ticket.id),
        )
        wanted = conduct(case.life, ctx.profile, ctx.replies, known)
        if (at := came.get(ticket.id)) is not None:
            wanted = [forgotten(action, at) for action in wanted]
        before += _new_entries(wanted, before)
        actions += wanted
    return actions


def _judged(ctx: Context, case: Case) -> tuple[dict[str, bool], frozenset[int]]:
    """By each decision's cause, whether a manager took it; and the managers among those who were asked about."""
    found = journalled(ctx, case.life)
    open_ = [one for one in decisions(case.life.line) if one.cause not in found]
    people = {id for one in open_ for id in (one.by, one.emptied) if id is not None and one.actor is Actor.AGENT}
    bosses = managers(ctx, people)
    return found | {one.cause: one.by in bosses for one in open_}, bosses


def journalled(ctx: Context, life: Life) -> dict[str, bool]:
    """By each decision's cause, whether a manager took it, as far as the journal holds the answer."""
    record = f"zendesk:{life.history.ticket.id}"
    keys = {row.action.key for row in ctx.store.outbox(record=record, policy=POLICY)}
    answers = {"decide": True, "refuse": False}
    return {
        one.cause: answer
        for one in decisions(life.line)
        for verb, answer in answers.items()
        if f"abuse:{verb}:{record}:{one.cause}" in keys
    }


def _entries(ctx: Context, company: Company) -> list[Entry]:
    """What the journal holds of a company's fields, oldest first; what was dropped or only looked at says nothing."""
    rows = ctx.store.journal(record_of(company))
    return [entry for row in rows if (entry := _entry(row)) is not None]


def _entry(row: OutboxRow) -> Entry | None:
    change = row.action.change
    if not isinstance(change, CompanyChange) or row.state not in (*_WAITS, OutboxState.DONE):
        return None
    return Entry(row.action.key, dict(change.fields), done=row.state is OutboxState.DONE)


def _new_entries(wanted: Iterable[Action], before: Sequence[Entry]) -> list[Entry]:
    known = {entry.key for entry in before}
    return [
        Entry(action.key, dict(action.change.fields), done=False)
        for action in wanted
        if isinstance(action.change, CompanyChange) and action.key not in known
    ]


@flow(name="abuse", flow_run_name=run_name, persist_result=False)
async def abuse(mode: Apply = Apply.PLAN) -> str:
    """Take flags of abusive conduct to those who decide, carry out their decisions, and end restrictions in time.

    Decides on what was read last, and reads flagged tickets whole. The next pulse delivers what is decided.

    Args:
        mode: "plan only" shows what would be decided and changes nothing. "apply" puts it into the outbox.
    """
    return await decide_alone(mode, POLICY, decide)
