"""`helpdesk doctor`: looks at everything that a deployment stands on, and says what is wrong and what helps.

One failing check never stops the others. Nothing is changed anywhere, but for a lease of its own by which it sees that
the store can be written. What an answer means is judged by
mappings/policies/doctor.py.
"""

import os
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

import httpx
import msgspec

from connectors.clock import domain_clock, tool_time
from connectors.errors import ConnectorError
from connectors.pagerduty.client import PagerDuty
from connectors.store import OutboxState, Store, WrongProfile
from connectors.watchdog import look
from connectors.zendesk.client import Zendesk
from flows.doctor_routes import ways_out
from flows.profiles import read_profile, read_tools
from flows.settings import Settings, needed, read_settings, secret
from mappings.faults import Explained
from mappings.policies import doctor
from mappings.policies.doctor import Finding, State, fail, ok, warn
from mappings.profile import Profile, ToolTable
from mappings.zendesk import Reading, build_reading

T = TypeVar("T")
LITTLE, TOO_LITTLE = 1_000_000_000, 100_000_000
"""Bytes free beside a SQLite store at which we warn, and at which it cannot go on for long."""
LISTS = (
    "ticket_fields",
    "organization_fields",
    "user_fields",
    "group_memberships",
    "ticket_forms",
    "custom_statuses",
    "triggers",
)


class Later(Exception):
    """A check cannot be made, since what it stands on is wrong; names that."""


@dataclass
class Patient:
    """What is known of the deployment so far; each check may add to it."""

    settings: Settings | None = None
    profile: Profile | None = None
    tools: ToolTable | None = None
    store: Store | None = None
    zendesk: Zendesk | None = None
    pagerduty: PagerDuty | None = None
    me: bytes | None = None
    reading: Reading | None = None
    keys: Mapping[str, str] | None = None
    """PagerDuty's services and their routing keys."""

    def close(self) -> None:
        """Give back what was opened."""
        for opened in (self.store, self.zendesk, self.pagerduty):
            if opened is not None:
                opened.close()


class Check(NamedTuple):
    """One thing to look at. `name` is for machines and never changes."""

    name: str
    work: Callable[[Patient], Iterable[Finding]]


class Checked(msgspec.Struct, frozen=True):
    """A finding with its check."""

    check: str
    finding: Finding


def examine() -> list[Checked]:
    """Make all checks, in their order."""
    patient = Patient()
    try:
        return [Checked(check.name, finding) for check in CHECKS for finding in _tried(check, patient)]
    finally:
        patient.close()


def healthy(found: Iterable[Checked]) -> bool:
    """Does everything work? Warnings are no failures."""
    return all(row.finding.state is not State.FAIL for row in found)


def _tried(check: Check, patient: Patient) -> list[Finding]:
    """A check's findings, as far as it came, and what stopped it."""
    found: list[Finding] = []
    try:
        found.extend(check.work(patient))
    except Later as missing:
        found.append(Finding(state=State.SKIP, place=check.name, cause=f"not looked at: {missing}"))
    except ConnectorError as error:
        found.append(fail(error.place, error.cause, error.fix))
    except (Explained, FileNotFoundError) as fault:
        found += [_told(line) for line in str(fault).splitlines()]
    except Exception as error:  # whatever it is, the other checks are still wanted
        found.append(fail(check.name, f"{type(error).__name__}: {error}", "this is a fault of ours: report it"))
    return found


def _told(line: str) -> Finding:
    """An explained fault's line in its parts."""
    body, _, fix = line.partition("; ")
    place, colon, cause = body.partition(": ")
    return fail(place if colon else "deployment", cause if colon else body, fix)


def _given(value: T | None, what: str) -> T:
    if value is None:
        raise Later(what)
    return value


# the deployment itself


