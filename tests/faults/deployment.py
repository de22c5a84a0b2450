"""A whole deployment without threads, sockets or waiting: simulated tools, a store, and processes of ours to kill.

All time is the sandbox's, that of leases and deadlines too: what waits lets simulated time pass.
"""

import asyncio
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.mail.client import Mail, Server
from connectors.pagerduty.client import PagerDuty
from connectors.sandbox.exchange import Door
from connectors.sandbox.server import Sandbox
from connectors.slack.client import Slack
from connectors.store import Store, lease
from connectors.store.database import create_engine
from connectors.zendesk.client import Zendesk
from flows import delivery, outbox, pulse
from flows.context import Context, load_replies
from flows.profiles import read_profile, read_tools
from flows.receiver import receiver
from flows.report import Pulse
from flows.sandbox_world import build_world
from flows.settings import needed, read_settings, secret
from tests.faults.points import Killed, watch
from tests.faults.wire import Line, PagerDutyWire, Post, SlackWire, ZendeskWire, mail_wire
from tests.flows.desk import Desk
from tests.stories import at

SIZE = {"companies": 4, "people": 8, "agents": 6, "tickets": 10, "weeks": 2}


class Deployment:
    """The tools, the store at `store_file`, and what our processes stand on.

    `compiled` keeps what SQLAlchemy makes of our queries: every process of ours asks the same ones.
    """

    def __init__(self, org: str, opens: str, store_file: Path, compiled: dict[Any, Any]) -> None:
        self.profile, self.tools = read_profile(org), read_tools()
        self.settings = read_settings()
        self.replies = load_replies(self.settings.config_dir)
        self.sandbox = Sandbox(build_world(self.profile, now=at(opens), size=SIZE), seed=1)
        self.sandbox.core.urls.update({name: f"http://{name}.sandbox" for name in ("console", *self.sandbox.vendors)})
        self.sandbox.core.urls["mail"] = "smtp://mail.sandbox"
        self.sandbox.core.sleep = self._slow
        self.store_file = store_file
        self.compiled = compiled
        self._post: Post | None = None
        self.desk = Desk(self.sandbox, self.url)
        self.core = self.sandbox.core

    @property
    def url(self) -> str:
        """The store's address."""
        return f"sqlite:///{self.store_file}"

    def line(self, vendor: str, loop: asyncio.AbstractEventLoop) -> Line:
        """The way to a tool."""
        return Line(self.core, Door(self.core, self.sandbox.vendors[vendor]), loop, self.carry)

    def send_webhooks(self) -> None:
        """Both tools send their webhooks to a receiver of ours."""
        self._post = Post(self.core, receiver(self.open_store(), self.now), asyncio.new_event_loop())
        self.sandbox.send_webhooks("http://receiver.sandbox")

    def carry(self) -> None:
        """Webhooks that are due arrive."""
        if self._post is not None:
            self._post.carry()

    @property
    def hints(self) -> int:
        """How many webhooks have arrived."""
        return 0 if self._post is None else self._post.carried

    def open_store(self) -> Store:
        """The store, for another process."""
        engine = create_engine(self.url)
        engine.update_execution_options(compiled_cache=self.compiled)
        return Store(engine)

    def now(self) -> datetime:
        """The one time that there is."""
        return self.core.clock.now()

    def pass_time(self, seconds: float) -> None:
        """Somebody waits."""
        if seconds > 0:
            self.core.advance(seconds)
            self.carry()

    async def _slow(self, seconds: float) -> None:
        self.core.clock.advance(seconds)

    @contextmanager
    def simulated(self) -> Iterator[None]:
        """Everything of ours that asks for time or for credentials is given the sandbox's."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.sandbox.environment().items():
                patch.setenv(name, value)
            clock = SimpleNamespace(monotonic=lambda: self.now().timestamp(), sleep=self.pass_time)
            patch.setattr(delivery, "time", clock)
            patch.setattr(outbox, "real_time", self.now)
            patch.setattr("flows.lease.RENEW_SECONDS", 86400.0)  # real seconds, of a thread: no part of a schedule
            patch.setattr(lease, "database_time", lambda _: int(self.now().timestamp()))
            wire = SlackWire(self.line("slack", asyncio.new_event_loop()))
            patch.setattr(urllib.request, "_opener", urllib.request.build_opener(urllib.request.ProxyHandler({}), wire))
            yield

    def move_store(self, to: Path) -> None:
        """Go on with a copy of the store."""
        shutil.copy(self.store_file, to)
        self.store_file = to


class Process:
    """One process of ours, from its start to its end or its death; `reached` is told of every point it comes to."""

    def __init__(self, deployment: Deployment, reached: Callable[["Process", str], None] | None = None) -> None:
        self.deployment, self.dead = deployment, False
        self._reached = reached
        here, loop = deployment, asyncio.new_event_loop()
        store = here.open_store()
        self._loop = loop
        self.ctx = Context(here.settings, here.profile, here.tools, here.replies, store, here.now)
        self.ctx.zendesk = Zendesk(
            here.core.urls["zendesk"],
            secret=secret,
            transport=ZendeskWire(here.line("zendesk", loop)),
            sleep=here.pass_time,
            clock=self._tick,
        )
        url = here.core.urls["pagerduty"]
        self.ctx.pagerduty = PagerDuty(
            url,
            events_url=url,
            token=lambda: needed("PAGERDUTY_TOKEN"),
            sender=needed("PAGERDUTY_FROM"),
            transport=PagerDutyWire(here.line("pagerduty", loop)),
            sleep=here.pass_time,
            clock=self._tick,
        )
        assert here.sandbox.mail is not None
        server = Server(here.core.urls["mail"], needed("SMTP_FROM"))
        self.ctx.mail = Mail(server, hand_over=mail_wire(here.sandbox.mail), sleep=here.pass_time, clock=self._tick)
        if here.profile.tools.slack:
            url, token = here.core.urls["slack"], lambda: needed("SLACK_TOKEN")
            self.ctx.slack = Slack(url, token=token, sleep=here.pass_time, clock=self._tick)
        if reached is not None:
            watch(self.ctx, self._at)

    def _tick(self) -> float:
        return self.deployment.now().timestamp()

    def _at(self, point: str) -> None:
        """A dead process reaches nothing: whatever its clean-up would still call is not called."""
        if self.dead:
            raise Killed(point)
        assert self._reached is not None
        self._reached(self, point)

    def kill(self, point: str) -> None:
        """Die here, without a word to anybody."""
        self.dead = True
        raise Killed(point)

    def beat(self) -> Pulse | None:
        """One pulse; None where the process died in it."""
        try:
            return pulse.beat(self.ctx)
        except Killed:
            return None

    def close(self) -> None:
        """End the process, whatever state it is in."""
        self.ctx.store.engine.dispose()
        self._loop.close()


def settled(org: str, opens: str, store_file: Path, compiled: dict[Any, Any]) -> Deployment:
    """A deployment after our first minutes with the account: everything is read, and nothing is left to do."""
    Store.open(f"sqlite:///{store_file}", profile=org, migrate=True).close()
    deployment = Deployment(org, opens, store_file, compiled)
    with deployment.simulated():
        process = Process(deployment)
        for _ in range(4):
            process.beat()
            deployment.pass_time(timedelta(seconds=60).total_seconds())
        process.close()
    return deployment
