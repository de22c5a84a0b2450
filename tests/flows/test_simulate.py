"""The preview on a whole deployment: exactly the tickets whose outcome changes, nothing written, nothing sent."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.preview import page, sentence
from flows.profiles import read_profile, typed_profile
from flows.settings import read_settings
from flows.simulate import CHUNK, OtherProfile, judges_of, live_both, looking
from mappings.model import ClockState
from mappings.policies.simulate import Preview, lived
from tests.flows.desk import Desk
from tests.profiles import CONFIG

BUILDER = (CONFIG / "profiles" / "builder.yaml").read_text()
P2 = "P2: {starter: 1bd,         professional: 8bh, business: 4bh, enterprise: 1bh}"
FASTER = BUILDER.replace(P2, P2.replace("4bh", "1bh"))
assert FASTER != BUILDER


def preview(desk: Desk, text: str = FASTER, days: int = 30) -> Preview:
    """The preview of a profile's text, over the days before now."""
    return live_both(desk.ctx, typed_profile(text), desk.now - timedelta(days=days))


def rows(desk: Desk) -> list[str]:
    """Everything that the store holds."""
    with closing(sqlite3.connect(desk.database_url.removeprefix("sqlite:///"))) as conn:
        return list(conn.iterdump())


def told(found: Preview, name: str) -> dict[int, str]:
    """The examples of a row, by ticket."""
    rows = [row for row in found.rows.values() if row.name == name and row.tickets]
    return {each.ticket_id: each.says for row in rows for each in row.examples}


def test_exactly_the_tickets_whose_outcome_changes(either_desk: Desk) -> None:
    """P2 Business from 4 to 1 business hours: one answered after 90 minutes is missed now, its neighbours are not."""
    desk = either_desk
    before = told(preview(desk), "First response")
    quick, slow, other = desk.file(), desk.file(), desk.file("P3")
    desk.minutes(2)
    desk.sandbox.advance(20 * 60)
    desk.sim.reply(quick, author=desk.agent, body="Here is how.")
    desk.sandbox.advance(70 * 60)
    desk.sim.reply(slow, author=desk.agent, body="Here is how.")
    desk.sim.reply(other, author=desk.agent, body="Here is how.")
    desk.minutes(3)
    found = preview(desk)
    new = {id: says for id, says in told(found, "First response").items() if id not in before}
    assert list(new) == [slow]
    assert "P2 Business: First response due Tue 3 Mar 14:0" in new[slow]
    assert "met → missed by" in new[slow]
    assert slow in told(found, "escalate")


def test_a_sign_more_shows_whom_it_would_have_woken(fresh_desk: Desk) -> None:
    """A mail at night, no severity said: under a profile whose signs know its words it is critical, and pages."""
    desk = fresh_desk
    desk.move("2026-03-03 22:00")
    night = desk.file(None, subject="Payroll is gone for all of us", channel="email")
    desk.minutes(3)
    new = BUILDER.replace("signs: [system down,", "signs: [system down, is gone for all,")
    assert new != BUILDER
    found = preview(desk, new)
    assert list(told(found, "severity P1")) == [night]
    assert "is gone for all" in told(found, "severity P1")[night]
    assert list(told(found, "page on_call")) == [night]


def test_nothing_is_written_or_asked(desk: Desk) -> None:
    """Store and tools are as before: not a row more, not a request."""
    before = rows(desk)
    calls = len(desk.calls())
    with looking(read_settings()) as ctx:
        found = live_both(ctx, typed_profile(FASTER), desk.now - timedelta(days=30))
    assert found.tickets > 10
    assert rows(desk) == before
    assert len(desk.calls()) == calls


def test_todays_profile_comes_to_what_the_stored_clocks_came_to(desk: Desk) -> None:
    """Each reply, met or missed by the store, is so in the preview, over all tickets of the account's past."""
    desk.minutes(3)
    ctx = desk.ctx
    checked = 0
    for history in ctx.store.histories(ctx.store.tickets_since(desk.now - timedelta(days=400), limit=10_000)):
        [judges] = judges_of(ctx, [ctx.profile], [history])
        found = lived(history, ctx.profile, judges, groups=ctx.groups, until=desk.now)
        ours = {(one.target, one.cause): one for one in found.kept if one.target == "First response"}
        record = f"zendesk:{history.ticket.id}"
        stored = [clock for clock in ctx.store.clocks([record])[record] if clock.target == "First response"]
        for clock in stored:
            if clock.state in (ClockState.MET, ClockState.MISSED):
                one = ours[clock.target, clock.cause]
                assert (one.result, one.due_at, one.missed_by) == (clock.state, clock.due_at, clock.missed_by)
                checked += 1
    assert checked > 10


