"""Messages to colleagues, out to Slack and mail: gathered by route, looked for after a lost answer, handed on.

A way that fails for good (no such channel, no such mailbox), or that has not worked for five minutes, is told about
once, and the route's next way takes over. Slack is looked into before anything is posted again; a mail server cannot be
asked, so mail goes again with the same Message-ID: at least once.
"""

from collections.abc import Sequence
from datetime import timedelta

from connectors.errors import BadRequest, ConnectorError, Forbidden, NotFound, Unavailable, Uncertain
from connectors.store import OutboxRow, OutboxState, Result
from flows.cases import Decided
from flows.context import Context
from flows.journal import store_decision
from flows.outbox import SETTLE, all_as, apt, finish, give_back, old_enough, still_ours, take, ticket_id
from flows.report import Delivered
from mappings.letters import Letter, bundles, letter, mail_text, ref, slack_text
from mappings.model import Status
from mappings.notices import following
from mappings.plan import ON_HOLD, Lane, Message

MOST = 500
"""Rows that are taken at a time; so many to one route are one message."""
TAKES_OVER = timedelta(minutes=5)
"""How long a message waits for its way before the route's next one takes over."""
_REMEMBERED = timedelta(days=1)
_RESTS = tuple(timedelta(minutes=minutes) for minutes in (0, 2, 5, 15, 60))
"""By its tries: what a mail waits whose answer was lost."""
_AWAY = (Status.DELETED, Status.SPAM)
_SETUP = {
    "slack": "slack: SLACK_TOKEN is not set; set it, or say slack: false in the profile's tools",
    "mail": "mail: SMTP_URL is not set; set it, or say mail: false in the profile's tools",
}


def send_messages(ctx: Context, lane: Lane, told: Delivered, tool: str) -> bool:
    """Send a lane's messages; True while there may be more."""
    rows = take(ctx, tool, lane, MOST, apart=True)
    going = _wanted(ctx, told, rows)
    together = _together(going)
    refused = False
    for position, bundle in enumerate(together):
        meant = bundle
        try:
            where = _where(ctx, bundle)  # first: it may take a call or two, and the row's time is for the sending
            meant = apt(ctx, told, still_ours(ctx, bundle))
            finish(ctx, told, _sent(ctx, told, meant, where) if meant else [])
        except Uncertain as error:
            finish(ctx, told, all_as(meant, OutboxState.UNKNOWN, str(error)))
        except (BadRequest, Forbidden, NotFound) as error:
            finish(ctx, told, all_as(meant, OutboxState.FAILED, str(error)))
        except ConnectorError as error:
            own = isinstance(error, Unavailable) and error.status is not None and error.status < 500
            later = [] if own else [row for other in together[position + 1 :] for row in other]
            finish(ctx, told, give_back([*meant, *later], str(error)))
            if not own:
                raise
            refused = True  # this mailbox for now, and not the server: the others go on
            told.problems.append(str(error))
    return len(rows) == MOST and not refused


def _where(ctx: Context, rows: Sequence[OutboxRow]) -> str | None:
    """Where a bundle goes in its tool: a channel's id, or addresses; null where the tool was never set up."""
    change = rows[0].action.change
    assert isinstance(change, Message)
    if change.tool == "slack":
        return None if ctx.slack is None else ctx.slack.place(change.to)
    return None if ctx.mail is None else change.to


def _sent(ctx: Context, told: Delivered, rows: Sequence[OutboxRow], where: str | None) -> list[Result]:
    """Send rows as one message; its mark is stored before the call, so that it can be looked for."""
    if where is None:
        return all_as(rows, OutboxState.FAILED, _SETUP[rows[0].action.tool])
    message = letter([row.action for row in rows], ctx.profile)
    ctx.store.note_ref([row.id for row in rows], message.ref, ctx.fence)
    told.calls += 1
    missed = _post(ctx, message, where, rows)
    if missed is not None:
        told.problems.append(f"outbox {rows[0].id}: {missed}")
    return [Result(id=row.id, state=OutboxState.DONE, vendor_ref=message.ref, error=missed) for row in rows]


def _post(ctx: Context, message: Letter, where: str, rows: Sequence[OutboxRow]) -> str | None:
    """Post a message; whom it did not reach although it went out, null where all.

    Slack keeps what it is told twice: the rows have to be ours right before its call, for who slept may be overtaken.
    """
    if message.tool == "slack":
        assert ctx.slack is not None
        ctx.slack.post(where, slack_text(message), message.ref, before=lambda: still_ours(ctx, rows))
        return None
    assert ctx.mail is not None
    sent = ctx.mail.send(where, message.subject, mail_text(message), ref=message.ref, at=ctx.now())
    if not sent.refused:
        return None
    count = f"{len(sent.refused)} of the route's {where.count(',') + 1} addresses"
    return f"the mail server refused {count} ({sent.refused[0]}): mend the profile's routes"


