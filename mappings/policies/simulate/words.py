"""A preview's differences in plain words, a line a ticket. No names, subjects or addresses."""

from collections.abc import Sequence
from datetime import datetime

from mappings.policies.simulate.deeds import Deed
from mappings.policies.simulate.living import Kept
from mappings.profile import Profile

_RESULTS = {"late": "late, still running", "running": "still in time"}


def promise_words(ticket_id: int, was: Kept | None, is_: Kept | None, profiles: tuple[Profile, Profile]) -> str:
    """`zendesk:123 P2 Business: First response due Tue 3 Mar 14:00 → 13:00, met → missed by 20 min`."""
    one = is_ or was
    assert one is not None
    dues = [_due(side, one.start_at, profile) for side, profile in zip((was, is_), profiles, strict=True)]
    results = [_result(side) for side in (was, is_)]
    due = dues[0] if dues[0] == dues[1] else " → ".join(dues)
    return f"{_whom(ticket_id, one.severity, one.plan, profiles[1])}: {one.target} due {due}, {' → '.join(results)}"


def deed_words(ticket_id: int, was: Sequence[Deed], is_: Sequence[Deed], profile: Profile) -> str:
    """`zendesk:123 P1 Business: page on_call, 0 → 1 times: Severity P1, office closed.`; the last one's own reason."""
    more = list(is_ if len(is_) > len(was) else was)
    deed = more[-1]
    at = _day(deed.at, profile)
    whom = _whom(ticket_id, deed.severity, deed.plan, profile)
    return f"{whom}: {deed.what}, {len(was)} → {len(is_)} ({at}): {deed.says}"


def length(seconds: int) -> str:
    """`20 min`, `3 h 10 min`, `2 d 4 h`."""
    minutes = seconds // 60
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    told = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(told[:2])


def _whom(ticket_id: int, severity: str, plan: str, profile: Profile) -> str:
    name = profile.plans[plan].name if plan in profile.plans else plan
    words = [f"zendesk:{ticket_id}", severity, name if len(profile.plans) > 1 else ""]
    return " ".join(word for word in words if word)


def _due(kept: Kept | None, beside: datetime, profile: Profile) -> str:
    return "–" if kept is None or kept.due_at is None else _day(kept.due_at, profile)


def _day(at: datetime, profile: Profile) -> str:
    local = at.astimezone(profile.zone)
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def _result(kept: Kept | None) -> str:
    if kept is None:
        return "not promised"
    if kept.result == "missed" and (kept.missed_by or 0) >= 60:
        return f"missed by {length(kept.missed_by or 0)}"
    return _RESULTS.get(kept.result, kept.result)
