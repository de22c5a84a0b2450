"""Signs in texts: whole words in their order, near each other, and not denied."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.policies.triage.words import finds

SHOWN = [
    ("system down", "The SYSTEM is completely down since 9"),
    ("data loss", "we fear data losses"),
    ("api", "API returns 500 after token refresh"),
    ("payments failing", "payments failing for all customers"),
    ("does not work", "Export does not work"),
    ("sign in", "Nobody can sign in"),
    ("data loss", "No answer yet. Data loss in all projects!"),
    ("password", "I don’t know. Password forgotten"),
    ("pérdida de datos", "Perdida de datos en tres proyectos"),
    ("sistema caído", "El sistema esta\u0301 cai\u0301do"),
    ("no funciona", "El calendario ya no me funciona"),
    ("lost our data", "You lost all of our data"),
]
NOT_SHOWN = [
    ("system down", "the countdown of the system"),
    ("system down", "The system works. Down in the yard it rains"),
    ("data loss", "there was no data loss"),
    ("data loss", "It is not a data loss"),
    ("data loss", "how do I prevent data loss?"),
    ("system down", "the system is not down"),
    ("system down", "the system that we bought last year went down"),
    ("api", "capital letters"),
    ("pérdida de datos", "sin pérdida de datos"),
    ("pérdida de datos", "ningún caso de perdida de datos"),
    ("api", ""),
    ("", "anything"),
]


@pytest.mark.req("TRI-11")
@pytest.mark.parametrize(("sign", "text"), SHOWN)
def test_a_sign_is_found(sign: str, text: str) -> None:
    """In any case, singular or plural, with or without accents, with a word or two between."""
    assert finds(sign, text)


@pytest.mark.req("TRI-11")
@pytest.mark.parametrize(("sign", "text"), NOT_SHOWN)
def test_a_sign_is_not_found(sign: str, text: str) -> None:
    """Not inside another word, not across sentences or far apart, not where it is denied."""
    assert not finds(sign, text)


@given(st.text(max_size=200), st.text(max_size=30))
def test_any_text_can_be_searched(text: str, sign: str) -> None:
    """Whatever somebody pastes, a search comes to an answer."""
    assert finds(sign, text) in (True, False)
