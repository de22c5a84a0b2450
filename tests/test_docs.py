"""The documents tell the truth: commands exist and are explained, the map is the tree, the changelog is one."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer.main

from flows.cli import app
from mappings.profile.rules import Conditions
from mappings.profile.terms import VERBS

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "deploy").glob("*.md")])
SPEAKING = [*PAGES, *sorted((ROOT / "deploy").rglob("*.yaml")), ROOT / "deploy" / "Dockerfile"]

KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def commands(group: click.Command, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command below `group` with its words, `outbox list` for one in a group."""
    for name, command in getattr(group, "commands", {}).items():
        words = f"{path} {name}".strip()
        if getattr(command, "commands", None):
            yield from commands(command, words)
        else:
            yield words, command


CLI = dict(commands(typer.main.get_command(app)))


def code(text: str) -> Iterator[str]:
    """Yield what a page sets as code: fenced blocks line by line, and spans."""
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def spoken(path: Path) -> Iterator[list[str]]:
    """Yield the words after `helpdesk` wherever a page or a deploy file gives a command."""
    text = path.read_text()
    if path.suffix == ".md":
        for line in code(text):
            if found := re.match(r"(?:\S*/)?helpdesk ([a-z].*)", line.strip()):
                yield shlex.split(found[1], comments=True)
    else:
        for found in re.findall(r"\[\"?helpdesk\"?, ([^\]]+)\]", text):
            yield [word.strip(' "') for word in found.split(",")]


@pytest.mark.parametrize("name", CLI)
def test_every_command_is_explained(name: str) -> None:
    """A command has a help text, and so has each of its options."""
    assert CLI[name].help, f"helpdesk {name} has no help"
    bare = [param.name for param in CLI[name].params if not getattr(param, "help", None)]
    assert bare == [], f"options of helpdesk {name} without help"


@pytest.mark.parametrize("name", CLI)
def test_every_command_is_in_the_documents(name: str) -> None:
    """A command is named in the README or in another page."""
    said = [" ".join(words) for page in PAGES for words in spoken(page)]
    assert any(f"{words} ".startswith(f"{name} ") for words in said), f"name `helpdesk {name}` in README.md"


@pytest.mark.parametrize("path", SPEAKING, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_in_the_documents_exists(path: Path) -> None:
    """No page names a command that nobody can run."""
    unknown = [
        words
        for words in spoken(path)
        if not any(" ".join(words[: len(n.split())]) == n for n in CLI) and words[0] != "--help"
    ]
    assert unknown == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_in_the_documents_exists(path: Path) -> None:
    """No page names a target that the Makefile does not have."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {found[1] for line in code(path.read_text()) if (found := re.match(r"make ([a-z]+)", line.strip()))}
    assert named <= targets


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    """A link to another page of the project has a page at its end."""
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_target_is_in_the_list() -> None:
    """`make help` names all that the Makefile offers."""
    makefile = (ROOT / "Makefile").read_text()
    offered = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split()
    assert sorted(offered) == sorted(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))


def test_the_map_is_the_tree() -> None:
    """The README's map names what lies at the top of the repository: no more, no less."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    tree = {name.split("/")[0] + ("/" if "/" in name else "") for name in listed if name}
    section = (ROOT / "README.md").read_text().split("## Where things are")[1].split("```")[1]
    assert {line.split()[0] for line in section.strip().splitlines()} == tree


def test_every_fact_and_action_of_a_rule_is_in_the_table() -> None:
    """ARCHITECTURE says of each fact where it comes from, and of each action what it does and how it is undone."""
    section = (ROOT / "ARCHITECTURE.md").read_text().split("## Rules: facts and actions")[1].split("\n## ")[0]
    facts, actions = (table.split("\n\n")[0] for table in re.split(r"\| (?:fact|action) \|", section)[1:])
    assert set(Conditions.model_fields) - set(re.findall(r"`(\w+)`", facts)) == set()
    assert set(VERBS) - set(re.findall(r"`(\w+)", actions)) == set()


def test_the_changelog_is_one() -> None:
    """Newest first, dated but for what is unreleased, in the kinds of Keep a Changelog, with something under each."""
    text = (ROOT / "CHANGELOG.md").read_text()
    heads = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert heads[0] == "[Unreleased]"
    assert [head for head in heads[1:] if not re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", head)] == []
    assert heads[1:] == sorted(heads[1:], key=lambda head: [int(n) for n in re.findall(r"\d+", head)[:3]], reverse=True)
    kinds = re.findall(r"^### (.+)\n\n(.)", text, re.MULTILINE)
    assert len(kinds) == len(re.findall(r"^### ", text, re.MULTILINE))
    assert [kind for kind, first in kinds if kind not in KINDS or first != "-"] == []
