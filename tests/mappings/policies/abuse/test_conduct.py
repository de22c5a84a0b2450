"""What a flag and a decision have done, as a table; and warnings are counted once each, however often it is played."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.context import load_replies
from mappings.model import Actor, Company, History, Person
from mappings.plan import Action, CompanyChange, KeepEvidence, Message, NotConnected, TicketChange
from mappings.policies.abuse.acting import Known, conduct
from mappings.policies.abuse.companies import Entry, lift, removed
from mappings.policies.abuse.flags import decisions
from mappings.policies.sla.measures import live
from mappings.profile import Profile
from mappings.reasons import clock_face
from mappings.timeline import build
from tests.profiles import CONFIG, edited, profile
from tests.stories import GROUPS, Story, at

REPLIES = load_replies(Path(CONFIG))
DAY = "2026-03-03"


def flagged() -> Story:
    """A ticket that an agent flagged at eleven."""
    return Story(f"{DAY} 10:00").set(f"{DAY} 11:00", abuse="threats")


def asked(
    told: Story,
    *,
    manager: bool = True,
    before: list[Entry] | None = None,
    company: Company | None = None,
    using: Profile | None = None,
    proof: str | None = None,
) -> list[Action]:
    """What a story asks for, its decisions being a manager's."""
    history: History = told.history()
    if company is not None:
        history = msgspec.structs.replace(history, company=company)
    line = build(history)
    known = Known(
        managers={one.cause: manager for one in decisions(line)}, before=before or [], proof=proof, names={7: "Ada Moe"}
    )
    org = using or profile("builder")
    return conduct(live(history, line, org, GROUPS), org, REPLIES, known)


def verbs(actions: list[Action]) -> list[str]:
    """What is done, in order."""
    return [action.verb for action in actions]


DECISIONS = [
    ("warn", ["keep_evidence", "decide", "reply", "count_warning"]),
    ("restrict", ["keep_evidence", "decide", "restrict", "remove"]),
    ("account_review", ["keep_evidence", "decide", "review"]),
    ("none", ["keep_evidence", "decide"]),
]


@pytest.mark.req("ABU-04", "ABU-05", "ABU-06")
@pytest.mark.parametrize(("value", "expected"), DECISIONS, ids=[row[0] for row in DECISIONS])
def test_each_decision(value: str, expected: list[str]) -> None:
    """Each of a manager's decisions has its own actions, and a note that says what, by whom, when and why."""
    actions = asked(flagged().set(f"{DAY} 12:00", abuse_decision=value))
    assert verbs(actions) == expected
    note = next(a.change.note for a in actions if a.verb == "decide" and isinstance(a.change, TicketChange))
    words = value.replace("_", " ")
    assert (note or "").startswith(f"Abuse decision: {words}, by somebody at 12:00 on {DAY}, because of threats.")


@pytest.mark.req("ABU-03")
def test_an_open_flag() -> None:
    """A flag: its copy first, then to the group that decides, with the tag and a note that says what is to be done."""
    copy, move, _ = asked(flagged())
    assert isinstance(copy.change, KeepEvidence)
    assert copy.change.kept_for == profile("builder").abuse.evidence_kept
    assert isinstance(move.change, TicketChange)
    assert (move.change.group, move.change.add_tags) == ("Management", ("abusive",))
    assert "a manager sets the field Abuse decision: warn, restrict, account review, none." in (move.change.note or "")


@pytest.mark.req("ABU-03", "SEC-07")
@pytest.mark.parametrize("org", ["archbuilder", "builder", "lasercalc", "pmerit", "roofing"])
def test_a_manager_is_told_at_once(org: str) -> None:
    """Whatever the profile, those who decide are told outside the ticket, too: what it is, and nobody's name."""
    actions = asked(flagged(), using=profile(org))
    (mail,) = [action for action in actions if isinstance(action.change, Message)]
    assert isinstance(mail.change, Message)
    assert mail.change.ways == ("mail support-manager@example.com",)
    assert mail.key == "abuse:flag:message:zendesk:123:1772557200"
    assert mail.not_before is None
    local = clock_face(mail.cause_at, profile(org).zone, mail.cause_at)
    assert mail.change.text == (
        f"Flagged as abusive (threats) at {local} on {DAY}. To decide, a manager sets the field Abuse decision: warn, "
        "restrict, account review, none. Rule: Abuse flag."
    )
    assert "by somebody" in str(actions[1].change)


def test_another_flag_after_a_decision_is_told_again() -> None:
    """Flagged as something else after the decision: those who decide hear of each flag, once."""
    told = flagged().set(f"{DAY} 12:00", abuse_decision="none")
    before = {action.key for action in asked(flagged())}
    after = [action.key for action in asked(told.set(f"{DAY} 13:00", abuse="harassment"))]
    assert [key for key in after if "message" in key and key not in before] == [
        "abuse:flag:message:zendesk:123:1772564400"
    ]


