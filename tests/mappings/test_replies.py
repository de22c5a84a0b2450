"""What a rule writes to a customer: in their language, its times too."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from mappings.plan import TicketChange
from mappings.policies.rules import judge
from mappings.policies.sla.measures import live
from mappings.reasons import letter_face
from mappings.replies import Replies
from mappings.timeline import build
from tests.profiles import CONFIG, profile
from tests.stories import GROUPS, Story

TEXTS = Replies(
    {
        language: {path.stem: path.read_text() for path in (CONFIG / "templates" / language).glob("*.md")}
        for language in ("en", "es")
    }
)


@pytest.mark.req("LOC-03")
@pytest.mark.parametrize(
    ("locale", "says"),
    [
        ("es-MX", ("Hola, Ann:", "Tendrá una respuesta antes de: mié 4 mar 12:00 CST.")),
        ("en-US", ("Hello Ann,", "You will hear from us by Wed 4 Mar 12:00 CST.")),
        ("pt-BR", ("Hello Ann,", "You will hear from us by Wed 4 Mar 12:00 CST.")),
    ],
)
def test_a_customer_is_answered_in_their_language(locale: str, says: tuple[str, ...]) -> None:
    """P2 filed at night: a Spanish reader gets a Spanish acknowledgement, with Spanish names of days."""
    history = Story("2026-03-03 23:00").history()
    assert history.requester is not None
    history = msgspec.structs.replace(history, requester=msgspec.structs.replace(history.requester, locale=locale))
    life = live(history, build(history), profile("builder"), GROUPS)
    actions = judge(life, profile("builder"), TEXTS, link=str)
    [reply] = [
        action.change.reply for action in actions if action.verb == "reply" and isinstance(action.change, TicketChange)
    ]
    assert reply is not None
    assert all(words in reply for words in says)


@pytest.mark.parametrize(
    ("zone", "says"),
    [("America/Chicago", "Wed 4 Mar 06:00 CST"), ("America/Sao_Paulo", "Wed 4 Mar 09:00 UTC-03")],
)
def test_a_time_says_its_zone(zone: str, says: str) -> None:
    """A customer may be anywhere: the time in a reply names its day and zone, by its letters where it has any."""
    assert letter_face(datetime(2026, 3, 4, 12, tzinfo=UTC), ZoneInfo(zone)) == says
