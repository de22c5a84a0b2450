"""`helpdesk migrate|outbox|pause|resume|mode|approve|adopt`: what an operator types, and what the store then holds."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from connectors.store import Mode, OutboxState, Store
from connectors.store import Result as Outcome
from flows.commands import operate
from flows.commands import store as commands
from mappings.plan import POLICIES, Limits
from tests.connectors.store.make import NOW, action, at, plan, take

Run = Callable[..., Result]


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    monkeypatch.setenv("HELPDESK_DATABASE_URL", url)
    monkeypatch.setenv("HELPDESK_PROFILE", "builder")
    return url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = Store.open(url, profile="builder", migrate=True)
    yield store
    store.close()


@pytest.fixture
def run() -> Run:
    """Type `helpdesk …`."""
    app = typer.Typer()
    commands.register(app)
    operate.register(app)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_migrate_makes_a_store(url: str, run: Run) -> None:
    """An empty database is refused with the command that helps; that command helps, as often as it is given."""
    refused = run("outbox", "list")
    assert refused.exit_code == 2
    assert "run `helpdesk migrate`" in refused.stderr
    for _ in range(2):
        assert run("migrate").stdout == f"{url}: up to date, profile builder\n"
    assert json.loads(run("migrate", "--json").stdout) == {"database": url, "profile": "builder"}
    assert run("outbox", "list").stdout == "no rows\n"


def test_another_profile_is_refused(store: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store opened for the wrong organisation says so, in one line."""
    monkeypatch.setenv("HELPDESK_PROFILE", "roofing")
    refused = run("pause", "all")
    assert refused.exit_code == 2
    assert "this store belongs to profile 'builder', not 'roofing'" in refused.stderr
    assert store.paused() == {}


def test_the_outbox_says_what_and_why(store: Store, run: Run) -> None:
    """A row is shown with its reason and what went wrong; JSON carries the whole action."""
    plan(store, action("k"), action("other", "zendesk:2"))
    rows = take(store, limit=1)
    store.finish([Outcome(id=rows[0].id, state=OutboxState.FAILED, error="422: group is inactive")], NOW)
    assert run("outbox", "list", "--state", "failed").stdout == (
        "1  failed  zendesk:1  escalate  (sla, zendesk)\n"
        "    First response was due 14:00.\n"
        "    422: group is inactive\n"
        "    zendesk:1 is parked in zendesk, nothing waits behind it; put right what it says, then "
        "`helpdesk outbox retry 1`; or `helpdesk outbox drop 1`\n"
    )
    found = json.loads(run("outbox", "list", "--record", "zendesk:1", "--json").stdout)
    assert [(row["action"]["key"], row["state"]) for row in found] == [("k", "failed")]


def test_rows_are_retried_and_dropped(store: Store, run: Run) -> None:
    """A row that cannot be changed does not stop the others, and is told at the end."""
    plan(store, action("a"), action("b", "zendesk:2"))
    store.finish([Outcome(id=row.id, state=OutboxState.FAILED, error="422") for row in take(store)], NOW)
    retried = run("outbox", "retry", 1, 404)
    assert (retried.exit_code, retried.stdout) == (2, "outbox 1: planned again: First response was due 14:00.\n")
    assert retried.stderr == "outbox 404: there is no such row; `helpdesk outbox list` shows them\n"
    assert run("outbox", "drop", 2, "--why", "customer called").exit_code == 0
    assert [(row.state, row.error) for row in store.outbox()] == [("planned", None), ("dropped", "customer called")]


@pytest.mark.parametrize("scope", ["all", "sla", "zendesk", "zendesk:123"])
def test_pausing_and_resuming(store: Store, run: Run, scope: str) -> None:
    """What is paused is listed until it is resumed; resuming says what it put aside."""
    assert run("pause", scope).stdout.startswith(f"{scope}: paused since ")
    assert list(json.loads(run("pause", "--json").stdout)) == [scope]
    plan(store, action("k", "zendesk:123"))
    said = run("resume", scope)
    assert said.stdout == (
        f"{scope}: resumed; 1 actions planned before are put aside as baseline (`helpdesk adopt` lists them)\n"
    )
    assert run("pause").stdout == "nothing is paused\n"
    assert run("resume", scope).stderr == f"resume: {scope!r} is not paused; paused: nothing\n"


def test_resuming_may_keep_what_waited(store: Store, run: Run) -> None:
    """An operator who wants it sent after all says so."""
    plan(store, action("k"))
    run("pause", "all")
    assert json.loads(run("resume", "all", "--keep", "--json").stdout) == {"scope": "all", "put_aside": 0}
    assert [row.action.key for row in take(store)] == ["k"]


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (["pause", "zendsk"], "pause: 'zendsk' is not known; write all, triage, sla, rules, paging, abuse,"),
        (["pause", "zendsk"], "did you mean 'zendesk'?"),
        (["pause", "zendsk:12"], "or a record such as zendesk:123"),
        (["mode", "sal"], "mode: 'sal' is not known; write triage, sla, rules, paging, abuse; did you mean 'sla'?"),
        (["mode", "sla", "on"], "mode: 'on' is not known; write off, shadow, apply"),
        (["outbox", "list", "--state", "plannd"], "did you mean 'planned'?"),
        (["approve", "c0ffee"], "batch c0ffee: there is none of that hash; `helpdesk approve` lists"),
        (["approve", "c0ffee", "--refuse"], "batch c0ffee: there is none of that hash"),
        (["adopt", "--all"], "adopt: nothing says which of all that came before the start; add ids, or --policy,"),
        (["adopt", "7"], "adopt: none of 7 is a baseline row; `helpdesk adopt` lists what there is"),
        (["adopt", "7", "--verb", "tag"], "adopt: both ids and --verb tag are given; write either of the two"),
        (["adopt", "--verb", "tagg", "--all"], "adopt: no such row: --verb tagg; `helpdesk adopt` lists what there is"),
        (["outbox", "summary", "--state", "shade"], "'shade' is not known; write planned,"),
    ],
)
def test_a_slip_of_the_pen_is_told(store: Store, run: Run, words: list[str], refusal: str) -> None:
    """A word that means nothing is refused with what would mean something, and changes nothing."""
    said = run(*words)
    assert said.exit_code == 2
    assert refusal in said.stderr
    assert store.paused() == {}


