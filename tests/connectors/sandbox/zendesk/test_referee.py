"""The vendor's own API description and recorded real answers judge what the simulated account says."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.server import Sandbox
from tests.connectors.sandbox.zendesk.conftest import WORLD, Api

ROOT = Path(__file__).parents[4]
SHARED = ROOT.parent / "shared"

LISTS = (
    "/tickets.json",
    "/users",
    "/organizations.json",
    "/groups",
    "/group_memberships.json",
    "/ticket_fields",
    "/ticket_forms",
    "/organization_fields",
    "/user_fields",
    "/deleted_tickets",
    "/suspended_tickets",
    "/custom_statuses",
    "/triggers",
)


def tour(api: Api) -> None:
    """Call every endpoint that has something to say."""
    api.get("/users/me.json")
    for path in LISTS:
        api.get(path)
        api.get(path, **{"page[size]": 2})
    api.get("/incremental/tickets.json", start_time=0)
    api.get("/incremental/tickets/cursor.json", start_time=0, include="users,organizations")
    api.get("/incremental/ticket_events.json", start_time=0, include="comment_events")
    api.get("/incremental/organizations.json", start_time=0)
    api.get("/incremental/users/cursor.json", start_time=0)
    people(api)
    tickets(api)


def people(api: Api) -> None:
    """Users and organisations."""
    user, organization = api.get("/users")["users"][-1], api.get("/organizations")["organizations"][0]
    api.get("/users/show_many.json", ids=user["id"])
    api.get("/organizations/show_many.json", ids=organization["id"])
    api.put(f"/users/{user['id']}.json", {"user": {"name": "New name"}})
    api.put(f"/organizations/{organization['id']}.json", {"organization": {"notes": "n"}})
    api.get(f"/organizations/{organization['id']}.json")
    api.http.post("/users.json", json={"user": {"name": "Somebody"}})
    api.http.post("/organizations.json", json={"organization": {"name": "Some company"}})


def tickets(api: Api) -> None:
    """Tickets: one by one, in bulk, and how they end."""
    row: dict[str, Any] = {"subject": "s", "comment": {"body": "b", "public": True}, "tags": ["a"]}
    first = api.http.post("/tickets.json", json={"ticket": row}).json()["ticket"]["id"]
    api.update(first, subject="t")
    for path in ("", "/comments", "/audits", "/tags"):
        api.get(f"/tickets/{first}{path}")
    api.get("/tickets/show_many.json", ids=first)
    made = api.job(api.http.post("/tickets/create_many.json", json={"tickets": [row, row, row]}))["results"]
    second, third, fourth = sorted(result["id"] for result in made)
    changes = [{"id": second, "priority": "high"}, {"id": 10**9, "priority": "high"}]
    api.job(api.put("/tickets/update_many.json", {"tickets": changes}))
    api.job(api.http.post(f"/tickets/{first}/merge", json={"ids": [second]}))
    api.job(api.http.delete("/tickets/destroy_many.json", params={"ids": third}))
    api.http.delete(f"/tickets/{fourth}.json")
    api.http.delete(f"/deleted_tickets/{third}.json")
    api.put(f"/deleted_tickets/{fourth}/restore.json", {})


@pytest.mark.skipif(not (SHARED / "tools" / "referee.py").exists(), reason="the referee lies beside the project")
def test_the_referee_finds_nothing(tmp_path: Path) -> None:
    """Against the description nothing disagrees but what tests/referee_allow.txt explains; no recorded field lacks."""
    traffic = tmp_path / "traffic.ndjson"
    with Sandbox(WORLD, seed=7, only=("zendesk",), record=traffic) as sandbox:
        tour(Api(sandbox))
    command = [
        sys.executable,
        str(SHARED / "tools" / "referee.py"),
        str(traffic),
        "--recorded",
        str(SHARED / "recorded"),
    ]
    command += ["--allow", str(ROOT / "tests" / "referee_allow.txt")]
    verdict = subprocess.run(command, capture_output=True, text=True, check=False)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
