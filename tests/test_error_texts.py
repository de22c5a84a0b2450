"""Every error text that a user can meet reads as place, cause, fix.

Each situation is brought about for real, against the sandbox, a store or the command line; what it says is compared
with tests/error_texts.txt, where all can be read at once. `WRITE_ERROR_TEXTS=1` writes
them anew: read the diff.
"""

import ast
import os
import re
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from connectors import clock as clocks
from connectors import errors, watchdog
from connectors import store as stores
from connectors.mail.client import Mail
from connectors.pagerduty.client import PagerDuty
from connectors.slack.client import Slack
from connectors.store import Result, Store, database, schema
from connectors.store.evidence import EVIDENCE
from connectors.zendesk.client import Zendesk
from flows import evidence, operations, profiles, settings
from flows.account import know_account
from flows.cli import FAULTS, app
from flows.commands.due import QuestionError
from flows.context import mail_server
from flows.lease import leased
from flows.report import Pulse
from flows.simulate import OtherProfile
from mappings.plan import Lane, Limits, TicketChange
from mappings.profile import ProfileError
from mappings.zendesk import writing
from tests.connectors.mail.tls import make_certificate, serving
from tests.connectors.store.make import NOW, action, plan
from tests.flows.conftest import deployment
from tests.flows.desk import Desk

ROOT = Path(__file__).parents[1]
TEXTS = Path(__file__).with_name("error_texts.txt")
SHAPE = re.compile(r"[^:]\S.*?: \S.*; \S.*")
"""`place: cause; fix`, one line each."""

INNER = {
    "NotReached": "becomes Unavailable",
    "Broken": "becomes Unavailable or Uncertain",
    "BadSignature": "is told to a webhook's sender, and to our log",
    "Unheard": "is told to a pulse, which logs it as the ConnectorError of its status",
    "DurationError": "becomes a line of ProfileError",
    "CalendarError": "becomes a line of ProfileError",
    "Later": "becomes a finding of doctor's that was skipped",
    "Explained": "the base of them all",
    "ConnectorError": "a base",
    "Ours": "a base",
    "Theirs": "a base",
    "StoreError": "a base",
}
"""Exceptions that nobody meets as they are."""


