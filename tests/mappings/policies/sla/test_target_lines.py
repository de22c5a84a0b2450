"""Every target line of the five shipped profiles: a ticket that it holds for, and one that it does not.

The due times of nearly all of them are asked in tests/test_appendix_figures.py; here stand the two that the sources
give no figure for, and beside every line the ticket that it leaves out.
"""

from datetime import UTC, datetime

import pytest

from mappings.policies.sla.targets import due, promises
from mappings.profile import Profile
from tests.profiles import profile
from tests.stories import at
from tests.test_appendix_figures import APPENDIX, UNFIGURED

PROFILES = ("builder", "roofing", "pmerit", "archbuilder", "lasercalc")

LEFT_OUT: dict[str, dict[str, dict[str, object]]] = {
    "builder": {
        "First response": {"plan": "business"},
        "Hand-off response": {"severity": "P2"},
    },
    "roofing": {
        "Mail response": {"severity": "standard", "kind": "technical", "channel": "phone"},
        "Urgent response": {"severity": "standard"},
        "VIP updates": {"severity": "critical", "vip": False},
    },
    "pmerit": {
        "Response": {"channel": "email"},
        "Published response": {"severity": "P1", "channel": "forum"},
        "Resolution": {"channel": "email"},
        "Acknowledgement": {"severity": "P0", "channel": "github"},
        "Internal incident updates": {"severity": "P1"},
        "Post-mortem": {"severity": "P1"},
    },
    "archbuilder": {
        "Response": {"plan": "basic"},
        "Resolution": {"plan": "basic"},
        "Reply after hand-off": {"severity": "P3", "tier": 1},
        "Escalation matrix": {"severity": "P3", "kind": "user_training", "family": "training", "tier": 1},
        "Escalation by priority": {"severity": "P1", "tier": 1},
        "Escalated updates": {"severity": "P3", "escalated": False},
    },
    "lasercalc": {},
}
"""Of each line that asks for something: what it leaves out."""


def asks(org: Profile, target: str) -> bool:
    """Does a line depend on anything? The others hold for every ticket."""
    line = org.targets[target]
    return bool(line.where) or (bool(line.by) and tuple("*" for _ in line.by) not in line.cells)


@pytest.mark.parametrize("name", PROFILES)
def test_every_line_is_here(name: str) -> None:
    """Each target of a profile has its due time asked for, and where it asks for anything, a ticket left out."""
    org = profile(name)
    figured = {row.target for row in APPENDIX[name]} | UNFIGURED.get(name, set())
    assert figured == set(org.targets)
    assert UNFIGURED.get(name, set()) <= {target for _, target, *_ in OWN}
    everybody = {"User updates"} if name == "pmerit" else set()
    assert set(LEFT_OUT[name]) == {target for target in org.targets if asks(org, target)} - everybody


OWN = [
    ("builder", "Hand-off response", {"severity": "P2", "plan": "business", "tier": 2}, "2026-03-03 14:00"),
    ("builder", "Abuse review", {"severity": "P2"}, "2026-03-03 10:00"),
]


@pytest.mark.parametrize(("name", "target", "dims", "wanted"), OWN)
def test_lines_without_a_figure_of_the_sources(name: str, target: str, dims: dict[str, object], wanted: str) -> None:
    """Begun on Tuesday 3 March at 10:00, each is due when its own table says."""
    org, start = profile(name), datetime(2026, 3, 3, 16, tzinfo=UTC)
    [promise] = [promise for promise in promises(org, dims) if promise.target == target]
    assert due(org, promise, org.office, start).due_at == at(wanted, org.zone)


@pytest.mark.parametrize(("name", "target"), [(name, target) for name in PROFILES for target in LEFT_OUT[name]])
def test_a_line_leaves_somebody_out(name: str, target: str) -> None:
    """Beside the tickets that a target holds for stands one that it does not hold for."""
    org = profile(name)
    assert target not in {promise.target for promise in promises(org, LEFT_OUT[name][target])}
