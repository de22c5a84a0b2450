"""What a company carries: how many warnings, until when it is restricted, and when that is over (ABU-04, ABU-05).

Values are counted from what the journal holds, and absolute, so that neither a second look nor a second try changes
them. What a person wrote into the company's fields is where counting goes on from.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import msgspec

from mappings.model import Company
from mappings.plan import Action, CompanyChange, Lane
from mappings.profile import Profile
from mappings.reasons import reason

POLICY = "abuse"
OVER = "Restriction over"
"""The rule that lifts a restriction."""


class Entry(msgspec.Struct, frozen=True):
    """An earlier change of a company's fields, of the journal. `done`: the company's fields show it since."""

    key: str
    fields: dict[str, str | None]
    done: bool


def record_of(company: Company) -> str:
    """How a company is called in the journal: `zendesk:organization:5`."""
    return f"zendesk:organization:{company.id}"


def fields_of(company: Company) -> dict[str, str | None]:
    """A company's fields that we write, as texts by our names."""
    return {
        "warnings": str(company.warnings),
        "last_warning_at": company.last_warning_at,
        "restricted_until": company.restricted_until,
    }


def standing(company: Company, name: str, before: Sequence[Entry], key: str) -> str | None:
    """What a field will say once all that is under way is done: what an action `key` goes on from."""
    under_way = [entry for entry in before if name in entry.fields and entry.key != key]
    if under_way and not under_way[-1].done:
        return under_way[-1].fields[name]
    return fields_of(company)[name]


def day(at: datetime, profile: Profile) -> str:
    """The office's day of a time: `2026-03-17`."""
    return at.astimezone(profile.zone).date().isoformat()


def warned(
    company: Company, before: Sequence[Entry], key: str, at: datetime, profile: Profile
) -> tuple[CompanyChange, dict[str, str | None]]:
    """One warning more: the change, and what it expects of the company."""
    count = standing(company, "warnings", before, key)
    fields = {"warnings": str(int(count or 0) + 1), "last_warning_at": day(at, profile)}
    return CompanyChange(fields=fields), {"warnings": count}


def warning_days(company: Company, before: Sequence[Entry], key: str) -> list[str]:
    """The days of earlier warnings, as far as they are known: ours, else the last one that the company shows."""
    ours = [str(entry.fields["last_warning_at"]) for entry in before if "warnings" in entry.fields and entry.key != key]
    return ours or ([company.last_warning_at] if company.last_warning_at else [])


def restricted(
    company: Company, before: Sequence[Entry], key: str, at: datetime, profile: Profile
) -> tuple[CompanyChange, dict[str, str | None]]:
    """Restricted for the profile's time, or longer where it is so already: the change, and what it expects."""
    until = standing(company, "restricted_until", before, key)
    ends = day(at + timedelta(seconds=profile.abuse.restriction.for_), profile)
    return CompanyChange(fields={"restricted_until": max(ends, until or "")}), {"restricted_until": until}


def removed(company: Company | None, profile: Profile, at: datetime) -> tuple[str, ...]:
    """What a company lacks at a time, because it is restricted: up to the end of the last day, in the office."""
    until = company.restricted_until if company is not None else None
    return profile.abuse.restriction.removes if until is not None and day(at, profile) <= until else ()


def lift(company: Company, profile: Profile) -> Action:
    """Take away a restriction whose last day is over."""
    until = str(company.restricted_until)
    over = datetime.combine(date.fromisoformat(until) + timedelta(days=1), time(), profile.zone)
    lost = " and ".join(profile.abuse.restriction.removes)
    why = reason(
        "restriction_over", OVER, f"The restriction (no {lost}) ended with {until}.", profile, {"until": until}
    )
    return Action(
        key=f"abuse:lift:{record_of(company)}:{until}",
        policy=POLICY,
        rule=OVER,
        verb="lift",
        tool="zendesk",
        record=record_of(company),
        change=CompanyChange(fields={"restricted_until": None}),
        reason=why,
        lane=Lane.ESCALATION,
        cause_at=over,
        expects={"restricted_until": until},
    )
