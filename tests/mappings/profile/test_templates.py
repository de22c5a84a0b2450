"""Reply texts: there in each language, and filled without leftovers."""

import pytest

from mappings.profile import Problem, ProfileError, Source, load
from mappings.profile.templates import PLACEHOLDERS, check_texts
from mappings.replies import Replies
from tests.profiles import CONFIG, sources

SHIPPED = sorted(CONFIG.glob("templates/*/*.md"))
ALWAYS = {"name": "Ann", "ticket": "123", "expected": "Wed 4 Mar 10:00", "organisation": "Builder platform"}


def problems(text: str) -> list[Problem]:
    """What is wrong with one text."""
    return list(check_texts([Source("templates/en/x.md", text)]))


@pytest.mark.parametrize(
    ("text", "line", "field", "problem", "fix"),
    [
        ("Hello {{ nmae }}", 1, "nmae", "unknown placeholder", "did you mean 'name'?"),
        ("Hello\n\n{{ ticket }} {{ weather }}", 3, "weather", "unknown placeholder", "write one of: name"),
        ("Hello {{ name", 1, "text", "unexpected end", "write placeholders as"),
        ("{% if expected %}by {{ expected }}", 1, "text", "nexpected end", "{% endif %}"),
        ("See {{ status_page }}", 1, "status_page", "not always filled", "{% if status_page is defined %}"),
    ],
)
def test_a_text_that_cannot_be_filled_is_told(text: str, line: int, field: str, problem: str, fix: str) -> None:
    """Each fault by its line, with the fix."""
    (found,) = problems(text)
    assert (found.line, found.field) == (line, field)
    assert problem in found.problem
    assert fix in found.fix


def test_what_is_guarded_may_be_absent() -> None:
    """A placeholder that is not always known is left out politely."""
    assert not problems("{% if plans is defined %}It comes with: {{ plans }}.{% endif %}")


@pytest.mark.req("NTF-06")
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_shipped_texts_are_filled_without_leftovers(path: object) -> None:
    """With only what is always known, with all that can be known, and with an unknown name and time."""
    file = next(one for one in SHIPPED if one == path)
    replies = Replies({"en": {"x": file.read_text()}})
    plain = replies.render("x", "en", ALWAYS)
    assert ALWAYS["ticket"] in plain
    assert ALWAYS["organisation"] in plain
    full = replies.render("x", "en", {name: f"<{name}>" for name in PLACEHOLDERS})
    sparse = replies.render("x", "en", {**ALWAYS, "name": "", "expected": ""})
    for text in (plain, full, sparse):
        assert "{" not in text
        assert "\n\n\n\n" not in text
    assert "there" in sparse.splitlines()[0]


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
