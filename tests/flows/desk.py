"""A whole small deployment in one process: simulated tools over real HTTP, a store, and the pulse, on a still clock.

A test says what people do (`file`, `sim.reply` …), lets minutes pass (`minutes`), and asks the sandbox's own journal
what really happened; our store's word is never taken for it.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.mail.client import Mail
from connectors.pagerduty.client import PagerDuty
from connectors.sandbox.core import Core
from connectors.sandbox.journal import Effect
from connectors.sandbox.mail import MailSim
from connectors.sandbox.pagerduty import PagerDutySim
from connectors.sandbox.pagerduty.records import Incident
from connectors.sandbox.server import Sandbox
from connectors.sandbox.slack import SlackSim
from connectors.sandbox.zendesk import ZendeskSim
from connectors.slack.client import Slack
from connectors.store import OutboxRow, OutboxState
from connectors.zendesk.client import Zendesk
from flows import pulse
from flows.context import Context, open_context
from flows.report import Pulse
from flows.settings import needed, secret
from mappings.model import Clock
from tests.stories import at

SIZE = {"companies": 8, "people": 30, "agents": 6, "tickets": 40, "weeks": 3}
OPENS = "2026-03-03 10:00"
"""An ordinary Tuesday in the office."""


@dataclass
class Desk:
    """The deployment. `slept` collects the seconds that connectors would have waited: no test really waits."""

    sandbox: Sandbox
    database_url: str
    slept: list[float] = field(default_factory=list)
    _context: Context | None = None
    _scope: Any = None

    # the world

    @property
    def core(self) -> Core:
        return self.sandbox.core

    @property
    def sim(self) -> ZendeskSim:
        """The Zendesk account, with what people do in it."""
        found = self.sandbox.vendors["zendesk"]
        assert isinstance(found, ZendeskSim)
        return found

    @property
    def phone(self) -> PagerDutySim:
        """The PagerDuty account, with what people do in it."""
        found = self.sandbox.vendors["pagerduty"]
        assert isinstance(found, PagerDutySim)
        return found

    @property
    def slack(self) -> SlackSim:
        """The Slack workspace, with what people do in it."""
        found = self.sandbox.vendors["slack"]
        assert isinstance(found, SlackSim)
        return found

    @property
    def mail(self) -> MailSim:
        """The mail server, with its mailbox."""
        assert self.sandbox.mail is not None
        return self.sandbox.mail

    @property
    def incidents(self) -> list[Incident]:
        """All PagerDuty incidents there ever were."""
        return list(self.phone.account.incidents.values())

    def customer(self, plan: str) -> str:
        """Somebody at a company on a plan."""
        company = next(name for name in self.sim.companies() if self.sim.company(name).fields["plan"] == f"plan_{plan}")
        return self.sim.people(company)[0]

    def file(self, severity: str | None = "P2", plan: str = "business", **more: Any) -> int:
        """A customer on a plan files a ticket; one who says that the system is down says that nobody can work."""
        said = {"severity": severity} if severity else {}
        said |= {"working": "no"} if severity == "P1" else {}
        answers = {"kind": "bug", **said, **more.pop("fields", {})}
        requester = more.pop("requester", None) or self.customer(plan)
        told = {"subject": "Help", "body": "It broke.", "channel": "web", **more}
        return self.sim.file_ticket(requester=requester, fields=answers, **told)

    @property
    def agent(self) -> str:
        """Somebody in the first tier."""
        return self.sim.agents("Support")[-1]

    def field(self, ticket_id: int, key: str) -> Any:
        """A ticket field as the account has it now."""
        known = self.sim.account.field_named(key)
        assert known is not None
        return self.sim.account.tickets[ticket_id].custom.get(known.id)

    def tags(self, ticket_id: int) -> set[str]:
        return set(self.sim.account.tickets[ticket_id].tags)

    def group(self, ticket_id: int) -> str | None:
        """The name of the group that a ticket is in."""
        id = self.sim.account.tickets[ticket_id].group_id
        return None if id is None else self.sim.account.groups[id].name

    def stamp(self, ticket_id: int) -> int:
        """A ticket's `updated_at`."""
        return self.sim.account.tickets[ticket_id].updated_at

    # time

    @property
    def now(self) -> datetime:
        return self.core.clock.now()

    def move(self, text: str) -> None:
        """Set the clock to a time of the office, without a pulse."""
        self.core.set_time(at(text))

    def minutes(self, count: int) -> list[Pulse]:
        """Let minutes pass, each with its pulse."""
        return [self._minute() for _ in range(count)]

    def until(self, text: str) -> list[Pulse]:
        """Let minutes pass with their pulses up to a time of the office."""
        beats = []
        while self.now < at(text):
            beats.append(self._minute())
        return beats

    def _minute(self) -> Pulse:
        self.sandbox.advance(60)
        return self.beat()

    # us

    @property
    def ctx(self) -> Context:
        """A process of ours, opened when first needed and kept until `restart`."""
        if self._context is None:
            self._scope = open_context()
            self._context = self._scope.__enter__()
            self._patient(self._context)
        return self._context

    def restart(self) -> None:
        """End our process; the next use starts another one."""
        if self._scope is not None:
            self._scope.__exit__(None, None, None)
        self._context = self._scope = None

    def beat(self) -> Pulse:
        """One pulse now."""
        return pulse.beat(self.ctx)

    @contextmanager
    def another(self, **settings: Any) -> Iterator[Context]:
        """A second process of ours beside the first."""
        with open_context(**settings) as ctx:
            self._patient(ctx)
            yield ctx

    def _patient(self, ctx: Context) -> None:
        """The same connectors, which note how long they would have slept, and the clock without a call."""
        ctx.now = lambda: self.now
        if ctx.zendesk is not None:
            ctx.zendesk.close()
            ctx.zendesk = Zendesk(
                self.sandbox.urls["zendesk"], secret=secret, sleep=self.slept.append, clock=self._tick
            )
        if ctx.pagerduty is not None:
            ctx.pagerduty.close()
            url = self.sandbox.urls["pagerduty"]
            token, sender = lambda: needed("PAGERDUTY_TOKEN"), os.environ["PAGERDUTY_FROM"]
            ctx.pagerduty = PagerDuty(
                url, events_url=url, token=token, sender=sender, sleep=self.slept.append, clock=self._tick
            )

        if ctx.slack is not None:
            url = self.sandbox.urls["slack"]
            ctx.slack = Slack(url, token=lambda: needed("SLACK_TOKEN"), sleep=self.slept.append, clock=self._tick)
        if ctx.mail is not None:
            ctx.mail = Mail(ctx.mail.server, sleep=self.slept.append, clock=self._tick)

    def _tick(self) -> float:
        return self.now.timestamp()

    def rows(self, ticket_id: int | None = None, **given: Any) -> list[OutboxRow]:
        """Our outbox, of one ticket or all."""
        record = None if ticket_id is None else f"zendesk:{ticket_id}"
        return self.ctx.store.outbox(record=record, limit=100_000, **given)

    def states(self, ticket_id: int, *verbs: str) -> list[tuple[str, str]]:
        """(verb, state) of a ticket's rows, oldest first."""
        rows = self.rows(ticket_id)
        return [(row.action.verb, row.state.value) for row in rows if not verbs or row.action.verb in verbs]

    def clocks(self, ticket_id: int) -> dict[str, Clock]:
        """A ticket's stored clocks by target; of several the latest."""
        return {
            clock.target: clock for clock in self.ctx.store.clocks([f"zendesk:{ticket_id}"])[f"zendesk:{ticket_id}"]
        }

    # the judge

    @property
    def us(self) -> str:
        return self.sim.service_email

    def effects(self, ticket_id: int | None = None, *, after: int = 0) -> list[Effect]:
        """What we really did in the tools: writes to tickets under our name, and pages."""
        record = None if ticket_id is None else f"zendesk:{ticket_id}"
        ours = [row for row in self.core.journal.rows(vendor="zendesk", after=after) if row.actor == self.us]
        pages = self.core.journal.rows(vendor="pagerduty", after=after)
        return [row for row in ours if record in (None, row.record)] + (pages if record is None else [])

    def notes(self, ticket_id: int) -> list[str]:
        """Our internal notes on a ticket."""
        return [row.detail["body"] for row in self.effects(ticket_id) if row.kind == "note"]

    def replies(self, ticket_id: int) -> list[str]:
        """Our messages to the customer of a ticket."""
        return [row.detail["body"] for row in self.effects(ticket_id) if row.kind == "public_comment"]

    def done(self, *, after: int = 0) -> list[tuple[Any, ...]]:
        """All that we did, in words that two runs can be compared by: no times, no order between records."""
        said = []
        for row in self.effects(after=after):
            kept = {key: row.detail[key] for key in ("body", "field", "new", "title", "key") if key in row.detail}
            said.append((row.vendor, row.record, row.kind, repr(sorted(kept.items()))))
        return sorted(said)

    def calls(self, method: str = "", path: str = "", *, after: int = 0) -> list[dict[str, Any]]:
        """The latest requests that reached the tools, oldest first; `after` leaves out those up to that `seq`."""
        rows = reversed(self.core.recorder.latest(300))
        return [row for row in rows if row["seq"] > after and method in row["method"] and path in row["path"]]

    def fail(self, **fault: Any) -> None:
        """A fault from now on (connectors/sandbox/faults.py)."""
        self.core.faults.add(**{"vendor": "zendesk", **fault})

    def well(self) -> None:
        """No more faults."""
        self.core.faults.clear()


def unfinished(rows: Sequence[OutboxRow]) -> list[OutboxRow]:
    """Rows that still have to go somewhere."""
    waiting = (OutboxState.PLANNED, OutboxState.SENDING, OutboxState.UNKNOWN)
    return [row for row in rows if row.state in waiting]
