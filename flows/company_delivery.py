"""Changes of companies out to Zendesk: one call each, looked at just before and, where no answer came, after.

Organisations have no safe update: whoever writes last wins. So each write is preceded by a look, names only the fields
that it sets, and sets absolute values; what a person has changed meanwhile is left, or counted on from.
"""

from collections.abc import Iterable, Mapping, Sequence

from connectors.errors import BadRequest, ConnectorError, Forbidden, NotFound
from connectors.store import Facts, OutboxRow, OutboxState, Result
from flows.context import Context
from flows.outbox import all_as, apt, finish, give_back, old_enough, still_ours
from flows.report import Delivered
from mappings.model import Company
from mappings.plan import CompanyChange
from mappings.zendesk import read_page
from mappings.zendesk.companies import company_row, company_shows, read_company

_MANY = 100
_GONE = "Zendesk has no such company (any more)"


def of_company(row: OutboxRow) -> bool:
    """Is a row about a company, and not about a ticket?"""
    return isinstance(row.action.change, CompanyChange)


def send_companies(ctx: Context, told: Delivered, rows: Sequence[OutboxRow]) -> None:
    """Send what is about companies, in order; a row that has to wait keeps its company's later ones back.

    Raises nothing that a tool says: tickets do not wait for companies. What could not be sent is looked for again.
    """
    try:
        now = _shown(ctx, told, rows)
    except ConnectorError as error:
        finish(ctx, told, [_trouble(row, error) for row in rows])
        return
    stuck: set[str] = set()
    for row in rows:
        if row.action.record in stuck:
            finish(ctx, told, give_back([row], "waits for an earlier change of the company"))
        elif apt(ctx, told, still_ours(ctx, [row])):
            result = _one(ctx, told, row, now)
            stuck |= {row.action.record} if result.state in (OutboxState.UNKNOWN, OutboxState.FAILED) else set()
            finish(ctx, told, [result])


def _trouble(row: OutboxRow, error: ConnectorError) -> Result:
    """A call for a row went wrong: refused for good, or to be looked for."""
    refused = isinstance(error, BadRequest | Forbidden | NotFound)
    return all_as([row], OutboxState.FAILED if refused else OutboxState.UNKNOWN, str(error))[0]


def look_for_companies(ctx: Context, told: Delivered, rows: Sequence[OutboxRow]) -> None:
    """What became of writes without an answer, as the companies show."""
    now = _shown(ctx, told, rows)
    for row in rows:
        company, change = now.get(_id(row)), _change(row)
        if company is None:
            result = Result(id=row.id, state=OutboxState.DROPPED, error=_GONE)
        elif company_shows(dict(change.fields), company):
            why = "looked: the company has it"
            result = Result(id=row.id, state=OutboxState.DONE, error=why)
        elif not company_shows(dict(row.action.expects), company):
            result = _theirs(row, again=False)
        elif old_enough(ctx, row):
            result = give_back([row], "looked: the company does not have it; sent again")[0]
        else:
            continue
        finish(ctx, told, [result])


def _one(ctx: Context, told: Delivered, row: OutboxRow, now: dict[int, Company]) -> Result:
    """One change: nothing to do, somebody else's by now, or written. `now` is kept true."""
    assert ctx.zendesk is not None
    assert ctx.reading is not None
    company, change = now.get(_id(row)), _change(row)
    if company is None:
        return Result(id=row.id, state=OutboxState.DROPPED, error=_GONE)
    if company_shows(dict(change.fields), company):
        return Result(id=row.id, state=OutboxState.DONE, error="the company had it already")
    if not company_shows(dict(row.action.expects), company):
        return _theirs(row, again="warnings" in change.fields)
    told.calls += 1
    try:
        body = ctx.zendesk.update_organization(company.id, company_row(change, ctx.reading), lane=row.action.lane)
    except ConnectorError as error:
        return _trouble(row, error)
    written = read_company(body, ctx.reading)
    if written is None:
        return all_as([row], OutboxState.UNKNOWN, "an answer without the company; looked for in its fields")[0]
    now[company.id] = written
    ctx.store.save(Facts(companies=(written,)))  # what follows counts on from it
    if not company_shows(dict(change.fields), written):
        missing = ", ".join(company_row(change, ctx.reading))
        why = (
            f"Zendesk did not take the company's {missing}; create these fields (config/tools/zendesk.yaml), then retry"
        )
        return all_as([row], OutboxState.FAILED, why)[0]
    return Result(id=row.id, state=OutboxState.DONE)


def _theirs(row: OutboxRow, *, again: bool) -> Result:
    """A person has changed the field: a warning is counted on from what they wrote, anything else is theirs."""
    names = ", ".join(row.action.expects)
    then = "decided again from there" if again else "it stays as it is"
    why = f"somebody has changed the company's {names.replace('_', ' ')} meanwhile: {then}"
    return Result(id=row.id, state=OutboxState.DROPPED, error=why, again=again)


def _shown(ctx: Context, told: Delivered, rows: Iterable[OutboxRow]) -> dict[int, Company]:
    """The companies as they are now; kept as facts, so that what is decided again is decided on them."""
    assert ctx.zendesk is not None
    assert ctx.reading is not None
    ids = sorted({_id(row) for row in rows})
    found: Mapping[int, Company] = {}
    for start in range(0, len(ids), _MANY):
        told.calls += 1
        page = read_page(ctx.zendesk.organizations(ids[start : start + _MANY]), ctx.reading)
        ctx.store.save(Facts(companies=page.companies))
        found = {**found, **{company.id: company for company in page.companies}}
    return dict(found)


def _change(row: OutboxRow) -> CompanyChange:
    change = row.action.change
    assert isinstance(change, CompanyChange)
    return change


def _id(row: OutboxRow) -> int:
    return int(row.action.record.rpartition(":")[2])
