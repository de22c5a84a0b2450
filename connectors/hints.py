"""Webhooks as hints: who sent one is checked over its raw bytes; what it is about is all that is taken from it.

The body is never believed: the record that it names is read again (design §1.4).
"""

import hashlib
import hmac
import re

import msgspec

_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


class BadSignature(Exception):
    """A delivery that nobody of ours signed, or too long ago. The message says which; it is safe to log."""


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery. `delivery` is the same when it is sent again; `about` is a record (`zendesk:123`) or null."""

    delivery: str
    kind: str
    about: str | None


def digest(secret: str, *parts: bytes) -> bytes:
    """HMAC-SHA256 over the parts, one after the other."""
    return hmac.new(secret.encode(), b"".join(parts), hashlib.sha256).digest()


def matches(said: str, computed: str) -> bool:
    """Are two signatures the same? Takes as long for a near miss as for a far one."""
    return hmac.compare_digest(said.encode("utf-8", "replace"), computed.encode())


def named(said: str | None, *signed: bytes) -> str:
    """A delivery's name: the tool's own where it told one that can be kept, else one made of what was signed."""
    return said if said is not None and _NAME.fullmatch(said) else digest("", *signed).hex()


def several(text: str) -> list[str]:
    """The secrets in a setting, apart by spaces, commas or lines: two while one takes the other's place."""
    return re.findall(r"[^\s,]+", text)
