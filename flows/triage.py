"""Triage at work: what new and changed tickets are, where they go, and who is asked before somebody is paged."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from prefect import flow

from connectors.errors import ConnectorError
from flows.account import know_account
from flows.audits import read_each
from flows.cases import Case, Decided, came_with_a_past, cases
from flows.context import Context, log
from flows.journal import begin, store_decision
from flows.runs import Apply, decide_alone, run_name
from mappings.plan import Action, TicketChange
from mappings.policies.triage import (
    ASSIGNMENT,
    CONFIRMATION,
    NO_AGENT_FREE,
    POLICY,
    TRIAGE,
    Staff,
    answer,
    claim,
    deadline,
)
from mappings.policies.triage import triage as decisions
from mappings.timeline import UNREAD
from mappings.zendesk import said_by

AGAIN = timedelta(minutes=10)
"""How often a ticket for which nobody was free is looked at again."""


def decide(ctx: Context) -> Decided:
    """Triage what changed, and what waits for an answer or an agent; gives what was newly decided."""
    know_account(ctx)
    decided = Decided(POLICY)
    since = min(begin(ctx, POLICY, [TRIAGE, ASSIGNMENT, CONFIRMATION]).values())
    before = ctx.store.known_through()
    if not ctx.plan_only:
        ctx.store.wake(ctx.now())
    staff: Staff | None = None
    more = True
    while more:
        changed = ctx.store.changed(POLICY)
        more = changed.more and not ctx.plan_only
        if not changed.ticket_ids:
            continue
        looked = _looked(ctx, ctx.store.touched_since(changed.ticket_ids, since))
        staff = staff or (_staff(ctx) if looked else None)
        actions: list[Action] = []
        for case in looked:
            assert staff is not None
            found = [action for action in _triaged(ctx, case, staff, before) if action.cause_at >= since]
            staff = _given(staff, found)
            actions += found
        decided.looked += len(looked)
        store_decision(ctx, decided, decided_seq=changed.through_seq, actions=actions)
        _after(ctx, looked, actions)
    return decided


def _looked(ctx: Context, ids: Sequence[int]) -> list[Case]:
    """The cases; what became critical in an update that the exports still hide is read from its audits."""
    looked = cases(ctx, ids)
    hidden = [case.life.history.ticket.id for case in looked if _newly_critical(ctx, case)]
    if not hidden or ctx.zendesk is None:
        return looked
    try:
        read_each(ctx, hidden)
    except ConnectorError as error:
        log.warning("triage: who made %d tickets critical waits: %s", len(hidden), error)
    return cases(ctx, ids)


def _newly_critical(ctx: Context, case: Case) -> bool:
    critical = {key for key, severity in ctx.profile.severities.items() if severity.critical}
    return any(step.cause == UNREAD and step.new in critical for step in case.life.line.of("severity"))


def _staff(ctx: Context) -> Staff:
    """The agents as the account lists them, with what each has to do; nobody where the account is not known yet."""
    reading = ctx.reading
    if reading is None:
        return Staff()
    groups = ctx.groups
    hands = reading.agents.keys() - reading.us - reading.bots
    return Staff(
        groups=groups,
        members={groups[id]: reading.members.get(id, frozenset()) & hands for id in groups},
        specialties=reading.specialties,
        absent=reading.absent,
        loads=ctx.store.loads(),
    )


def _triaged(ctx: Context, case: Case, staff: Staff, before: datetime | None) -> list[Action]:
    """What is decided for one ticket; nothing on what came with a past of its own."""
    ticket_id = case.life.history.ticket.id
    if ctx.reading is None or came_with_a_past(case, before):
        return []
    there, lacking = frozenset(ctx.reading.fields.values()), ctx.reading.lacking
    said = _replied(ctx, case)
    found = decisions(case.life, ctx.profile, staff, ctx.replies, ctx.now(), fields=there, lacking=lacking, said=said)
    came = ctx.store.imported([ticket_id]).get(ticket_id) if found else None
    return [action for action in found if came is None or action.cause_at >= came]


def _replied(ctx: Context, case: Case) -> str | None:
    """What the customer wrote since they were asked, where the question is open; a call for each such ticket."""
    ticket, claimed = case.life.history.ticket, claim(case.life, ctx.profile)
    waits = deadline(case.life, ctx.profile, ctx.now()) is not None
    if ctx.zendesk is None or claimed is None or not waits or ticket.requester_id is None:
        return None
    if ticket.updated_at <= claimed.at:
        return None
    try:
        pages = ctx.zendesk.comments(ticket.id)
    except ConnectorError as error:
        log.warning("triage: %s: what its customer replied waits: %s", case.record, error)
        return None
    texts = [text for page in pages for at, text in said_by(page, ticket.requester_id) if at > claimed.at]
    return next((said for text in reversed(texts) if (said := answer(text)) is not None), None)


def _given(staff: Staff, actions: Sequence[Action]) -> Staff:
    for action in actions:
        if isinstance(action.change, TicketChange) and action.change.assignee_id is not None:
            staff = staff.given(action.change.assignee_id)
    return staff


def _after(ctx: Context, looked: Sequence[Case], actions: Sequence[Action]) -> None:
    """Note when to look again, and that what was dropped was decided on anew."""
    if ctx.plan_only:
        return
    now, wakes = ctx.now(), dict[int, datetime]()
    nobody = {action.record for action in actions if _nobody(action)}
    for case in looked:
        ticket = case.life.history.ticket
        ends = deadline(case.life, ctx.profile, now)
        if ends is not None:
            wakes[ticket.id] = ends
        elif case.record in nobody or (NO_AGENT_FREE in ticket.tags and ticket.assignee_id is None):
            wakes[ticket.id] = now + AGAIN
    ctx.store.wake_at(wakes)
    again = ctx.store.again(POLICY).keys() & {case.record for case in looked}
    ctx.store.settle(again, POLICY)


def _nobody(action: Action) -> bool:
    return isinstance(action.change, TicketChange) and NO_AGENT_FREE in action.change.add_tags


@flow(name="triage", flow_run_name=run_name, persist_result=False)
async def triage(mode: Apply = Apply.PLAN) -> str:
    """Say what new and changed tickets are, send them to their group, and give them to somebody who is free.

    Decides on what was read last. The next pulse delivers what is decided.

    Args:
        mode: "plan only" shows what would be decided and changes nothing. "apply" puts it into the outbox.
    """
    return await decide_alone(mode, POLICY, decide)