def test_the_same_profile_twice(desk: Desk) -> None:
    """Today's profile, also as pasted text, makes no difference, and says so."""
    found = preview(desk, BUILDER)
    assert found.same
    assert sentence(found).endswith("no difference")
    assert found.tickets > 10
    assert preview(desk, "# a comment more\n" + BUILDER).same


def test_chunks_make_no_difference(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven tickets at a time, or all at once: the same rows; and how far it is was told to the end."""
    whole = preview(desk)
    assert whole.tickets < CHUNK
    monkeypatch.setattr("flows.simulate.CHUNK", 7)
    reached: list[tuple[int, int]] = []
    found = live_both(desk.ctx, typed_profile(FASTER), whole.since, lambda done, of: reached.append((done, of)))
    assert found == whole
    assert reached[0] == (7, whole.tickets)
    assert reached[-1] == (whole.tickets, whole.tickets)


def test_another_organisations_profile_is_refused(desk: Desk) -> None:
    """The store's facts were read with its own names; the refusal says what to do."""
    with pytest.raises(OtherProfile, match="write profile: builder in the new file"):
        live_both(desk.ctx, read_profile("roofing"), desk.now)


def test_the_page_has_links_and_no_addresses(desk: Desk) -> None:
    """A table by plan and severity, examples as links, what the figures mean; nothing personal."""
    filed = desk.file()
    desk.minutes(2)
    desk.sandbox.advance(90 * 60)
    desk.sim.reply(filed, author=desk.agent, body="Here is how.")
    desk.minutes(3)
    new = typed_profile(FASTER)
    says, text = page(preview(desk), new, desk.ctx.ticket_link)
    assert "come to something else" in says
    assert "| First response | P2 | Business |" in text
    assert f"[zendesk:{filed}]({desk.ctx.ticket_link(filed)})" in text
    assert "ours are taken out" in text
    assert "@" not in text.replace("builder@", "")


def command(*argv: str) -> tuple[int, str]:
    """`helpdesk simulate …`: exit code, and all that it said."""
    result = CliRunner().invoke(app, ["simulate", *argv])
    return result.exit_code, result.output


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config directory to write new profiles into."""
    shutil.copytree(CONFIG, tmp_path / "config")
    return tmp_path / "config" / "profiles"


def test_the_command_tells_people_and_machines(desk: Desk, config: Path) -> None:
    """A table for people; with --json the same counts, links and examples."""
    (config / "new.yaml").write_text(FASTER)
    code, said = command("--profile-file", str(config / "new.yaml"), "--since", "60d")
    assert code == 0
    assert "First response" in said
    code, said = command("--profile-file", str(config / "new.yaml"), "--since", "60d", "--json")
    data = json.loads(said[said.index("{") :])
    assert (code, data["same"]) == (0, False)
    rows = {(row["kind"], row["name"], row["plan"], row["severity"]): row for row in data["rows"]}
    row = rows["target", "First response", "business", "P2"]
    assert row["tickets"] >= len(row["examples"]) > 0
    assert row["examples"][0]["link"].startswith("http")


@pytest.mark.parametrize(
    ("text", "argv", "says"),
    [
        (FASTER.replace("1bh, enterprise", "1 bh, enterprise"), (), "'1 bh' is no duration"),
        (FASTER, ("--since", "soon"), "simulate: --since: 'soon' is no length of time; write for example"),
    ],
)
def test_what_is_wrong_is_told_as_check_tells_it(
    desk: Desk, config: Path, text: str, argv: tuple[str, ...], says: str
) -> None:
    """A profile with a mistake, and a time that is none: place, cause, fix."""
    (config / "new.yaml").write_text(text)
    result = CliRunner().invoke(app, ["simulate", "--profile-file", str(config / "new.yaml"), *argv])
    assert says in result.output + str(result.exception)


def test_pasted_text_is_checked_with_its_lines(desk: Desk) -> None:
    """The form's text has the lines that were pasted."""
    with pytest.raises(Exception, match=r"pasted text:\d+: targets.First response.table.P2"):
        typed_profile(FASTER.replace("1bh, enterprise", "1 bh, enterprise"))
