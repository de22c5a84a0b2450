"""What an operator says on Prefect's page does what the command line does, and shows before it does."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.testing.utilities import prefect_test_harness

from connectors.store import OutboxState, Store
from flows import forms
from flows.forms import Answer, Policy, Scope
from flows.runs import Apply
from flows.simulate import simulate
from mappings.plan import POLICIES
from mappings.profile import ProfileError
from tests.connectors.store.make import action, at, plan
from tests.connectors.store.test_batches import THREE, many
from tests.profiles import CONFIG

BUILDER = (CONFIG / "profiles" / "builder.yaml").read_text()


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[None]:
    """A Prefect of its own, in this process."""
    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    monkeypatch.setenv("HELPDESK_DATABASE_URL", url)
    store = Store.open(url, profile="builder", migrate=True)
    yield store
    store.close()


def say(form: Any, **given: Any) -> str:
    """Send a form; what its run says."""
    return str(asyncio.run(form(**given)))


@pytest.mark.parametrize(("answer", "again"), [(Answer.RELEASE, True), (Answer.REFUSE, False)])
def test_a_batch_is_shown_and_settled(store: Store, answer: Answer, again: bool) -> None:
    """Planned, the form shows what is held and changes nothing; applied, it releases or drops the batch."""
    plan(store, *many(0, 4), limits=THREE)
    hash = store.batches()[0].hash
    assert hash in say(forms.approve, batch=hash, answer=answer)
    assert len(store.batches()) == 1
    assert f"{hash}: 4 actions" in say(forms.approve, mode=Apply.APPLY, batch=f" {hash} ", answer=answer)
    assert {(row.state, row.again) for row in store.outbox()} == {(OutboxState.DROPPED, again)}


def test_pausing_and_resuming(store: Store) -> None:
    """A scope from the list, or one record; a plan shows what is paused."""
    assert say(forms.pause) == "nothing is paused"
    say(forms.pause, mode=Apply.APPLY, scope=Scope.SLA)
    say(forms.pause, mode=Apply.APPLY, record="zendesk:7")
    assert set(store.paused()) == {"sla", "zendesk:7"}
    assert "sla: paused since" in say(forms.resume, scope=Scope.SLA)
    say(forms.resume, mode=Apply.APPLY, scope=Scope.SLA)
    assert set(store.paused()) == {"zendesk:7"}


def test_adopting(store: Store) -> None:
    """A plan tells what there is by rule; applied, exactly what the form names is released."""
    plan(store, action("a", cause_at=at(-60)), action("b", "zendesk:2", verb="tell", cause_at=at(-60)))
    assert "1 × sla  Response  escalate" in say(forms.adopt, policy=Policy.SLA)
    say(forms.adopt, mode=Apply.APPLY, verb="tell", policy=Policy.SLA)
    assert [row.action.key for row in store.outbox(state=OutboxState.BASELINE)] == ["a"]


def test_putting_back(store: Store) -> None:
    """A database that was put back: what waits is put aside, once it is applied."""
    plan(store, action("a"))
    assert "1 × sla" in say(forms.restored)
    assert "1 action on the way put aside" in say(forms.restored, mode=Apply.APPLY)
    assert [row.state for row in store.outbox()] == [OutboxState.BASELINE]


def test_the_lists_name_what_there_is() -> None:
    """Every policy can be chosen."""
    assert set(POLICIES) <= {scope.value for scope in Scope} & {policy.value for policy in Policy}


@pytest.mark.parametrize("given", [{"profile_text": BUILDER}, {"profile_file": "builder"}, {"days": 7}])
def test_a_preview_is_a_form(store: Store, given: dict[str, Any]) -> None:
    """A new profile pasted or named: the run says what it came to; a store without tickets shows no difference."""
    assert say(simulate, **given).endswith("no difference")


def test_a_pasted_profile_with_a_mistake_is_told_by_its_line(store: Store) -> None:
    """The run fails with file, line, field and fix, as `helpdesk check` says them."""
    with pytest.raises(ProfileError, match=r"pasted text:\d+: .*grace: 'soon' is no length of time; write"):
        say(simulate, profile_text=f"{BUILDER}\ngrace: soon\n")