@pytest.mark.req("ABU-02")
def test_what_has_no_category_of_its_own() -> None:
    """Whoever flags without a category reads which there are, and where profanity and unreasonable demands belong."""
    move = asked(Story(f"{DAY} 10:00").set(f"{DAY} 11:00", tags="abusive"))[1]
    assert isinstance(move.change, TicketChange)
    words = "profanity counts as verbal abuse; repeated unreasonable demands counts as harassment."
    assert words in (move.change.note or "")


def test_a_ticket_that_was_moved_since() -> None:
    """Somebody has given the ticket to another group after the flag: it stays there."""
    move = asked(flagged().set(f"{DAY} 11:01", group_id="3"))[1]
    assert isinstance(move.change, TicketChange)
    assert move.change.group is None


@pytest.mark.req("ABU-09")
@pytest.mark.parametrize("value", ["warn", "restrict", "account_review", "none"])
def test_whoever_is_no_manager_is_refused(value: str) -> None:
    """Nothing of it is done; the field goes back, and the reason keeps who tried what."""
    refused = asked(flagged().set(f"{DAY} 12:00", abuse_decision=value), manager=False)[-1]
    assert isinstance(refused.change, TicketChange)
    assert refused.change.fields == {"abuse_decision": None}
    assert refused.reason.facts["decision"] == value
    assert "decide" not in verbs(asked(flagged().set(f"{DAY} 12:00", abuse_decision=value), manager=False))


def test_a_rule_of_the_account_decides_nothing() -> None:
    """A trigger that sets the field is told in a note, once, and not fought."""
    actions = asked(flagged().set(f"{DAY} 12:00", Actor.RULE, abuse_decision="warn"), manager=False)
    (refused,) = [action for action in actions if action.verb == "refuse"]
    assert isinstance(refused.change, TicketChange)
    assert refused.change.fields == {}


def test_somebody_unknown_decides_nothing_yet() -> None:
    """A decision of which nobody knows yet whose it is neither is done nor refused."""
    told = flagged().set(f"{DAY} 12:00", abuse_decision="warn").history()
    line = build(told)
    org = profile("builder")
    assert "decide" not in verbs(conduct(live(told, line, org, GROUPS), org, REPLIES, Known()))
    assert "refuse" not in verbs(conduct(live(told, line, org, GROUPS), org, REPLIES, Known()))


def test_a_customer_without_a_company() -> None:
    """Warned all the same; what cannot be counted says so."""
    told = flagged().set(f"{DAY} 12:00", abuse_decision="warn").history()
    alone = msgspec.structs.replace(told, company=None)
    line, org = build(alone), profile("builder")
    known = Known(managers={one.cause: True for one in decisions(line)})
    actions = conduct(live(alone, line, org, GROUPS), org, REPLIES, known)
    assert verbs(actions) == ["keep_evidence", "decide", "reply"]
    assert "counted nowhere: the ticket has no company" in actions[1].reason.text


def test_the_warning_speaks_the_customers_language() -> None:
    """A reader of Spanish is warned in Spanish."""
    told = flagged().set(f"{DAY} 12:00", abuse_decision="warn").history()
    assert told.requester is not None
    reader = msgspec.structs.replace(told.requester, locale="es-MX")
    spanish = msgspec.structs.replace(told, requester=reader)
    line, org = build(spanish), profile("builder")
    known = Known(managers={one.cause: True for one in decisions(line)})
    (reply,) = [a for a in conduct(live(spanish, line, org, GROUPS), org, REPLIES, known) if a.verb == "reply"]
    assert isinstance(reply.change, TicketChange)
    assert "Este es un aviso formal." in (reply.change.reply or "")


@pytest.mark.parametrize(
    ("until", "locale", "words"),
    [
        ("2026-03-17", "en", "Until 17 March, please write to us by ticket only."),
        ("2026-03-03", "es-MX", "Hasta el 3 de marzo, escríbanos, por favor, solo por este medio."),
        ("2026-03-02", "en", None),
        (None, "en", None),
    ],
)
def test_the_warning_of_a_restricted_company(until: str | None, locale: str, words: str | None) -> None:
    """Whoever is warned while restricted reads until when that is; nobody else does."""
    told = flagged().set(f"{DAY} 12:00", abuse_decision="warn").history()
    reader = Person(id=9, name="Ana Ruiz", updated_at=at(f"{DAY} 09:00"), locale=locale)
    told = msgspec.structs.replace(told, requester=reader, company=company(restricted_until=until))
    line, org = build(told), profile("builder")
    known = Known(managers={one.cause: True for one in decisions(line)})
    (text,) = [
        action.change.reply
        for action in conduct(live(told, line, org, GROUPS), org, REPLIES, known)
        if action.verb == "reply" and isinstance(action.change, TicketChange)
    ]
    assert (words in (text or "")) if words else not any(word in (text or "") for word in ("Until", "Hasta"))


