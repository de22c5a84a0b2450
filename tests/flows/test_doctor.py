"""`helpdesk doctor`: each thing that can be wrong is found and said with its cure, and stops no other check."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from connectors.sandbox.zendesk.triggers import Action, Condition, Trigger
from connectors.store import Store
from flows.commands import doctor as command
from flows.doctor import CHECKS, Checked, examine, healthy
from mappings.policies.doctor import State
from tests.flows.conftest import deployment
from tests.flows.desk import Desk

Patch = pytest.MonkeyPatch
Make = Callable[[Desk, Patch], object]


@pytest.fixture(scope="module")
def clinic(migrated_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A deployment that is well; whoever makes it ill makes it well again."""
    path = tmp_path_factory.mktemp("clinic") / "store.db"
    shutil.copy(migrated_store, path)
    with deployment(f"sqlite:///{path}") as desk:
        yield desk


@pytest.fixture
def patient(clinic: Desk, monkeypatch: Patch) -> Iterator[Desk]:
    """The deployment for one test: switches, faults and environment are put back after it."""
    switches = clinic.sim.switches
    before = vars(switches).copy()
    monkeypatch.setenv("HELPDESK_MODE", "apply")
    clinic.sandbox.advance(60)  # each of its looks asks Zendesk for more than a minute has
    yield clinic
    vars(switches).update(before)
    clinic.well()


def said(found: list[Checked], *states: State) -> list[str]:
    """The findings in some states, as a person reads them."""
    return [f"{row.check}: {row.finding}" for row in found if row.finding.state in states]


def test_a_healthy_deployment(patient: Desk) -> None:
    """Everything is looked at, and nothing fails."""
    found = examine()
    assert said(found, State.FAIL, State.SKIP) == []
    assert healthy(found)
    assert {row.check for row in found} == {check.name for check in CHECKS}
    assert patient.effects() == []


def _fault(**fault: object) -> Make:
    return lambda desk, _: desk.fail(**fault)


def _switch(**changes: object) -> Make:
    return lambda desk, _: desk.sim.switches.turn(dict(changes))


def _set(name: str, value: str) -> Make:
    return lambda _, patch: patch.setenv(name, value)


def _unset(*names: str) -> Make:
    return lambda _, patch: [patch.delenv(name) for name in names]


FAILURES: dict[str, tuple[Make, str]] = {
    "mode": (_set("HELPDESK_MODE", "full"), "environment: environment: HELPDESK_MODE: Input should be"),
    "profile": (_set("HELPDESK_PROFILE", "bilder"), "config: "),
    "no store": (_set("HELPDESK_DATABASE_URL", "sqlite:////nowhere/at/all.db"), "run `helpdesk migrate`"),
    "no database": (
        _set("HELPDESK_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none"),
        "store: postgresql+psycopg://nobody@127.0.0.1:1/none: ",
    ),
    "subdomain": (
        _set("ZENDESK_URL", "http://127.0.0.1:1"),
        "clock: zendesk http://127.0.0.1:1/api/v2/users/me.json: not reached (ConnectError); check ZENDESK_URL",
    ),
    "secret": (
        _set("ZENDESK_CLIENT_SECRET", "wrong"),
        "zendesk: zendesk POST /oauth/tokens: 401 ",
    ),
    "no credentials": (
        _unset("ZENDESK_CLIENT_ID", "ZENDESK_TOKEN"),
        "zendesk: zendesk: no credentials are set; set ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET",
    ),
    "role": (
        _switch(service_role="agent"),
        "zendesk service user: its role is agent, and exports are an administrator's; make it an administrator",
    ),
    "read scope": (_switch(service_scopes="write"), "zendesk: zendesk GET /api/v2/users/me.json: 403 "),
    "write scope": (_switch(service_scopes="read"), "zendesk: zendesk PUT /api/v2/tickets/0.json: 403 "),
    "field": (
        _switch(hidden_field="SLA due"),
        "zendesk ticket field: 'SLA due' is missing; create it: a text field of that title",
    ),
    "group": (
        _switch(hidden_group="Technical"),
        "zendesk group 'Technical': missing; create it, or name the account's under groups:",
    ),
    "pagerduty key": (_set("PAGERDUTY_TOKEN", "wrong"), "pagerduty: pagerduty GET /services: 401 "),
    "pagerduty plan": (
        _fault(vendor="pagerduty", kind="status", status=402, path="^/services"),
        "pagerduty: pagerduty GET /services: 402 ",
    ),
    "from": (
        _set("PAGERDUTY_FROM", "nobody@elsewhere.example"),
        "environment: PAGERDUTY_FROM: no user of the account has this address; set one that has",
    ),
    "no from": (_unset("PAGERDUTY_FROM"), "environment: PAGERDUTY_FROM: not set; set the address of a user"),
    "slack": (_set("SLACK_TOKEN", "wrong"), "routes: slack POST /auth.test: 401 "),
    "mail": (
        _fault(vendor="mail", kind="status", status=554),
        "routes: smtp SEND /message: 554 Refused by the fault script",
    ),
    "no sender": (_unset("SMTP_FROM"), "routes: environment: SMTP_FROM: not set; set the address that our mail comes"),
    "watchdog": (
        _set("HELPDESK_WATCHDOG_URL", "http://127.0.0.1:1"),
        "watchdog: watchdog GET /: not reached (ConnectError); start `helpdesk watchdog`",
    ),
    "prefect": (
        _set("PREFECT_API_URL", "http://127.0.0.1:1/api"),
        "prefect: environment: PREFECT_API_URL: does not answer (ConnectError); start the server",
    ),
}


