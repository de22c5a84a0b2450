"""A process dies at the worst moment: what was committed is there, what was not never happened."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.store import OutboxState, Store
from tests.connectors.store.make import action, at, clock, keys, plan, save, take, ticket

ROOT = Path(__file__).parents[3]
DYING = """
import os, sys
from connectors.store import Store
from tests.connectors.store.make import *

class Dying(Store):
    def writing(self, *locks):
        return dying(super().writing(*locks))

from contextlib import contextmanager
@contextmanager
def dying(transaction):
    with transaction as conn:
        yield conn
        os._exit(9)

store = (Dying if "before commit" in sys.argv[2] else Store).open(sys.argv[1])
"""
DEATHS = {
    "before commit of a page": "save(store, ticket(2))",
    "before commit of a decision": "plan(store, clocks=[clock()], decided_seq=1)",
    "before commit of a take": "take(store)",
    "after a take": "take(store)",
}


def die(store_url: str, moment: str) -> None:
    """Have another process do its work and be killed at that moment."""
    script = f"{DYING}\n{DEATHS[moment]}\nos._exit(9)"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    died = subprocess.run([sys.executable, "-c", script, store_url, moment], env=environment, cwd=ROOT, check=False)
    assert died.returncode == 9


@pytest.mark.parametrize("moment", DEATHS)
def test_running_again_after_a_crash(store: Store, store_url: str, moment: str) -> None:
    """Whatever was under way when a run died, the next one finds it undone, or in flight, and goes on."""
    save(store, ticket(1))
    plan(store, action("k"))
    die(store_url, moment)
    assert store.known([2]) == {}
    assert store.changed("sla").ticket_ids == (1,)
    assert store.clocks(["zendesk:1"]) == {"zendesk:1": []}
    if moment == "after a take":
        assert take(store) == [], "it may have been sent"
        assert store.expire(at(2)) == 1
        assert keys(store.unknown("zendesk")) == ["k"]
    else:
        assert keys(take(store)) == ["k"]
    save(store, ticket(2))
    plan(store, action("k"), clocks=[clock()], decided_seq=store.changed("sla").through_seq)
    assert store.changed("sla").ticket_ids == ()
    assert [row.state for row in store.outbox()] in ([OutboxState.SENDING], [OutboxState.UNKNOWN])
