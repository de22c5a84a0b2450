"""What a finished pulse tells the watchdog: that it was, and how far each tool has been read."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from connectors.store import Mode, OutboxState
from connectors.watchdog import tell
from flows.context import Context, log
from flows.settings import secret
from mappings.policies.watchdog import Beat, Source

STREAMS = ("tickets", "events")
"""The sources whose `fresh_through` follows the clock; others are read seldom, and count only when they are down."""
_WAITING = (OutboxState.PLANNED, OutboxState.UNKNOWN, OutboxState.FAILED)


def send(ctx: Context) -> None:
    """Tell the watchdog at HELPDESK_WATCHDOG_URL, if there is one. Never raises: a pulse does not fail by it."""
    url = ctx.settings.watchdog_url
    if url is None or ctx.plan_only:
        return
    try:
        token = secret("HELPDESK_WATCHDOG_TOKEN")
        tell(url, None if token is None else token.get_secret_value(), msgspec.to_builtins(beat(ctx)))
    except Exception as error:  # whatever is wrong with the watchdog, the pulse has done its work
        log.warning("%s", error)


def beat(ctx: Context) -> Beat:
    """How things are at the end of a pulse."""
    return Beat(profile=ctx.profile.key, at=ctx.now(), sources={**dict(_sources(ctx)), **_pages(ctx)})


def _sources(ctx: Context) -> Iterator[tuple[str, Source]]:
    connected = {"zendesk": ctx.zendesk, "pagerduty": ctx.pagerduty}
    for state in ctx.store.sources():
        if connected.get(state.tool) is not None:
            fresh = state.fresh_through if state.name in STREAMS else None
            yield f"{state.tool} {state.name}", Source(fresh_through=fresh, down_since=state.down_since)


def _pages(ctx: Context) -> dict[str, Source]:
    """Pages that wait: nobody was woken, whatever the reason. What an operator holds back does not count."""
    if ctx.pagerduty is None or ctx.settings.mode is not Mode.APPLY or ctx.store.paused():
        return {}
    since: list[datetime] = [
        row.decided_at
        for state in _WAITING
        for row in ctx.store.outbox(state=state, tool="pagerduty", limit=20)
        if ctx.mode(row.action.policy) is Mode.APPLY
    ]
    return {"pagerduty pages": Source(down_since=min(since, default=None))}