@pytest.mark.req("ABU-06")
def test_the_review_carries_the_hash() -> None:
    """The task that Jira will have names the newest evidence."""
    (review,) = [
        action
        for action in asked(flagged().set(f"{DAY} 12:00", abuse_decision="account_review"), proof="ab12")
        if action.verb == "review"
    ]
    assert isinstance(review.change, NotConnected)
    assert "evidence sha256 ab12" in review.change.needs


def company(**more: object) -> Company:
    """A company that was never warned."""
    return Company(**{"id": 7, "name": "Acme", "updated_at": at(f"{DAY} 09:00")} | more)  # type: ignore[arg-type]


RESTRICTED = [
    (None, "2026-03-17"),
    ("2026-03-10", "2026-03-17"),
    ("2026-04-01", "2026-04-01"),
]


@pytest.mark.req("ABU-05")
@pytest.mark.parametrize(("before", "until"), RESTRICTED)
def test_until_when(before: str | None, until: str) -> None:
    """Fourteen days from the decision, and never shorter than it is already."""
    told = flagged().set(f"{DAY} 12:00", abuse_decision="restrict")
    (action,) = [a for a in asked(told, company=company(restricted_until=before)) if a.verb == "restrict"]
    assert isinstance(action.change, CompanyChange)
    assert action.change.fields == {"restricted_until": until}
    assert action.expects == {"restricted_until": before}


@pytest.mark.req("ABU-05")
@pytest.mark.parametrize(
    ("when", "lost"),
    [("2026-03-04 09:00", ("chat",)), ("2026-03-16 23:00", ("chat",)), ("2026-03-17 23:59", ("chat",)),
     ("2026-03-18 00:00", ()), ("2026-03-18 09:00", ())],
)  # fmt: skip
def test_what_is_lost_and_how_long(when: str, lost: tuple[str, ...]) -> None:
    """Set for fourteen days: no chat on day 13, open on day 15, by the office's days."""
    assert removed(company(restricted_until="2026-03-17"), profile("builder"), at(when)) == lost
    assert removed(company(), profile("builder"), at(when)) == ()
    assert removed(None, profile("builder"), at(when)) == ()


def test_lifting() -> None:
    """Its cause is the end of the last day in the office, its key the day, and it expects to find that day."""
    action = lift(company(restricted_until="2026-03-17"), profile("builder"))
    assert action.key == "abuse:lift:zendesk:organization:7:2026-03-17"
    assert action.cause_at == at("2026-03-18 00:00")
    assert action.expects == {"restricted_until": "2026-03-17"}


def test_another_time_and_other_channels() -> None:
    """How long, what is lost and who decides is the profile's business."""
    org = edited("builder", "abuse: {decide: senior, restriction: {removes: [phone, chat], for: 2d}}")
    told = flagged()
    assert isinstance(asked(told, using=org)[1].change, TicketChange)
    assert asked(told, using=org)[1].change.group == "Senior support"  # type: ignore[union-attr]
    actions = asked(told.set(f"{DAY} 12:00", abuse_decision="restrict"), using=org)
    assert verbs(actions)[-2:] == ["remove", "remove"]
    assert [a.change.fields for a in actions if isinstance(a.change, CompanyChange)] == [
        {"restricted_until": "2026-03-05"}
    ]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(["warn", "none", "restrict"]), max_size=6),
    st.integers(0, 3),
    st.data(),
)
def test_warnings_are_counted_once_each(taken: list[str], already: int, data: st.DataObject) -> None:
    """However often it is looked at, and whatever was delivered in between: as many as there were decisions to warn."""
    told, journal, shown = flagged(), dict[str, Entry](), already
    for number, value in enumerate(taken):
        told.set(f"{DAY} 12:{2 * number:02}", abuse_decision=value)
        if number % 2 == 0 and value == "warn":
            told.set(f"{DAY} 12:{2 * number + 1:02}", abuse_decision="none")
        for _ in range(data.draw(st.integers(1, 3))):
            for action in asked(told, before=list(journal.values()), company=company(warnings=shown)):
                if isinstance(action.change, CompanyChange) and action.key not in journal:
                    journal[action.key] = Entry(action.key, dict(action.change.fields), done=False)
            if data.draw(st.booleans()):
                shown, journal = delivered(shown, journal)
    shown, _ = delivered(shown, journal)
    assert shown == already + taken.count("warn")


def delivered(shown: int, journal: dict[str, Entry]) -> tuple[int, dict[str, Entry]]:
    """All that waits is written, in order, absolute as it is."""
    for entry in journal.values():
        if not entry.done and "warnings" in entry.fields:
            assert int(entry.fields["warnings"] or 0) == shown + 1
            shown += 1
    return shown, {key: msgspec.structs.replace(entry, done=True) for key, entry in journal.items()}
