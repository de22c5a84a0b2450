"""What goes wrong, drawn from a seed: the same seed is the same schedule, for ever.

A schedule is a list of mishaps, each tied to one pulse of a story (`beat`, from 0). It prints as it is replayed.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

ANSWERS: dict[str, dict[str, Any]] = {
    "429": {"kind": "status", "status": 429, "headers": {"retry-after": "7"}},
    "429 for long": {"kind": "status", "status": 429, "headers": {"retry-after": "95"}},
    "429 until a date": {"kind": "status", "status": 429, "headers": {"retry-after": "Tue, 03 Mar 2026 16:30:00 GMT"}},
    "429 without a word": {"kind": "status", "status": 429, "headers": {}},
    "500": {"kind": "status", "status": 500},
    "500 after the effect": {"kind": "status", "status": 500, "after": True},
    "503 with Retry-After": {"kind": "status", "status": 503, "headers": {"retry-after": "3"}},
    "504 after the effect": {"kind": "status", "status": 504, "after": True},
    "cut before": {"kind": "cut_before"},
    "cut after": {"kind": "cut_after"},
    "half an answer": {"kind": "truncate"},
    "an HTML page": {"kind": "html"},
    "slow": {"kind": "slow", "seconds": 12.0},
    "too slow": {"kind": "slow", "seconds": 70.0, "after": True},
    "token expired": {"kind": "token_expired"},
    "unknown fields": {"kind": "drift"},
}
"""How a tool may answer instead, by the words of a report (connectors/sandbox/faults.py)."""

CALLS = {
    "zendesk": (
        "update_many", "update_many", "update_many", "job_statuses", "job_statuses", "tickets/show_many", "audits",
        "incremental/tickets", "incremental/ticket_events", "api/v2/tickets", "oauth/tokens", "api/v2/",
    ),
    "pagerduty": ("enqueue", "enqueue", "incidents", "services", ""),
    "slack": (
        "chat.postMessage", "chat.postMessage", "chat.postMessage", "conversations.history", "conversations.list",
        "conversations.open", "users.lookupByEmail",
    ),
    "mail": ("",),
}  # fmt: skip
"""Which calls are struck; those that change something more often."""

POINTS = (
    "store.save", "store.lease", "store.renew", "store.changed", "store.decide", "store.due_clocks", "store.settle",
    "store.take", "store.note_ref", "store.finish", "store.expire", "store.unknown", "store.outbox_count",
    "store.release", "zendesk.newest_tickets", "zendesk.tickets", "zendesk.audits", "zendesk.update_many",
    "zendesk.jobs", "pagerduty.services", "pagerduty.send", "pagerduty.incident_by_key",
)  # fmt: skip
SENDING = ("store.take", "store.note_ref", "store.finish", "zendesk.update_many", "zendesk.jobs", "pagerduty.send")
"""The steps of the outbox: half of all deaths happen here."""
TELLING = (
    "store.take", "store.hold", "store.note_ref", "store.finish", "store.stuck", "store.decide", "store.pass_on",
    "slack.place", "slack.post", "slack.post", "slack.find", "mail.send", "mail.send",
)  # fmt: skip
"""The steps of a message."""

DEEDS = (
    "note", "tag", "subject", "comment", "answer", "due", "hold", "solve", "priority", "worse", "delete", "merge",
)  # fmt: skip
"""What people do in between (tests/faults/people.py)."""

SWITCHES: dict[str, Sequence[Any]] = {
    "bulk_keeps_metadata": (False,),
    "job_seconds": (20.0, 150.0),
    "job_looks": (6, 40),
    "failed_rows_as_described": (True,),
    "job_breaks_at": (1, 2),
    "noop_touches": (True,),
    "retry_after": (False,),
    "queued_jobs": (1,),
    "event_delay": (45.0,),
    "unknown_key_accepted": (False,),
    "solve_assigns": (True,),
}
"""Behaviour that a vendor leaves open, turned the other way for the whole story."""


WEBHOOKS: dict[str, dict[str, float]] = {
    "in time": {},
    "lost": {"webhook_lose": 1.0},
    "lost at times": {"webhook_lose": 0.4},
    "twice": {"webhook_double": 1.0},
    "late and out of order": {"webhook_delay": 20.0, "webhook_jitter": 240.0, "webhook_double": 0.3},
}
"""How webhooks come where there are any; without this mishap nobody sends one."""


@dataclass(frozen=True)
class Mishap:
    """One thing that goes wrong at one pulse; `given` says how."""

    beat: int
    kind: str
    given: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        said = " ".join(f"{name}={value!r}" for name, value in self.given.items())
        return f"beat {self.beat}: {self.kind} {said}".rstrip()


Schedule = tuple[Mishap, ...]


def draw(seed: int, beats: int, *, telling: bool = False) -> Schedule:
    """The schedule of a seed for a story of so many pulses: one to six mishaps, early and late ones alike.

    `telling`: one to three more, to the ways by which colleagues are told.
    """
    chance = random.Random(seed)
    mishaps = [_mishap(chance, chance.randrange(beats)) for _ in range(chance.choice((1, 2, 2, 3, 3, 4, 5, 6)))]
    mishaps += [_untold(chance, chance.randrange(beats)) for _ in range(chance.choice((1, 2, 3)) if telling else 0)]
    return tuple(sorted(mishaps, key=lambda mishap: mishap.beat))


def _untold(chance: random.Random, beat: int) -> Mishap:
    """A mishap to Slack or mail, or in the middle of telling."""
    vendor, kind = chance.choice(("slack", "slack", "mail")), chance.choice(("answer", "answer", "away", "killed"))
    if kind == "answer":
        # a mail server's 5xx is for ever (RFC 5321)
        fit = [words for words, said in ANSWERS.items() if vendor != "mail" or said.get("status", 0) < 500]
        says, times = chance.choice(fit), chance.choice((1, 1, 2, 5))
        return Mishap(
            beat, kind, {"vendor": vendor, "call": chance.choice(CALLS[vendor]), "says": says, "times": times}
        )
    if kind == "away":
        return Mishap(beat, kind, {"vendor": vendor, "minutes": chance.choice((3, 10, 60))})
    point = f"{chance.choice(TELLING)}:{chance.choice(('before', 'after'))}"
    return Mishap(beat, kind, {"point": point, "nth": chance.choice((1, 1, 1, 2, 3))})


def _mishap(chance: random.Random, beat: int) -> Mishap:
    kind = chance.choices(tuple(_DRAWN), weights=[weight for weight, _ in _DRAWN.values()])[0]
    return Mishap(beat, kind, _DRAWN[kind][1](chance))


def _answer(chance: random.Random) -> dict[str, Any]:
    vendor = chance.choice(("zendesk", "zendesk", "zendesk", "pagerduty"))
    said = chance.choice(tuple(ANSWERS))
    return {"vendor": vendor, "call": chance.choice(CALLS[vendor]), "says": said, "times": chance.choice((1, 1, 2, 5))}


def _point(chance: random.Random) -> dict[str, Any]:
    point = chance.choice(SENDING if chance.random() < 0.5 else POINTS)
    return {"point": f"{point}:{chance.choice(('before', 'after'))}", "nth": chance.choice((1, 1, 1, 2, 3))}


def _person(chance: random.Random) -> dict[str, Any]:
    at = _point(chance) if chance.random() < 0.7 else {}
    return {"does": chance.choice(DEEDS), "to": chance.randrange(2), **at}


def _away(chance: random.Random) -> dict[str, Any]:
    vendor = chance.choice(("zendesk", "zendesk", "pagerduty", "*"))
    return {"vendor": vendor, "minutes": chance.choice((3, 10, 60))}


def _stall(chance: random.Random) -> dict[str, Any]:
    return {**_point(chance), "seconds": chance.choice((100, 400, 1000))}


def _switch(chance: random.Random) -> dict[str, Any]:
    name = chance.choice(tuple(SWITCHES))
    return {name: chance.choice(SWITCHES[name])}


_DRAWN: dict[str, Any] = {
    "answer": (35, _answer),
    "killed": (20, _point),
    "person": (20, _person),
    "second worker": (7, _point),
    "stalled": (7, _stall),
    "away": (6, _away),
    "down": (4, lambda chance: {"beats": chance.choice((1, 2, 4))}),
    "jump": (4, lambda chance: {"minutes": chance.choice((5, 20, 45))}),
    "switch": (7, _switch),
    "webhooks": (7, lambda chance: {"come": chance.choice(tuple(WEBHOOKS))}),
}
"""Kinds of mishap: how often each is drawn, and what draws the rest of it."""


def shrink(schedule: Schedule, fails: Any) -> Schedule:
    """The smallest part of a failing schedule that still fails: no mishap of it can be left out."""
    left = list(schedule)
    again = True
    while again:
        again = False
        for mishap in list(left):
            fewer = [other for other in left if other is not mishap]
            if fails(tuple(fewer)):
                left, again = fewer, True
                break
    return tuple(left)
