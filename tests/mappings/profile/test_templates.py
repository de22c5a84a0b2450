"""Reply texts: there in each language, and filled without leftovers."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.profile import Problem, ProfileError, Source, load
from mappings.profile.templates import PLACEHOLDERS, check_texts
from mappings.replies import Replies
from tests.profiles import CONFIG, sources

SHIPPED = sorted(CONFIG.glob("templates/*/*.md"))
ALWAYS = {"name": "Ann", "ticket": "123", "expected": "Wed 4 Mar 10:00", "organisation": "Builder platform"}


def problems_of(path: Path) -> list[Problem]:
    """What is wrong with a shipped text, beside the others."""
    texts = [Source(f"templates/{one.parent.name}/{one.name}", one.read_text()) for one in SHIPPED]
    return [found for found in check_texts(texts) if found.file.endswith(f"{path.parent.name}/{path.name}")]


def problems(text: str) -> list[Problem]:
    """What is wrong with one text."""
    return list(check_texts([Source("templates/en/x.md", text)]))


@pytest.mark.req("NTF-06")
@pytest.mark.parametrize(
    ("text", "line", "field", "problem", "fix"),
    [
        ("Hello {{ nmae }}", 1, "nmae", "unknown placeholder", "did you mean 'name'?"),
        ("Hello\n\n{{ ticket }} {{ weather }}", 3, "weather", "unknown placeholder", "write one of: name"),
        ("Hello\n{% if nmae %}x{% endif %}", 2, "nmae", "unknown placeholder", "did you mean 'name'?"),
        ("Hello {{ name", 1, "text", "unexpected end", "write placeholders as"),
        (
            "{% if expected %}by {{ expected }}",
            1,
            "text",
            "unexpected end of template, 'if' is not closed",
            "{% endif %}",
        ),
        ("See {{ status_page }}", 1, "status_page", "not always filled", "{% if status_page %}"),
        ("By {{ expected }}", 1, "expected", "not always filled", "{% if expected %}"),
        ("{% if plans %}x{% endif %}\n{{ plans }}", 2, "plans", "not always filled", "{% if plans %}"),
        ("{% if plans %}x{% else %}{{ plans }}{% endif %}", 1, "plans", "not always filled", "{% if plans %}"),
        ("Hello {{ name | upper }}", 1, "text", "'filter' is more than a text may do", "write placeholders as"),
        ("{% for x in name %}{{ x }}{% endfor %}", 1, "text", "'for' is more than", "write placeholders as"),
        ("{{ name.first }}", 1, "text", "'getattr' is more than", "write placeholders as"),
    ],
)
def test_a_text_that_cannot_be_filled_is_told(text: str, line: int, field: str, problem: str, fix: str) -> None:
    """Each fault by its line, with the fix."""
    (found,) = problems(text)
    assert (found.line, found.field) == (line, field)
    assert problem in found.problem
    assert fix in found.fix


@pytest.mark.parametrize("asks", ["plans", "plans is defined", "plans and name"])
def test_what_is_asked_for_may_be_absent(asks: str) -> None:
    """A placeholder that is not always known is left out politely, in either way of asking for it."""
    text = f"It is open.{{% if {asks} %}} It comes with: {{{{ plans }}}}.{{% endif %}}"
    assert not problems(text)
    replies = Replies({"en": {"x": text}})
    assert replies.render("x", "en", {"plans": "", "name": ""}) == "It is open."
    assert replies.render("x", "en", {"plans": "Pro", "name": "Ann"}) == "It is open. It comes with: Pro."


def test_a_name_has_a_polite_word_in_english_only() -> None:
    """`Hola, {{ name }}:` would greet nobody: where a language has no word for an unknown name, the text must ask."""
    text = "{{ name }} {{ ticket }}"
    assert not problems(text)
    [found] = check_texts([Source("templates/es/x.md", text), Source("templates/en/x.md", text)])
    assert (found.file, found.field) == ("templates/es/x.md", "name")
    assert "{% if name %}" in found.fix


@pytest.mark.req("LOC-03")
@pytest.mark.parametrize(("has", "lacks"), [("en", "es"), ("es", "en")])
def test_a_text_in_one_language_only_is_told(has: str, lacks: str) -> None:
    """Where other texts have two languages, each text must; the line says which file to add."""
    others = [Source(f"templates/{language}/y.md", "y") for language in ("en", "es")]
    [found] = check_texts([*others, Source(f"templates/{has}/x.md", "x")])
    assert str(found) == (
        f"templates/{has}/x.md:1: x: there is no such text in language {lacks!r}; add templates/{lacks}/x.md"
    )


def test_a_third_language_may_grow_text_by_text() -> None:
    """A text in English and Spanish is enough while German has only begun; English is always needed."""
    begun = [Source(f"templates/{language}/y.md", "y") for language in ("en", "es", "de")]
    both = [Source(f"templates/{language}/x.md", "x") for language in ("en", "es")]
    assert not list(check_texts([*begun, *both]))
    assert len(list(check_texts([*begun, both[1]]))) == 1


FILLED = {name: f"<{name}>" for name in PLACEHOLDERS} | {"name": "Ann"}
DANGLING = re.compile(r"[ \n][.,;:!?]|[.,;:]{2}|,:|\(\)|“”|[ \t]\n|\n{3}|[{}]|  ")


def clean(text: str) -> bool:
    """Is nothing left over: no braces, no double blank line, no punctuation without its word, no empty sentence?"""
    lines = text.split("\n")
    hanging = [line for line, after in pairwise(lines[1:]) if line.endswith(":") and not after]
    return not DANGLING.search(text) and not hanging


@pytest.mark.req("NTF-06")
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_shipped_texts_are_filled_without_leftovers(path: Path) -> None:
    """With nothing but what is always known, and with all that can be known: a whole text, in either language."""
    language = path.parent.name
    replies = Replies({"en": {"x": path.read_text()}, language: {"x": path.read_text()}})
    least = {name: ALWAYS[name] for name in ("ticket", "organisation")}
    sparse = replies.render("x", language, {**dict.fromkeys(PLACEHOLDERS, ""), **least})
    full = replies.render("x", language, FILLED)
    greeting = {"en": ("Hello there,", "Hello Ann,"), "es": ("Hola:", "Hola, Ann:")}[language]
    assert (sparse.splitlines()[0], full.splitlines()[0]) == greeting
    undated = replies.render("x", language, {**FILLED, "expected": ""})
    for text in (sparse, full, undated):
        assert clean(text), text
    named = [name for name in PLACEHOLDERS if f"{{{{ {name} }}}}" in path.read_text() and name != "name"]
    assert [name for name in named if f"<{name}>" not in full + undated] == []
    assert ALWAYS["ticket"] in sparse
    assert sparse.endswith(ALWAYS["organisation"])
    assert not problems_of(path)


@given(st.sampled_from(SHIPPED), st.sets(st.sampled_from(sorted(PLACEHOLDERS))))
def test_whatever_is_known_reads_well(path: Path, known: set[str]) -> None:
    """Any part of the values there are: never a leftover."""
    replies = Replies({"en": {"x": path.read_text()}, path.parent.name: {"x": path.read_text()}})
    values = {"ticket": "1", "organisation": "Us"} | {name: FILLED[name] for name in known}
    assert clean(replies.render("x", path.parent.name, values))


NAMED = (
    "technical_ack bug_confirmed feature_response how_to resolved cannot_reproduce more_information "
    "first_response status_update resolution escalation "
    "outage_ack outage_resolved abuse_warning upgrade_prompt builder_contact referral voter_notice expected_response "
    "confirm_severity"
)
"""The texts of NTF-03, NTF-04 and NTF-05, and the question about a self-declared emergency."""


@pytest.mark.req("NTF-03", "NTF-04", "NTF-05")
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_text_that_is_asked_for_is_there(language: str) -> None:
    """Seven of technical support, four of every ticket's life, eight of special occasions, and one question."""
    names = {path.stem for path in SHIPPED if path.parent.name == language}
    assert set(NAMED.split()) <= names