def test_modes_are_shown_and_set(store: Store, run: Run) -> None:
    """A policy's mode is what was set last; applying again tells what it put aside."""
    assert (
        run("mode").stdout
        == "triage: apply (not set)\nsla: apply (not set)\nrules: apply (not set)\npaging: apply (not set)\n"
        "abuse: apply (not set)\n"
    )
    plan(store, action("k"))
    assert run("mode", "sla", "shadow").stdout == "sla: shadow\n"
    assert store.mode("sla") is Mode.SHADOW
    assert "sla: apply\n1 actions planned before are put aside" in run("mode", "sla", "apply").stdout
    modes = {"triage": None, "sla": "apply", "rules": None, "paging": None, "abuse": None}
    assert json.loads(run("mode", "--json").stdout) == modes


ONE = Limits(within=timedelta(minutes=10), other=1)


@pytest.mark.parametrize(
    ("words", "said", "again"),
    [
        ([], "3 actions released: the next pulse looks at each again and does what still holds", True),
        (["--refuse"], "3 actions dropped, for good", False),
    ],
)
def test_held_batches_are_settled(store: Store, run: Run, words: list[Any], said: str, again: bool) -> None:
    """What a limit held back is listed with its tickets, a reason and what to type; and released or dropped by that."""
    plan(store, *(action(f"k{n}", f"zendesk:{n}") for n in (1, 2, 3)), limits=ONE)
    (batch,) = store.batches()
    hash = batch.hash
    assert run("approve").stdout == (
        f"{hash}  sla  escalate  3 actions, last added 2026-03-03 16:00 UTC\n"
        "    3 × Response: zendesk:3, zendesk:2, zendesk:1\n"
        "        for example: First response was due 14:00.\n"
        f"    release: helpdesk approve {hash}\n"
        f"    drop:    helpdesk approve {hash} --refuse\n"
    )
    assert run("approve", hash, *words).stdout == f"{hash}: {said}\n"
    assert {(row.state, row.again) for row in store.outbox()} == {(OutboxState.DROPPED, again)}
    assert run("approve").stdout == "nothing is held back\n"
    assert run("approve", hash).exit_code == 2


def test_what_grew_meanwhile_is_told(store: Store, run: Run) -> None:
    """A hash releases what it was shown for; how many came later, and wait on, is said."""
    plan(store, action("a"), action("b", "zendesk:2"), limits=ONE)
    hash = store.batches()[0].hash
    plan(store, action("c", "zendesk:3"), limits=ONE)
    assert run("approve", hash).stdout.endswith(
        "1 action came after that hash was shown, and wait on: `helpdesk approve` lists them\n"
    )


def test_baseline_is_told_and_adopted(store: Store, run: Run) -> None:
    """What lay before the start is told by rule with its age; released by id or by what it is, all of it in words."""
    plan(store, action("old", cause_at=at(-60)), action("older", "zendesk:2", cause_at=at(-90)))
    plan(store, action("tell", "zendesk:3", verb="tell", cause_at=at(-90)))
    assert run("adopt").stdout.splitlines()[:4] == [
        "     2 × sla  Response  escalate  (causes of 2026-03-03 14:30 UTC to 2026-03-03 15:00 UTC)",
        "         zendesk:2  First response was due 14:00.",
        "         zendesk:1  First response was due 14:00.",
        "     1 × sla  Response  tell  (causes of 2026-03-03 14:30 UTC)",
    ]
    found = json.loads(run("adopt", "--verb", "escalate", "--since", "2026-03-03T15:00:00", "--json").stdout)
    assert [(group["rule"], group["count"], group["examples"][0]["id"]) for group in found] == [("Response", 1, 1)]
    assert run("adopt", 1, 404).stdout.startswith("1 of 2 released; the next pulse looks at their tickets again")
    assert run("adopt", "--rule", "Response", "--verb", "escalate", "--all").stdout.startswith("1 released; ")
    assert [row.action.key for row in store.outbox(state=OutboxState.BASELINE)] == ["tell"]


def test_shadow_is_summed_up(store: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """In shadow mode: by rule, how much would have been done, with examples, their reasons and links."""
    monkeypatch.setenv("ZENDESK_URL", "https://acme.zendesk.com/")
    plan(store, action("a"), mode=Mode.SHADOW)
    assert run("outbox", "summary").stdout == (
        "     1 × sla  Response  escalate  (causes of 2026-03-03 16:00 UTC)\n"
        "         zendesk:1 https://acme.zendesk.com/agent/tickets/1  First response was due 14:00.\n"
        "1 action in all\n"
    )
    assert run("outbox", "summary", "--state", "failed").stdout == "no rows are failed\n"


def test_the_policies_are_those_of_the_flows() -> None:
    """The commands name the same policies as the flows do."""
    context = pytest.importorskip("flows.context", reason="the connectors are not in this tree", exc_type=ImportError)
    assert context.POLICIES == POLICIES
