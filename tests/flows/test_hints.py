"""A webhook is a hint, a sweep is the truth: hints bring what they name sooner, and change nothing else."""

import logging
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from connectors.store import Delivery, Store
from flows import hints
from flows.hints import CALLS, KEEP, LOOK
from mappings.model import Status
from tests.connectors.sandbox.receiver import receiving
from tests.faults.points import Killed, watch
from tests.flows.conftest import deployment
from tests.flows.desk import Desk
from tests.flows.inlet import hooked, listening

SWEEP = "incremental|/tickets.json"
"""All calls by which Zendesk is swept."""


def waiting(desk: Desk, tool: str = "zendesk") -> list[str]:
    """What hints are about that nobody has followed yet."""
    return [delivery.about for delivery in desk.ctx.store.deliveries(tool)]


def hint(desk: Desk, *abouts: str, tool: str = "zendesk", age: float = 0) -> None:
    """Hints in the inbox, as the receiver leaves them there."""
    for number, about in enumerate(abouts):
        received = desk.now - timedelta(seconds=age)
        name = f"{about}@{received:%H%M%S}.{number}"
        desk.ctx.store.receive(Delivery(id=name, tool=tool, about=about, received_at=received))


def status(desk: Desk, ticket: int) -> Status | None:
    """Where a ticket stands as far as we know."""
    return next((history.ticket.status for history in desk.ctx.store.histories([ticket])), None)


def looks(desk: Desk, after: int) -> int:
    """How often tickets were asked for by their numbers."""
    return len(desk.calls("GET", "show_many", after=after)) - len(desk.calls("GET", "job_statuses", after=after))


def night(desk: Desk) -> None:
    """Two in the morning, when a P1 pages, and everything from before is done."""
    desk.move("2026-03-04 02:00")
    desk.minutes(2)


# the same end


def story(desk: Desk) -> None:
    """A night and a morning at the desk: filed, paged, taken, answered, made worse, merged, deleted, late."""
    night(desk)
    first, second = desk.file("P1", "business"), desk.file("P2", "business")
    desk.minutes(3)
    desk.phone.acknowledge(desk.incidents[-1].id)
    late, doomed, twin = desk.file("P2", "enterprise"), desk.file("P2", "business"), desk.file("P3", "business")
    desk.minutes(4)
    desk.sim.reply(second, author=desk.agent, body="On it.")
    desk.sim.delete(doomed, author=desk.agent)
    desk.minutes(3)
    desk.sim.merge(second, [twin], author=desk.agent)
    desk.sim.edit(late, author=desk.agent, fields={"severity": "P1"})
    desk.minutes(5)
    desk.sim.reply(first, author=desk.agent, body="Up again.", status="solved")
    desk.minutes(3)
    desk.move("2026-03-04 12:05")
    desk.minutes(5)


@contextmanager
def morning(template: Path, folder: Path, name: str) -> Iterator[Desk]:
    """The settled deployment once more, from the same seed."""
    shutil.copy(template, folder / f"{name}.db")
    with deployment(f"sqlite:///{folder / f'{name}.db'}") as desk:
        desk.sandbox.advance(180)
        yield desk


@pytest.fixture(scope="session")
def without(settled_store: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """What we do in the story when there are no webhooks at all."""
    with morning(settled_store, tmp_path_factory.mktemp("without"), "store") as desk:
        story(desk)
        return desk.done()


@pytest.mark.req("NFR-10")
@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"webhook_lose": 1.0},
        {"webhook_lose": 0.3},
        {"webhook_double": 1.0},
        {"webhook_delay": 90.0, "webhook_jitter": 400.0, "webhook_double": 0.3, "webhook_lose": 0.2},
    ],
    ids=lambda switches: " ".join(switches) or "all in time",
)
def test_the_same_end(
    switches: dict[str, float], without: list[tuple[Any, ...]], settled_store: Path, tmp_path: Path
) -> None:
    """All in time, lost, doubled, late or out of order: what we did in the tools is what we do without webhooks."""
    with morning(settled_store, tmp_path, "store") as desk, hooked(desk, **switches):
        story(desk)
        assert len(without) > 10
        assert desk.done() == without
        arrived = {receipt.status for _, receipt in desk.core.courier.sent}
        assert (200 in arrived) is (switches.get("webhook_lose") != 1.0)
        assert arrived <= {200, 401}  # those signed before the clock's leap are too old when they arrive
        desk.core.switches.turn({"webhook_lose": 1.0})
        desk.minutes(1)
        assert waiting(desk) == waiting(desk, "pagerduty") == []


