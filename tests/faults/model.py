"""What should have happened to a ticket, worked out from the tools' journal alone, with figures of its own.

Written apart from `mappings`: it knows the office's hours and the two columns of the table that the stories use, walks
minute by minute where the product computes, and shares no code with it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.sandbox.journal import Effect
from connectors.store import OutboxRow, OutboxState
from tests.faults.deployment import Deployment
from tests.faults.people import THEIR_DUE

OFFICE = ZoneInfo("America/Chicago")
MINUTES = {
    ("P1", "enterprise"): 15,
    ("P1", "business"): 60,
    ("P2", "enterprise"): 60,
    ("P2", "business"): 240,
    ("P3", "business"): 480,
}
ROUND_THE_CLOCK = {"P1"}
TIERS = {"Support": 1, "Technical": 2, "Engineering": 3}
WARNING, REVIEW = "formal warning", "flag_cs_review"
SLACK = timedelta(minutes=4)
"""How long after a due time, with everything working, the step up may take to be seen."""


def due(start: datetime, severity: str, plan: str) -> datetime:
    """When an answer is owed: a minute counts where the office is open, Monday to Friday from 8 to 18."""
    at, left = start, MINUTES[severity, plan]
    while left:
        if severity in ROUND_THE_CLOCK or _open(at):
            left -= 1
        elif left == MINUTES[severity, plan]:
            at = at.replace(second=0)  # nothing has been counted yet: it begins when the office opens, to the second
        at += timedelta(minutes=1)
    return at


def _open(at: datetime) -> bool:
    local = at.astimezone(OFFICE)
    return local.weekday() < 5 and 8 <= local.hour < 18


def broken(
    here: Deployment, ticket: int, mine: list[Effect], us: str, journal: list[Effect], rows: list[OutboxRow]
) -> Iterator[str]:
    """A line for each promise to one ticket that was not kept."""
    life = _Life(here, ticket, mine, us)
    yield from life.steps()
    yield from life.shown()
    yield from life.pages(journal, rows)
    yield from life.queued(rows)


class _Life:
    """One ticket's story as the tools tell it."""

    def __init__(self, here: Deployment, ticket: int, mine: list[Effect], us: str) -> None:
        self.here, self.ticket, self.mine, self.us = here, ticket, mine, us
        self.now = here.now()
        self.found = here.desk.sim.account.tickets[ticket]
        graded = [row for row in mine if row.kind == "field" and row.detail["field"] == "Severity"]
        now = next(tag[-2:].upper() for tag in self.found.tags if tag.startswith("severity_"))
        self.severity = str(graded[0].detail["old"])[-2:].upper() if graded else now
        self.worse = [(row.at, str(row.detail["new"])[-2:].upper()) for row in graded]
        company = here.desk.sim.account.organizations[self.found.organization_id or 0]
        self.plan = str(company.fields["plan"]).removeprefix("plan_")
        self.filed = next(row.at for row in mine if row.kind == "created")
        staff = {user.email for user in here.desk.sim.account.users.values() if user.staff} - {us}
        self.answers = [row.at for row in mine if row.kind == "public_comment" and row.actor in staff]
        self.moves = [row.at for row in mine if row.kind == "note" and "Moved to" in str(row.detail["body"])]
        self.holds = [row for row in mine if row.kind == "field" and "hf_hold" in str(row.detail)]
        states = [row for row in mine if row.kind == "field" and row.detail["field"] == "status"]
        self.solved = [row.at for row in states if row.detail["new"] == "solved"]
        self.again = [row.at for row in states if row.detail["old"] == "solved" and row.detail["new"] == "open"]
        self.reopened = bool(self.again)
        self.gone = self.found.status in ("closed", "deleted")
        self.done = self.gone or self.found.status == "solved"

    def owed(self, stay: datetime) -> datetime:
        """When a tier that the ticket came to owes an answer; a severity made worse brings it nearer, never further."""
        severity = self.severity
        for at, worse in self.worse:
            severity = worse if at <= stay else severity
        owed = due(stay, severity, self.plan)
        for at, worse in self.worse:
            if at > stay and not any(stay <= answer < at for answer in self.answers):
                owed = min(owed, due(at, worse, self.plan))
        return owed

    def steps(self) -> Iterator[str]:
        """It moves up when its answer is late, and never otherwise; once from each tier."""
        if self.reopened:
            return
        stay = self.filed
        for move in self.moves:
            owed = self.owed(stay)
            if move < owed:
                yield f"moved up at {_clock(move)}, but the answer was owed at {_clock(owed)}"
            if any(stay <= answer < min(move, owed) for answer in self.answers):
                yield f"moved up at {_clock(move)}, though it had been answered in time"
            stay = move
        owed = self.owed(stay)
        answered = any(answer >= stay for answer in self.answers)
        if not answered and not self.done and not self.holds and self.now > owed + SLACK:
            yield f"owed an answer since {_clock(owed)}, and was not moved up by {_clock(self.now)}"

    def shown(self) -> Iterator[str]:
        """Its fields say what is true in the end."""
        if self.reopened or self.gone:
            return
        stay = self.moves[-1] if self.moves else self.filed
        owed = self.owed(stay)
        group = self.here.desk.group(self.ticket)
        tier = TIERS.get(group or "", 1 + len(self.moves))  # a flag takes a ticket to the managers, in no tier
        wanted: dict[str, object] = {"tier": f"tier_{tier}"}
        waits = not self.done and not any(answer >= stay for answer in self.answers) and self.now < owed
        wanted["sla_due"] = owed.astimezone(OFFICE).isoformat() if waits else None
        first = self.answers[0] if self.answers else None
        if first is None or not self.solved or first <= self.solved[0]:  # after the end, nobody waited for it
            wanted["first_response_at"] = first and first.astimezone(OFFICE).isoformat()
        wanted["resolved_at"] = self.solved[-1].astimezone(OFFICE).isoformat() if self.done and self.solved else None
        for name, value in wanted.items():
            shown = self.here.desk.field(self.ticket, name)
            if shown != value and shown != THEIR_DUE:
                yield f"{name} shows {shown!r}, it should be {value!r}"

    def runs(self) -> Iterator[tuple[datetime, list[tuple[datetime, str]]]]:
        """Each run of work, from its filing or a reopening: when it began, and as what it was known when it was looked
        at: at its beginning, graded anew, moved up."""
        starts = [self.filed, *self.again]
        grades = [(self.filed, self.severity), *self.worse]
        for start, stop in zip(starts, [*starts[1:], None], strict=True):
            before = [severity for at, severity in grades if at <= start]
            moved = [(move, [severity for at, severity in grades if at <= move][-1]) for move in self.moves]
            later = [(at, was) for at, was in (*grades, *moved) if start < at and (stop is None or at < stop)]
            yield start, [(start, before[-1]), *later]

    def pages(self, journal: list[Effect], rows: list[OutboxRow]) -> Iterator[str]:
        """A P1 outside the office's hours, filed, graded or moved up then, pages once in each run of work; who takes it
        stands in the ticket.

        The ticket's end ends it. What went wrong in a run that is over is nobody's to be woken for.
        """
        mine = [row for row in journal if f"zendesk:{self.ticket}-" in str(row.detail.get("dedup_key", ""))]
        opened = [row for row in mine if row.kind == "incident"]
        runs = list(self.runs())
        wanted = [start for start, grades in runs if any(grade == "P1" and not _open(at) for at, grade in grades)]
        if len(opened) > len(wanted):
            yield f"paged {len(opened)} times, and should have been {len(wanted)} times"
        last, still = runs[-1][0], len(opened) > sum(row.detail.get("new") == "resolved" for row in mine)
        if last in wanted and not self.done and not still and not any(row.at >= last for row in opened):
            yield "never paged" if last == self.filed else "never paged since it was reopened"
        taken = any(row.detail.get("new") == "acknowledged" for row in mine)
        ended = any(row.detail.get("new") == "resolved" for row in mine)
        noted = [row for row in self.mine if row.kind == "note" and "acknowledged the page" in str(row.detail["body"])]
        if taken and not noted and not self.done:
            yield "somebody took the page, and the ticket does not say so"
        if opened and self.done and not ended:
            yield "is done, and its page still rings"

    def queued(self, rows: list[OutboxRow]) -> Iterator[str]:
        """A P2 outside the office's hours is told once when the office answers, or the outbox says why not."""
        said = [row for row in self.mine if row.kind == "public_comment" and row.actor == self.us]
        told = [row for row in said if WARNING not in str(row.detail["body"])]
        wanted = self.severity != "P1" and not _open(self.filed)
        if told and not wanted:
            yield "its customer was written to, and should not have been"
        given_up = [
            row
            for row in rows
            if row.action.record == f"zendesk:{self.ticket}" and row.action.verb == "reply"
            if row.state is OutboxState.DROPPED and not row.again
        ]
        if wanted and not told and not given_up and not self.holds and not self.gone:
            yield "its customer was never told, and nothing says why"
        if wanted and not self.holds and "next_business_day" not in self.found.tags and not self.done:
            yield "waits for the next business day without its tag"


