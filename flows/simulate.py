"""Preview on history: the stored past lived through today's profile and a new one; the difference is shown.

Reads the store and nothing else: no tool is called, nothing is written or sent, and a pulse may go on meanwhile.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Annotated, cast

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from prefect.states import Completed
from pydantic import Field

from connectors.clock import domain_clock
from connectors.store import Store, WrongProfile
from flows.abuse import journalled
from flows.account import remember_account
from flows.audits import freshened
from flows.context import POLICIES, Context, load_replies
from flows.preview import page
from flows.profiles import read_profile, read_tools, typed_profile
from flows.progress import Progress, shown
from flows.rules import beside
from flows.runs import run_name, show_log
from flows.settings import Settings, read_settings
from mappings.faults import Explained
from mappings.model import History
from mappings.plan import Mode
from mappings.policies.simulate import Judge, Preview, World, judges, lived
from mappings.policies.sla.measures import live
from mappings.profile import Profile
from mappings.timeline import build

CHUNK = 500
"""Tickets that are in memory at once."""
PART = "tickets"
Reached = Callable[[int, int], None]


class OtherProfile(Explained):
    """The store's facts were read with another organisation's names of plans, severities and fields."""

    def __init__(self, theirs: str, ours: str) -> None:
        super().__init__(
            f"profile {theirs!r}: the stored tickets were read as {ours!r}'s and mean nothing to another organisation; "
            f"write profile: {ours} in the new file, or name the other one's store in HELPDESK_DATABASE_URL"
        )


def live_both(ctx: Context, new: Profile, since: datetime, reached: Reached = lambda done, of: None) -> Preview:
    """Live the tickets since a time through today's profile and the new one. `reached` is told how far it is.

    Raises OtherProfile where the new one is another organisation's.
    """
    if new.key != ctx.profile.key:
        raise OtherProfile(new.key, ctx.profile.key)
    remember_account(ctx)
    profiles, groups = (ctx.profile, new), ctx.groups
    preview = Preview(ctx.profile.version, new.version, since, ctx.now())
    last, done, count = 0, 0, ctx.store.count_since(since)
    while ids := ctx.store.tickets_since(since, after=last, limit=CHUNK):
        last = ids[-1]
        histories = freshened(ctx, ctx.store.histories(ids))
        judging = judges_of(ctx, profiles, histories)
        for history in histories:
            before, after = (
                lived(history, profile, judges, groups=groups, until=preview.until)
                for profile, judges in zip(profiles, judging, strict=True)
            )
            preview.add(before, after, profiles)
        done += len(ids)
        reached(min(done, count), count)
    return preview


def judges_of(ctx: Context, profiles: Sequence[Profile], histories: Sequence[History]) -> list[list[Judge]]:
    """Those who decide on these tickets' past under each profile; a policy that is switched off decides nothing."""
    reading, groups = ctx.reading, ctx.groups
    lives = [live(history, build(history), ctx.profile, dict(groups)) for history in histories]
    flagged = set(ctx.store.flagged([history.ticket.id for history in histories]))
    world = World(
        replies=ctx.replies,
        link=ctx.ticket_link,
        groups=groups,
        fields=frozenset(reading.fields.values()) if reading is not None else (),
        around=beside(ctx.store, [rule for profile in profiles for rule in profile.rules.values()], lives),
        decided={life.history.ticket.id: journalled(ctx, life) for life in lives if life.history.ticket.id in flagged},
    )
    acting = [policy for policy in POLICIES if ctx.store.mode(policy) is not Mode.OFF]
    return [
        [judge for policy, own in judges(profile, world).items() if policy in acting for judge in own]
        for profile in profiles
    ]


@contextmanager
def looking(settings: Settings) -> Iterator[Context]:
    """A run's world that can only be looked at: today's profile and the store, no tools.

    Raises ProfileError, or StoreError where the store is not this profile's or not there.
    """
    profile = read_profile(settings.profile, settings.config_dir)
    store = Store.open(settings.database_url)
    try:
        owner = store.profile
        if owner not in (None, profile.key):
            raise WrongProfile(store.engine.url.render_as_string(), str(owner), profile.key)
        tools, replies = read_tools(settings.config_dir), load_replies(settings.config_dir)
        clock = domain_clock(settings.clock_url)
        yield Context(settings, profile, tools, replies, store, clock, plan_only=True)
    finally:
        store.close()


@flow(name="simulate", flow_run_name=run_name, persist_result=False)
async def simulate(
    profile_text: str = "",
    profile_file: str = "",
    days: Annotated[int, Field(ge=1, le=365)] = 30,
) -> str:
    """Show what a new profile would have made of the last days' tickets, beside today's. Nothing is sent or written.

    Paste the new profile, or name its file.

    Args:
        profile_text: The whole text of the new profile, with its first line `profile: …`.
        profile_file: Instead of the text: the file's path on the machine that runs this.
        days: How many days back. Tickets that are open, or were changed within them, are looked at.
    """
    show_log()
    settings = read_settings()
    new = (
        typed_profile(profile_text, settings.config_dir)
        if profile_text.strip()
        else read_profile(profile_file.strip() or settings.profile, settings.config_dir)
    )
    with looking(settings) as ctx:
        now = ctx.now()
        progress = Progress(now, (PART,))

        def reached(done: int, of: int) -> None:
            progress.percent, progress.words = 100 * done / max(of, 1), f"{done:,} of {of:,} tickets"

        found = await shown(progress, lambda: live_both(ctx, new, now - timedelta(days=days), reached), key="simulate")
        says, text = page(found, new, ctx.ticket_link)
    await acreate_markdown_artifact(text, key="simulate", description=says)
    return cast(str, Completed(message=says, data=says))