def facts(desk: Desk) -> dict[int, Any]:
    """All that is stored of tickets and their past; when an answer was made is no fact about them."""
    histories = desk.ctx.store.histories(desk.sim.account.tickets)
    return {
        history.ticket.id: (msgspec.structs.replace(history.ticket, generated_at=0), history.events, history.company)
        for history in histories
    }


def short_story(desk: Desk, pulse: Callable[[], None]) -> None:
    """Ten minutes in which much happens to few tickets; `pulse` ends each of them."""
    first, second, third = (desk.file(severity, "business") for severity in ("P1", "P2", "P3"))
    pulse()
    desk.sim.reply(first, author=desk.agent, body="On it.")
    desk.sim.mark_spam(third, author=desk.agent)
    pulse()
    desk.sim.edit(second, author=desk.agent, fields={"severity": "P1"})
    desk.sim.delete(first, author=desk.agent)
    pulse()
    desk.sim.restore(first, author=desk.agent)
    fourth = desk.file("P2", "starter")
    pulse()
    desk.sim.merge(second, [fourth], author=desk.agent)
    pulse()
    desk.sim.reply(first, author=desk.agent, body="Done.", status="solved")
    for _ in range(5):
        pulse()


@pytest.fixture(scope="session")
def swept(settled_store: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Any]:
    """What is known after the short story when there are no webhooks at all."""
    with morning(settled_store, tmp_path_factory.mktemp("swept"), "store") as desk:
        short_story(desk, lambda: desk.minutes(1) and None)
        return facts(desk)


@pytest.mark.req("NFR-10")
@pytest.mark.parametrize("seed", range(4))
def test_the_same_facts(seed: int, swept: dict[int, Any], settled_store: Path, tmp_path: Path) -> None:
    """However deliveries are lost, doubled and put out of order: what is known in the end is what the sweep knows."""
    chance = random.Random(seed)
    held: list[tuple[dict[str, str], bytes]] = []
    statuses = []

    def shuffled() -> None:
        """A minute: of all deliveries so far some arrive before the pulse, in any order, some of them again."""
        desk.sandbox.advance(60)
        held.extend(recorder.arrived)
        recorder.arrived.clear()
        for headers, body in chance.choices(held, k=chance.randrange(len(held) + 1)):
            statuses.append(httpx.post(f"{url}/webhooks/zendesk", content=body, headers=headers).status_code)
        held[:] = [one for one in held if chance.random() > 0.2]
        desk.beat()

    with morning(settled_store, tmp_path, "store") as desk, receiving() as recorder:
        store = Store.open(desk.database_url)
        desk.sim.subscribe(recorder.url)
        with listening(store, lambda: desk.now) as url:
            short_story(desk, shuffled)
        store.close()
        assert set(statuses) == {200}
        assert facts(desk) == swept


# sooner


def test_seen_by_a_hint_only(either_desk: Desk) -> None:
    """No list of Zendesk's answers: a new P1 that a webhook named has its clocks and its page in the same pulse."""
    desk = either_desk
    night(desk)
    desk.fail(path=SWEEP, kind="status", status=500)
    with hooked(desk):
        filed = desk.file("P1", "enterprise")
        (beat,) = desk.minutes(1)
    assert beat.synced["zendesk hints"].endswith(", 1 ticket read")
    assert "First response" in desk.clocks(filed)
    assert desk.states(filed, "page") == [("page", "done")]


