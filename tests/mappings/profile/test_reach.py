"""What a profile's lines cannot do yet is said, and only that."""

from mappings.profile.reach import not_yet
from tests.profiles import edited, profile

FACTS = frozenset({"severity", "office", "kind", "role", "kind_not", "tag", "plan", "family"})
MEASURES = frozenset({"first_reply", "handoff_reply"})


def told(name: str) -> dict[str, str]:
    """What builder or another cannot do with the facts and measures above."""
    return dict(not_yet(profile(name), facts=FACTS, measures=MEASURES))


def test_a_measure_that_nothing_feeds_is_told() -> None:
    """First replies are measured, leads are not."""
    found = told("builder")
    assert found["targets.Services follow-up"] == "lead_followup is not measured yet"
    assert not any(path.startswith("targets.First response") for path in found)


def test_a_fact_that_nothing_knows_is_told() -> None:
    """A rule that counts tickets of a company is not judged yet."""
    assert told("builder")["rules.frequent reporter"] == "tickets_from_company is not known yet"


def test_an_action_whose_tool_is_not_connected_is_told() -> None:
    """Paging, tagging, replying and telling work; what needs another tool is told, and so is a route without a way."""
    found = told("builder")
    assert "rules.security.do[2]" not in found
    closed = edited("builder", "tools: {mail: false}")
    off = dict(not_yet(closed, facts=FACTS, measures=MEASURES))
    assert off["rules.security.do[2]"] == "tell leads: email is not connected yet"
    assert found["rules.referral.do[0]"] == "create_lead: its tool is not connected yet"
    assert not any(path.startswith(("rules.night page", "rules.night queue", "warn")) for path in found)
    assert "rules.abusive.do[2]" not in found


def test_once_everything_is_connected_only_outages_are_left() -> None:
    """A profile of connected lines has nothing to tell besides."""
    found = not_yet(profile("lasercalc"), facts=FACTS | {"rating"}, measures=MEASURES | {"resolve"})
    paths = [path for path, _ in found]
    assert paths[-1] == "outage"
    assert not any(path.startswith("targets") for path in paths)
