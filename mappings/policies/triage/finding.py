"""What a ticket says of itself: kind, severity and module, each with what it was seen by."""

import re
from collections.abc import Iterable, Mapping

import msgspec

from mappings.model import Ticket
from mappings.policies.sla.measures import Life
from mappings.policies.triage.owning import own_word
from mappings.policies.triage.words import finds
from mappings.profile import Profile
from mappings.profile.sections import Address

SUBJECT, BODY = 2, 1
"""What a word weighs where it stands; from `SURE` on a kind counts as certain."""
SURE = 2
_PATH = re.compile(r"^[a-z][a-z0-9+.-]*://[^/?#]*")
"""What stands before an address's path."""


class Found(msgspec.Struct, frozen=True):
    """A value, and by what it was found: `the address security@…`, `the word “api” in the subject`."""

    value: str
    by: str
    sure: bool = True


def address(ticket: Ticket, profile: Profile) -> tuple[str, Address] | None:
    """The address of ours that a mail was written to, and what mail to it means; null for any other."""
    if not ticket.recipient:
        return None
    local, _, domain = ticket.recipient.casefold().partition("@")
    ours = {mail.casefold(): (mail, told) for one in profile.channels.values() for mail, told in one.addresses.items()}
    return ours.get(f"{local}@{domain}") or ours.get(f"{local.partition('+')[0]}@{domain}")


def kind(ticket: Ticket, profile: Profile) -> Found | None:
    """What a ticket is about: by the address it was written to, else by the words it uses."""
    written = address(ticket, profile)
    if written is not None and written[1].kind is not None:
        return Found(written[1].kind, f"it was written to {written[0]}")
    best: tuple[int, Found] | None = None
    for one in profile.kinds.values():
        weight, by = _weight(one.signs, ticket)
        if weight > (best[0] if best else 0):
            best = weight, Found(one.key, by, weight >= SURE)
    return best[1] if best else None


def _weight(signs: Iterable[str], ticket: Ticket) -> tuple[int, str]:
    """How much the texts speak for a kind, and by what first."""
    weight, by = 0, ""
    for sign in signs:
        for worth, place, text in ((SUBJECT, "subject", ticket.subject), (BODY, "message", ticket.description)):
            if finds(sign, text):
                weight, by = weight + worth, by or f"of the word “{sign}” in the {place}"
    return weight, by


def sign(ticket: Ticket, profile: Profile) -> Found | None:
    """The worst severity whose signs a ticket's texts show."""
    for severity in profile.severities.values():
        for word in severity.signs:
            for place, text in (("subject", ticket.subject), ("message", ticket.description)):
                if finds(word, text):
                    return Found(severity.key, f"of the sign “{word}” in the {place} (severities.{severity.key}.signs)")
    return None


def severity(life: Life, profile: Profile) -> Found | None:
    """How bad it is: by the form, unless the texts show worse; else by address, texts, and impact and urgency.

    A critical one that the customer chose while others can work is one step milder, unless the texts show it.
    """
    ticket = life.history.ticket
    shown, said = sign(ticket, profile), own_word(life, "severity")
    if said in profile.severities:
        assert said is not None
        if shown is not None and profile.severity_rank(shown.value) <= profile.severity_rank(said):
            return shown if shown.value != said else Found(said, "the customer chose it")
        if profile.severities[said].critical and ticket.fields.get("working") == "yes":
            return Found(_milder(said, profile), f"the customer chose {said} and says that others can work")
        return Found(said, "the customer chose it")
    written = address(ticket, profile)
    told = Found(written[1].severity, f"it was written to {written[0]}") if written and written[1].severity else None
    seen = [found for found in (told, shown) if found is not None]
    if seen:
        return min(seen, key=lambda found: profile.severity_rank(found.value))
    return _by_impact(ticket.fields, profile)


def _milder(key: str, profile: Profile) -> str:
    keys = list(profile.severities)
    return keys[min(keys.index(key) + 1, len(keys) - 1)]


def _by_impact(fields: Mapping[str, str | None], profile: Profile) -> Found | None:
    """Severity from how many are affected and whether anybody can work (TRI-10); the profile's own where unsaid."""
    told, users = profile.triage, fields.get("affected_users")
    count = int(users) if users is not None and users.isdecimal() else None
    impact = "unknown"
    if count is not None:
        impact = max(((least, word) for word, least in told.impact.items() if count >= least), default=(0, impact))[1]
    can_work = {"yes": "working", "no": "blocked"}.get(fields.get("working") or "", "unknown")
    row = told.urgency.get(impact, {})
    cell = next((priority for word, priority in row.items() if word == can_work), None)
    if cell is not None:
        words = {"working": "others can work", "blocked": "nobody can work", "unknown": "unknown who can work"}
        users_said = f"{count} affected users" if count is not None else "an unknown number of users"
        return Found(profile.severity_like(cell), f"of {users_said}, {words[can_work]}")
    if told.otherwise is None:
        return None
    return Found(profile.severity_like(told.otherwise), "nothing tells how bad it is", sure=False)


def module(url: str | None, profile: Profile) -> Found | None:
    """Where in the product it is, by the page that the customer was on: the longest of the modules' paths in it."""
    if not url:
        return None
    steps = [step for step in _PATH.sub("", url.casefold()).split("?")[0].split("#")[0].split("/") if step]
    best: tuple[int, Found] | None = None
    for one in profile.modules.values():
        for path in one.urls:
            wanted = [step for step in path.casefold().split("/") if step]
            inside = any(steps[at : at + len(wanted)] == wanted for at in range(len(steps)))
            if wanted and inside and len(wanted) > (best[0] if best else 0):
                best = len(wanted), Found(one.key, f"the page is one of {path}")
    return best[1] if best else None
