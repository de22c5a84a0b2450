"""Tickets for tests of rules: an ordinary one of any profile, bent by what a test says, and the tickets beside it."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec

from flows.context import load_replies
from mappings.model import History, Neighbour
from mappings.plan import Action
from mappings.policies.rules import Around, judge
from mappings.policies.sla.measures import Life, live
from mappings.profile import Profile
from mappings.timeline import build
from tests.profiles import CONFIG
from tests.stories import GROUPS, Story, at

REPLIES = load_replies(Path(CONFIG))
NIGHT, DAY, SATURDAY = "2026-03-04 02:00", "2026-03-03 11:00", "2026-03-07 12:00"
COMPANY, NUMBER = 7, 123
"""The company and the number of a story's ticket."""


class Told(msgspec.Struct, frozen=True):
    """A ticket with what a story alone does not say: the requester's role, the company's manager, its neighbours."""

    story: Story
    role: str | None = "owner"
    csm: str | None = None
    around: tuple[Neighbour, ...] = ()

    def history(self) -> History:
        """All that is known of it."""
        history = self.story.history()
        assert history.requester is not None
        assert history.company is not None
        requester = msgspec.structs.replace(history.requester, role=self.role)
        company = msgspec.structs.replace(history.company, csm=self.csm)
        return msgspec.structs.replace(history, requester=requester, company=company)

    def life(self, profile: Profile) -> Life:
        """It as policies look at it."""
        history = self.history()
        return live(history, build(history), profile, GROUPS)

    def judged(self, profile: Profile) -> list[Action]:
        """What the rules want done."""
        return judge(self.life(profile), profile, REPLIES, link=str, around=Around(self.around))


def plain(
    profile: Profile,
    severity: str | None = None,
    *,
    filed: str = DAY,
    then: Callable[[Story], object] | None = None,
    role: str | None = "owner",
    csm: str | None = None,
    around: Sequence[Neighbour] = (),
    **told: object,
) -> Told:
    """An ordinary ticket: mildest severity, lowest plan, a kind that no rule names, by mail on a Tuesday at 11:00."""
    kinds = [kind for kind in profile.kinds.values() if kind.key not in ("security", "feature_request")]
    defaults: dict[str, object] = {
        "severity": severity or list(profile.severities)[-1],
        "plan": next(iter(profile.plans)),
        "kind": kinds[0].key,
        "channel": "email",
        "zone": profile.zone,
    }
    story = Story(filed, **{**defaults, **told})  # type: ignore[arg-type]
    if then is not None:
        then(story)
    return Told(story, role=role, csm=csm, around=tuple(around))


def beside(
    id: int,
    came: str,
    profile: Profile,
    *,
    company: int = COMPANY,
    problem: int | None = None,
    since: str | None = None,
    ended: str | None = None,
) -> Neighbour:
    """Another ticket, filed at a time of the office, on a problem `since` a time (null: from the beginning)."""
    created = at(came, profile.zone)
    stays: list[tuple[object, int | None]] = [(created, None if since else problem)]
    if since is not None:
        stays.append((at(since, profile.zone), problem))
    return Neighbour(
        id=id,
        created_at=created,
        company_id=company,
        company_since=created,
        requester_id=1000 + id,
        problems=tuple(stays),  # type: ignore[arg-type]
        ended=None if ended is None else at(ended, profile.zone),
    )


def itself(came: str, profile: Profile, **more: object) -> Neighbour:
    """The story's own ticket as it stands among the others."""
    return beside(NUMBER, came, profile, **more)  # type: ignore[arg-type]


def said(actions: Sequence[Action], rule: str | None = None) -> list[str]:
    """What is done, as the profile spells it; of one rule, or of all. What was passed over is left out.

    Telling a route may be a note and messages by several ways: one thing that the profile says.
    """
    found: list[str] = []
    for action in actions:
        if rule in (None, action.rule) and action.verb != "leave":
            words = spelled(action)
            if action.verb != "message" or words not in found:
                found.append(words)
    return found


def spelled(action: Action) -> str:
    """`rule:tag:late:zendesk:123` → `tag late`, `rule:follow_up:zendesk:123` → `follow_up`."""
    verb, argument = action.key.split(":")[1:3]
    if action.tool == "evidence":  # one copy for a flag, whoever asks for it: its key names no rule
        return action.verb
    return verb if argument == "zendesk" else f"{verb} {argument}"


MINUTE = timedelta(minutes=1)