def text_of(name: str, language: str, **values: str) -> str:
    """A shipped text, filled."""
    texts = {path.parent.name: {path.stem: path.read_text()} for path in SHIPPED if path.stem == name}
    return Replies(texts).render(name, language, {"ticket": "123", "organisation": "Us", **values})


@pytest.mark.req("NTF-10")
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_first_response_holds_its_six_parts(language: str) -> None:
    """Understanding, investigation, workaround, questions, next step, timeline: each in its place, in this order."""
    parts = ["issue", "found", "workaround", "questions", "next_step", "expected"]
    text = text_of("first_response", language, **{part: f"<{part}>" for part in parts})
    places = [text.index(f"<{part}>") for part in parts]
    assert places == sorted(places)


@pytest.mark.req("NTF-11")
@pytest.mark.parametrize(
    ("language", "asks", "rates"),
    [
        ("en", "tell us in a short reply whether it works", "how did we do?"),
        ("es", "si ya le funciona", "lo hemos hecho?"),
    ],
)
def test_a_resolution_says_what_was_done_and_how_to_check_it(language: str, asks: str, rates: str) -> None:
    """What was done, how to verify, and a request for a word on whether it works and one on how we did."""
    text = text_of("resolution", language, done="<done>", verify="<verify>", survey="https://s.example/1")
    assert text.index("<done>") < text.index("<verify>") < text.index(asks) < text.index(rates)
    assert "https://s.example/1" in text


