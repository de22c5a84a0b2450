"""What doctor makes of what it was shown: clocks, answers by hand, roles."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from mappings.policies.doctor import Found, State, person, role, routes, skew
from tests.profiles import edited, profile

NOW = datetime(2026, 3, 3, 16, tzinfo=UTC)
US, AGENT = 7, 8


@pytest.mark.parametrize(
    ("seconds", "state", "said"),
    [
        (0, State.OK, "agree"),
        (30, State.OK, "agree"),
        (-31, State.WARN, "our clock is 31 s behind the tool's"),
        (120, State.WARN, "our clock is 120 s ahead of the tool's"),
        (-600, State.FAIL, "our clock is 600 s behind the tool's"),
    ],
)
def test_clocks(seconds: int, state: State, said: str) -> None:
    """Half a minute is nothing, two are doubtful, more does not work."""
    found = skew("clock", NOW + timedelta(seconds=seconds), NOW)
    assert found.state is state
    assert said in found.cause


def comments(author: int, channel: str, *, public: bool) -> list[bytes]:
    return [msgspec.json.encode({"comments": [{"author_id": author, "public": public, "via": {"channel": channel}}]})]


@pytest.mark.parametrize(
    ("author", "channel", "public", "human"),
    [
        pytest.param(US, "api", True, False, id="our own reply"),
        pytest.param(US, "web", True, True, id="a reply typed in Zendesk"),
        pytest.param(US, "email", True, True, id="a reply by mail"),
        pytest.param(US, "web", False, False, id="a note"),
        pytest.param(AGENT, "web", True, False, id="an agent"),
    ],
)
def test_answers_by_hand(author: int, channel: str, public: bool, human: bool) -> None:
    """A program writes through the API, a person by other ways."""
    found = person(Found(), Found(), {1: comments(author, channel, public=public)}, [US])
    assert [row.state for row in found] == [State.FAIL if human else State.OK]


def test_tickets_of_its_own() -> None:
    """Assigned tickets are a person's work; some are named, and how many more there are is hinted at."""
    many = Found(count=40, results=[{"id": number} for number in range(1, 11)])
    (found,) = person(many, Found(), {}, [US])
    assert found.state is State.FAIL
    assert "(zendesk:1, zendesk:2, zendesk:3, …)" in found.cause


@pytest.mark.parametrize(
    ("user", "state"),
    [
        ({"id": 7, "role": "admin"}, State.OK),
        ({"id": 7, "role": "agent"}, State.FAIL),
        ({"id": 7, "role": "admin", "suspended": True}, State.FAIL),
    ],
)
def test_roles(user: dict[str, object], state: State) -> None:
    """Exports are for administrators that are not suspended."""
    assert role(msgspec.json.encode({"user": user})).state is state


def test_routes_that_nobody_reads() -> None:
    """The base's addresses are for want of the account's own, and mail to an address of ours is a ticket: both are
    said, by the routes that lead there.
    """
    found = [str(finding) for finding in routes(profile("pmerit"))]
    fix = "; write a mailbox that people read"
    support = "config: routes.support, routes.standup, routes.weekly: support@pmerit.com takes tickets: "
    assert f"{support}what we mail there becomes one{fix}" in found
    assert f"config: routes.management: support-manager@example.com is nobody's{fix}" in found
    names = ("support", "leads", "management", "security", "customer_success")
    own = ", ".join(f"{name}: {{email: {name}@desk.pmerit.com}}" for name in names)
    assert list(routes(edited("pmerit", f"routes: {{{own}}}"))) == []
