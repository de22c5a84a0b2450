"""The sandbox's world says in plain data what the profile says in types."""

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.sandbox.server import Sandbox
from connectors.sandbox.zendesk import ZendeskSim
from flows.demo.processes import LAST_LINE
from flows.profiles import read_profile, read_tools, shipped
from flows.sandbox_world import build_world, moment


def world_of(profile: str | Path, **options: Any) -> dict[str, Any]:
    """The world of a shipped profile."""
    return build_world(read_profile(profile), **options)


def option_values(world: dict[str, object], fields: str, key: str) -> list[str]:
    """The tags of a dropdown."""
    rows = world[fields]
    assert isinstance(rows, list)
    [field] = [row for row in rows if row["key"] == key]
    return [option["value"] for option in field["options"]]


def test_dropdown_options_are_tags_of_prefix_and_key() -> None:
    """Severity P1 is the tag severity_p1, the plan business is plan_business (design §11)."""
    world = world_of("builder")
    assert option_values(world, "ticket_fields", "severity") == [f"severity_p{n}" for n in (1, 2, 3, 4)]
    assert option_values(world, "organization_fields", "plan")[2] == "plan_business"
    assert option_values(world, "ticket_fields", "tier") == ["tier_1", "tier_2", "tier_3", "tier_4"]
    assert option_values(world, "user_fields", "role")[0] == "role_owner"


def test_the_tables_names_are_the_accounts() -> None:
    """Titles, groups and services are what config/tools calls them."""
    tools = read_tools()
    desk = tools.zendesk.model_copy(update={"groups": {"Technical": "Tech support"}})
    pager = tools.pagerduty.model_copy(update={"services": {"support-on-call": "Support rota"}})
    world = build_world(read_profile("builder"), tools.model_copy(update={"zendesk": desk, "pagerduty": pager}))
    assert "Tech support" in world["groups"]
    assert "Technical" not in world["groups"]
    assert world["tiers"][1]["group"] == "Tech support"
    assert world["services"] == ["Support rota"]
    assert {row["title"] for row in world["ticket_fields"]} == {field.title for field in desk.ticket_fields.values()}


def test_the_office_gives_zone_hours_and_the_first_morning() -> None:
    """The clock starts on a Tuesday at nine where the office is."""
    world = world_of("builder")
    assert (world["zone"], world["hours"]) == ("America/Chicago", {"mon-fri": "08:00-18:00"})
    assert world["now"] == "2026-03-03T15:00:00Z"


def test_groups_and_pages_follow_the_routes() -> None:
    """Every group that gets work exists, the tiers' first; each rota's name is a service."""
    world = world_of("builder")
    assert world["groups"][:3] == ["Support", "Technical", "Engineering"]
    assert {"Product", "Management", "Security", "Senior support"} <= set(world["groups"])
    assert world["services"] == ["support-on-call"]
    assert world["addresses"] == ["support@platform.com"]


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_every_shipped_profile_makes_a_world_that_the_sandbox_takes(path: Path) -> None:
    """As JSON and back, with tickets in it."""
    world = json.loads(json.dumps(world_of(path, size={"tickets": 20, "companies": 8, "people": 20})))
    desk = Sandbox(world).vendors["zendesk"]
    assert isinstance(desk, ZendeskSim)
    assert desk.console_tickets()


def test_a_time_without_offset_is_the_offices() -> None:
    """One with an offset is taken as it is."""
    chicago = ZoneInfo("America/Chicago")
    assert moment("2026-03-03T09:00", chicago) == moment("2026-03-03T15:00Z", chicago)


def test_the_demo_knows_when_the_sandbox_has_said_all() -> None:
    """The demo reads addresses up to the last one that a sandbox prints."""
    world = build_world(
        read_profile("builder"), size={"companies": 2, "people": 4, "agents": 12, "tickets": 2, "weeks": 1}
    )
    with Sandbox(world) as sandbox:
        assert list(sandbox.environment())[-1] == LAST_LINE
