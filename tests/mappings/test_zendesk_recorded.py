"""Recorded answers of the real Zendesk, whole and mangled: one bad record is set aside, the rest is read."""

import json
from typing import Any

import pytest

from mappings.profile import Profile
from mappings.zendesk import Reading, build_reading, read_page
from tests.profiles import CONFIG, profile

RECORDED = CONFIG.parent.parent / "shared" / "recorded" / "zendesk"
LISTS = {
    "tickets": "zendesk",
    "organizations": "zendesk:organization",
    "audits": "zendesk:audit",
    "users": "zendesk:user",
}
ME = b'{"user": {"id": 1, "name": "us"}}'
MANGLED: list[tuple[str, Any]] = [("id", "x"), ("id", None), ("created_at", "soon"), ("updated_at", 12.5), ("", None)]
"""A field and what it is made to say; no field: the whole record."""


def pages() -> list[tuple[str, dict[str, Any]]]:
    """Recorded answers with at least one row of a kind that we read: (kind, body)."""
    found = []
    for file in sorted(RECORDED.glob("*.ndjson")):
        for line in file.read_text().splitlines():
            body = json.loads(line)["response_json"]
            if isinstance(body, dict):
                found += [(kind, body) for kind in LISTS if isinstance(body.get(kind), list) and body[kind]]
    return found


@pytest.fixture(scope="module")
def reading() -> Reading:
    """An account of which nothing is known: whatever is read is read without its fields' names."""
    from flows.profiles import read_tools

    builder: Profile = profile("builder")
    table = read_tools(CONFIG).zendesk
    return build_reading(table, builder, ticket_fields=[], groups=[], agents=[], me=ME)


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded answers lie beside the project, in ../shared")
def test_recorded_pages_are_read_whole(reading: Reading) -> None:
    """Nothing in a recorded answer is parked."""
    assert pages()
    parked = [read_page(json.dumps(body).encode(), reading).parked for _, body in pages()]
    assert [one for one in parked if one] == []


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded answers lie beside the project, in ../shared")
@pytest.mark.parametrize(("field", "value"), MANGLED)
def test_one_mangled_record_is_parked_alone(reading: Reading, field: str, value: Any) -> None:
    """Of each recorded page the first record is mangled: it is parked by its number and reason, the others are read."""
    for kind, body in pages():
        row = body[kind][0]
        read = field in row and (field != "created_at" or kind in ("tickets", "audits"))
        if field and not read:
            continue
        bad = {**row, field: value} if field else value
        whole = read_page(json.dumps(body).encode(), reading)
        rest = read_page(json.dumps({**body, kind: [bad, *body[kind][1:]]}).encode(), reading)
        (parked,) = rest.parked
        assert parked[0].startswith(LISTS[kind])
        assert parked[1]
        counts = [len(page.tickets) + len(page.companies) + len(page.people) for page in (whole, rest)]
        assert counts[0] - counts[1] == (kind != "audits")