class Trial:
    """Where a situation is brought about: a deployment with its environment, and ways to do things in it."""

    def __init__(self, desk: Desk, patch: pytest.MonkeyPatch, tmp: Path) -> None:
        self.desk, self.patch, self.tmp = desk, patch, tmp

    def fail(self, **fault: Any) -> "Trial":
        """Let the tool misbehave."""
        self.desk.fail(**fault)
        return self

    def answer(self, status: int, **more: Any) -> "Trial":
        """Let Zendesk give an answer with a status."""
        return self.fail(kind="status", status=status, path="/api/v2/", **more)

    def switch(self, **changes: Any) -> "Trial":
        """Turn switches of the simulated Zendesk."""
        self.desk.sim.switches.turn(changes)
        return self

    def set(self, **values: str | None) -> "Trial":
        """Change the environment; null takes a variable out."""
        for name, value in values.items():
            if value is None:
                self.patch.delenv(name, raising=False)
            else:
                self.patch.setenv(name, value)
        return self

    @property
    def zendesk(self) -> Zendesk:
        """A client as the environment has it, which does not really wait."""
        url = os.environ["ZENDESK_URL"]
        return Zendesk(url, secret=settings.secret, sleep=lambda _: None, clock=lambda: 0.0)

    @property
    def pagerduty(self) -> PagerDuty:
        """As `zendesk`."""
        url = os.environ["PAGERDUTY_URL"]
        return PagerDuty(
            url,
            events_url=url,
            token=lambda: settings.needed("PAGERDUTY_TOKEN"),
            sender=os.environ.get("PAGERDUTY_FROM"),
            sleep=lambda _: None,
            clock=lambda: 0.0,
        )

    @property
    def slack(self) -> Slack:
        """As `zendesk`."""
        url = os.environ["SLACK_URL"]
        return Slack(url, token=lambda: settings.needed("SLACK_TOKEN"), sleep=lambda _: None, clock=lambda: 0.0)

    def no(self, error: str, **more: str) -> "Trial":
        """Let Slack say no."""
        return self.fail(vendor="slack", kind="status", status=200, body={"ok": False, "error": error, **more})

    def letter(self) -> None:
        """Send a mail."""
        told = settings.read_settings()
        server = mail_server(told.smtp_url or "", told.smtp_from or "", told.smtp_user)
        Mail(server, sleep=lambda _: None, clock=lambda: 0.0).send("a@x.example", "s", "t", ref="hf-1", at=NOW)

    def behind_tls(self) -> "Trial":
        """Let the mail server speak TLS, with a certificate of its own making."""
        self.patch.setattr(self.desk.mail, "tls", serving(make_certificate(self.tmp)))
        return self

    def run(self, *words: str) -> None:
        """Type `helpdesk …`, which has to end with 2."""
        result = CliRunner().invoke(app, list(words))
        if isinstance(result.exception, FAULTS):
            raise result.exception
        assert result.exit_code == 2, result.output
        raise Printed(result.stderr or result.stdout)

    @property
    def url(self) -> str:
        """An address for a new SQLite store."""
        return f"sqlite:///{self.tmp / 'store.db'}"

    def migrated(self, profile: str | None = None) -> Store:
        """A new store."""
        return Store.open(self.url, profile=profile, migrate=True)

    def scribbled(self) -> str:
        """The address of a file that is no database."""
        (self.tmp / "store.db").write_text("These are no tables. " * 100)
        return self.url

    def row(self, **change: Any) -> None:
        """Spell a change for Zendesk."""
        know_account(self.desk.ctx)
        reading = self.desk.ctx.reading
        assert reading is not None
        writing.ticket_row([("k", TicketChange(**change))], reading, ticket_id=1, stamp=self.desk.now)


class Printed(Exception):
    """What a command printed as it ended with 2."""


class Situation(NamedTuple):
    """What is done, and the error that comes of it; null where a command prints it itself."""

    kind: type[BaseException] | None
    do: Callable[[Trial], object]


def _taken(trial: Trial) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        trial.run("watchdog", "--port", str(other.getsockname()[1]))


def _stale(trial: Trial) -> None:
    store = trial.migrated()
    fence = store.lease("pulse", "one", 60)
    store.lease("pulse", "one", 60)
    store.finish([Result(id=1, state=stores.OutboxState.DONE)], trial.desk.now, fence)


def _settled(trial: Trial, *, refuse: bool | None) -> None:
    store = trial.migrated()
    limits = Limits(within=timedelta(minutes=10), other=0)
    plan(store, action("k"), limits=limits)
    (batch,) = store.batches()
    if refuse is None:
        store.start_anew(NOW)
    else:
        (store.refuse if refuse else store.approve)(batch.hash, NOW)
    store.approve(batch.hash, NOW)


