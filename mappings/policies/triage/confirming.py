"""A critical severity that the customer chose is confirmed before it pages anybody (TRI-18).

The form's question "Can anybody work?" decides: nobody can, it stands; others can, it does not page. Without an answer
it is asked once, and pages at the end of the profile's time all the same. What an agent, an address or the texts
themselves make critical needs no confirmation.
"""

import re
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from mappings.model import Actor
from mappings.plan import Action
from mappings.policies.sla.measures import Life
from mappings.policies.triage.finding import sign
from mappings.policies.triage.owning import first_author
from mappings.profile import Profile

Standing = Literal["confirmed", "refuted", "waits"]
_THEIRS = (Actor.CUSTOMER, Actor.UNKNOWN)


class Claim(msgspec.Struct, frozen=True):
    """When a customer first chose a critical severity, and by which happening."""

    at: datetime
    cause: str


def claim(life: Life, profile: Profile) -> Claim | None:
    """A critical severity that rests on the customer's word alone; null where there is none."""
    grave = _grave(life, profile)
    if not grave or any(who not in _THEIRS for _, _, who in grave):
        return None
    shown = sign(life.history.ticket, profile)
    if shown is not None and _critical(shown.value, profile):
        return None
    return Claim(*grave[0][:2])


def _grave(life: Life, profile: Profile) -> list[tuple[datetime, str, Actor]]:
    """Each time that the severity was made critical: when, by which happening, by whom."""
    told = [(life.line.created_at, life.created, first_author(life, "severity"), life.line.initial.get("severity"))]
    told += [(step.at, step.cause, step.actor, step.new) for step in life.line.of("severity")]
    return [(at, cause, who) for at, cause, who, value in told if _critical(value, profile)]


def standing(life: Life, profile: Profile, now: datetime) -> Standing:
    """Does a critical severity stand? Not where somebody has made it milder in the meantime."""
    claimed = claim(life, profile)
    if claimed is None:
        return "confirmed"
    if not _critical(life.history.ticket.severity, profile):
        return "refuted"
    match life.history.ticket.fields.get("working"):
        case "no":
            return "confirmed"
        case "yes":
            return "refuted"
    return "waits" if now < until(claimed, profile) else "confirmed"


def until(claimed: Claim, profile: Profile) -> datetime:
    """How long an answer is waited for."""
    return claimed.at + timedelta(seconds=profile.triage.confirm.within)


def deadline(life: Life, profile: Profile, now: datetime) -> datetime | None:
    """When a ticket that waits for its answer pages without one; null where nothing waits."""
    claimed = claim(life, profile)
    waits = claimed is not None and standing(life, profile, now) == "waits"
    return until(claimed, profile) if claimed is not None and waits else None


def reconsidered(life: Life, profile: Profile) -> list[datetime]:
    """When a page that is withheld may go after all: at an answer, or without one at the end of the time for it."""
    first = next(iter(_grave(life, profile)), None)
    if first is None or first[2] not in _THEIRS:
        return []
    answers = [step.at for step in life.line.of("working") if step.at > first[0]]
    return [*answers, until(Claim(*first[:2]), profile)]


def withheld(action: Action, life: Life, profile: Profile, now: datetime) -> bool:
    """Does a page rest on a critical severity that is not confirmed?"""
    if action.verb != "page" or not _critical(life.line.value("severity", action.cause_at), profile):
        return False
    return standing(life, profile, now) != "confirmed"


_YES = frozenset(("yes", "yeah", "yep", "sí", "si"))
_NO = frozenset(("no", "nobody", "noone", "none", "nadie", "ninguno"))
_NOT = frozenset(("not", "cannot", "can't", "cant", "nothing", "nada", "tampoco"))
"""What makes a yes a no, and says nothing alone."""
_GREETINGS = frozenset(("hi", "hello", "hey", "dear", "hola", "estimado", "estimada", "buenos", "buenas"))
_SHORT = 4
"""A line of so few words that begins with a greeting is one."""
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def answer(text: str) -> Literal["yes", "no"] | None:
    """Whether anybody can work, as a customer's reply says in its first words; null where it does not say.

    Only a plain yes keeps anybody from being woken: whatever also says no is a no.
    """
    lines = (_WORD.findall(line.replace("’", "'")) for line in text.casefold().splitlines())
    said = (line[:12] for line in lines if line and not _greets(line))
    words = next(said, [])
    if not words or words[0] not in _NO | _YES:
        return None
    return "no" if (_NO | _NOT) & set(words) else "yes"


def _greets(words: list[str]) -> bool:
    return words[0] in _GREETINGS and len(words) <= _SHORT


def _critical(severity: str | None, profile: Profile) -> bool:
    return severity in profile.severities and profile.severities[str(severity)].critical