def environment(patient: Patient) -> Iterator[Finding]:
    """Can the environment be read, is it complete, and what does it leave to chance?"""
    settings = patient.settings = read_settings()
    yield ok("environment", f"profile {settings.profile}, mode {settings.mode}")
    if not os.environ.get("HELPDESK_MODE"):
        cause = "not set, so every policy applies what it decides"
        yield warn("environment: HELPDESK_MODE", cause, "say apply, or shadow to begin with")
    if settings.zendesk_url is None and secret("PAGERDUTY_TOKEN") is None:
        yield fail("environment", "no tool is connected", "set ZENDESK_URL and its credentials, see deploy/env.example")
    if settings.clock_url is not None:
        now = domain_clock(settings.clock_url)()
        cause = f"time is simulated, it is {now:%Y-%m-%d %H:%M} UTC there"
        yield warn("environment: HELPDESK_CLOCK_URL", cause, "take it out where the tools are real")


def config(patient: Patient) -> Iterator[Finding]:
    """Are profile, texts and tables right?"""
    settings = _given(patient.settings, "the environment cannot be read")
    patient.tools = read_tools(settings.config_dir)
    patient.profile = read_profile(settings.profile, settings.config_dir)
    yield ok(f"profile {patient.profile.version}", patient.profile.name)
    for warning in patient.profile.warnings:
        yield warn(f"{warning.file}:{warning.line}: {warning.field}", warning.problem, warning.fix)


def store(patient: Patient) -> Iterator[Finding]:
    """Is the store there, this code's, this profile's, writable, and has it room?"""
    settings = _given(patient.settings, "the environment cannot be read")
    path = _sqlite_file(settings.database_url)
    if path is not None and not path.is_file():
        yield fail(settings.database_url, "there is no store yet", "run `helpdesk migrate`")
        return
    key = patient.profile.key if patient.profile is not None else None
    patient.store = Store.open(settings.database_url)
    shown, owner = patient.store.engine.url.render_as_string(), patient.store.profile
    if owner is not None and key is not None and owner != key:
        raise WrongProfile(shown, owner, key)
    yield ok(shown, f"reachable, migrated, {'of nobody yet' if owner is None else f'of profile {owner!r}'}")
    fence = patient.store.lease("doctor", f"{socket.gethostname()}:{os.getpid()}", 5)
    if fence is not None:
        patient.store.release("doctor", fence)
    yield ok(shown, "can be written")
    if path is not None:
        free = shutil.disk_usage(path.resolve().parent).free
        cause, fix = f"{free // 1_000_000} MB are free beside it", "make room, or move the store"
        yield (ok(shown, cause) if free >= LITTLE else (warn if free >= TOO_LITTLE else fail)(shown, cause, fix))


def _sqlite_file(url: str) -> Path | None:
    """The file of a SQLite address; None for any other database."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def work(patient: Patient) -> Iterator[Finding]:
    """Is anything waiting for somebody?"""
    found = list(_waiting(_given(patient.store, "there is no store")))
    yield from found or [ok("work", "nothing waits for anybody")]


def _waiting(store: Store) -> Iterator[Finding]:
    if failed := store.outbox_count(OutboxState.FAILED):
        cause = f"{failed} actions failed, and hold back later ones of their records"
        yield warn("outbox", cause, "`helpdesk outbox list --state failed` tells why; then retry or drop them")
    for scope, since in store.paused().items():
        yield warn(f"pause {scope}", f"paused since {since:%Y-%m-%d %H:%M} UTC", f"`helpdesk resume {scope}` ends it")
    for batch in store.batches():
        cause = f"{batch.count} actions of {batch.policy} ({batch.verb}) are held back"
        yield warn(f"batch {batch.hash}", cause, "`helpdesk approve` lists and releases them")
    for source in store.sources():
        if source.down_since is not None:
            cause = f"not read since {source.down_since:%Y-%m-%d %H:%M} UTC: {source.error}"
            yield warn(f"source {source.tool} {source.name}", cause, "see the checks of that tool")


# Zendesk


def zendesk(patient: Patient) -> Iterator[Finding]:
    """Does the address answer, do the credentials work, may they read and write?"""
    settings = _given(patient.settings, "the environment cannot be read")
    if settings.zendesk_url is None:
        yield ok("zendesk", "not connected: ZENDESK_URL is not set")
        return
    patient.zendesk = Zendesk(settings.zendesk_url, secret=secret, keeper=patient.store)
    patient.me = patient.zendesk.me()
    yield ok("zendesk", "the credentials work")
    if secret("ZENDESK_CLIENT_ID") is None:
        cause = "API tokens are used, which Zendesk withdraws"
        yield warn("environment: ZENDESK_TOKEN", cause, "set ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET instead")
    yield doctor.role(patient.me)
    patient.zendesk.may_write()
    yield ok("zendesk", "its scope lets us write")


def clock(patient: Patient) -> Iterator[Finding]:
    """Do our clock and Zendesk's agree?"""
    settings = _given(patient.settings, "the environment cannot be read")
    if settings.zendesk_url is None:
        return
    theirs = tool_time("zendesk", f"{settings.zendesk_url.rstrip('/')}/api/v2/users/me.json")
    ours = domain_clock(settings.clock_url)() if settings.clock_url else datetime.now(UTC)
    yield ok("clock", "Zendesk tells no time") if theirs is None else doctor.skew("clock", ours, theirs)