def _locked(trial: Trial) -> None:
    trial.migrated().close()
    trial.patch.setattr(database, "_BUSY_MS", 50)
    holder = sqlite3.connect(trial.tmp / "store.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        Store.open(trial.url).pause("all", trial.desk.now)
    finally:
        holder.close()


def _full(trial: Trial) -> None:
    store = trial.migrated()
    with store.engine.connect() as conn:
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
    store.close()
    sa.event.listen(store.engine, "connect", lambda connection, _: connection.execute(f"PRAGMA max_page_count={pages}"))
    store.save(stores.Facts(parked=tuple((f"zendesk:{number}", "x" * 3000) for number in range(50))))


def _newer(trial: Trial, *, migrate: bool) -> None:
    store = trial.migrated()
    with store.writing() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    Store.open(trial.url, migrate=migrate)


def _owned(trial: Trial) -> None:
    trial.migrated("roofing").close()
    Store.open(trial.url, profile="builder")


def _secret_file(trial: Trial) -> None:
    trial.set(ZENDESK_CLIENT_SECRET_FILE=str(trial.tmp / "gone")).zendesk.me()


def _budget(trial: Trial) -> None:
    tool = trial.zendesk
    for _ in range(200):
        tool.policy.budget.wait("reading", own="incremental-exports")
        tool.export_events(0)


def _folder(trial: Trial) -> Path:
    return Path(shutil.copytree(ROOT / "config", trial.tmp / "config"))


def _bad_profile(trial: Trial) -> None:
    path = _folder(trial) / "profiles" / "builder.yaml"
    path.write_text(path.read_text().replace("page on_call", "page nobody"))
    trial.run("check", str(path))


def _bad_texts(trial: Trial) -> None:
    texts = _folder(trial) / "templates"
    (texts / "en" / "how_to.md").write_text("Hello {{ nmae }},\n\n{{ steps }}\n")
    (texts / "es" / "resolved.md").write_text("Hola {% if name %}{{ name }}\n")
    (texts / "en" / "referral.md").unlink()
    trial.set(HELPDESK_CONFIG_DIR=str(trial.tmp / "config")).run("check")


def _script(trial: Trial) -> None:
    (trial.tmp / "faults.yaml").write_text("- {vendor: zendesk, kind: rain}\n")
    trial.run("sandbox", "--port-base", "0", "--faults", str(trial.tmp / "faults.yaml"))


def _filled(trial: Trial, *words: str) -> None:
    trial.set(HELPDESK_DATABASE_URL=trial.url).migrated("builder").close()
    trial.run(*words)


NOBODY = "http://127.0.0.1:1"
DUE = ("due", "--profile", "builder")
SIMULATE = ("simulate", "--profile-file")


def _no_evidence(trial: Trial) -> None:
    evidence.verify(trial.migrated(), "zendesk:7")


def _forged(trial: Trial) -> None:
    store = trial.migrated()
    entry = store.keep_evidence("zendesk:7", "a", "{}", at=NOW, keep=timedelta(days=1))
    forged = msgspec.structs.replace(entry, sequence=2, cause_key="b", content="[]")
    with store.writing() as conn:
        row = dict(zip(EVIDENCE.columns, EVIDENCE.encode(forged), strict=True))
        conn.execute(schema.evidence.insert().values(row))
    evidence.verify(store, "zendesk:7")


def _no_manager(trial: Trial) -> None:
    trial.desk.ctx.store.keep_evidence("zendesk:7", "a", "{}", at=NOW, keep=timedelta(days=1))
    know_account(trial.desk.ctx)
    evidence.show(trial.desk.ctx, "zendesk:7", trial.desk.agent)


SITUATIONS: dict[str, Situation] = {
    # Zendesk
    "zendesk: wrong client secret": Situation(
        errors.Unauthorized, lambda t: t.set(ZENDESK_CLIENT_SECRET="wrong").zendesk.me()
    ),
    "zendesk: wrong API token": Situation(
        errors.Unauthorized, lambda t: t.set(ZENDESK_CLIENT_ID=None, ZENDESK_TOKEN="wrong").zendesk.groups()
    ),
    "zendesk: no credentials": Situation(
        errors.Unauthorized, lambda t: t.set(ZENDESK_CLIENT_ID=None, ZENDESK_TOKEN=None).zendesk.me()
    ),
    "zendesk: nobody is logged in": Situation(
        errors.Unauthorized,
        lambda t: t.fail(
            kind="status", status=200, path="users/me", body={"user": {"id": None, "name": "Anonymous user"}}
        ).zendesk.me(),
    ),
    "zendesk: the secret's file is gone": Situation(errors.Unauthorized, _secret_file),
    "zendesk: wrong subdomain, nobody there": Situation(
        errors.Unavailable, lambda t: t.set(ZENDESK_URL=NOBODY).zendesk.me()
    ),
    "zendesk: wrong subdomain, another page": Situation(
        errors.NotFound, lambda t: t.fail(kind="html", status=404, path="/api/v2/").zendesk.me()
    ),
    "zendesk: the address redirects": Situation(errors.BadRequest, lambda t: t.answer(301).zendesk.me()),
    "zendesk: missing scope": Situation(
        errors.Forbidden, lambda t: t.switch(service_scopes="read").zendesk.may_write()
    ),
    "zendesk: role too low": Situation(
        errors.Forbidden, lambda t: t.switch(service_role="agent").zendesk.export_events(0)
    ),
    "zendesk: not on this plan": Situation(
        errors.NotFound,
        lambda t: t.answer(404, body={"error": "InvalidEndpoint", "description": "Not found"}).zendesk.groups(),
    ),
    "zendesk: limit reached": Situation(errors.TooMany, lambda t: t.answer(429).zendesk.groups()),
    "zendesk: our own share used up": Situation(errors.TooMany, _budget),
    "zendesk: no such ticket": Situation(errors.NotFound, lambda t: list(t.zendesk.audits(999_999_999))),
    "zendesk: gone for good": Situation(errors.Gone, lambda t: t.answer(410).zendesk.groups()),
    "zendesk: refused": Situation(
        errors.BadRequest,
        lambda t: t.answer(422, body={"error": "RecordInvalid", "description": "x@y.example"}).zendesk.groups(),
    ),
    "zendesk: somebody was faster": Situation(errors.Conflict, lambda t: t.answer(409).zendesk.groups()),
    "zendesk: down": Situation(errors.Unavailable, lambda t: t.answer(503).zendesk.groups()),
    "zendesk: half an answer": Situation(
        errors.Unavailable, lambda t: t.fail(kind="truncate", path="groups").zendesk.groups()
    ),
    "zendesk: a write without an answer": Situation(
        errors.Uncertain,
        lambda t: t.fail(kind="cut_after", path="update_many").zendesk.update_many([{"id": 1, "tags": []}]),
    ),
    "zendesk: unknown group": Situation(writing.UnknownName, lambda t: t.row(group="Nowhere")),
    "zendesk: unknown field": Situation(writing.UnknownName, lambda t: t.row(fields={"mood": "good"})),
    "zendesk: unknown option": Situation(writing.UnknownName, lambda t: t.row(tier=9)),
    # PagerDuty
    "pagerduty: wrong key": Situation(
        errors.Unauthorized, lambda t: t.set(PAGERDUTY_TOKEN="wrong").pagerduty.services()
    ),
    "pagerduty: From is nobody": Situation(
        errors.BadRequest, lambda t: t.set(PAGERDUTY_FROM="nobody@elsewhere.example").pagerduty.may_write()
    ),
    "pagerduty: From is missing": Situation(
        errors.BadRequest, lambda t: t.set(PAGERDUTY_FROM=None).pagerduty.may_write()
    ),
    "pagerduty: a key that may only read": Situation(
        errors.Forbidden, lambda t: t.set(PAGERDUTY_TOKEN=t.desk.phone.account.read_only_token).pagerduty.may_write()
    ),
    "pagerduty: not on this plan": Situation(
        errors.Forbidden, lambda t: t.fail(vendor="pagerduty", kind="status", status=402).pagerduty.services()
    ),
    "pagerduty: no such incident": Situation(errors.NotFound, lambda t: t.pagerduty.incidents(["P000000"])),
    # Slack and mail
    "slack: wrong token": Situation(errors.Unauthorized, lambda t: t.set(SLACK_TOKEN="wrong").slack.who()),
    "slack: nobody there": Situation(errors.Unavailable, lambda t: t.set(SLACK_URL=NOBODY).slack.who()),
    "slack: no such channel": Situation(errors.NotFound, lambda t: t.slack.place("#nowhere")),
    "slack: nobody has the address": Situation(errors.NotFound, lambda t: t.slack.place("direct nobody@x.example")),
    "slack: a scope is missing": Situation(
        errors.Forbidden,
        lambda t: t.no("missing_scope", needed="channels:read").slack.place("#general"),
    ),
    "slack: not in the channel": Situation(
        errors.Forbidden, lambda t: t.no("not_in_channel").slack.post("C1", "x", "hf-1")
    ),
    "slack: refused": Situation(errors.BadRequest, lambda t: t.no("invalid_blocks").slack.post("C1", "x", "hf-1")),
    "slack: trouble of its own": Situation(
        errors.Uncertain, lambda t: t.no("fatal_error").slack.post("C1", "x", "hf-1")
    ),
    "slack: trouble when asked": Situation(errors.Unavailable, lambda t: t.no("fatal_error").slack.who()),
    "slack: limit reached": Situation(
        errors.TooMany,
        lambda t: t.fail(vendor="slack", kind="status", status=429, headers={"retry-after": "90"}).slack.who(),
    ),
    "mail: nobody there": Situation(errors.Unavailable, lambda t: t.set(SMTP_URL="smtp://127.0.0.1:1").letter()),
    "mail: no login there": Situation(errors.Forbidden, lambda t: t.set(SMTP_USER="us", SMTP_PASSWORD="x").letter()),
    "mail: a certificate that we do not believe": Situation(errors.Unavailable, lambda t: t.behind_tls().letter()),
    "mail: no such mailbox": Situation(
        errors.NotFound, lambda t: t.fail(vendor="mail", kind="status", status=550).letter()
    ),
    "mail: not as this sender": Situation(
        errors.Forbidden, lambda t: t.fail(vendor="mail", kind="status", status=554).letter()
    ),
    "mail: refused": Situation(errors.BadRequest, lambda t: t.fail(vendor="mail", kind="status", status=552).letter()),
    "mail: later": Situation(errors.Unavailable, lambda t: t.fail(vendor="mail", kind="status", status=451).letter()),
    "mail: the answer was lost": Situation(
        errors.Uncertain, lambda t: t.fail(vendor="mail", kind="cut_after", method="SEND").letter()
    ),
    # the watchdog
    "watchdog: another token": Situation(
        errors.Unauthorized, lambda t: _bark(t, lambda url: watchdog.tell(url, "wrong", {}))
    ),
    "watchdog: another deployment": Situation(
        errors.Conflict,
        lambda t: _bark(t, lambda url: watchdog.tell(url, "token", {"profile": "x", "at": "2026-03-03T16:00:00Z"})),
    ),
    "watchdog: away": Situation(errors.Unavailable, lambda t: watchdog.tell(NOBODY, None, {})),
    "watchdog: something else is there": Situation(
        errors.BadRequest, lambda t: watchdog.look(t.desk.sandbox.urls["zendesk"])
    ),
    "watchdog: a key that is none": Situation(
        errors.BadRequest, lambda t: watchdog.Pager(os.environ["PAGERDUTY_URL"], lambda: "short").send(_event)
    ),
    "watchdog: no key": Situation(settings.MissingSetting, lambda t: t.set(PAGERDUTY_EVENTS_KEY=None).run("watchdog")),
    "watchdog: open to the network without a token": Situation(
        settings.MissingSetting, lambda t: t.run("watchdog", "--host", "0.0.0.0")
    ),
    "watchdog: the port is taken": Situation(settings.PortTaken, _taken),
    # the environment
    "environment: what cannot be used": Situation(
        settings.BadSettings, lambda t: t.set(HELPDESK_MODE="full", ZENDESK_URL="acme.zendesk.com").run("run", "pulse")
    ),
    "environment: Zendesk without credentials": Situation(
        settings.MissingSetting, lambda t: t.set(ZENDESK_CLIENT_ID=None, ZENDESK_TOKEN=None).run("run", "pulse")
    ),
    "environment: no mail server's address": Situation(
        settings.BadSettings, lambda t: t.set(SMTP_URL="mail.example.com").run("run", "pulse")
    ),
    "environment: mail without a sender": Situation(
        settings.MissingSetting, lambda t: t.set(SMTP_FROM=None).run("run", "pulse")
    ),
    "environment: no Zendesk to sync": Situation(
        settings.MissingSetting, lambda t: t.set(ZENDESK_URL=None).run("sync", "zendesk")
    ),
    "environment: no clock": Situation(
        clocks.ClockUnread, lambda t: t.set(HELPDESK_CLOCK_URL=f"{NOBODY}/clock").run("run", "pulse")
    ),
    "environment: another clock": Situation(
        clocks.ClockUnread, lambda t: clocks.domain_clock(f"{t.desk.sandbox.urls['zendesk']}/api/v2/users/me")()
    ),
    "environment: no config folder": Situation(
        profiles.NoProfile, lambda t: t.set(HELPDESK_CONFIG_DIR=str(t.tmp)).run("check")
    ),
    # the configuration
    "config: no such profile": Situation(profiles.NoProfile, lambda t: t.run("check", "bilder")),
    "config: no such file": Situation(profiles.NoProfile, lambda t: t.run("check", "nowhere/builder.yaml")),
    "config: a profile with a mistake": Situation(None, _bad_profile),
    "config: texts that cannot be filled": Situation(None, _bad_texts),
    "config: a run with a mistake": Situation(ProfileError, lambda t: _broken(t).run("run", "pulse")),
    "due: unknown names": Situation(
        None, lambda t: t.run(*DUE, "--severity", "P9", "--plan", "busines", "--at", "teatime", "--fact", "mood=good")
    ),
    "simulate: no length of time": Situation(None, lambda t: t.run(*SIMULATE, "builder", "--since", "soon")),
    "simulate: no such file": Situation(profiles.NoProfile, lambda t: t.run(*SIMULATE, "new.yaml")),
    "simulate: another organisation": Situation(OtherProfile, lambda t: t.run(*SIMULATE, "roofing")),
    # the store
    "store: no address": Situation(stores.Unreachable, lambda t: Store.open("helpdesk.db")),
    "store: a database of another kind": Situation(stores.Unreachable, lambda t: Store.open("mysql://host/db")),
    "store: no database there": Situation(
        stores.Unreachable, lambda t: Store.open("postgresql+psycopg://nobody@127.0.0.1:1/none")
    ),
    "store: no such folder": Situation(stores.Unreachable, lambda t: Store.open("sqlite:////nowhere/at/all.db")),
    "store: locked": Situation(stores.Locked, _locked),
    "store: full": Situation(stores.Full, _full),
    "store: no database at all": Situation(stores.Unusable, lambda t: Store.open(t.scribbled())),
    "store: not migrated": Situation(stores.NotMigrated, lambda t: Store.open(t.url)),
    "store: schema is newer": Situation(stores.NotMigrated, lambda t: _newer(t, migrate=False)),
    "store: a newer schema is not migrated": Situation(stores.NotMigrated, lambda t: _newer(t, migrate=True)),
    "store: another profile's": Situation(stores.WrongProfile, _owned),
    "store: another run took over": Situation(stores.StaleLease, _stale),
    "store: no such batch": Situation(stores.UnknownRow, lambda t: t.migrated().approve("cafe", t.desk.now)),
    "store: a batch that was approved": Situation(stores.UnknownRow, lambda t: _settled(t, refuse=False)),
    "store: a batch that was refused": Situation(stores.UnknownRow, lambda t: _settled(t, refuse=True)),
    "store: a batch that was put aside": Situation(stores.UnknownRow, lambda t: _settled(t, refuse=None)),
    "store: no such row": Situation(stores.UnknownRow, lambda t: t.migrated().retry(7, t.desk.now)),
    # the command line
    "explain: no ticket's name": Situation(None, lambda t: t.run("explain", "123")),
    "explain: unknown ticket": Situation(None, lambda t: t.run("explain", "zendesk:999999")),
    "receive: no webhook's secret": Situation(
        settings.MissingSetting,
        lambda t: t.set(ZENDESK_WEBHOOK_SECRET=None, PAGERDUTY_WEBHOOK_SECRET=None).run("receive"),
    ),
    "outbox: no such row": Situation(None, lambda t: _filled(t, "outbox", "retry", "7")),
    "pause: no such scope": Situation(
        operations.NotUnderstood, lambda t: operations.pause(t.migrated(), t.desk.now, "zendsk")
    ),
    "resume: not paused": Situation(None, lambda t: _filled(t, "resume", "sla")),
    "mode: no such policy": Situation(None, lambda t: _filled(t, "mode", "sal")),
    "mode: no such mode": Situation(None, lambda t: _filled(t, "mode", "sla", "on")),
    "outbox: no such state": Situation(None, lambda t: _filled(t, "outbox", "summary", "--state", "shade")),
    "adopt: nothing is chosen": Situation(None, lambda t: _filled(t, "adopt", "--all")),
    "adopt: chosen twice": Situation(None, lambda t: _filled(t, "adopt", "7", "--verb", "tag")),
    "adopt: no such row": Situation(None, lambda t: _filled(t, "adopt", "7")),
    "adopt: nothing like that": Situation(None, lambda t: _filled(t, "adopt", "--verb", "tagg", "--all")),
    "approve: no such batch": Situation(None, lambda t: _filled(t, "approve", "cafe")),
    "evidence: nothing is kept": Situation(evidence.NoEvidence, _no_evidence),
    "evidence: not as it was written": Situation(evidence.NoEvidence, _forged),
    "evidence: shown to managers only": Situation(evidence.NoEvidence, _no_manager),
    "sandbox: a time that is none": Situation(None, lambda t: t.run("sandbox", "--port-base", "0", "--now", "teatime")),
    "sandbox: no such script": Situation(
        None, lambda t: t.run("sandbox", "--port-base", "0", "--faults", str(t.tmp / "none.yaml"))
    ),
    "sandbox: a script that cannot be read": Situation(None, _script),
}


def _broken(trial: Trial) -> Trial:
    config = _folder(trial)
    path = config / "profiles" / "builder.yaml"
    path.write_text(path.read_text().replace("page on_call", "page nobody"))
    return trial.set(HELPDESK_CONFIG_DIR=str(config))


def _event(key: str) -> dict[str, Any]:
    return {"routing_key": key, "event_action": "resolve", "dedup_key": "k"}


def _bark(_: Trial, do: Callable[[str], object]) -> None:
    from flows.watchdog import Watchdog

    pager = watchdog.Pager(NOBODY, lambda: "key")
    dog = Watchdog("builder", pager)
    door = watchdog.Door("127.0.0.1", 0, token=lambda: "token", heard=dog.heard, status=dog.status)
    door.open()
    try:
        do(door.url)
    finally:
        door.close()
        pager.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A deployment with a store of its own."""
    url = f"sqlite:///{tmp_path_factory.mktemp('texts') / 'store.db'}"
    Store.open(url, migrate=True).close()
    with deployment(url) as desk:
        yield desk


@pytest.fixture
def trial(place: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Trial]:
    """The deployment for one situation, put right after it."""
    before = vars(place.sim.switches).copy()
    yield Trial(place, monkeypatch, tmp_path)
    vars(place.sim.switches).update(before)
    place.well()


def plain(text: str, tmp: Path) -> str:
    """A text without what differs from run to run."""
    text = text.strip().replace(str(tmp), "<tmp>").replace(str(ROOT), "<here>")
    text = re.sub(r"this code needs \d+", "this code needs <schema>", text)
    return re.sub(r"(127\.0\.0\.1):\d{3,5}", r"\1:<port>", text)


def known() -> dict[str, str]:
    """The texts as they were read and agreed to, by situation."""
    blocks = TEXTS.read_text().strip().split("\n\n") if TEXTS.exists() else []
    return {head: "\n".join(line.strip() for line in lines) for head, *lines in (block.split("\n") for block in blocks)}


def keep(name: str, text: str) -> None:
    """Agree to a text."""
    texts = known() | {name: text}
    blocks = [
        "\n".join([one, *(f"    {line}" for line in texts[one].split("\n"))]) for one in SITUATIONS if one in texts
    ]
    TEXTS.write_text("\n\n".join(blocks) + "\n")


@pytest.mark.parametrize("name", SITUATIONS)
def test_texts(trial: Trial, tmp_path: Path, name: str) -> None:
    """Brought about for real, each situation is told as place, cause and fix, in the words that are on the list."""
    kind, do = SITUATIONS[name]
    with pytest.raises((Printed, *FAULTS)) as caught:
        do(trial)
    assert type(caught.value) is (Printed if kind is None else kind)
    text = plain(str(caught.value), tmp_path)
    wrong = [line for line in text.splitlines() if not SHAPE.fullmatch(line)]
    assert wrong == [], "not place: cause; fix"
    if os.environ.get("WRITE_ERROR_TEXTS"):
        keep(name, text)
    assert known().get(name) == text, "WRITE_ERROR_TEXTS=1 writes it down; read the diff"


def test_nothing_else_is_on_the_list() -> None:
    """The list holds what the situations say, and nothing that nobody can meet any more."""
    assert list(known()) == list(SITUATIONS)


def test_no_secret_is_on_the_list() -> None:
    """No text repeats a credential or an e-mail address."""
    assert re.findall(r"\w+@[a-z-]+\.[a-z]+", TEXTS.read_text()) == []


def test_lease_that_is_held(place: Desk) -> None:
    """A run that finds another one at work is no error: it says so and ends well."""
    with place.another() as other, leased(other, Pulse(at=place.now)), place.another() as second:
        found = Pulse(at=place.now)
        with leased(second, found) as ours:
            assert not ours
    assert found.sentence() == "Another run is at work; nothing was done."


def ours() -> dict[str, str]:
    """Every exception class of the product, by name, with its place; the sandbox answers as vendors do."""
    bases: dict[str, tuple[list[str], str]] = {}
    for layer in ("mappings", "connectors", "flows"):
        for path in (ROOT / layer).rglob("*.py"):
            if "sandbox" not in path.parts:
                for node in ast.walk(ast.parse(path.read_text())):
                    if isinstance(node, ast.ClassDef):
                        names = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
                        bases[node.name] = (names, f"{path.relative_to(ROOT)}:{node.lineno}")

    def raises(name: str) -> bool:
        if name not in bases:
            return name == "BaseException" or name.endswith(("Exception", "Error"))
        return any(raises(base) for base in bases[name][0])

    return {name: where for name, (_, where) in bases.items() if raises(name)}


def test_no_error_is_missing() -> None:
    """Each exception class of ours is met in a situation, or is named with what becomes of it."""
    met = {situation.kind.__name__ for situation in SITUATIONS.values() if situation.kind is not None}
    met.add(QuestionError.__name__)  # which `due` prints itself
    missing = [f"{where} {name}" for name, where in ours().items() if name not in met | INNER.keys()]
    assert missing == [], "add a situation to SITUATIONS, or say in INNER what becomes of it"


def test_lanes_are_words() -> None:
    """A text that names a lane names one that the outbox shows."""
    said = set(re.findall(r"the (\w+) lane", TEXTS.read_text()))
    assert said <= {lane.value for lane in Lane} | {"reading"}
