"""What a run stands on: profile, store, tools and the time, opened once and closed at the end.

Everything here is passed on; nothing is read at import. A connector is only built where its address is set, so that any
subset of tools works (NFR-06).
"""

import logging
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from connectors.clock import domain_clock
from connectors.mail.client import Mail, Server
from connectors.pagerduty.client import PagerDuty
from connectors.slack.client import Slack
from connectors.store import Mode, Store
from connectors.tokens import TokenKeeper
from connectors.zendesk.client import Zendesk
from flows.profiles import read_profile, read_tools
from flows.settings import MissingSetting, Settings, needed, read_settings, secret
from mappings.profile import Profile, ToolTable
from mappings.replies import Replies
from mappings.zendesk import Reading

log = logging.getLogger("helpdesk")

POLICIES = ("triage", "sla", "rules", "paging", "abuse")
_ORDER = (Mode.OFF, Mode.SHADOW, Mode.APPLY)


@dataclass
class Context:
    """One run's world. `plan_only` decides and prints, and writes no decision. `reading` is filled by the sync."""

    settings: Settings
    profile: Profile
    tools: ToolTable
    replies: Replies
    store: Store
    now: Callable[[], datetime]
    zendesk: Zendesk | None = None
    pagerduty: PagerDuty | None = None
    slack: Slack | None = None
    mail: Mail | None = None
    plan_only: bool = False
    owner: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}")
    fence: int | None = None
    alive: Callable[[], None] = lambda: None
    reading: Reading | None = None
    answering: set[str] = field(default_factory=set)
    """The sources that answered when they were last looked at."""
    noted: dict[str, str] = field(default_factory=dict)
    """What the store noted once and for all, so that it is asked for once a run."""

    def mode(self, policy: str) -> Mode:
        """How far a policy may go now: its own mode in the store, capped by `HELPDESK_MODE`."""
        own = self.store.mode(policy) or Mode.APPLY
        return min(own, self.settings.mode, key=_ORDER.index)

    @property
    def groups(self) -> Mapping[int, str]:
        """The tool's groups by id, by the profile's names where it has them; empty before the account was read."""
        return self.reading.groups_as(self.profile.groups) if self.reading else {}

    def ticket_link(self, ticket_id: int) -> str:
        """Where an agent opens a ticket."""
        return f"{(self.settings.zendesk_url or '').rstrip('/')}/agent/tickets/{ticket_id}"


@contextmanager
def open_context(
    settings: Settings | None = None, *, profile: Profile | None = None, plan_only: bool = False
) -> Iterator[Context]:
    """Open everything a run needs; `profile` where it was read already.

    Raises ProfileError, StoreError or MissingSetting, each saying place and fix.
    """
    settings = settings or read_settings()
    profile = profile or read_profile(settings.profile, settings.config_dir)
    store = Store.open(settings.database_url, profile=profile.key, migrate=settings.database_url.startswith("sqlite"))
    context = Context(
        settings,
        profile,
        read_tools(settings.config_dir),
        load_replies(settings.config_dir),
        store,
        domain_clock(settings.clock_url),
        plan_only=plan_only,
    )
    try:
        simulated = None if settings.clock_url is None else lambda: context.now().timestamp()
        context.zendesk = _zendesk(settings, simulated, store)
        context.pagerduty = _pagerduty(settings, simulated or time.monotonic)
        context.slack = _slack(settings, simulated or time.monotonic)
        context.mail = _mail(settings, simulated or time.monotonic)
        yield context
    finally:
        for tool in (context.zendesk, context.pagerduty, context.slack, context.mail):
            if tool is not None:
                tool.close()
        store.close()


def load_replies(config_dir: Path) -> Replies:
    """The texts that customers read, by language and name."""
    root = config_dir / "templates"
    texts = {
        folder.name: {path.stem: path.read_text() for path in sorted(folder.glob("*.md"))}
        for folder in sorted(root.iterdir())
        if folder.is_dir()
    }
    return Replies(texts)


def _zendesk(settings: Settings, clock: Callable[[], float] | None, keeper: TokenKeeper) -> Zendesk | None:
    if settings.zendesk_url is None:
        return None
    if secret("ZENDESK_CLIENT_ID") is None and secret("ZENDESK_TOKEN") is None:
        raise MissingSetting("ZENDESK_CLIENT_ID", "ZENDESK_TOKEN")
    return Zendesk(settings.zendesk_url, secret=secret, clock=clock, keeper=keeper)


def _pagerduty(settings: Settings, tick: Callable[[], float]) -> PagerDuty | None:
    if secret("PAGERDUTY_TOKEN") is None:
        return None
    return PagerDuty(
        settings.pagerduty_url,
        events_url=settings.pagerduty_events_url,
        token=lambda: needed("PAGERDUTY_TOKEN"),
        sender=settings.pagerduty_from,
        clock=tick,
    )


def _slack(settings: Settings, tick: Callable[[], float]) -> Slack | None:
    if secret("SLACK_TOKEN") is None:
        return None
    return Slack(settings.slack_url, token=lambda: needed("SLACK_TOKEN"), clock=tick)


def _mail(settings: Settings, tick: Callable[[], float]) -> Mail | None:
    if settings.smtp_url is None:
        return None
    if settings.smtp_from is None:
        raise MissingSetting("SMTP_FROM")
    return Mail(mail_server(settings.smtp_url, settings.smtp_from, settings.smtp_user), clock=tick)


def mail_server(url: str, sender: str, user: str | None) -> Server:
    """Where mail is handed over, with the password from `SMTP_PASSWORD`, read anew each time."""

    def password() -> str | None:
        found = secret("SMTP_PASSWORD")
        return None if found is None else found.get_secret_value()

    return Server(url, sender, user, password)