def account(patient: Patient) -> Iterator[Finding]:
    """Has the account what the profile needs: fields, options, groups with agents, forms, and no trigger against us?"""
    tool, me = _connected(patient)
    profile, tools = _given(patient.profile, "the configuration is wrong"), _given(patient.tools, "no tables")
    lists = {"groups": tool.groups(), "agents": tool.agents(), "ticket_fields": tool.ticket_fields()}
    reading = patient.reading = build_reading(tools.zendesk, profile, me=me, **lists)
    more, unread = _lists(tool)
    yield from unread
    if {"organization_fields", "user_fields"} <= more.keys():
        yield from doctor.fields(tools.zendesk, profile, reading, {**lists, **more})
    if "group_memberships" in more:
        yield from doctor.groups(tools.zendesk, profile, reading, {**lists, **more})
    if "ticket_forms" in more:
        yield from doctor.forms(tools.zendesk, reading, more["ticket_forms"])
    if "custom_statuses" in more:
        yield from doctor.statuses(profile, more["custom_statuses"])
    if "triggers" in more:
        yield from doctor.triggers(tools.zendesk, profile, reading, more["triggers"])


def _lists(tool: Zendesk) -> tuple[dict[str, list[bytes]], list[Finding]]:
    """The account's lists, as far as it shows them."""
    found: dict[str, list[bytes]] = {}
    unread: list[Finding] = []
    for kind in LISTS[1:]:
        try:
            found[kind] = tool.objects(kind)
        except ConnectorError as error:
            unread.append(warn(error.place, error.cause, error.fix))
    return found, unread


def person(patient: Patient) -> Iterator[Finding]:
    """Is the service user a person, too?"""
    tool, me = _connected(patient)
    user = doctor.read([me])[0].user
    if user is None or user.email is None:
        raise Later("the service user has no address to search by")
    assigned, asked, wrote = (
        msgspec.json.decode(tool.search(f"type:ticket {word}:{user.email}"), type=doctor.Found)
        for word in ("assignee", "requester", "commenter")
    )
    written = {id: tool.comments(id) for id in wrote.ids}
    yield from doctor.person(assigned, asked, written, [user.id])


def _connected(patient: Patient) -> tuple[Zendesk, bytes]:
    settings = _given(patient.settings, "the environment cannot be read")
    if settings.zendesk_url is None:
        raise Later("Zendesk is not connected")
    return _given(patient.zendesk, "Zendesk does not let us in"), _given(patient.me, "Zendesk does not let us in")


# PagerDuty and the watchdog