@pytest.mark.req("SEC-10")
@pytest.mark.parametrize("name", FAILURES)
def test_what_fails(patient: Desk, monkeypatch: Patch, name: str) -> None:
    """What does not work is said, with its cure, and whatever does not stand on it is looked at all the same."""
    make, expected = FAILURES[name]
    make(patient, monkeypatch)
    found = examine()
    assert not healthy(found)
    failures = said(found, State.FAIL)
    assert any(expected in line for line in failures), failures
    assert {row.check for row in found} >= {check.name for check in CHECKS} - {"clock"}
    assert not [line for line in failures if "fault of ours" in line]


WARNINGS: dict[str, tuple[Make, str]] = {
    "mode": (_unset("HELPDESK_MODE"), "HELPDESK_MODE: not set, so every policy applies what it decides"),
    "tokens": (_unset("ZENDESK_CLIENT_ID"), "ZENDESK_TOKEN: API tokens are used, which Zendesk withdraws"),
    "resetter": (_switch(group_resetter=True), "it moves tickets to a group after their creation"),
    "events key": (_set("PAGERDUTY_EVENTS_KEY", "0" * 32), "no service that we see has this routing key"),
    "no events key": (_unset("PAGERDUTY_EVENTS_KEY"), "not set: no watchdog can page; set the routing key"),
    "no mail": (
        _unset("SMTP_URL"),
        "SMTP_URL: not set, and the profile's routes lead there; set it, or say mail: false",
    ),
    "bare form": (
        _switch(bare_forms=True),
        "zendesk form 'Support request': does not ask for Severity and Kind; add it to the form",
    ),
    "public group": (
        _switch(private_groups=""),
        "zendesk group 'Security': every agent may look into it, and Security tickets are private; make a private",
    ),
    "triggers": (
        _fault(kind="status", status=403, path="triggers"),
        "account: zendesk GET /api/v2/triggers.json: 403 ",
    ),
}


@pytest.mark.req("INT-03")
@pytest.mark.parametrize("name", WARNINGS)
def test_what_is_doubtful(patient: Desk, monkeypatch: Patch, name: str) -> None:
    """What works and may not be meant is said, and is no failure."""
    make, expected = WARNINGS[name]
    make(patient, monkeypatch)
    found = examine()
    assert healthy(found), said(found, State.FAIL)
    warnings = said(found, State.WARN)
    assert any(expected in line for line in warnings), warnings


def test_any_subset_of_tools(patient: Desk, monkeypatch: Patch) -> None:
    """Zendesk alone, PagerDuty alone: what is not connected is no failure; nothing at all is one."""
    for name in ("PAGERDUTY_TOKEN", "PAGERDUTY_FROM", "PAGERDUTY_EVENTS_KEY"):
        monkeypatch.delenv(name)
    assert healthy(examine())
    monkeypatch.delenv("ZENDESK_URL")
    assert "environment: environment: no tool is connected" in said(examine(), State.FAIL)[0]
    monkeypatch.undo()
    monkeypatch.delenv("ZENDESK_URL")
    found = examine()
    assert healthy(found)
    assert "service user: service user: not looked at: Zendesk is not connected" in said(found, State.SKIP)


def test_clock_skew(patient: Desk, monkeypatch: Patch) -> None:
    """A clock of ours that differs from the tool's by minutes is told, whichever way."""
    monkeypatch.delenv("HELPDESK_CLOCK_URL")
    failures = said(examine(), State.FAIL)
    assert any("clock: clock: our clock is " in line and "set this machine's clock by NTP" in line for line in failures)