def test_the_company_comes_along(fresh_desk: Desk) -> None:
    """A hint about a customer whom nobody has read yet: the ticket is judged by its company's plan at once."""
    fresh_desk.fail(path=SWEEP, kind="status", status=500)
    with hooked(fresh_desk):
        filed = fresh_desk.file("P2", "business")
        fresh_desk.minutes(1)
    (history,) = fresh_desk.ctx.store.histories([filed])
    assert history.company is not None
    assert history.company.plan == "business"
    assert history.requester is not None
    assert fresh_desk.clocks(filed)["First response"].cell == "4bh"


@pytest.mark.parametrize("how", ["delete", "mark_spam"])
def test_gone_before_the_export_tells(desk: Desk, how: str) -> None:
    """Deleted or spam, which no list shows and the export hides: with a hint it is known in the same pulse."""
    filed = desk.file("P2", "business")
    desk.minutes(2)
    with hooked(desk):
        getattr(desk.sim, how)(filed, author=desk.agent)
        desk.sandbox.advance(30)
        desk.beat()
        assert status(desk, filed) is Status.DELETED
        desk.minutes(3)
    assert status(desk, filed) is (Status.DELETED if how == "delete" else Status.SPAM)


# believed for nothing but a number


def test_a_ticket_that_is_not_there(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """A hint about a ticket that nobody knows is put away with a word in the log, and costs one call."""
    hint(desk, "zendesk:999999", "zendesk:999999")
    before = desk.core.recorder.count
    with caplog.at_level(logging.INFO, logger="helpdesk"):
        told = desk.minutes(1)[0].synced
    assert "zendesk:999999: a webhook names it, and Zendesk does not show it; nothing to do" in caplog.messages
    assert told["zendesk hints"] == "2 hints, 1 ticket read"
    assert looks(desk, before) == 1
    assert waiting(desk) == []


def test_a_deleted_ticket_is_looked_for_once(desk: Desk) -> None:
    """Hints about a ticket that is known to be deleted cost their one call for a hundred, and change nothing."""
    filed = desk.file("P2", "business")
    desk.minutes(2)
    desk.sim.delete(filed, author=desk.agent)
    desk.minutes(3)
    seq = desk.ctx.store.changed("none").through_seq
    hint(desk, f"zendesk:{filed}")
    before = desk.core.recorder.count
    desk.beat()
    assert not desk.calls(path="audits", after=before)
    assert desk.ctx.store.changed("none").through_seq == seq


def test_older_than_the_sweep(desk: Desk) -> None:
    """What the exports have told since a hint arrived is not asked for again."""
    filed = desk.file("P2", "business")
    desk.minutes(4)
    hint(desk, f"zendesk:{filed}", age=200)
    before = desk.core.recorder.count
    told = desk.beat().synced
    assert told["zendesk hints"] == "1 hint, 0 tickets read"
    assert looks(desk, before) == 0
    assert waiting(desk) == []


def test_what_is_no_ticket(desk: Desk) -> None:
    """Companies and people have their turn in the sweep: a hint about one costs no call."""
    hint(desk, "zendesk:organization:7", "zendesk:user:8")
    before = desk.core.recorder.count
    desk.minutes(1)
    assert (looks(desk, before), waiting(desk)) == (0, [])


def test_many_hints_at_once(desk: Desk) -> None:
    """More hints than a pulse has calls for: what is left waits, is said, and costs nothing once the sweep passed."""
    hint(desk, *(f"zendesk:{900_000 + number}" for number in range(CALLS * LOOK + 7)))
    before = desk.core.recorder.count
    told = desk.beat().synced
    assert looks(desk, before) == CALLS
    assert told["zendesk hints"] == "507 hints, 500 tickets read, 7 tickets left for later, the oldest hint 0 s old"
    before = desk.core.recorder.count
    desk.core.advance(300)
    desk.beat()  # the sweep passes
    hint(desk, "zendesk:900001", age=200)
    desk.beat()
    assert looks(desk, before) == 1
    assert waiting(desk) == []


def test_a_hint_hides_no_neighbours(desk: Desk) -> None:
    """150 tickets within a minute, a hint about the latest alone: the others are known in the same pulse, too."""
    filed = [desk.file("P3", "professional") for _ in range(150)]
    desk.sandbox.advance(30)
    hint(desk, f"zendesk:{filed[-1]}")
    desk.beat()
    assert set(desk.ctx.store.known(filed)) == set(filed)


# never lost, never for ever


@pytest.mark.parametrize(
    "point", ["store.save:before", "store.save:after", "zendesk.tickets:after", "store.follow:before"]
)
def test_killed_while_following(desk: Desk, point: str) -> None:
    """The process dies between a hint and its end: the next one follows it again, and nothing is done twice."""
    night(desk)
    filed = desk.file("P1", "enterprise")
    hint(desk, f"zendesk:{filed}")

    def die(reached: str) -> None:
        if reached == point:
            raise Killed

    watch(desk.ctx, die)
    desk.core.advance(60)
    with pytest.raises(Killed):
        hints.tickets(desk.ctx, lambda *_: None)
    desk.restart()
    assert waiting(desk) == [f"zendesk:{filed}"]
    desk.minutes(3)
    assert waiting(desk) == []
    assert desk.states(filed, "page") == [("page", "done")]


def test_hints_wait_for_a_tool_that_is_away(desk: Desk) -> None:
    """A tool that does not answer keeps its hints in the inbox, and loses none of them."""
    filed = desk.file("P2", "business")
    hint(desk, f"zendesk:{filed}")
    hint(desk, "pagerduty:P1", tool="pagerduty")
    desk.fail(kind="away")
    told = desk.beat().synced
    assert told["zendesk hints"].startswith("failed")
    assert (waiting(desk), waiting(desk, "pagerduty")) == ([f"zendesk:{filed}"], [])
    desk.well()
    desk.beat()
    assert waiting(desk) == []


def test_pages_are_followed_with_the_sweep(desk: Desk) -> None:
    """Hints about incidents are put away once all open pages were looked at, and cost no call of their own."""
    night(desk)
    with hooked(desk):
        desk.file("P1", "business")
        desk.minutes(2)
        (incident,) = desk.incidents
        desk.fail(vendor="pagerduty", path="incidents", kind="status", status=500)
        desk.phone.acknowledge(incident.id)
        desk.minutes(1)
        assert f"pagerduty:{incident.id}" in waiting(desk, "pagerduty")
        desk.well()
        before = desk.core.recorder.count
        told = desk.minutes(1)[0].synced
    assert told["pagerduty incidents"] == "1 open pages looked at, 1 hint with them"
    assert len(desk.calls("GET", "/incidents", after=before)) == 1
    assert waiting(desk, "pagerduty") == []


def test_old_hints_are_forgotten(desk: Desk) -> None:
    """At the full hour hints go that are too old to come again; younger ones are still known."""
    hint(desk, "zendesk:1", age=KEEP.total_seconds() + 4000)
    hint(desk, "zendesk:2", age=KEEP.total_seconds() - 4000)
    old, young = desk.ctx.store.deliveries("zendesk")
    desk.minutes(1)
    assert desk.ctx.store.receive(old) is False
    desk.move("2026-03-03 11:00")
    desk.beat()
    assert desk.ctx.store.receive(young) is False
    assert desk.ctx.store.receive(old) is True


def test_quiet_inbox(desk: Desk) -> None:
    """Without hints nothing is called and nothing is written."""
    before = desk.core.recorder.count
    assert hints.tickets(desk.ctx, _never) == "none"
    assert desk.core.recorder.count == before


def _never(*_: Any) -> None:
    raise AssertionError("nobody is gone")
