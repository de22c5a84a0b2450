"""Watching ourselves: what counts as silent or stale, and what PagerDuty is told of it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.plan import PageResolve, PageTrigger
from mappings.policies.watchdog import Beat, Limits, Source, behind, judge, minutes, notices

NOW = datetime(2026, 3, 3, 16, tzinfo=UTC)
LIMITS = Limits()


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def beat(**sources: Source) -> Beat:
    named = {name.replace("_", " "): source for name, source in sources.items()}
    return Beat(profile="builder", at=NOW, sources=named)


WELL = beat(zendesk_tickets=Source(fresh_through=ago(1.5)), zendesk_newest=Source())


@pytest.mark.parametrize(
    ("waited", "last", "seconds", "expected"),
    [
        pytest.param(0, None, None, {}, id="just started: nothing is known"),
        pytest.param(299, None, None, {}, id="within the grace"),
        pytest.param(300, None, None, {"silent": True}, id="no pulse ever came"),
        pytest.param(5, WELL, 0, {"silent": False, "stale:zendesk": False}, id="a beat, also within the grace"),
        pytest.param(999, WELL, 299, {"silent": False, "stale:zendesk": False}, id="a beat five minutes ago, almost"),
        pytest.param(999, WELL, 300, {"silent": True}, id="silent: nothing is said of the sources"),
        pytest.param(
            9,
            beat(zendesk_tickets=Source(fresh_through=ago(9.9)), pagerduty_incidents=Source()),
            0,
            {"silent": False, "stale:zendesk": False, "stale:pagerduty": False},
            id="not quite ten minutes behind",
        ),
        pytest.param(
            9,
            beat(zendesk_tickets=Source(fresh_through=ago(10)), pagerduty_incidents=Source()),
            0,
            {"silent": False, "stale:zendesk": True, "stale:pagerduty": False},
            id="ten minutes behind: that tool, no other",
        ),
        pytest.param(
            9,
            beat(zendesk_newest=Source(down_since=ago(10)), zendesk_tickets=Source(fresh_through=ago(1))),
            0,
            {"silent": False, "stale:zendesk": True},
            id="one source of a tool down for ten minutes",
        ),
        pytest.param(
            9,
            beat(zendesk_tickets=Source(fresh_through=None)),
            0,
            {"silent": False, "stale:zendesk": False},
            id="a first load has no freshness yet",
        ),
    ],
)
def test_what_is_trouble(waited: float, last: Beat | None, seconds: float | None, expected: dict[str, bool]) -> None:
    """Silence is five real minutes without a finished pulse; stale is ten minutes of domain time behind."""
    judged = judge("builder", LIMITS, waited=waited, last=last, ago=seconds)
    assert {key: trouble is not None for key, trouble in judged.items()} == expected


def test_words_for_whoever_is_woken() -> None:
    """A page says which deployment, what is wrong since when, and where to read on."""
    (silent,) = judge("builder", LIMITS, waited=900, last=WELL, ago=330).values()
    assert silent is not None
    assert silent.summary == (
        "helpdesk-flows (builder): no pulse has finished for 5 minutes; nobody watches the tickets"
    )
    stale = judge("builder", LIMITS, waited=9, last=beat(zendesk_tickets=Source(fresh_through=ago(61))), ago=0)
    assert stale["stale:zendesk"] is not None
    assert stale["stale:zendesk"].summary == "helpdesk-flows (builder): zendesk is 61 minutes behind: zendesk tickets"
    assert stale["stale:zendesk"].details["zendesk tickets"] == "61 minutes behind"


@pytest.mark.parametrize(
    ("trouble", "told", "sent"),
    [
        (True, None, PageTrigger),
        (True, False, PageTrigger),
        (True, True, None),
        (False, None, PageResolve),
        (False, True, PageResolve),
        (False, False, None),
    ],
)
def test_what_pagerduty_is_told(trouble: bool, told: bool | None, sent: type | None) -> None:
    """Once per episode; what PagerDuty may or may not know is said again, under the same key."""
    judged = judge("builder", LIMITS, waited=0, last=WELL, ago=300.0 if trouble else 0.0)
    found = notices("builder", {"silent": judged["silent"]}, {} if told is None else {"silent": told})
    assert [type(page) for page in found.values()] == ([] if sent is None else [sent])
    assert {page.dedup_key for page in found.values()} <= {"helpdesk-watchdog:builder:silent"}


@given(st.lists(st.floats(0, 1200), min_size=1, max_size=30))
def test_each_episode_pages_once(waits: list[float]) -> None:
    """Whatever the rhythm of the beats: between two pages of a key lies its end, and the other way round."""
    told: dict[str, bool | None] = {}
    sent: list[type] = []
    for seconds in waits:
        judged = judge("builder", LIMITS, waited=0, last=WELL, ago=seconds)
        for key, page in notices("builder", judged, told).items():
            told[key] = isinstance(page, PageTrigger)
            sent += [type(page)] if key == "silent" else []
    assert all(one is not other for one, other in pairwise(sent))
    assert told["silent"] is (waits[-1] >= LIMITS.silence)


def test_domain_time_only() -> None:
    """How far behind a source is follows from what the pulse tells, and from no clock of the watchdog's."""
    assert behind(Source(fresh_through=ago(3), down_since=ago(2)), NOW) == 180
    assert behind(Source(), NOW) == 0
    assert behind(Source(fresh_through=NOW + timedelta(hours=1)), NOW) == 0


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 seconds"), (1, "1 second"), (59.9, "59 seconds"), (60, "1 minute"), (330, "5 minutes")]
)
def test_lengths_of_time(seconds: float, said: str) -> None:
    """People read minutes."""
    assert minutes(seconds) == said
