"""The SLA policy at work: replay the clocks of tickets that changed, then act on those that are near or late.

Before acting on lateness it looks again: candidates are fetched fresh, a hundred a call, and one that changed is read
from its audits and decided anew (design §4). A Zendesk that cannot be reached makes us wait.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from prefect import flow

from connectors.errors import ConnectorError
from connectors.store import OutboxRow, OutboxState
from flows.account import know_account
from flows.audits import look_again
from flows.cases import Case, Decided, came_with_a_past, cases
from flows.context import Context, log
from flows.escalation import steps_of
from flows.journal import begin, store_decision
from flows.runs import Apply, decide_alone, run_name
from mappings.model import Clock
from mappings.plan import Action
from mappings.policies.sla.clocks import clocks
from mappings.policies.sla.fields import FIELDS, upkeep
from mappings.policies.sla.lateness import POLICY, notice, passed_over, spoken_of, unverified
from mappings.policies.sla.ownership import LEFT, Fight, fights, left
from mappings.zendesk import rule_titles

LOOK = 100
"""Candidates a call: what `show_many` takes."""
WHOLE = ("ack", "progress", "triage")
"""Measures that end with what the export does not tell: mails that triggers send, and who wrote an internal note."""


def decide(ctx: Context) -> Decided:
    """Look at what changed, then at what is due; gives what was newly decided."""
    know_account(ctx)
    decided = Decided(POLICY)
    since = begin(ctx, POLICY, [*ctx.profile.targets, FIELDS, LEFT])[FIELDS]
    before = ctx.store.known_through()
    if not ctx.plan_only:
        ctx.store.look_again(ctx.profile.version)
    more = True
    while more:
        changed = ctx.store.changed(POLICY)
        more = changed.more and not ctx.plan_only
        if changed.ticket_ids:
            looked = cases(ctx, changed.ticket_ids)
            imported = _imported(ctx, looked, before)
            _replay(ctx, looked, changed.through_seq, decided, since, imported)
    _notice(ctx, decided)
    _note_known(ctx)
    return decided


def _imported(ctx: Context, looked: Sequence[Case], before: datetime | None) -> set[str]:
    """Those that came with a past of their own, noted so that no policy takes that past for a cause."""
    found = [case for case in looked if came_with_a_past(case, before)]
    if found and not ctx.plan_only:
        ctx.store.note_imported([case.life.history.ticket.id for case in found], ctx.now())
    return {case.record for case in found}


def _note_known(ctx: Context) -> None:
    """Note up to when tickets and events have both been read; a stream that is down holds it back."""
    read = [ctx.store.source("zendesk", name).fresh_through for name in ("tickets", "events")]
    known = [at for at in read if at is not None]
    if len(known) == len(read) and not ctx.plan_only:
        ctx.store.note_known_through(min(known))


def _replay(
    ctx: Context, looked: Sequence[Case], through: int, decided: Decided, since: datetime, imported: set[str]
) -> None:
    """Bring clocks and ticket fields of changed tickets up to date; fields only of what was touched `since`.

    What is late already on a ticket that was brought over from elsewhere counts as noticed: nobody is told.
    """
    moved: list[Clock] = []
    actions: list[Action] = []
    released = ctx.store.released(POLICY)
    for case in looked:
        fresh = _clocks(ctx, case)
        if case.record in imported:
            fresh = [passed_over(clock, ctx.profile, ctx.now()) for clock in fresh]
        moved += _differing(fresh, case.stored)
        wanted = upkeep(case.life, fresh, ctx.profile)
        actions += [action for action in wanted if action.cause_at >= since or action.key in released]
        actions += _left(ctx, case)
    decided.looked += len(looked)
    store_decision(ctx, decided, decided_seq=through, clocks=moved, actions=actions)


def _left(ctx: Context, case: Case) -> list[Action]:
    """Fields that a rule of the account keeps setting back: written down once, with the rule's title."""
    found = fights(case.life, ctx.profile)
    if not found:
        return []
    known = {row.action.key for row in ctx.store.acted([case.record], "leave", list(OutboxState))}
    new = [fight for fight in found if left(case.life, fight, {}, ctx.profile).key not in known]
    titles = _titles(ctx, case, new) if new else {}
    return [left(case.life, fight, titles, ctx.profile) for fight in new]


