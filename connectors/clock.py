"""The time that decisions are made by: the real one, or the sandbox's movable clock (design §11, "Time").

Leases and socket deadlines never use this; they stay on real time.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import msgspec

from connectors.errors import Unavailable
from connectors.trust import certificates
from mappings.faults import Explained


class ClockUnread(Explained):
    """The simulated time cannot be read: guessing it would be worse."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"clock {url}: {why}; start the sandbox, or take HELPDESK_CLOCK_URL out of the environment")


class _Face(msgspec.Struct):
    now: datetime


def domain_clock(url: str | None) -> Callable[[], datetime]:
    """A function that tells the time: real UTC, or what `HELPDESK_CLOCK_URL` answers (`{"now": …}`), whole seconds.

    Raises ClockUnread where the sandbox's clock cannot be read.
    """
    if url is None:
        return lambda: datetime.now(UTC).replace(microsecond=0)
    client = httpx.Client(timeout=5.0, verify=certificates())

    def ask() -> datetime:
        try:
            answer = client.get(url).raise_for_status()
            return msgspec.json.decode(answer.content, type=_Face).now.astimezone(UTC)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ClockUnread(url, f"not reached ({type(error).__name__})") from error
        except msgspec.DecodeError as error:
            raise ClockUnread(url, "this is no clock of a sandbox's") from error

    return ask


def tool_time(tool: str, url: str) -> datetime | None:
    """A tool's own time, by the Date header of any answer; None where it tells none. No credentials are sent.

    Raises Unavailable where nobody answers at the address.
    """
    try:
        answer = httpx.get(url, timeout=10.0, trust_env=url.startswith("https://"))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        fix = f"check {tool.upper()}_URL, and that this machine may reach it"
        raise Unavailable(f"{tool} {url}", f"not reached ({type(error).__name__})", fix) from error
    said = answer.headers.get("date")
    try:
        return None if said is None else parsedate_to_datetime(said).astimezone(UTC)
    except ValueError:
        return None
