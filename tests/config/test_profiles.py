"""The shipped profiles: free of errors, and every figure of the five organisations where it belongs."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from flows.profiles import read_profile, read_tools, shipped
from mappings.profile import Profile
from mappings.profile.reading import Source, read
from mappings.profile.schema import MODELS, schema_text
from tests.profiles import CONFIG, profile

NAMES = ("archbuilder", "builder", "lasercalc", "pmerit", "roofing")
DOCUMENT = CONFIG.parent.parent / "shared" / "docs" / "profiles.md"

FIGURES: dict[str, dict[str, str | dict[str, Any]]] = {
    "builder": {
        "First response": {
            "P1": {"starter": "4h", "professional": "2h", "business": "1h", "enterprise": "15m"},
            "P2": {"starter": "1bd", "professional": "8bh", "business": "4bh", "enterprise": "1bh"},
            "P3": {"starter": "2bd", "professional": "1bd", "business": "8bh", "enterprise": "4bh"},
            "P4": {"starter": "best effort", "professional": "2bd", "business": "1bd", "enterprise": "8bh"},
        },
        "Services follow-up": "2bd",
        "Roadmap refresh": "31d",
        "Abuse review": "immediate",
    },
    "roofing": {
        "Mail response": {"critical": {"*": "30m"}, "*": {"technical": "2bh", "*": "4bh"}},
        "All inquiries": "4bh",
        "Urgent response": {"urgent": "1h", "critical": "1h"},
        "Resolution": "1bd",
        "VIP updates": "1bd",
    },
    "pmerit": {
        "Response": {"P0": "immediate", "P1": "2bh", "P2": "4bh", "P3": "1bd"},
        "Published response": {
            "email": {"P0": "2h", "P1": "4bh", "P2": "1bd", "P3": "2bd"},
            "github": {"P0": "4h", "P1": "1bd", "P2": "3bd", "P3": "3bd"},
            "social": {"*": "4bh"},
        },
        "Resolution": {"P0": "2h..4h", "P1": "8bh", "P2": "2bd", "P3": "next sprint"},
        "Resolved in two days": "2bd",
        "Acknowledgement": "immediate",
        "First review": "1bh",
        "User updates": {"P0": "30m", "P1": "2bh..4bh", "*": "1bd..2bd"},
        "Internal incident updates": {"P0": "15m..30m"},
        "No progress": "4bh",
        "Post-mortem": {"P0": "48h"},
    },
    "archbuilder": {
        "Acknowledgement": "1h",
        "Chat answer": "1m",
        "Response": {"P1": "1h", "P2": "4bh", "P3": "1bd", "P4": "3bd"},
        "Resolution": {"P1": "4h", "P2": "1bd", "P3": "3bd", "P4": "7d"},
        "Reply after hand-off": {"2": "8bh", "3": "4bh", "4": "2h"},
        "Escalation matrix": {
            "technical": {"1": "1bd", "2": "8bh", "3": "4bh"},
            "performance": {"1": "8bh", "2": "4bh", "3": "2bh"},
            "integration": {"1": "12bh", "2": "6bh", "3": "3bh"},
            "security": {"1": "2h", "2": "1h", "3": "30m"},
            "billing": {"1": "2bd", "2": "1bd", "3": "12bh"},
        },
        "Escalation by priority": {"P2": {"1": "8bh"}, "P3": {"1": "2bd"}, "P4": {"1": "7d"}},
        "Escalated updates": "1bd",
    },
    "lasercalc": {"Response": "2bh", "Resolution": "1bd"},
}
"""Every table of figures, from the organisations' own sources in the units that each was read in."""


def flat(table: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """A nested table as cells."""
    if isinstance(table, dict):
        for key, below in table.items():
            yield from flat(below, (*path, str(key)))
    else:
        yield path, str(table)


def cells(found: Profile, target: str) -> dict[tuple[str, ...], str]:
    """A target's cells as text."""
    return {keys: budget.text for keys, budget in found.targets[target].cells.items()}


def test_five_organisations_are_shipped() -> None:
    """One file each."""
    assert tuple(path.stem for path in shipped()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_profile_has_no_error(name: str) -> None:
    """Checked with its reply texts, as `helpdesk check` does."""
    found = read_profile(name)
    assert found.key == name
    assert found.assumed


def test_the_tables_of_the_tools_have_no_error() -> None:
    """Zendesk and PagerDuty."""
    found = read_tools()
    assert (found.zendesk.tool, found.pagerduty.tool) == ("zendesk", "pagerduty")


@pytest.mark.parametrize(("name", "target"), [(name, target) for name, tables in FIGURES.items() for target in tables])
def test_every_figure_is_where_it_belongs(name: str, target: str) -> None:
    """Each cell of each table, and no other."""
    assert cells(profile(name), target) == dict(flat(FIGURES[name][target]))


def test_no_target_is_left_out_of_the_table_above() -> None:
    """builder's hand-off response is ours and shares the first response's table; nothing else is unlisted."""
    for name, tables in FIGURES.items():
        assert set(profile(name).targets) - set(tables) == ({"Hand-off response"} if name == "builder" else set())


@pytest.mark.parametrize(
    ("name", "zone", "hours"),
    [
        ("builder", "America/Chicago", "08:00-18:00"),
        ("roofing", "America/New_York", "08:00-20:00"),
        ("pmerit", "America/New_York", "09:00-17:00"),
        ("archbuilder", "America/Los_Angeles", "09:00-18:00"),
        ("lasercalc", "America/New_York", "09:00-17:00"),
    ],
)
@pytest.mark.req("SLA-28")
def test_office_hours(name: str, zone: str, hours: str) -> None:
    """Monday to Friday in each organisation's own zone, with daylight saving."""
    office = profile(name).calendars["office"]
    assert office == {"zone": zone, "mon-fri": hours, "holidays": "us"}
    assert profile(name).zone.key == zone


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("builder", "calendars.office"),
        ("builder", "targets.Hand-off response"),
        ("roofing", "targets.VIP updates"),
        ("pmerit", "calendars.office.zone"),
        ("archbuilder", "plans.basic"),
        ("lasercalc", "severities"),
    ],
)
def test_what_is_ours_is_said(name: str, path: str) -> None:
    """Values that no source gives are listed, so that somebody can correct them."""
    assert path in profile(name).assumed


