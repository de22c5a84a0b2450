"""The time that decisions are made by: the real one, or the sandbox's movable clock (design §11, "Time").

Leases and socket deadlines never use this; they stay on real time.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import msgspec


class _Face(msgspec.Struct):
    now: datetime


def domain_clock(url: str | None) -> Callable[[], datetime]:
    """A function that tells the time: real UTC, or what `HELPDESK_CLOCK_URL` answers (`{"now": …}`), whole seconds.

    Raises httpx.HTTPError where the sandbox's clock cannot be read: guessing the time would be worse.
    """
    if url is None:
        return lambda: datetime.now(UTC).replace(microsecond=0)
    client = httpx.Client(timeout=5.0)

    def ask() -> datetime:
        answer = client.get(url).raise_for_status()
        return msgspec.json.decode(answer.content, type=_Face).now.astimezone(UTC)

    return ask
