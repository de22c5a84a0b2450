"""What can go wrong between us and a tool, by what is to be done about it.

    ConnectorError
    ├── Ours                 our request or our setup is wrong: stop and explain
    │   ├── BadRequest       the tool refuses what we ask (400, 413, 422)
    │   ├── Unauthorized     the credentials do not work (401): the connector stops, somebody is told
    │   ├── Forbidden        role, scope or plan does not allow it (403, 402)
    │   └── NotFound         there is no such record or address (404)
    │       └── Gone         there was, and it will not come back (410)
    └── Theirs               the tool's side or the way to it: later
        ├── TooMany          over a rate limit (429): `retry_after` seconds; nothing was done
        ├── Conflict         somebody else changed the record first (409); nothing was done
        ├── Unavailable      down, or no answer, and nothing was done (5xx, refused, timeout of a read)
        └── Uncertain        a write without an answer: it may have been done, so look before sending again

Every message reads as place, cause, fix, and carries the tool's request id where it told one.
"""

from mappings.faults import Explained


class ConnectorError(Explained):
    """Something went wrong with a tool. `place` is vendor, method and path; `cause` and `fix` are for people.

    `status` is the answer's, `code` the tool's own name of the error (`RecordNotFound`, `StartTimeTooRecent`, `2006`)
    and `request_id` what its support asks for; each is null where there is none.
    """

    def __init__(
        self,
        place: str,
        cause: str,
        fix: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        asked = f" (request {request_id})" if request_id else ""
        super().__init__(f"{place}: {cause}{asked}; {fix}")
        self.place, self.cause, self.fix = place, cause, fix
        self.status, self.code, self.request_id = status, code, request_id


class Ours(ConnectorError):
    """Our request or our setup."""


class BadRequest(Ours):
    """The tool refuses what we ask."""


class Unauthorized(Ours):
    """The credentials do not work."""


class Forbidden(Ours):
    """Role, scope or plan does not allow it."""


class NotFound(Ours):
    """There is no such record, or it is hidden from us, or the address is wrong (Zendesk: `code` InvalidEndpoint)."""


class Gone(NotFound):
    """There was such a record."""


class Theirs(ConnectorError):
    """The tool's side, or the way to it."""


class TooMany(Theirs):
    """Over a rate limit, the tool's or our own share of it; come back after `retry_after` seconds."""

    def __init__(
        self,
        place: str,
        cause: str,
        fix: str,
        *,
        retry_after: float,
        status: int | None = 429,
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(place, cause, fix, status=status, code=code, request_id=request_id)
        self.retry_after = retry_after


class Conflict(Theirs):
    """Somebody else changed the record first."""


class Unavailable(Theirs):
    """Down, or no answer, and nothing was done."""


class Uncertain(Theirs):
    """A write without an answer: it may have been done."""


LATER = "nothing to do: it is tried again with the next pulse"
_FIXES: dict[type[ConnectorError], str] = {
    Unauthorized: "check the credentials in the environment (deploy/env.example) and that they were not revoked",
    Forbidden: "give the service user the role or scope that this needs",
    NotFound: "check the address and the record's number",
    Gone: "check the address and the record's number",
    Conflict: "it is read and decided again by itself",
    BadRequest: "this is a fault of ours, or of the profile: report it with the request id",
}


def advice(kind: type[ConnectorError], vendor: str, status: int, code: str | None, said: str) -> str:
    """What helps against a refusal: by its kind, and by what the tool itself names (vendor-facts §1.1, §1.2, §4.1)."""
    if code == "1008":
        return "set PAGERDUTY_FROM to the address of a user of the account"
    if code == "InvalidEndpoint" or status == 402:
        return "the account's plan does not have this: change the plan, or take what needs it out of the profile"
    if "required scopes" in said:
        return f"give the OAuth client of {vendor.upper()}_CLIENT_ID this scope"
    if status == 404 and said == "an HTML page":
        return f"check {vendor.upper()}_URL: this is no address of an account"
    return _FIXES[kind]
