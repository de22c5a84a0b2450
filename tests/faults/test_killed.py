"""`kill -9` of a real process at every step of the outbox: the next one goes on, and nobody sees that anything was.

Each killing gets three tickets of its own at night: one that is late, one that pages, one whose customer gets a reply.
The judge is the tools' journal, set beside that of three such tickets for which nobody was killed.
"""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from connectors.store import Store, schema
from tests.faults.victim import KILLED, NOWHERE, SURVIVED, Victims
from tests.flows.conftest import deployment, settle
from tests.flows.desk import Desk, unfinished
from tests.plugins.postgres import Postgres

STEPS = [
    "store.decide",
    "store.take",
    "pagerduty.send",
    "zendesk.update_many",
    "store.note_ref",
    "zendesk.jobs",
    "store.finish",
    "store.expire",
]
SIDES = ("before", "after")
ONE = [(f"{step}:{side}",) for step in STEPS for side in SIDES]
LATER = [
    ("store.take:after 7",),
    ("zendesk.update_many:after 2",),
    ("store.finish:before 2",),
    ("store.decide:after 2",),
]
"""Not the first time: customers before escalations, escalations before upkeep, tickets after pages."""
TWICE = [
    ("zendesk.update_many:after", "zendesk.audits:before"),
    ("zendesk.update_many:after", "store.finish:after"),
    ("pagerduty.send:after", "pagerduty.incident_by_key:after"),
    ("store.take:after", "store.expire:after"),
]
"""The second one dies while it looks for what the first one left."""
KILLINGS = [*ONE, *LATER, *TWICE]
ON_POSTGRES = [*ONE[3:14:4], *LATER[:1], *TWICE[:3]]
"""One of each kind: a step is the same there, a transaction is not."""


class Deaths(NamedTuple):
    """A deployment, where its processes die, and what three tickets get when none does."""

    desk: Desk
    victims: Victims
    undisturbed: Counter[str]


@contextmanager
def dying(url: str, home: Path) -> Iterator[Deaths]:
    """One deployment for all killings on a database."""
    with deployment(url) as desk:
        desk.core.switches.rate_limits = False  # a victim would really wait for a window of a clock that stands still
        victims = Victims(home / "victims.log")
        settle(desk)
        desk.move("2026-03-03 18:15")
        desk.beat()
        episode(desk, victims, [NOWHERE])
        try:
            yield Deaths(desk, victims, episode(desk, victims, [NOWHERE]))
        finally:
            victims.close()


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deaths]:
    """Deaths over a file."""
    home = tmp_path_factory.mktemp("killed")
    Store.open(f"sqlite:///{home / 'store.db'}", migrate=True).close()
    with dying(f"sqlite:///{home / 'store.db'}", home) as deaths:
        yield deaths


@pytest.fixture(scope="module")
def on_postgres(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deaths]:
    """Deaths over a server."""
    with dying(postgres.emptied(), tmp_path_factory.mktemp("killed")) as deaths:
        yield deaths


def episode(desk: Desk, victims: Victims, killings: list[str]) -> Counter[str]:
    """Three tickets, processes that die over them, and others that go on; all that was done to the three."""
    began = len(desk.core.journal)
    late = desk.file("P1", "enterprise")
    desk.minutes(1)
    desk.sandbox.advance(14 * 60 - 30)
    filed = [late, desk.file("P1", "business"), desk.file("P2", "business")]
    desk.sandbox.advance(60)
    for killing in killings:
        point, _, nth = killing.partition(" ")
        wanted = SURVIVED if point == NOWHERE else KILLED
        assert victims.run(point, int(nth or 1)) == wanted, f"nobody came to {killing}"
        time_passes(desk)
    desk.minutes(3)
    assert unfinished(desk.rows()) == []
    done = story(desk, filed, began)
    for ticket in filed:
        desk.sim.edit(ticket, author=desk.agent, status="solved", assignee=desk.agent)
    return done


def time_passes(desk: Desk) -> None:
    """Ten minutes for the databases' and the machines' clocks, by which leases and calls end; three for the tools."""
    engine = sa.create_engine(desk.database_url)
    with engine.begin() as conn:
        lease, outbox = schema.lease, schema.outbox
        conn.execute(lease.update().values(expires_at=lease.c.expires_at - 600))
        conn.execute(outbox.update().values(deadline=outbox.c.deadline - 600))
    engine.dispose()
    desk.sandbox.advance(180)


def story(desk: Desk, filed: list[int], began: int) -> Counter[str]:
    """What we said and whom we called, each with its number, and how the tickets are in the end.

    Tickets are named by their part. Times are left out, and what differs where one update becomes two: references, and
    what a field showed in between.
    """
    parts = {f"zendesk:{ticket}": part for ticket, part in zip(filed, ("late", "page", "reply"), strict=True)}
    told: Counter[str] = Counter()
    shown: dict[str, str] = {}
    for row in desk.effects(after=began):
        if row.record in parts and row.kind == "field":
            shown[f"{parts[row.record]}: {row.detail['field']}"] = str(row.detail["new"])
        elif row.record in parts:
            told[f"{parts[row.record]}: {row.kind} {row.detail.get('body')}"] += 1
        elif row.kind == "incident" and (owner := _owner(row.detail["title"], filed)):
            told[f"{parts[owner]}: paged"] += 1
    return Counter({_plain(said): count for said, count in told.items()}) + Counter(
        _plain(f"{field} is {value}") for field, value in shown.items()
    )


def _owner(title: str, filed: list[int]) -> str | None:
    return next((f"zendesk:{ticket}" for ticket in filed if f"ticket {ticket} " in title), None)


def _plain(text: str) -> str:
    for pattern, word in {
        r"your ticket is \d+": "your ticket is <it>",
        r"Ticket: \d+": "Ticket: <it>",
        r"\d{4}-\d\d-\d\dT[\d:+-]+|((at|on) )?(\w{3} \d+ \w{3} )?\d\d:\d\d": "<time>",
        r"ref( hf-[0-9a-f]+)+": "<references>",
    }.items():
        text = re.sub(pattern, word, text)
    return text


@pytest.mark.req("NFR-03")
@pytest.mark.parametrize("killings", KILLINGS, ids=", ".join)
def test_killed_at_any_step(on_sqlite: Deaths, killings: tuple[str, ...]) -> None:
    """Killed by the system before or after a step, once or again at the repair: everything is done, and done once."""
    done = episode(on_sqlite.desk, on_sqlite.victims, list(killings))
    assert (done - on_sqlite.undisturbed, on_sqlite.undisturbed - done) == (Counter(), Counter())


def test_there_is_something_to_lose(on_sqlite: Deaths) -> None:
    """The three tickets get a step up with its note, pages, a reply, tags and fields."""
    said = "\n".join(on_sqlite.undisturbed)
    parts = "late: note First response was due", "page: paged", "reply: public_comment", "next_business_day"
    for wanted in (*parts, "late: paged", "late: Support tier is tier_2", "reply: SLA due is <time>"):
        assert wanted in said
    assert set(on_sqlite.undisturbed.values()) == {1}


@pytest.mark.req("NFR-03")
@pytest.mark.postgres
@pytest.mark.parametrize("killings", ON_POSTGRES, ids=", ".join)
def test_killed_on_postgres(on_postgres: Deaths, killings: tuple[str, ...]) -> None:
    """The same with a server, which notices that its client is gone and rolls back what it had begun."""
    done = episode(on_postgres.desk, on_postgres.victims, list(killings))
    assert (done - on_postgres.undisturbed, on_postgres.undisturbed - done) == (Counter(), Counter())