@pytest.mark.req("AFT-02")
def test_which_plans_are_paged_at_night_is_one_line() -> None:
    """builder pages for every plan; a line under `when` narrows it."""
    rule = profile("builder").rules["night page"]
    assert rule.when == {"severity": ("P1",), "office": ("closed",)}
    assert str(rule.do[0]) == "page on_call"
    assert profile("builder").routes["on_call"].pagerduty == "support-on-call"


@pytest.mark.parametrize(
    ("plan", "channel", "entitled"),
    [
        ("starter", "email", True),
        ("starter", "chat", False),
        ("professional", "chat", True),
        ("professional", "phone", False),
        ("business", "phone", True),
        ("business", "csm", False),
        ("enterprise", "csm", True),
    ],
)
def test_builders_ladder_of_channels(plan: str, channel: str, entitled: bool) -> None:
    """Form, articles and forum for all; chat, phone and a named manager are added one plan after another."""
    channels = profile("builder").plans[plan].channels
    assert {"in_app", "help", "forum"} <= set(channels)
    assert (channel in channels) is entitled


@pytest.mark.parametrize(
    ("name", "count"), [("builder", 4), ("roofing", 19), ("pmerit", 7), ("archbuilder", 14), ("lasercalc", 25)]
)
def test_kpis_are_all_there(name: str, count: int) -> None:
    """As many as each organisation names."""
    assert len(profile(name).kpis) == count


def document_blocks() -> dict[str, Any]:
    """The profiles as the design document gives them, by name."""
    blocks = re.findall(r"```yaml\n# file: config/\S+?(\w+)\.yaml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return {name: read(Source(name, text)).plain() for name, text in blocks}


@pytest.mark.skipif(not DOCUMENT.is_file(), reason="the design document lies beside the project, and is not here")
@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_the_document_is_lost(name: str) -> None:
    """Every line of the document's block is in the shipped file; what differs is decided later and listed here."""
    whole = read(Source(name, (CONFIG / "profiles" / f"{name}.yaml").read_text())).plain()
    differing = {".".join(path) for path in differences(document_blocks()[name], whole)}
    decided = {path for path in differing if path.startswith("assumed.") or path in DECIDED}
    assert differing == decided


DECIDED = {"channels.chat.hours", "channels.phone.hours", "channels.social.hours", "kinds.security.group"}
DECIDED |= {f"severities.{name}.signs" for name in ("critical", "P0", "P1")}
"""A channel's opening times are `open:`; `hours:` says when a clock runs (design §11). Signs have gained words, and
security tickets a group of their own."""


def differences(asked: Any, there: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of one tree whose value the other does not have."""
    if isinstance(asked, dict) and isinstance(there, dict):
        for key, value in asked.items():
            if key not in there:
                yield (*path, key)
            else:
                yield from differences(value, there[key], (*path, key))
    elif asked != there:
        yield path


@pytest.mark.parametrize("file", sorted(MODELS))
def test_the_schemas_for_editors_are_fresh(file: str) -> None:
    """Generated from the models: `helpdesk schema` writes them."""
    assert (CONFIG / "schema" / file).read_text() == schema_text(MODELS[file])


@pytest.mark.parametrize(
    "path", [CONFIG / "base.yaml", *shipped(), *sorted(CONFIG.glob("tools/*.yaml"))], ids=lambda p: p.stem
)
def test_an_editor_finds_nothing_wrong(path: Path) -> None:
    """Each file names its schema in its first line, and agrees with it."""
    jsonschema = pytest.importorskip("jsonschema", reason="comes with openapi-core")
    head = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text())
    assert head is not None
    schema = json.loads((path.parent / head[1]).read_text())
    plain = read(Source(path.name, path.read_text())).plain()
    assert not [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(plain)]


def test_an_editor_marks_a_fault() -> None:
    """The schema is not so wide that anything goes."""
    jsonschema = pytest.importorskip("jsonschema", reason="comes with openapi-core")
    schema = jsonschema.Draft202012Validator(json.loads((CONFIG / "schema" / "profile.schema.json").read_text()))
    for fault in (
        {"profile": "x", "tragets": {}},
        {"profile": "x", "targets": {"A": {"measure": "frist_reply"}}},
        {"profile": "x", "targets": {"A": {"table": {"P1": "4hb"}}}},
        {"profile": "x", "rules": {"a": {"do": ["pgae on_call"]}}},
        {"profile": "x", "grace": 5},
    ):
        assert list(schema.iter_errors(fault)), fault


@pytest.mark.parametrize("path", [CONFIG / "base.yaml", *shipped()], ids=lambda p: p.stem)
def test_other_readers_of_yaml_read_the_same(path: Path) -> None:
    """Nothing is written that another YAML library takes for something else (`on`, `no`, 09:25)."""
    ours = read(Source(path.name, path.read_text())).plain()
    other = YAML(typ="safe").load(path.read_text())
    assert as_text(other) == as_text(ours)


def as_text(value: object) -> object:
    """Keys and dates as text, so that only real differences are left."""
    if isinstance(value, dict):
        return {str(key): as_text(below) for key, below in value.items()}
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return value if isinstance(value, bool | int | float) or value is None else str(value)
