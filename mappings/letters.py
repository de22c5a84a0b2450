"""What goes out as one message: one notice, a digest, or a flood of notices to one route; and how each tool spells it.

The mark in it is made of the keys it tells: the same again is known again.
"""

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from mappings.plan import Action, Message
from mappings.profile import Profile

FEW = 3
"""So many messages to one route go out one by one; more are told in one."""
LISTED = 30
"""How many lines a message that gathers others has at most."""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What goes out as one: `ref` is made of the keys it tells, so that the same again is known again."""

    ref: str
    tool: str
    to: str
    subject: str
    lines: tuple[tuple[str, str | None], ...]
    """Text and link of each."""
    more: int = 0
    """How many have no line."""
    mention: str | None = None


def ref(keys: Sequence[str]) -> str:
    """The mark of a message, by what it tells."""
    return f"hf-{sha256(chr(10).join(sorted(keys)).encode()).hexdigest()[:16]}"


def letter(actions: Sequence[Action], profile: Profile) -> Letter:
    """Messages to one route by one way, as the one that goes out."""
    changes = [action.change for action in actions if isinstance(action.change, Message)]
    first, count = changes[0], len(changes)
    tickets = len({action.record for action in actions})
    lines = tuple((_line(change, alone=count == 1), change.link) for change in changes[:LISTED])
    gathered = f"{first.route.replace('_', ' ').capitalize()}: {tickets} ticket{'' if tickets == 1 else 's'}"
    return Letter(
        ref=ref([action.key for action in actions]),
        tool=first.tool,
        to=first.to,
        subject=f"[{profile.key}] {first.subject if count == 1 else gathered}",
        lines=lines,
        more=count - len(lines),
        mention=next((change.mention for change in changes if change.mention), None),
    )


def _line(change: Message, *, alone: bool) -> str:
    """Beside others a message is its subject and first line: the eight lines of an escalation stand in its ticket."""
    return change.text if alone else f"{change.subject}. " + change.text.partition("\n")[0]


def bundles(actions: Sequence[Action]) -> list[list[Action]]:
    """Which messages go out together: a digest's always, others of one route and way where they are more than a few."""
    by_way: dict[tuple[str, str, bool], list[Action]] = {}
    for action in actions:
        if isinstance(action.change, Message):
            by_way.setdefault((action.change.route, action.change.ways[0], action.change.digest), []).append(action)
    found: list[list[Action]] = []
    for (_, _, digest), same in by_way.items():
        found += [same] if digest or len(same) > FEW else [[one] for one in same]
    return found


def slack_text(letter: Letter) -> str:
    """A letter in Slack's markup: `&`, `<` and `>` are Slack's own (vendor-facts §6)."""
    call = f"<!{letter.mention}> " if letter.mention else ""
    lines = [f"{call}*{_escaped(letter.subject)}*"]
    lines += [f"{_escaped(text)}{f' <{link}|Open>' if link else ''}" for text, link in letter.lines]
    return "\n".join([*lines, *_rest(letter), f"_ref {letter.ref}_"])


def mail_text(letter: Letter) -> str:
    """A letter as plain text."""
    lines = [f"{text}{f' {link}' if link else ''}" for text, link in letter.lines]
    return "\n".join([*lines, *_rest(letter), "", f"ref {letter.ref}", ""])


def _rest(letter: Letter) -> list[str]:
    return [f"… and {letter.more} more."] if letter.more else []


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
