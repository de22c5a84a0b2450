"""Our service user is a program's alone: what would tell otherwise, and what would not."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from mappings.zendesk import signs_of_a_person, written_by_hand
from mappings.zendesk.writing import digest

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
OURS = f"Late.\n\nref hf-{digest('k')}"


@pytest.mark.parametrize(
    ("user", "counts", "said"),
    [
        ({}, (0, 0), []),
        ({"last_login_at": None, "photo": None, "phone": ""}, (0, 0), []),
        ({"last_login_at": "2024-01-01T00:00:00Z"}, (0, 0), []),
        ({"last_login_at": "2026-03-01T09:00:00Z"}, (0, 0), ["somebody logged in as it on 2026-03-01"]),
        ({}, (4, 0), ["4 tickets are assigned to it"]),
        ({}, (0, 2), ["2 comments were written by hand under its name"]),
        ({"photo": {"id": 1}, "phone": "555"}, (0, 0), ["it has a photo", "it has a phone number"]),
    ],
)
def test_signs_of_a_person(user: dict[str, Any], counts: tuple[int, int], said: list[str]) -> None:
    """Tickets of its own, words typed under its name, a recent login, a face: each is told in words."""
    me = json.dumps({"user": {"id": 900, "role": "admin", **user}}).encode()
    assert signs_of_a_person(me, NOW, assigned=counts[0], by_hand=counts[1]) == said


@pytest.mark.parametrize(
    ("author", "channel", "body", "count"),
    [
        (900, "web", "Hello, this is Pat.", 1),
        (900, "email", "Hello, this is Pat.", 1),
        (900, "api", "A program's words.", 0),
        (900, "web", OURS, 0),
        (901, "web", "Hello, this is Ann.", 0),
        (900, None, "Hello.", 0),
    ],
)
def test_written_by_hand(author: int, channel: str | None, body: str, count: int) -> None:
    """Words typed into the tool under our user's name, not those that we or another program sent."""
    audit = {"author_id": author, "via": {"channel": channel}, "events": [{"type": "Comment", "body": body}]}
    assert written_by_hand([json.dumps({"audits": [audit]}).encode()], {900}) == count
