"""Evidence: appended once, chained, refused to be changed by both databases, erased after its time and not before."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import sqlalchemy as sa

from connectors.store import Entry, Store, schema
from connectors.store.evidence import START, broken
from tests.connectors.store.make import NOW, at

YEARS = timedelta(days=7 * 365)


def keep(store: Store, key: str, content: str = "{}", record: str = "zendesk:1") -> None:
    """Keep something for seven years."""
    store.keep_evidence(record, key, content, at=NOW, keep=YEARS)


@pytest.mark.req("ABU-07")
def test_entries_are_chained(store: Store) -> None:
    """Each stands on the one before of its record; the same cause again changes nothing."""
    keep(store, "a", '{"comments": ["Grüße"]}')
    keep(store, "other", record="zendesk:2")
    keep(store, "b")
    keep(store, "a", "something else")
    first, second = store.evidence("zendesk:1")
    assert (first.sequence, first.previous, first.content) == (1, START, '{"comments": ["Grüße"]}')
    assert (second.sequence, second.previous) == (2, first.sha256)
    assert store.proof("zendesk:1") == second.sha256
    assert store.has_evidence("b")
    assert not store.has_evidence("c")
    assert broken([first, second]) is None


@pytest.mark.req("ABU-07")
@pytest.mark.parametrize(
    "change", [{"content": "{}"}, {"taken_at": at(5)}, {"kind": Entry.READ}, {"sequence": 3}, {"previous": "0" * 64}]
)
def test_whatever_is_changed_shows(store: Store, change: dict[str, object]) -> None:
    """A word, a time, a place: an entry that is not as it was written is found, also where its hash was made anew."""
    for key in "abc":
        keep(store, key, f'{{"text": "{key}"}}')
    entries = store.evidence("zendesk:1")
    forged = msgspec.structs.replace(entries[1], **change)
    assert broken([entries[0], forged, entries[2]]) == forged
    assert broken([entries[0], entries[2]]) == entries[2]
    assert broken(entries[1:]) == entries[1]
    assert broken([]) is None


@pytest.mark.req("ABU-07")
@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("UPDATE evidence SET content = 'nothing'", "evidence is never changed"),
        ("UPDATE evidence SET kept_until = 0", "evidence is never changed"),
        ("DELETE FROM evidence", "evidence is kept until its time is over"),
    ],
)
def test_the_database_refuses(store: Store, statement: str, refusal: str) -> None:
    """Whoever speaks SQL cannot change an entry, nor delete one before its time."""
    keep(store, "a")
    before = store.evidence("zendesk:1")
    with pytest.raises(sa.exc.DBAPIError, match=refusal), store.engine.begin() as conn:
        conn.exec_driver_sql(statement)
    assert store.evidence("zendesk:1") == before


@pytest.mark.req("SEC-05")
def test_erased_after_its_time(store: Store) -> None:
    """A record whose last entry's time is over goes whole; one that has a younger entry stays whole."""
    old = datetime(2015, 1, 1, tzinfo=UTC)
    store.keep_evidence("zendesk:1", "a", "{}", at=old, keep=timedelta(days=1))
    store.keep_evidence("zendesk:2", "b", "{}", at=old, keep=timedelta(days=1))
    keep(store, "c", record="zendesk:2")
    assert store.erase_evidence(old) == 0
    assert store.erase_evidence(NOW) == 1
    assert store.evidence("zendesk:1") == []
    assert len(store.evidence("zendesk:2")) == 2
    assert store.erase_evidence(NOW) == 0


def test_a_clock_that_runs_ahead_erases_nothing(store: Store) -> None:
    """Our own clock may be wrong, or a simulated one: the database's has to say so, too."""
    keep(store, "a")
    assert store.erase_evidence(NOW + timedelta(days=9999)) == 0


def test_no_way_to_change_it_in_our_code() -> None:
    """Text that is evidence is in no table that is ever emptied of texts."""
    assert schema.evidence.c.content.info["privacy"] == "text"
    assert [name for name in dir(Store) if "evidence" in name] == [
        "erase_evidence", "evidence", "has_evidence", "keep_evidence",
    ]  # fmt: skip
