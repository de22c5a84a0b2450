"""The judge: what the tools' own journal says was done, against what should have been (`model`) and against our outbox.

Nothing lost, nothing doubled, nothing done twice in words or effect, nobody's edit undone, all reasons present.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator

from connectors.sandbox.journal import Effect
from connectors.store import OutboxRow, OutboxState
from connectors.store.evidence import broken
from flows.ticket_looks import UNSEEN
from mappings.plan import Message, PageTrigger, TicketChange
from tests.faults import model
from tests.faults.deployment import Deployment, Process
from tests.faults.people import THEIR_DUE
from tests.faults.stories import Stage
from tests.flows.desk import unfinished

REF = re.compile(r"\bhf-([0-9a-f]{12})\b")
MARK = re.compile(r"_ref (hf-[0-9a-f]{16})_$")
DELETED = "the ticket is deleted"
SAID = ("note", "public_comment")
PROMISES = {"builder": model.broken, "roofing": model.emergency_broken, "pmerit": model.telling_broken}


def judge(here: Deployment, stage: Stage, process: Process, *, since: int) -> list[str]:
    """A line for each broken promise; `since` is where the journal stood before the story."""
    journal = here.core.journal.rows(after=since)
    us = here.desk.us
    rows = process.ctx.store.outbox(limit=100_000)
    cast = {f"zendesk:{ticket}" for ticket in stage.tickets}
    cast |= {row.record for row in journal if row.kind == "created"}  # a mail to a closed ticket opens another
    companies = {here.desk.sim.account.tickets[ticket].organization_id for ticket in stage.tickets}
    cast |= {f"zendesk:organization:{company}" for company in companies}
    wrong = [f"left: {row.action.key} is {row.state}" for row in left(here, rows)]
    wrong += [f"failed: {row.action.key}: {row.error}" for row in rows if row.state is OutboxState.FAILED]
    wrong += _strangers(journal, us, cast)
    wrong += _reasons(rows)
    wrong += _written_once(journal, us, [row for row in rows if row.action.record in cast])
    wrong += _paged_once(journal, rows)
    always = here.core.journal.rows()  # our first minutes may have told something, too
    wrong += _mailed(always, rows)
    wrong += _posted_once(always, rows)
    for ticket in stage.tickets:
        mine = [row for row in journal if row.record == f"zendesk:{ticket}"]
        wrong += [f"zendesk:{ticket}: {line}" for line in _said_once(mine, us)]
        wrong += [f"zendesk:{ticket}: {line}" for line in _edits_kept(here, ticket, mine, us)]
        promised = PROMISES[here.profile.key]
        wrong += [f"zendesk:{ticket}: {line}" for line in promised(here, ticket, mine, us, journal, rows)]
    if stage.customer is not None:
        copies = [process.ctx.store.evidence(f"zendesk:{ticket}") for ticket in stage.tickets[2:]]
        wrong += model.company_broken(here, stage.tickets, us, journal, sum(len(kept) for kept in copies))
        wrong += [f"evidence: {why}" for kept in copies if (why := broken(kept)) is not None]
    return wrong


def left(here: Deployment, rows: list[OutboxRow]) -> list[OutboxRow]:
    """What still has to go somewhere; a digest waits for its next time."""
    return [row for row in unfinished(rows) if row.action.not_before is None or row.action.not_before <= here.now()]


def _strangers(journal: list[Effect], us: str, cast: set[str]) -> Iterator[str]:
    """What was late before we came is left alone; of what somebody touched since, the fields are kept up."""
    touched = {row.record for row in journal if row.kind == "note" and row.actor != us}
    for row in journal:
        if row.actor == us and row.vendor == "zendesk" and row.record not in cast:
            if row.kind == "field" and row.record in touched:
                continue
            yield f"{row.record}: nobody asked us for {row.kind} {dict(row.detail)}"


def _reasons(rows: list[OutboxRow]) -> Iterator[str]:
    """Everything that was decided says why, and everything that was given up says why, too."""
    for row in rows:
        reason = row.action.reason
        if not reason.text or f"Rule: {reason.rule}, profile " not in reason.text:
            yield f"{row.action.key}: its reason is {reason.text!r}"
        if row.state is OutboxState.DROPPED and not row.error:
            yield f"{row.action.key}: dropped without a reason"


def _written_once(journal: list[Effect], us: str, rows: list[OutboxRow]) -> Iterator[str]:
    """A row that is done has its words in the ticket once; one that is not has none."""
    refs = Counter(
        (row.record, ref)
        for row in journal
        if row.kind in SAID and row.actor == us
        for ref in REF.findall(str(row.detail["body"]).rpartition("ref ")[2])
    )
    for row in rows:
        change = row.action.change
        if not isinstance(change, TicketChange) or (change.note is None and change.reply is None):
            continue
        found = refs[(row.action.record, hashlib.sha256(row.action.key.encode()).hexdigest()[:12])]
        unseen = row.error == UNSEEN or (row.again and row.attempts > 0 and DELETED in (row.error or ""))
        if unseen and found <= 1:  # it went out or not, and the ticket that would tell is deleted
            continue
        wanted = 1 if row.state is OutboxState.DONE else 0
        if found != wanted:
            yield f"{row.action.key} is {row.state}: its words stand there {found} times"


def _paged_once(journal: list[Effect], rows: list[OutboxRow]) -> Iterator[str]:
    """One incident for each page that is done, and none without."""
    opened = Counter(str(row.detail["dedup_key"]) for row in journal if row.kind == "incident")
    pages = {
        row.action.change.dedup_key: row
        for row in rows
        if isinstance(row.action.change, PageTrigger) and row.state in (OutboxState.DONE, OutboxState.DROPPED)
    }
    for key in opened.keys() | pages.keys():
        row = pages.get(key)
        wanted = 1 if row is not None and row.state is OutboxState.DONE else 0
        if opened[key] != wanted:
            yield f"page {key} is {row.state if row else 'unknown to us'}: {opened[key]} incidents"


def _mailed(journal: list[Effect], rows: list[OutboxRow]) -> Iterator[str]:
    """A message that is done arrived; nothing arrived under two Message-IDs, and nothing that nobody wanted."""
    ids = {str(row.detail["id"]).strip("<>").partition("@")[0] for row in journal if row.kind == "mail"}
    said = [(tuple(row.detail["to"]), row.detail["subject"], _words(row)) for row in journal if row.kind == "mail"]
    messages = [row for row in rows if isinstance(row.action.change, Message) and row.action.tool == "mail"]
    for row in messages:
        if row.state is OutboxState.DONE and row.vendor_ref not in ids:
            yield f"{row.action.key} is done: nobody was mailed"
    if strange := ids - {row.vendor_ref for row in messages}:
        yield f"mailed, and no row of ours wanted it: {sorted(strange)}"
    if len(set(said)) > len(ids):
        yield f"{len(ids)} mails say {len(set(said))} things"


def _posted_once(journal: list[Effect], rows: list[OutboxRow]) -> Iterator[str]:
    """A message to Slack that is done stands there once; none stands there twice, and none that nobody wanted."""
    posts = Counter(
        found[1] for row in journal if row.kind == "message" if (found := MARK.search(str(row.detail["text"])))
    )
    sent = {row.vendor_ref: row for row in rows if row.action.tool == "slack" and row.vendor_ref is not None}
    for mark in posts.keys() | {mark for mark, row in sent.items() if row.state is OutboxState.DONE}:
        if mark not in sent or posts[mark] != 1:
            row = sent.get(mark)
            yield f"slack {mark} ({row.action.key if row else 'no row of ours'}): posted {posts[mark]} times"


def _words(mail: Effect) -> str:
    return str(mail.detail["text"]).rpartition("ref ")[0]


def _said_once(mine: list[Effect], us: str) -> Iterator[str]:
    """Nothing is said twice, whatever reference stands below it."""
    said = Counter(
        str(row.detail["body"]).rpartition("\n\nref ")[0] for row in mine if row.kind in SAID and row.actor == us
    )
    yield from (f"said {count} times: {text[:100]!r}" for text, count in said.items() if count > 1)


def _edits_kept(here: Deployment, ticket: int, mine: list[Effect], us: str) -> Iterator[str]:
    """What a person set last is there in the end, unless another person or a rule changed it."""
    found = here.desk.sim.account.tickets[ticket]
    if found.deleted_at is not None:
        return
    last: dict[str, Effect] = {}
    added: set[str] = set()
    for row in mine:
        if row.kind != "field" or row.actor == us:
            continue
        last[str(row.detail["field"])] = row
        if row.detail["field"] == "tags":
            old, new = set(row.detail["old"] or ()), set(row.detail["new"] or ())
            added = (added | {tag for tag in new - old if tag.startswith("theirs_")}) - (old - new)
    if not added <= set(found.tags):
        yield f"tags {sorted(added - set(found.tags))} are gone"
    for name in ("subject", "priority", "status"):
        if name in last and getattr(found, name) != last[name].detail["new"] and found.status != "closed":
            yield f"{name} is {getattr(found, name)!r}, somebody had set {last[name].detail['new']!r}"
    graded = [row.at for row in mine if row.kind == "field" and row.detail["field"] == "Severity" and row.actor != us]
    theirs = "SLA due" in last and not any(at > last["SLA due"].at for at in graded)  # until severity gets worse
    if theirs and here.desk.field(ticket, "sla_due") != THEIR_DUE:
        yield f"SLA due is {here.desk.field(ticket, 'sla_due')!r}, an agent had set {THEIR_DUE!r}"
