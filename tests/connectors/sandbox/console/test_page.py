"""The page for people: what it shows, and that it needs nothing from anywhere else."""

import re

import httpx
import pytest

from connectors.sandbox.console.desk import Happening, Remark
from connectors.sandbox.console.page import Page
from connectors.sandbox.console.story import tell
from connectors.sandbox.console.words import span
from connectors.sandbox.server import Sandbox

from .conftest import WORLD, row
from .test_app import page_somebody


def test_the_page_stands_alone(console: httpx.Client) -> None:
    """No script, style, font or picture is fetched: it works offline."""
    html = console.get("/").text
    assert "Builder platform" in html
    assert not re.findall(r"""(?:src|href)=(?!"data:,")|@import|url\(|https?://""", html)


def test_tickets_show_what_people_would_ask_for(console: httpx.Client) -> None:
    """Unsolved ones by default, with plan, severity, tier, tags and how late they are; texts are escaped."""
    html = console.get("/part/tickets").text
    for wanted in (
        "#1",
        "Business",
        ">P2<",
        "1 · Help and chat",
        "severity_p2",
        "30 min late",
        "Cannot open &lt;estimates&gt;",
    ):
        assert wanted in html
    assert "How do I export?" not in html


@pytest.mark.parametrize(("severity", "rank"), [("wilted", 1), ("wrong", 2), ("P1", 0)])
def test_the_worst_stand_out_by_their_place(sandbox: Sandbox, severity: str, rank: int) -> None:
    """How bad a severity is says its place in the world's own list, not its name."""
    page = Page(sandbox.core, {**WORLD, "severities": [{"key": "wilted"}, {"key": "wrong"}]}, {})
    macros = page._templates.get_template("macros.html").module
    assert f'class="severity s{rank}"' in macros.severity(severity)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        ({}, ["1"]),
        ({"status": "all"}, ["1", "2"]),
        ({"status": "solved"}, ["2"]),
        ({"status": "all", "plan": "Enterprise"}, ["2"]),
        ({"status": "all", "tag": "p4"}, ["2"]),
        ({"text": "ruiz"}, ["1"]),
        ({"text": "#2", "status": "all"}, ["2"]),
        ({"severity": "P1 · System down"}, []),
    ],
)
def test_filters(console: httpx.Client, given: dict[str, str], numbers: list[str]) -> None:
    """Each filter leaves what fits."""
    assert re.findall(r'data-ticket="(\d+)"', console.get("/part/tickets", params=given).text) == numbers


def test_a_ticket_keeps_replies_and_notes_apart(console: httpx.Client) -> None:
    """Who wrote what, for whom: customer, agent, rule or our product; then what changed."""
    html = console.get("/part/ticket", params={"id": "1"}).text
    assert 'class="reply by-customer"' in html
    assert 'class="note by-us"' in html
    assert "internal note" in html
    assert "our product" in html
    assert "Group: Support → Technical" in html
    assert console.get("/part/ticket", params={"id": "99"}).status_code == 404


def test_what_was_done_at_once_is_told_at_once() -> None:
    """Changes of one author at one moment make one row, below what came with them; updates stay in their order."""
    at = "2026-03-03T14:30:00Z"

    def said(update: int, author: str, body: str) -> Remark:
        told = {"author": author, "email": None, "role": "agent", "public": True, "body": body}
        return {"at": at, "update": update, **told}  # type: ignore[typeddict-item, return-value]

    def done(update: int, author: str, what: str) -> Happening:
        return {"at": at, "update": update, "author": author, "role": "agent", "what": what}

    comments = [said(1, "Us", "Was due."), said(2, "Dana", "On it.")]
    happenings = [done(0, "Dana", "Tags: +late"), done(1, "Us", "Tier: 1 → 2"), done(1, "Us", "Group: A → B")]
    happenings += [done(2, "Dana", "Status: new → open")]
    story = tell({**row(1), "comments": comments, "happenings": happenings})
    assert [entry.get("body") or entry["whats"] for entry in story] == [
        ["Tags: +late"],
        "Was due.",
        ["Tier: 1 → 2", "Group: A → B"],
        "On it.",
        ["Status: new → open"],
    ]


def test_who_is_paged_and_since_when(console: httpx.Client, sandbox: Sandbox) -> None:
    """With a button that acknowledges; afterwards the page says who holds it."""
    incident = page_somebody(sandbox)
    html = console.get("/part/incidents").text
    assert "P1 is late" in html
    assert "Ines Duarte</b> is paged" in html
    assert incident in html
    console.post("/people/acknowledge", json={"incident": incident})
    assert "Ines Duarte</b> holds it" in console.get("/part/incidents").text


def test_requests_and_effects_are_listed(console: httpx.Client, sandbox: Sandbox) -> None:
    """Method, path, status and the JSON of both sides; and what really happened."""
    page_somebody(sandbox)
    html = console.get("/part/requests").text
    assert "/v2/enqueue" in html
    assert "202" in html
    seq = re.findall(r'data-exchange="(\d+)"', html)[0]
    assert "Event processed" in console.get("/part/exchange", params={"seq": seq}).text
    assert console.get("/part/exchange", params={"seq": "999"}).status_code == 404
    assert "ines@builder.example" in console.get("/part/effects").text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (12000, "3 h 20 min"),
        (187200, "2 d 4 h"),
    ],
)
def test_lengths_of_time_in_words(seconds: int, words: str) -> None:
    """Two units at most."""
    assert span(seconds) == words