@pytest.mark.req("LOC-03")
@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("es", "es"),
        ("es-MX", "es"),
        ("es_419", "es"),
        ("ES", "es"),
        ("en-GB", "en"),
        ("fr", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_the_readers_language_is_chosen(locale: str | None, language: str) -> None:
    """A Mexican reader gets Spanish; who reads what we do not write, or is not known, gets English."""
    replies = Replies({"en": {"x": "Hello {{ name }}", "y": "Bye"}, "es": {"x": "Hola"}})
    assert replies.language("x", locale) == language
    assert replies.render("x", locale, {}) == {"en": "Hello there", "es": "Hola"}[language]
    assert replies.render("y", locale, {}) == "Bye"


@pytest.mark.req("NTF-06")
@pytest.mark.parametrize("name", ["Ann", "José", "Jean-Luc", "O’Brien", "王", "अनिता", "J."])
def test_people_are_called_by_their_names(name: str) -> None:
    """In any script."""
    assert Replies({"en": {"x": "Hello {{ name }},"}}).render("x", "en", {"name": name}) == f"Hello {name},"


@pytest.mark.req("NTF-06")
@pytest.mark.parametrize(
    "name", ["", "ann@example.com", "+15551234", "http://win.example", "win.example", "a\nb", "x" * 41]
)
def test_what_is_no_name_is_not_mailed_on(name: str) -> None:
    """A ticket filed for somebody else must not carry a stranger's advertising to them in our name."""
    assert Replies({"en": {"x": "Hello {{ name }},"}}).render("x", "en", {"name": name}) == "Hello there,"


def test_every_language_has_the_same_texts() -> None:
    """English and Spanish say the same things."""
    languages = {path.parent.name for path in SHIPPED}
    names = {language: {path.stem for path in SHIPPED if path.parent.name == language} for language in languages}
    assert languages == {"en", "es"}
    assert names["en"] == names["es"]


def test_every_text_uses_the_same_placeholders_in_each_language() -> None:
    """A translation loses no fact."""
    for name in {path.stem for path in SHIPPED}:
        used = [
            {word for word in PLACEHOLDERS if f"{{{{ {word} }}}}" in path.read_text()}
            for path in SHIPPED
            if path.stem == name
        ]
        assert used[0] == used[1], name


def test_a_text_is_owed_in_each_language_of_the_profile() -> None:
    """builder answers in English and Spanish: an English text alone is not enough."""
    texts = [Source(f"templates/{path.parent.name}/{path.name}", path.read_text()) for path in SHIPPED]
    assert load(sources("builder"), texts)
    lacking = [text for text in texts if text.name != "templates/es/after_hours.md"]
    with pytest.raises(
        ProfileError, match=r"no reply text 'after_hours' in language 'es'; add templates/es/after_hours\.md"
    ):
        load(sources("builder"), lacking)
