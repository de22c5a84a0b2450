"""Is our service user also a person? Then a person's words would pass for ours (design §4, "Who did it").

All that our service user does counts as done by us, and stops no clock: whoever works under the same login answers
nobody.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

import msgspec

from mappings.zendesk.writing import says_ours

RECENT = timedelta(days=30)
_BY_HAND = frozenset({"web", "email", "mobile", "mobile_sdk", "chat", "voice"})


class _Me(msgspec.Struct):
    id: int | None = None
    role: str | None = None
    last_login_at: datetime | None = None
    suspended: bool | None = None
    active: bool | None = True
    photo: object = None
    phone: str | None = None


class _MeBody(msgspec.Struct):
    user: _Me


class _Via(msgspec.Struct):
    channel: str | int | None = None


class _Event(msgspec.Struct):
    type: str | None = None
    body: str | None = None
    author_id: int | None = None


class _Audit(msgspec.Struct):
    author_id: int | None = None
    via: _Via | None = None
    events: list[_Event] = []


class _Audits(msgspec.Struct):
    audits: list[_Audit] = []


def signs_of_a_person(me: bytes, now: datetime, *, assigned: int, by_hand: int) -> list[str]:
    """Why the user of `/users/me` looks like somebody's own, in words; nothing where it is a program's alone.

    `assigned`: tickets it is the assignee of. `by_hand`: comments of its that no program wrote (`written_by_hand`).
    """
    user = msgspec.json.decode(me, type=_MeBody).user
    found = []
    if assigned:
        found.append(f"{assigned} tickets are assigned to it")
    if by_hand:
        found.append(f"{by_hand} comments were written by hand under its name")
    if user.last_login_at is not None and now - user.last_login_at < RECENT:
        found.append(f"somebody logged in as it on {user.last_login_at:%Y-%m-%d}")
    if user.photo is not None:
        found.append("it has a photo")
    if user.phone:
        found.append("it has a phone number")
    return found


def written_by_hand(audits: Iterable[bytes], us: Collection[int]) -> int:
    """How many comments in pages of audits are of our user's, and carry neither our marker nor our `ref` line."""
    count = 0
    for body in audits:
        for audit in msgspec.json.decode(body, type=_Audits).audits:
            channel = str(audit.via.channel) if audit.via is not None and audit.via.channel is not None else ""
            words = [event for event in audit.events if event.type == "Comment"]
            own = [event for event in words if (event.author_id or audit.author_id) in us]
            if channel in _BY_HAND:
                count += len([event for event in own if not says_ours(event.body or "")])
    return count