def pagerduty(patient: Patient) -> Iterator[Finding]:
    """Does the key work, is From a user, and takes each service events?"""
    settings = _given(patient.settings, "the environment cannot be read")
    profile = _given(patient.profile, "the configuration is wrong")
    wanted = sorted({route.pagerduty for route in profile.routes.values() if route.pagerduty})
    if secret("PAGERDUTY_TOKEN") is None:
        cause, fix = f"not connected, and the profile pages {', '.join(wanted)}", "set PAGERDUTY_TOKEN"
        yield warn("pagerduty", cause, fix) if wanted else ok("pagerduty", "not connected: PAGERDUTY_TOKEN is not set")
        return
    tool = patient.pagerduty = PagerDuty(
        settings.pagerduty_url,
        events_url=settings.pagerduty_events_url,
        token=lambda: needed("PAGERDUTY_TOKEN"),
        sender=settings.pagerduty_from,
    )
    patient.keys = tool.services()
    yield ok("pagerduty", "the key works")
    yield from doctor.services(_given(patient.tools, "no tables"), profile, patient.keys)
    if settings.pagerduty_from is None:
        yield fail("environment: PAGERDUTY_FROM", "not set", "set the address of a user in whose name we act")
    elif not tool.knows(settings.pagerduty_from):
        yield fail("environment: PAGERDUTY_FROM", "no user of the account has this address", "set one that has")
    else:
        tool.may_write()
        yield ok("pagerduty", "From is a user, and the key may write")


def routes(patient: Patient) -> Iterator[Finding]:
    """Can colleagues be told: does Slack take us, and the mail server?"""
    settings = _given(patient.settings, "the environment cannot be read")
    yield from ways_out(settings, _given(patient.profile, "the configuration is wrong"))


def watchdog(patient: Patient) -> Iterator[Finding]:
    """Is there a watchdog, does it hear us, and can it page?"""
    settings = _given(patient.settings, "the environment cannot be read")
    key = secret("PAGERDUTY_EVENTS_KEY")
    place = "environment: PAGERDUTY_EVENTS_KEY"
    if key is None:
        yield warn(place, "not set: no watchdog can page", "set the routing key of a service of its own")
    elif patient.keys is not None and key.get_secret_value() not in patient.keys.values():
        fix = "check that it is an integration's key, and that its service pages somebody"
        yield warn(place, "no service that we see has this routing key", fix)
    if settings.watchdog_url is None:
        fix = "start `helpdesk watchdog`, and set its address"
        yield warn("environment: HELPDESK_WATCHDOG_URL", "not set: nobody notices when pulses stop", fix)
        return
    said = look(settings.watchdog_url)
    if patient.profile is not None and said["profile"] != patient.profile.key:
        cause = f"it watches {said['profile']!r}, not {patient.profile.key!r}"
        yield fail("watchdog", cause, "give each deployment a watchdog of its own")
    elif said.get("problem"):
        yield fail("watchdog", str(said["problem"]), "a page waits until that is mended")
    elif said.get("trouble"):
        yield warn("watchdog", "; ".join(said["trouble"].values()), "deploy/runbook.md says what to do")
    else:
        yield ok("watchdog", f"{said['state']}, last heard: {said['heard'] or 'nothing'}")


def console(_: Patient) -> Iterator[Finding]:
    """Does the Prefect server answer, where one is named?"""
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        yield ok("prefect", "PREFECT_API_URL is not set: runs go without a server")
        return
    try:
        httpx.get(f"{url.rstrip('/')}/health", timeout=10).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        yield fail("environment: PREFECT_API_URL", f"does not answer ({type(error).__name__})", "start the server")
    else:
        yield ok("prefect", "the server answers")


CHECKS = (
    Check("environment", environment),
    Check("config", config),
    Check("store", store),
    Check("work", work),
    Check("zendesk", zendesk),
    Check("clock", clock),
    Check("account", account),
    Check("service user", person),
    Check("pagerduty", pagerduty),
    Check("routes", routes),
    Check("watchdog", watchdog),
    Check("prefect", console),
)
