"""The five shapes in which Zendesk says no (vendor-facts §1.2)."""

from collections.abc import Mapping

from connectors.sandbox.zendesk.records import Json


class Refusal(ValueError):
    """An answer that is an error: status, JSON body (or text) and extra headers. Its text is the reason in one line."""

    def __init__(self, status: int, body: Json | str, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.body, self.headers = status, body, dict(headers or {})
        super().__init__(f"{status}: {reasons(self)}")


def not_found() -> Refusal:
    """Shape A: the record is missing, deleted or hidden."""
    return Refusal(404, {"error": "RecordNotFound", "description": "Not found"})


def no_endpoint() -> Refusal:
    """Shape A': the endpoint does not exist, or not on this plan."""
    return Refusal(404, {"error": "InvalidEndpoint", "description": "Not found"})


def forbidden() -> Refusal:
    """Shape B: the role may not; `error` is an object here."""
    text = "You do not have access to this page. Please contact the account owner of this help desk for further help."
    return Refusal(403, {"error": {"title": "Forbidden", "message": text}})


def missing_scope(scope: str) -> Refusal:
    """A token without the scope that this call needs."""
    text = f"You are missing the following required scopes: {scope}"
    return Refusal(403, {"error": "Forbidden", "description": text})


def unauthorized() -> Refusal:
    """Wrong or expired credentials."""
    return Refusal(401, {"error": "Couldn't authenticate you"}, {"www-authenticate": 'Basic realm="Web Password"'})


def bad_paging(code: str, detail: str) -> Refusal:
    """Shape C: pagination and export parameters."""
    title = {
        "InvalidPaginationDepth": "Requested response size was greater than Search Response Limits",
        "InvalidPaginationParameter": "Invalid pagination parameter",
    }
    return Refusal(400, {"errors": [{"code": code, "title": title.get(code, code), "detail": detail}]})


def bad_request(error: str, description: str) -> Refusal:
    """A 400 with shape A's keys."""
    return Refusal(400, {"error": error, "description": description})


def invalid(details: Mapping[str, str], status: int = 422) -> Refusal:
    """Shape D: validation; field (or `base`) → what is wrong."""
    rows = {name: [{"description": text}] for name, text in details.items()}
    return Refusal(status, {"error": "RecordInvalid", "description": "Record validation errors", "details": rows})


def too_many_values(limit: int = 100) -> Refusal:
    """Shape E: more records than one call takes. The double blank is the vendor's."""
    text = f"Parameter  cannot specify more than {limit} values"
    return Refusal(400, {"error": "TooManyValues", "description": text, "max_count": limit})


def conflict() -> Refusal:
    """A safe update lost the race."""
    text = "Safe Update prevented the update due to outdated ticket data. Please fetch the latest ticket data."
    return Refusal(409, {"error": "UpdateConflict", "description": text})


def reasons(refusal: Refusal) -> str:
    """A refusal's reason in one line, as job results print it."""
    body = refusal.body
    if isinstance(body, str):
        return body
    details = body.get("details")
    if isinstance(details, dict):
        return ", ".join(row["description"] for rows in details.values() for row in rows)
    return str(body.get("description") or body.get("error"))