def test_store_of_another_profile(patient: Desk, monkeypatch: Patch, tmp_path: Path) -> None:
    """A store that another organisation owns is refused; one that nobody owns is not taken."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    Store.open(url, migrate=True).close()
    monkeypatch.setenv("HELPDESK_DATABASE_URL", url)
    assert healthy(examine())
    Store.open(url, profile="roofing").close()
    failures = said(examine(), State.FAIL)
    assert any("this store belongs to profile 'roofing', not 'builder'; set HELPDESK_PROFILE=" in f for f in failures)


def test_work_that_waits(desk: Desk) -> None:
    """What waits for an operator is a warning with the command that helps."""
    desk.ctx.store.pause("zendesk", desk.now)
    desk.fail(kind="away", path="suspended")
    desk.sandbox.advance(300)
    desk.beat()
    desk.well()
    warnings = said(examine(), State.WARN)
    assert any("`helpdesk resume zendesk` ends it" in line for line in warnings)
    assert any("work: source zendesk suspended: not read since" in line for line in warnings)


@pytest.mark.req("SEC-10")
def test_service_user_who_is_a_person(desk: Desk) -> None:
    """Our own replies are fine; a ticket of its own or an answer by hand is not: it would stop no clock."""
    ticket = desk.file("P3", "business")
    desk.minutes(2)
    desk.sandbox.advance(300)
    assert not [line for line in said(examine(), State.FAIL) if "service user" in line]
    desk.sim.reply(ticket, author=desk.us, body="Hello, this is Kim.")
    desk.sandbox.advance(300)
    failures = said(examine(), State.FAIL)
    expected = f"zendesk service user: somebody answers customers with it (zendesk:{ticket}); give that person a login"
    assert any(expected in line for line in failures), failures
    desk.sim.edit(ticket, author=desk.agent, group=None, assignee=None)
    desk.sim.account.tickets[ticket].assignee_id = desk.sim.user(desk.us).id
    failures = said(examine(), State.FAIL)
    assert any(f"tickets are assigned to it (zendesk:{ticket})" in line for line in failures), failures


def test_triggers_that_fight_us(desk: Desk) -> None:
    """A trigger that writes our field or takes our tag away is named with title and id."""
    due = desk.sim.account.field_named("SLA due")
    assert due is not None
    for title, action in (
        ("Blank the due time", Action(f"custom_fields_{due.id}", "")),
        ("Tidy up", Action("remove_tags", "escalated old")),
    ):
        rule = Trigger(desk.sim.account.new_id(), title, (Condition("update_type", "is", "Change"),), (action,))
        desk.sim.desk.triggers.append(rule)
    warnings = said(examine(), State.WARN)
    assert any("zendesk trigger 'Blank the due time' (" in line and "it sets SLA due" in line for line in warnings)
    assert any("zendesk trigger 'Tidy up' (" in line and "removes our tag escalated" in line for line in warnings)


@pytest.mark.req("TRI-02")
def test_an_option_is_missing(desk: Desk) -> None:
    """A module that the profile has and the account does not is named with its option's tag."""
    field = desk.sim.account.field_named("Module")
    assert field is not None
    field.options = tuple(option for option in field.options if option[2] != "module_estimating")
    told = "'Module': no option has the tag module_estimating; add options with these tags"
    assert any(told in line for line in said(examine(), State.FAIL))


@pytest.mark.req("INT-05")
def test_a_status_is_missing(desk: Desk) -> None:
    """The profile names a status of the account's own that is not there: its tickets would count as open."""
    statuses = desk.sim.account.statuses
    desk.sim.account.statuses = {id: status for id, status in statuses.items() if status.label != "In progress"}
    told = "zendesk status 'In progress': missing; create it in category open, or mend statuses: in_progress:"
    assert any(told in line for line in said(examine(), State.WARN))


def test_empty_tier(desk: Desk) -> None:
    """A tier without agents is where escalations go to die."""
    group = desk.sim.account.group_named("Technical")
    assert group is not None
    desk.sim.account.memberships = [row for row in desk.sim.account.memberships if row.group_id != group.id]
    assert any("'Technical': no agent is in it, and it is tier 2" in f for f in said(examine(), State.FAIL))


def test_command(patient: Desk, monkeypatch: Patch) -> None:
    """Exit code 0 when all works and 2 when not; for machines JSON with a check's name, state, place, cause and fix."""
    app = typer.Typer()
    command.register(app)
    well = CliRunner().invoke(app, [])
    assert well.exit_code == 0, well.output
    assert "✓ zendesk       zendesk: the credentials work" in well.stdout
    monkeypatch.setenv("PAGERDUTY_TOKEN", "wrong")
    ill = CliRunner().invoke(app, ["--json"])
    assert ill.exit_code == 2
    rows = json.loads(ill.stdout)
    assert {tuple(row) for row in rows} == {("check", "state", "place", "cause", "fix")}
    assert [row["check"] for row in rows if row["state"] == "fail"] == ["pagerduty"]


def test_a_check_that_breaks(patient: Desk, monkeypatch: Patch) -> None:
    """A fault of ours in one check is one finding."""
    monkeypatch.setattr("flows.doctor.build_reading", lambda *_, **__: 1 / 0)
    failures = said(examine(), State.FAIL)
    assert failures == ["account: account: ZeroDivisionError: division by zero; this is a fault of ours: report it"]


def test_a_refresh_token_is_not_used_up(patient: Desk, monkeypatch: Patch) -> None:
    """With a token that serves once, doctor uses the pair that the store keeps, and leaves one for the next run."""
    auth, user = patient.sim.auth, patient.sim.account.user_by_email(patient.sim.service_email)
    assert user is not None
    client = {"client_id": auth.client_id, "client_secret": auth.client_secret}
    granted = auth.grant({"grant_type": "authorization_code", "code": auth.consent(user)} | client)
    monkeypatch.setenv("ZENDESK_REFRESH_TOKEN", str(granted["refresh_token"]))
    for _ in range(2):
        assert said(examine(), State.FAIL) == []