def emergency_broken(
    here: Deployment, ticket: int, mine: list[Effect], us: str, journal: list[Effect], rows: list[OutboxRow]
) -> Iterator[str]:
    """A line for each broken promise to a mail to roofing's emergency address: critical, straight up, and a page."""
    found = here.desk.sim.account.tickets[ticket]
    states = [row.detail for row in mine if row.kind == "field" and row.detail["field"] == "status"]
    runs = 1 + sum(row["old"] == "solved" and row["new"] == "open" for row in states)
    rings = [row for row in journal if f"zendesk:{ticket}-" in str(row.detail.get("dedup_key", ""))]
    opened = sum(row.kind == "incident" for row in rings)
    ended = sum(row.detail.get("new") == "resolved" for row in rings)
    moves = [row for row in mine if row.kind == "note" and "Moved to" in str(row.detail["body"])]
    if opened > runs:
        yield f"paged {opened} times in {runs} runs of work"
    if len(moves) > 1:
        yield f"moved up {len(moves)} times"
    gone = found.status in ("closed", "deleted")
    if gone or found.status == "solved":
        if opened > ended:
            yield "is done, and its page still rings"
        return
    if any("hf_hold" in str(row.detail) for row in mine):
        return
    if opened == ended:
        yield "nobody is woken"
    if "severity_critical" not in found.tags:
        yield f"is not critical, by its address: {found.tags}"
    theirs = [row for row in mine if row.kind == "field" and row.detail["field"] == "group_id" and row.actor != us]
    if not moves and not any("rule:" not in row.actor for row in theirs):
        yield "was not moved up"