def _titles(ctx: Context, case: Case, fought: Sequence[Fight]) -> dict[int, str]:
    """What the account calls these rules, from the audits in which they acted; none where it cannot be asked."""
    wanted = {fight.rule_id for fight in fought}
    titles: dict[int, str] = {}
    try:
        for body in ctx.zendesk.audits(case.life.history.ticket.id) if ctx.zendesk is not None else ():
            titles |= rule_titles(body)
            if wanted <= titles.keys():
                break
    except ConnectorError as error:
        log.warning("sla: %s: its rules' titles wait: %s", case.record, error)
    return titles


def _notice(ctx: Context, decided: Decided) -> None:
    """Warn and escalate: clocks that crossed a mark, and decisions whose ticket changed under them."""
    now = ctx.now()
    again = ctx.store.again(POLICY)
    due = ctx.store.due_clocks(now, limit=5000)
    unheard = {_ticket_id(clock.record) for clock in due if clock.measure in WHOLE}
    records = list(dict.fromkeys([clock.record for clock in due] + list(again)))
    for start in range(0, len(records), LOOK):
        ids = [_ticket_id(record) for record in records[start : start + LOOK]]
        try:
            looked = look_again(ctx, ids, whole=unheard.intersection(ids))
        except ConnectorError as error:
            log.warning("sla: %d late tickets wait: %s", len(records) - start, error)
            _page_unverified(ctx, records[start:], now, decided)
            return
        if looked.aside:
            _page_unverified(ctx, [f"zendesk:{id}" for id in looked.aside], now, decided)
        _act(ctx, cases(ctx, looked.there), now, again, decided)


def _page_unverified(ctx: Context, records: Sequence[str], now: datetime, decided: Decided) -> None:
    """Zendesk does not tell of these: what has been late for five minutes pages all the same, marked as unverified."""
    if not any(do.verb == "page" for target in ctx.profile.targets.values() for do in target.late):
        return
    actions: list[Action] = []
    for start in range(0, len(records), LOOK):
        for case in cases(ctx, [_ticket_id(record) for record in records[start : start + LOOK]]):
            actions += unverified(case.life, _clocks(ctx, case), ctx.profile, now, link=ctx.ticket_link)
    store_decision(ctx, decided, decided_seq=None, actions=actions)


def _act(ctx: Context, looked: Sequence[Case], now: datetime, again: dict[str, set[str]], decided: Decided) -> None:
    past = _past(ctx, [case.record for case in looked])
    moved: list[Clock] = []
    actions: list[Action] = []
    settled: set[str] = set()
    for case in looked:
        fresh = _clocks(ctx, case)
        rows = past.get(case.record, [])
        redo = [row for row in rows if row.again]
        found = notice(
            case.life,
            fresh,
            ctx.profile,
            now,
            stepped=steps_of(rows),
            again=again.get(case.record, set()) | _joined(redo),
            known={about for row in rows if not row.again for about in spoken_of(row.action)},
            link=ctx.ticket_link,
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


def _past(ctx: Context, records: Sequence[str]) -> dict[str, list[OutboxRow]]:
    """What was ever said of these tickets' lateness, by record: steps up, and the notes that took their place."""
    found: dict[str, list[OutboxRow]] = {}
    for verb in ("escalate", "note"):
        for row in ctx.store.acted(records, verb, list(OutboxState)):
            if row.action.policy == POLICY or verb == "escalate":
                found.setdefault(row.action.record, []).append(row)
    return found


def _joined(rows: Iterable[OutboxRow]) -> set[str]:
    """Keys, as their own actions would have them, of the lateness that dropped notes spoke of."""
    return {f"late:escalate:{row.action.record}:{about}" for row in rows for about in spoken_of(row.action)}


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
