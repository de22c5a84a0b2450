"""What a Zendesk account calls things: fields, groups, agents, ourselves, kept for when it does not answer."""

from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from connectors.errors import ConnectorError, Forbidden, NotFound
from connectors.store import Facts, SourceState
from connectors.zendesk.client import Zendesk
from flows.context import Context, log
from flows.sources import note_down, note_up
from mappings.profile import Profile
from mappings.zendesk import Reading, build_reading

ACCOUNT_AGE = timedelta(minutes=10)


def know_account(ctx: Context) -> None:
    """What needs the account's names has them, whichever run it is part of; none on a first run without Zendesk."""
    if ctx.reading is None:
        with suppress(ConnectorError):
            open_account(ctx)


def remember_account(ctx: Context) -> None:
    """What the account called things when it was last asked; asks nothing and writes nothing."""
    kept = ctx.store.source("zendesk", "account").cursor
    if kept is not None:
        ctx.reading = _reading(ctx, _pages(kept))


def lately(ctx: Context, at: datetime | None, age: timedelta) -> bool:
    """Was `at` less than `age` ago? Not, where it lies ahead: then the clock was put back since."""
    return at is not None and timedelta(0) <= ctx.now() - at < age


def tools_time(ctx: Context) -> datetime:
    """Zendesk's time, reckoned from its last answer: how far it has been read is said by it, ours may be wrong."""
    told = None if ctx.zendesk is None else ctx.zendesk.policy.tools_time
    return told or ctx.now()


def open_account(ctx: Context) -> None:
    """Learn what the account calls things: fields, groups, agents, ourselves. Asked again every ten minutes.

    Where Zendesk does not answer, what it said last time holds. Raises ConnectorError where it never said anything.
    """
    if ctx.zendesk is None:
        return
    state = ctx.store.source("zendesk", "account")
    if state.cursor and lately(ctx, state.fresh_through, ACCOUNT_AGE):
        pages = _pages(state.cursor)
        if pages.get("brands") or not _asks_for_brands(ctx.profile):
            ctx.reading = _reading(ctx, pages)
            return
    try:
        pages = {
            "me": [ctx.zendesk.me()],
            "ticket_fields": ctx.zendesk.ticket_fields(),
            "groups": ctx.zendesk.groups(),
            "agents": ctx.zendesk.agents(),
            "brands": ctx.zendesk.objects("brands") if _asks_for_brands(ctx.profile) else [],
            "custom_statuses": _own_statuses(ctx.zendesk, ctx.profile),
            "memberships": ctx.zendesk.objects("group_memberships"),
        }
    except ConnectorError as error:
        note_down(ctx, "zendesk", "account", error)
        if state.cursor is None:
            raise
        pages = _pages(state.cursor)
    else:
        kept = msgspec.json.encode({name: [msgspec.Raw(body) for body in found] for name, found in pages.items()})
        read = SourceState(tool="zendesk", name="account", cursor=kept.decode(), fresh_through=ctx.now())
        ctx.store.save(Facts(), source=read)
        note_up(ctx, "zendesk", "account")
    ctx.reading = _reading(ctx, pages)
    if ctx.reading.missing:
        log.warning(
            "zendesk: ticket fields missing: %s; create them (titles: config/tools/zendesk.yaml)",
            ", ".join(ctx.reading.missing),
        )
    for name, keys in ctx.reading.lacking.items():
        title = ctx.tools.zendesk.ticket_fields[name].known_by
        log.warning("zendesk: ticket field %r has no option for %s; `helpdesk doctor` names the tags", title, keys)


def _pages(kept: str) -> dict[str, list[bytes]]:
    """The account's answers as they were kept."""
    bodies = msgspec.json.decode(kept, type=dict[str, list[msgspec.Raw]])
    return {name: [bytes(body) for body in pages] for name, pages in bodies.items()}


def _reading(ctx: Context, pages: dict[str, list[bytes]]) -> Reading:
    return build_reading(
        ctx.tools.zendesk,
        ctx.profile,
        ticket_fields=pages["ticket_fields"],
        groups=pages["groups"],
        agents=pages["agents"],
        me=pages["me"][0],
        brands=pages.get("brands", ()),
        memberships=pages.get("memberships", ()),
        custom_statuses=pages.get("custom_statuses", ()),
    )


def _own_statuses(zendesk: Zendesk, profile: Profile) -> list[bytes]:
    """The account's own statuses, where the profile names one. Without them a status counts as its category does."""
    if not any(place.label for place in profile.named_statuses.values()):
        return []
    try:
        return zendesk.objects("custom_statuses")
    except (Forbidden, NotFound) as error:
        log.warning("%s", error)
        return []


def _asks_for_brands(profile: Profile) -> bool:
    """Does any line of the profile depend on a brand's name?"""
    targets = profile.targets.values()
    return any("brand" in (*target.by, *target.where) for target in targets) or any(
        "brand" in rule.when for rule in profile.rules.values()
    )