def _wanted(ctx: Context, told: Delivered, rows: Sequence[OutboxRow]) -> list[OutboxRow]:
    """The rows whose ticket is there, and left to us."""
    ids = {ticket_id(row) for row in rows}
    tickets = {history.ticket.id: history.ticket for history in ctx.store.histories(ids)} if ids else {}
    dropped = []
    for row in rows:
        ticket = tickets.get(ticket_id(row))
        if ticket is None or not (ticket.status in _AWAY or ON_HOLD in ticket.tags):
            continue
        why = f"the ticket is {ticket.status}" if ticket.status in _AWAY else f"the ticket has the tag {ON_HOLD}"
        dropped.append(Result(id=row.id, state=OutboxState.DROPPED, error=f"{why}: nobody is told", again=True))
    finish(ctx, told, dropped)
    gone = {result.id for result in dropped}
    return [row for row in rows if row.id not in gone]


def _together(rows: Sequence[OutboxRow]) -> list[list[OutboxRow]]:
    """Which rows go out as one: those that did before, so that the same message is sent again; others by route."""
    by_ref: dict[str, list[OutboxRow]] = {}
    for row in rows:
        if row.vendor_ref is not None:
            by_ref.setdefault(row.vendor_ref, []).append(row)
    again = [same for mark, same in by_ref.items() if ref([row.action.key for row in same]) == mark]
    repeated = {row.id for same in again for row in same}
    by_key = {row.action.key: row for row in rows if row.id not in repeated}
    fresh = bundles([row.action for row in by_key.values()])
    return again + [[by_key[action.key] for action in bundle] for bundle in fresh]


def look_for_messages(ctx: Context, told: Delivered, tool: str) -> None:
    """Decide about messages without an answer: what Slack shows is done, what it does not show goes again."""
    by_ref: dict[str | None, list[OutboxRow]] = {}
    for row in ctx.store.unknown(tool):
        by_ref.setdefault(row.vendor_ref, []).append(row)
    for mark, rows in by_ref.items():
        if mark is None:
            finish(ctx, told, give_back(rows, "it had not been sent when its process ended"))
        elif tool == "mail":
            rested = all(ctx.now() - row.updated_at >= _rest(row) for row in rows)
            why = "it may have been taken; it goes again with the same Message-ID"
            finish(ctx, told, give_back(rows, why) if rested else [])
        elif ctx.slack is not None:
            finish(ctx, told, _looked(ctx, rows, mark))


def _rest(row: OutboxRow) -> timedelta:
    """How long a mail without an answer waits until it goes again: a server that is slow to answer has taken it."""
    return _RESTS[min(max(row.attempts, 1), len(_RESTS)) - 1]


def _looked(ctx: Context, rows: Sequence[OutboxRow], mark: str) -> list[Result]:
    """Look for a message by its mark in the channel that it was to stand in.

    A channel that cannot be looked into any more keeps no other one waiting: what was to stand there has failed.
    """
    assert ctx.slack is not None
    change = rows[0].action.change
    assert isinstance(change, Message)
    since = min(row.updated_at for row in rows) - SETTLE
    try:
        found = ctx.slack.find(ctx.slack.place(change.to), mark, since)
    except (BadRequest, Forbidden, NotFound) as error:
        return all_as(rows, OutboxState.FAILED, f"{error}; whether it stands there cannot be seen")
    if found is not None:
        return [Result(id=row.id, state=OutboxState.DONE, vendor_ref=mark) for row in rows]
    if all(old_enough(ctx, row) for row in rows):
        return give_back(rows, "looked: Slack does not have it")
    return []


def take_over(ctx: Context, told: Delivered) -> None:
    """Hand messages on whose way failed, or has not worked for five minutes: the route's next way is told to go.

    The next way's key follows from the first one's, so that each is planned once, however often this is done.
    """
    now = ctx.now()
    rows = ctx.store.stuck(waiting_since=now - TAKES_OVER, failed_since=now - _REMEMBERED)
    others = [(row, other) for row in rows if (other := following(row.action)) is not None]
    for policy in sorted({row.action.policy for row, _ in others}):
        actions = [other for row, other in others if row.action.policy == policy]
        store_decision(ctx, Decided(policy), decided_seq=None, actions=actions)
    waited = [row for row, _ in others if row.state is not OutboxState.FAILED]
    if waited:
        tool, minutes = waited[0].action.tool, TAKES_OVER.seconds // 60
        why = f"{tool} did not take it within {minutes} minutes: the route's next way has it ({waited[0].error})"
        count = ctx.store.pass_on([row.id for row in waited], now, why, ctx.fence)
        told.dropped += count
        told.problems.append(f"{tool}: not working for {minutes} minutes: {count} messages go by their next way")
