"""The sandbox as a whole: ports, addresses, one seed one world, and time that tools announce."""

import socket
import threading
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors.sandbox.pagerduty import PagerDutySim
from connectors.sandbox.server import PORTS, Sandbox
from connectors.sandbox.zendesk import ZendeskSim

WORLD = {"profile": "builder", "now": "2026-03-03T15:00:00Z"}


def account(sandbox: Sandbox) -> dict[str, Any]:
    """What follows from the seed."""
    sim = sandbox.vendors["pagerduty"]
    assert isinstance(sim, PagerDutySim)
    return {"token": sim.account.token, "ids": [user.id for user in sim.account.users]}


def test_one_seed_one_world() -> None:
    """The same seed gives the same ids and keys, another seed others."""
    one, same, other = (account(Sandbox(WORLD, seed, only={"pagerduty"})) for seed in (1, 1, 2))
    assert one == same
    assert one["ids"] != other["ids"]
    assert one["token"] != other["token"]


def test_agents_are_on_call() -> None:
    """Who is paged also works in Zendesk: the agents above the first tier take turns, the lead is the backup."""
    tiers = [{"level": 1, "name": "One", "group": "Support"}, {"level": 2, "name": "Two", "group": "Technical"}]
    world = {**WORLD, "groups": ["Support", "Technical"], "tiers": tiers, "size": {"tickets": 0, "agents": 8}}
    sandbox = Sandbox(world)
    pager, desk = sandbox.vendors["pagerduty"], sandbox.vendors["zendesk"]
    assert isinstance(pager, PagerDutySim)
    assert isinstance(desk, ZendeskSim)
    agents = {agent.email: agent for agent in desk.people_of_the_world.agents}
    *turns, backup = [agents[user.email] for user in pager.account.users[:-1]]
    assert turns
    assert {agent.groups for agent in turns} == {("Technical",)}
    assert backup.duty == "lead"


def free_base() -> int:
    """A base from which all ports are free, most likely."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port - port % 10 - 20


def test_ports_count_from_the_base() -> None:
    """Each tool has its place; the numbers of tools that are missing stay free."""
    base = free_base()
    with Sandbox(WORLD, only={"pagerduty"}).start(base) as sandbox:
        assert sandbox.urls == {
            "console": f"http://127.0.0.1:{base}",
            "pagerduty": f"http://127.0.0.1:{base + PORTS.index('pagerduty')}",
        }
        with pytest.raises(OSError, match="--port-base"):
            Sandbox(WORLD, only={"pagerduty"}).start(base)


def test_the_environment_names_every_address_and_credential() -> None:
    """What is printed is enough to call each tool."""
    with Sandbox(WORLD, only={"pagerduty"}) as sandbox:
        env = sandbox.environment()
        assert httpx.get(env["HELPDESK_CLOCK_URL"]).json()["now"] == "2026-03-03T15:00:00Z"
        headers = {"Authorization": f"Token token={env['PAGERDUTY_TOKEN']}"}
        users = httpx.get(f"{env['PAGERDUTY_URL']}/users", headers=headers).json()["users"]
        assert env["PAGERDUTY_FROM"] in [user["email"] for user in users]
        assert {name for name in env if name.startswith("PAGERDUTY")} == {
            "PAGERDUTY_URL",
            "PAGERDUTY_EVENTS_URL",
            "PAGERDUTY_TOKEN",
            "PAGERDUTY_FROM",
            "PAGERDUTY_EVENTS_KEY",
            "PAGERDUTY_WEBHOOK_SECRET",
        }


def test_a_ticking_clock_brings_due_work_by_itself() -> None:
    """Nobody needs to call a tool for its timers to ring."""
    rung = threading.Event()
    with Sandbox(WORLD, only={"pagerduty"}, ticking=True) as sandbox:
        sandbox.core.at(sandbox.core.clock.now() + timedelta(seconds=1), rung.set)
        assert rung.wait(timeout=20)


def test_answers_are_dated_in_simulated_time() -> None:
    """Readers take the tool's clock from the Date header."""
    with Sandbox(WORLD, only={"pagerduty"}) as sandbox:
        sandbox.advance(3600)
        answer = httpx.get(sandbox.urls["pagerduty"] + "/abilities")
        assert answer.headers["date"] == "Tue, 03 Mar 2026 16:00:00 GMT"


def test_kept_connections_do_not_wait_for_acknowledgements() -> None:
    """Nagle's delay would cost 40 ms an answer: the accepted sockets have it off."""
    with Sandbox(WORLD, only={"pagerduty"}) as sandbox, httpx.Client() as client:
        client.get(sandbox.urls["pagerduty"] + "/abilities")
        [(_, listener)] = [pair for pair in sandbox.sockets.items() if pair[0] == "pagerduty"]
        assert listener.proto == socket.IPPROTO_TCP
