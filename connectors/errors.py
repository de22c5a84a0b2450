"""What can go wrong between us and a tool, by what is to be done about it.

    ConnectorError
    ├── Ours                 our request or our setup is wrong: stop and explain
    │   ├── BadRequest       the tool refuses what we ask (400, 413, 422)
    │   ├── Unauthorized     the credentials do not work (401): the connector stops, somebody is told
    │   ├── Forbidden        role, scope or plan does not allow it (403, 402)
    │   └── NotFound         there is no such record (404, 410)
    └── Theirs               the tool's side or the way to it: later
        ├── TooMany          over a rate limit (429): `retry_after` seconds
        ├── Conflict         somebody else changed the record first (409)
        ├── Unavailable      down, or no answer, and nothing was done (5xx, refused, timeout of a read)
        └── Uncertain        a write without an answer: it may have been done, so look before sending again

Every message reads as place, cause, fix.
"""

from mappings.faults import Explained


class ConnectorError(Explained):
    """Something went wrong with a tool. `place` is vendor, method and path; `cause` and `fix` are for people."""

    def __init__(self, place: str, cause: str, fix: str, *, status: int | None = None) -> None:
        super().__init__(f"{place}: {cause}; {fix}")
        self.place, self.cause, self.fix, self.status = place, cause, fix, status


class Ours(ConnectorError):
    """Our request or our setup."""


class BadRequest(Ours):
    """The tool refuses what we ask."""


class Unauthorized(Ours):
    """The credentials do not work."""


class Forbidden(Ours):
    """Role, scope or plan does not allow it."""


class NotFound(Ours):
    """There is no such record, or it is hidden from us."""


class Theirs(ConnectorError):
    """The tool's side, or the way to it."""


class TooMany(Theirs):
    """Over a rate limit; come back after `retry_after` seconds."""

    def __init__(self, place: str, cause: str, fix: str, *, retry_after: float) -> None:
        super().__init__(place, cause, fix, status=429)
        self.retry_after = retry_after


class Conflict(Theirs):
    """Somebody else changed the record first."""


class Unavailable(Theirs):
    """Down, or no answer, and nothing was done."""


class Uncertain(Theirs):
    """A write without an answer: it may have been done."""
