"""A page and its ticket: who took it becomes a note, and the ticket's end closes it."""

from datetime import timedelta

import msgspec
import pytest

from mappings.model import Incident, PageStatus
from mappings.plan import PageResolve, PageTrigger, TicketChange
from mappings.policies.paging import dedup_key, over, page, pair
from tests.mappings.policies.escalation.climbing import ARCH, life_of
from tests.profiles import profile
from tests.stories import Story, at

FILED = "2026-03-04 02:00"
KEY = dedup_key("zendesk:123", "1772611200")
OPEN = Incident(
    id="PI1", dedup_key=KEY, status=PageStatus.TRIGGERED, created_at=at(FILED), updated_at=at(FILED), title="P1"
)
TAKEN = msgspec.structs.replace(
    OPEN,
    status=PageStatus.ACKNOWLEDGED,
    acknowledged_at=at(FILED) + timedelta(minutes=4),
    acknowledged_by="Farah Ibarra",
)


def paired(story: Story, *incidents: Incident):  # type: ignore[no-untyped-def]
    """What a story's ticket and these incidents owe each other."""
    return pair(story.history(), incidents, {KEY: "support-on-call"}, profile("builder"))


@pytest.mark.req("AFT-07")
def test_acknowledged_page_is_noted() -> None:
    """The note says who took the page and when, on the office's clock; its key is that acknowledgement's."""
    (action,) = paired(Story(FILED, severity="P1"), TAKEN)
    assert isinstance(action.change, TicketChange)
    assert "Farah Ibarra acknowledged the page at 02:04." in (action.change.note or "")
    assert action.key.endswith(f":PI1:{int(at('2026-03-04 02:04').timestamp())}")


def test_open_page_and_open_ticket_owe_nothing() -> None:
    """Nobody has taken the page and the ticket is open."""
    assert paired(Story(FILED, severity="P1"), OPEN) == []


@pytest.mark.req("AFT-07")
@pytest.mark.parametrize("status", ["solved", "closed", "merged", "deleted", "spam"])
@pytest.mark.parametrize("incident", [OPEN, TAKEN], ids=["open", "taken"])
def test_finished_ticket_closes_its_page(status: str, incident: Incident) -> None:
    """Whatever ends the ticket closes its page, at the service that was paged."""
    found = paired(Story(FILED, severity="P1").set("2026-03-04 02:30", status=status), incident)
    closing = [action.change for action in found if isinstance(action.change, PageResolve)]
    assert closing == [PageResolve(dedup_key=KEY, service="support-on-call")]


def test_resolved_page_is_left() -> None:
    """A page that is resolved is not closed again."""
    over = msgspec.structs.replace(OPEN, status=PageStatus.RESOLVED, resolved_at=at(FILED))
    assert paired(Story(FILED, severity="P1").set("2026-03-04 02:30", status="solved"), over) == []


@pytest.mark.req("AFT-07")
def test_each_service_has_an_incident_of_its_own() -> None:
    """The profile's first service goes by the plain key; another one is named in its own. Both end with their work."""

    def paged(story: Story) -> list[PageTrigger]:
        life = life_of(story, ARCH)
        more = {"rule": "critical", "facts": {}, "at": story.last, "due_at": None, "link": None}
        return [page(life, ARCH, service=name, **more) for name in ("support-on-call", "engineering")]  # type: ignore[arg-type]

    story = Story(FILED, severity="P1", plan="basic", zone=ARCH.zone)
    plain, named = paged(story)
    assert named.dedup_key == f"{plain.dedup_key}@engineering"
    assert not any(over(life_of(story, ARCH), change) for change in (plain, named))
    story.set("2026-03-04 03:00", status="solved").set("2026-03-04 04:00", status="open")
    assert all(over(life_of(story, ARCH), change) for change in (plain, named))
    assert not any(over(life_of(story, ARCH), change) for change in paged(story))
