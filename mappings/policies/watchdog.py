"""Watching ourselves: when is a deployment silent or blind, and whom is that told? (design §4, "Watching ourselves")

Silence is measured in real seconds between finished pulses; how far a tool has been read is compared with the pulse's
own time, both in domain time, as the pulse tells them. Nothing here needs to be remembered over a restart: a page has
one key per deployment and trouble, so that paging again for what is paged already changes nothing.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

import msgspec

from mappings.plan import PageResolve, PageTrigger

SILENT = "silent"
"""The trouble that no pulse finishes."""
STALE = "stale"
"""`stale:zendesk`: a tool that has told nothing new for too long, or pages that do not get out."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One source as a pulse left it, in domain time. `fresh_through` is null where there is no such thing (yet)."""

    fresh_through: datetime | None = None
    down_since: datetime | None = None


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished pulse tells: its deployment, its time and its sources by name (`zendesk tickets`)."""

    profile: str
    at: datetime
    sources: Mapping[str, Source] = {}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds. `grace` is how long a watchdog that was just started waits for a first pulse."""

    silence: float = 300.0
    stale: float = 600.0
    grace: float = 300.0


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong, for whoever is woken: no names, subjects or addresses."""

    summary: str
    severity: str
    details: Mapping[str, str] = {}


Judged = Mapping[str, Trouble | None]
"""Trouble by key; null: well. What is not known is left out."""


def judge(profile: str, limits: Limits, *, waited: float, last: Beat | None, ago: float | None) -> Judged:
    """What is wrong now. `waited` seconds since the watchdog began, `ago` seconds since the last beat.

    While nothing is heard, nothing is known of the sources: what was said of them stays as it is.
    """
    if last is None or ago is None:
        return {SILENT: _silent(profile, waited, last)} if waited >= limits.grace else {}
    if ago >= limits.silence:
        return {SILENT: _silent(profile, ago, last)}
    return {SILENT: None, **_sources(profile, limits, last)}


def notices(profile: str, judged: Judged, told: Mapping[str, bool | None]) -> dict[str, PageTrigger | PageResolve]:
    """What has to be sent, by key, where `told` says what PagerDuty knows: True paged, False well, missing or null
    unknown. An end is also sent where nobody knows whether there was a page: it harms nothing.
    """
    return {
        key: _page(profile, key, trouble)
        for key, trouble in judged.items()
        if told.get(key) is not (trouble is not None)
    }


def behind(source: Source, at: datetime) -> float:
    """For how many seconds a source has told nothing, seen from a time; 0 where nothing is wrong."""
    since = [moment for moment in (source.fresh_through, source.down_since) if moment is not None]
    return max(0.0, (at - min(since)).total_seconds()) if since else 0.0


def minutes(seconds: float) -> str:
    """A length of time as people say it: `40 seconds`, `1 minute`, `5 minutes`."""
    number, unit = (int(seconds), "second") if seconds < 60 else (int(seconds // 60), "minute")
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _silent(profile: str, seconds: float, last: Beat | None) -> Trouble:
    known = "Nothing was heard since the watchdog began." if last is None else f"The last one was at {last.at}."
    return Trouble(
        summary=f"helpdesk-flows ({profile}): no pulse has finished for {minutes(seconds)}; nobody watches the tickets",
        severity="critical",
        details={"last pulse": known, "what to do": "deploy/runbook.md, nothing has run for minutes"},
    )


def _sources(profile: str, limits: Limits, last: Beat) -> dict[str, Trouble | None]:
    late: dict[str, dict[str, float]] = defaultdict(dict)
    for name, source in last.sources.items():
        tool = late[name.partition(" ")[0]]
        if (seconds := behind(source, last.at)) >= limits.stale:
            tool[name] = seconds
    return {f"{STALE}:{tool}": _stale(profile, tool, found) if found else None for tool, found in sorted(late.items())}


def _stale(profile: str, tool: str, late: Mapping[str, float]) -> Trouble:
    worst = minutes(max(late.values()))
    return Trouble(
        summary=f"helpdesk-flows ({profile}): {tool} is {worst} behind: {', '.join(sorted(late))}",
        severity="error",
        details={name: f"{minutes(seconds)} behind" for name, seconds in late.items()}
        | {"what to do": "deploy/runbook.md, a tool is down; helpdesk doctor names the cause"},
    )


def _page(profile: str, key: str, trouble: Trouble | None) -> PageTrigger | PageResolve:
    dedup_key = f"helpdesk-watchdog:{profile}:{key}"
    if trouble is None:
        return PageResolve(dedup_key=dedup_key, service="watchdog")
    return PageTrigger(
        dedup_key=dedup_key,
        service="watchdog",
        summary=trouble.summary,
        severity=trouble.severity,
        details=trouble.details,
    )
