"""A store put back from a backup: noticed before anything is decided, so that nothing goes out twice (design §4).

After a gap since the last finished pulse we first read what happened meanwhile. Changes under our name that the journal
does not know are its proof: then everything starts anew, as on the first day. Only after a gap, so that a service user
whom others use too cannot stop us for ever.
"""

from datetime import datetime, timedelta

from connectors.store import Pulsed, SourceState, Store
from flows.account import tools_time
from flows.context import Context, log
from flows.operations import Told, counted
from flows.report import Pulse

AWAY = timedelta(minutes=5)
"""So long without a finished pulse is a gap."""
FRESH = timedelta(minutes=5)
"""How far behind the events may be read to count as read up to now: their export hides the newest minute."""
SHOWN = 10


def looked(ctx: Context, found: Pulse) -> bool:
    """May this run decide and deliver? Says in `found` why not, or that the store was put back."""
    since = _gap(ctx)
    if ctx.plan_only or ctx.zendesk is None or since is None or _zendesk_away(ctx):
        return True
    if not _read(ctx.store.source("zendesk", "events"), tools_time(ctx)):
        found.news.append(
            f"no pulse ended since {_at(since)}: what happened meanwhile is read first, then things are done again"
        )
        return False
    strange = ctx.store.unexplained(since, ctx.reading.us if ctx.reading else ())
    if strange:
        last = max(strange.values())
        told = start_anew(ctx.store, ctx.now())
        found.news.append(
            f"the store was put back: Zendesk shows changes of ours up to {_at(last)} that it does not know "
            f"({_some(list(strange))}); {told.text}"
        )
        log.error("%s", found.news[-1])
    ctx.store.note_pulse(Pulsed(at=ctx.now(), live=True))
    return True


def finished(ctx: Context) -> None:
    """Note that a pulse came to its end. What was not looked at after a gap stays to be looked at."""
    if ctx.plan_only:
        return
    live = _read(ctx.store.source("zendesk", "events"), tools_time(ctx))
    ctx.store.note_pulse(Pulsed(at=ctx.now(), live=live, away_since=_gap(ctx)))


def kept_from(ctx: Context) -> str | None:
    """Why a step by hand may not act now: after a gap a pulse looks first. None where it may."""
    since = _gap(ctx)
    if ctx.plan_only or ctx.zendesk is None or since is None:
        return None
    return (
        f"no pulse ended since {_at(since)}, and only a pulse looks whether the store was put back; "
        "let one run first: helpdesk run pulse --apply"
    )


def start_anew(store: Store, now: datetime) -> Told:
    """The store was put back: everything starts anew, and what was on its way is put aside."""
    aside = store.start_anew(now)
    were = f"{counted(aside)} on the way put aside" if aside else "nothing was on its way"
    text = f"all rules act on causes from now on; {were}; `helpdesk adopt` lists what came before"
    return Told({"act_from": now, "put_aside": aside}, text)


def _gap(ctx: Context) -> datetime | None:
    """Since when nobody has looked; null where pulses have come to their end. A first load is no gap: nothing acted."""
    last = ctx.store.pulsed()
    if last is None:
        return None
    if last.away_since is not None:
        return last.away_since
    return last.at if last.live and ctx.now() - last.at > AWAY else None


def _zendesk_away(ctx: Context) -> bool:
    """Does Zendesk answer nothing? Then nothing can be done there either, and a page is not kept waiting for it."""
    return ctx.store.source("zendesk", "newest").down_since is not None or ctx.reading is None


def _read(events: SourceState, now: datetime) -> bool:
    return events.fresh_through is not None and events.fresh_through >= now - FRESH


def _some(records: list[str]) -> str:
    more = len(records) - SHOWN
    return ", ".join(records[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
