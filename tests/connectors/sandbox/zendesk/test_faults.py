"""Faults on command, in this tool's own words: before the effect, after it, and instead of an answer."""

from typing import Any

import httpx
import pytest

from tests.connectors.sandbox.zendesk.conftest import Api

TICKET = {"ticket": {"subject": "s", "external_id": "x-1", "comment": {"body": "b"}}}


def strike(api: Api, **fault: Any) -> None:
    """One fault, once, on writing tickets."""
    api.sandbox.core.faults.add(vendor="zendesk", path="tickets", count=1, **fault)


def create(api: Api) -> httpx.Response:
    return api.http.post("/tickets", json=TICKET, headers={"Idempotency-Key": "k"})


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ({"kind": "status", "status": 429}, 429, "text/plain"),
        ({"kind": "status", "status": 503, "headers": {"retry-after": "5"}}, 503, "text/html"),
        ({"kind": "token_expired"}, 401, "application/json"),
        ({"kind": "html"}, 502, "text/html"),
    ],
)
def test_refused_before_the_effect(api: Api, fault: dict[str, Any], status: int, kind: str) -> None:
    """The tool answers as it would, and nothing was done."""
    strike(api, **fault)
    answer = create(api)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (status, kind)
    assert api.get("/tickets", external_id="x-1")["count"] == 0


def test_done_but_not_said(api: Api) -> None:
    """A 500 after the effect: the ticket is there, and the same idempotency key finds it instead of making another."""
    strike(api, kind="status", status=500, after=True)
    assert create(api).status_code == 500
    again = create(api)
    assert (again.status_code, again.headers["x-idempotency-lookup"]) == (201, "hit")
    assert api.get("/tickets", external_id="x-1")["count"] == 1


def test_cut_after_the_effect(api: Api) -> None:
    """The connection goes, the job is queued all the same: only looking at the tickets tells."""
    ticket = api.filed()
    strike(api, kind="cut_after", method="PUT")
    with pytest.raises(httpx.HTTPError):
        api.put("/tickets/update_many", {"tickets": [{"id": ticket, "additional_tags": ["done"]}]})
    api.sandbox.advance(5)
    assert api.get(f"/tickets/{ticket}/tags")["tags"] == ["done"]