def telling_broken(
    here: Deployment, ticket: int, mine: list[Effect], us: str, journal: list[Effect], rows: list[OutboxRow]
) -> Iterator[str]:
    """A line for each broken promise about whom pmerit tells: of its worst severity everybody, of a P2 the stand-up.

    Nothing is owed for a ticket that was taken away, or that we were kept off.
    """
    found = here.desk.sim.account.tickets[ticket]
    about = [row for row in journal if f"ticket {ticket} (" in f"{row.detail.get('subject')} {row.detail.get('text')}"]
    posts = [row.detail for row in about if row.kind == "message"]
    mails = {(tuple(row.detail["to"]), str(row.detail["id"])) for row in about if row.kind == "mail"}
    graded = [row for row in mine if row.kind == "field" and row.detail["field"] == "Severity"]
    filed = str(graded[0].detail["old"]) if graded else next(tag for tag in found.tags if tag.startswith("severity_"))
    first = {
        "everybody": sum(row["where"] == "#general" and "<!channel>" in row["text"] for row in posts),
        "tech leads": sum(row["where"] == "direct" and "Rule: P0." in row["text"] for row in posts),
        "the stand-up": sum(
            row["where"] == "#pmerit-support" and "Rule: P2 escalated." in row["text"] for row in posts
        ),
    }
    yield from (f"{who} heard {count} times" for who, count in first.items() if count > 1)
    left_alone = any("hf_hold" in str(row.detail) or row.kind == "deleted" for row in mine)
    if left_alone or found.status in ("closed", "deleted"):
        return
    mailed = {to for to, _ in mails}
    if filed.endswith("p0"):
        if not first["everybody"]:
            yield "everybody should have heard in Slack"
        if ("tech-leads@pmerit.com",) not in mailed:
            yield "the tech leads should have been mailed"
        if ("support-manager@example.com",) not in mailed:
            yield "management should have been mailed"
        return
    moved = any(row.kind == "note" and "Moved to" in str(row.detail["body"]) for row in mine) and not graded
    waits = any(row.action.record == f"zendesk:{ticket}" and row.state is OutboxState.PLANNED for row in rows)
    if moved and not waits and not first["the stand-up"] and ("support@pmerit.com",) not in mailed:
        yield "the stand-up should have heard"


def company_broken(here: Deployment, tickets: list[int], us: str, journal: list[Effect], copies: int) -> Iterator[str]:
    """A line for each promise about a company that wrote three times and threatened once: `third and rude`.

    Nothing is said of it where somebody took one of its tickets away, or kept us off.
    """
    account = here.desk.sim.account
    found = [account.tickets[ticket] for ticket in tickets]
    touched = [row for row in journal if row.record in {f"zendesk:{ticket}" for ticket in tickets}]
    away = any(one.deleted_at is not None or one.status == "closed" for one in found)
    if len(tickets) < 3 or away or any("hf_hold" in str(row.detail) or row.kind == "deleted" for row in touched):
        return
    flagged = [REVIEW in one.tags for one in found]
    if flagged != [False, False, True]:
        yield f"flagged for review: {flagged}"
    mails = [row for row in journal if row.kind == "mail" and "success@" in str(row.detail["to"])]
    if len({str(row.detail["id"]) for row in mails}) != 1:
        yield f"customer success was mailed under {len(mails)} marks"
    fields = account.organizations[found[2].organization_id or 0].fields
    days = (here.now().astimezone(OFFICE).date().replace(day=3) + timedelta(days=14)).isoformat()
    shown = (fields.get("warnings"), fields.get("restricted_until"))
    if shown != (1, days):
        yield f"its company has {shown[0]} warnings and is restricted until {shown[1]}"
    writes = [row for row in journal if row.record.startswith("zendesk:organization:") and row.actor == us]
    if len(writes) != 2:
        yield f"its company was written {len(writes)} times"
    warned = [row for row in touched if row.kind == "public_comment" and WARNING in str(row.detail["body"])]
    if len(warned) != 1:
        yield f"warned {len(warned)} times"
    if copies != 1:
        yield f"{copies} copies were kept"


def _clock(at: datetime) -> str:
    return f"{at.astimezone(OFFICE):%a %H:%M}"
