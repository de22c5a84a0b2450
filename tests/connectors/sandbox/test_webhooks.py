"""The courier: real deliveries on simulated time, judged by each tool's own rules."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from connectors.sandbox.clock import Clock
from connectors.sandbox.core import Core
from connectors.sandbox.webhooks import Parcel, Receipt

from .receiver import Receiver, receiving

START = datetime(2026, 3, 3, 15, tzinfo=UTC)


@pytest.fixture
def core() -> Iterator[Core]:
    """A core whose courier is stopped at the end."""
    made = Core(Clock(START), seed=7)
    yield made
    made.courier.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on a free port."""
    with receiving() as inlet:
        yield inlet


def parcels(receiver: Receiver, count: int, lane: str | None = None) -> list[Parcel]:
    """Numbered parcels, due a second apart."""
    return [
        Parcel("test", receiver.url, json.dumps(n).encode(), {}, START + timedelta(seconds=n), lane=lane)
        for n in range(count)
    ]


def arrived(receiver: Receiver) -> list[int]:
    """The numbers that came in."""
    return [json.loads(body) for _, body in receiver.arrived]


def once(_: Parcel, __: Receipt) -> None:
    """A tool that never tries again."""


def test_deliveries_wait_for_their_time(core: Core, receiver: Receiver) -> None:
    """A parcel that is due in two seconds is not there after one."""
    for parcel in parcels(receiver, 3):
        core.courier.post(parcel, once)
    core.advance(1)
    assert arrived(receiver) == [0, 1]
    core.advance(1)
    assert arrived(receiver) == [0, 1, 2]


def test_without_a_lane_deliveries_may_overtake(core: Core, receiver: Receiver) -> None:
    """With jitter they arrive out of order; in a lane they never do."""
    core.switches.turn({"webhook_jitter": 60})
    for lane in (None, "one"):
        receiver.arrived.clear()
        now = core.clock.now()
        for n, parcel in enumerate(parcels(receiver, 12, lane)):
            core.courier.post(Parcel("test", parcel.url, parcel.body, {}, now + timedelta(seconds=n), lane=lane), once)
        core.advance(200)
        assert sorted(arrived(receiver)) == list(range(12))
        assert (arrived(receiver) == list(range(12))) is (lane == "one")


def test_the_tool_decides_about_trying_again(core: Core, receiver: Receiver) -> None:
    """The judge sees each attempt's answer; retries keep simulated time, also when the clock jumps far."""
    receiver.answers = [500, 500, 200]
    seen: list[tuple[int, int | None]] = []

    def judge(parcel: Parcel, receipt: Receipt) -> float | None:
        seen.append((parcel.attempt, receipt.status))
        return None if receipt.ok else 300.0

    core.courier.post(parcels(receiver, 1)[0], judge)
    core.advance(86400)
    assert seen == [(1, 500), (2, 500), (3, 200)]
    assert [(p.at - START).total_seconds() for p, _ in core.courier.sent] == [0, 300, 600]


def test_a_broken_judge_does_not_silence_the_others(core: Core, receiver: Receiver) -> None:
    """Its fault is printed; deliveries go on."""

    def broken(_: Parcel, __: Receipt) -> None:
        raise RuntimeError("on purpose")

    first, second = parcels(receiver, 2)
    core.courier.post(first, broken)
    core.courier.post(second, once)
    core.advance(5)
    assert arrived(receiver) == [0, 1]


def test_an_absent_receiver_is_a_receipt_without_status(core: Core) -> None:
    """No answer in time and no connection look the same."""
    core.courier.post(Parcel("test", "http://127.0.0.1:9/none", b"{}", {}, START), once)
    core.courier.drain()
    [(_, receipt)] = core.courier.sent
    assert (receipt.status, receipt.ok) == (None, False)


def test_a_receiver_may_ask_the_tools_while_it_is_told(core: Core, receiver: Receiver) -> None:
    """Deliveries hold no lock: the core can be used while one is under way."""
    free: list[bool] = []

    class Curious(Receiver):
        def take(self, headers: dict[str, str], body: bytes) -> int:
            free.append(core.lock.acquire(timeout=2))
            core.lock.release()
            return 200

    receiver.take = Curious().take  # type: ignore[method-assign]
    core.courier.post(parcels(receiver, 1)[0], once)
    core.courier.drain()
    assert free == [True]
