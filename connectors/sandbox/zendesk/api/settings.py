"""The account's objects: groups, fields, forms, brands, statuses, triggers; and the mails that were held back."""

from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from connectors.sandbox.answers import answer
from connectors.sandbox.zendesk.api.call import Call, Endpoint, read_body, refused
from connectors.sandbox.zendesk.errors import Refusal, not_found
from connectors.sandbox.zendesk.lifecycle import private
from connectors.sandbox.zendesk.paging import listed
from connectors.sandbox.zendesk.records import Field, Group, Json, Suspended
from connectors.sandbox.zendesk.texts import iso
from connectors.sandbox.zendesk.triggers import Trigger


def groups(call: Call) -> Json:
    """GET /groups and /groups/assignable."""
    hidden = call.sim.switches.hidden_group
    rows = [group for group in call.sim.account.groups.values() if group.name != hidden]
    return listed(call.asked, "groups", rows, _by_id, partial(_group, call))


def group(call: Call) -> Json:
    """GET /groups/{id}."""
    found = call.sim.account.groups.get(call.id())
    if found is None:
        raise not_found()
    return {"group": _group(call, found)}


def _group(call: Call, group: Group) -> Json:
    return {**call.render.group(group), "is_public": not private(group, call.sim.switches)}


def memberships(call: Call) -> Json:
    """GET /group_memberships, also of one user or group."""
    rows = call.sim.account.memberships
    if "user" in call.params:
        rows = [row for row in rows if row.user_id == call.params["user"]]
    if "group" in call.params:
        rows = [row for row in rows if row.group_id == call.params["group"]]
    return listed(call.asked, "group_memberships", rows, _by_id, call.render.membership)


def ticket_fields(call: Call) -> Json:
    """GET /ticket_fields: the system's own and the custom ones."""
    every, hidden = [*call.sim.system_fields, *call.sim.account.ticket_fields.values()], call.sim.switches.hidden_field
    rows = sorted((field for field in every if field.title != hidden), key=lambda field: field.id)
    return listed(call.asked, "ticket_fields", rows, _by_id, call.render.ticket_field)


def organization_fields(call: Call) -> Json:
    """GET /organization_fields."""
    return _keyed(call, "organization_fields", list(call.sim.account.organization_fields.values()))


def user_fields(call: Call) -> Json:
    """GET /user_fields."""
    return _keyed(call, "user_fields", list(call.sim.account.user_fields.values()))


def _keyed(call: Call, name: str, rows: list[Field]) -> Json:
    render = call.render
    return listed(call.asked, name, rows, _by_id, lambda field: render.keyed_field(field, name))


def forms(call: Call) -> Json:
    """GET /ticket_forms, each with the system's fields, and the account's own ones."""
    system, own = [field.id for field in call.sim.system_fields], list(call.sim.account.ticket_fields)
    asked = system if call.sim.switches.bare_forms else [*system, *own]
    rows = list(call.sim.account.forms.values())
    return listed(call.asked, "ticket_forms", rows, _by_id, lambda form: call.render.form(form, asked))


def brands(call: Call) -> Json:
    """GET /brands: one."""
    account = call.sim.account
    at = iso(account.founded_at)
    row: Json = {
        "url": f"{call.base}/api/v2/brands/{account.brand_id}.json",
        "id": account.brand_id,
        "name": account.name,
        "brand_url": call.base,
        "subdomain": account.subdomain,
        "host_mapping": None,
        "has_help_center": False,
        "help_center_state": "disabled",
        "active": True,
        "default": True,
        "is_deleted": False,
        "logo": None,
        "ticket_form_ids": list(account.forms),
        "signature_template": "{{agent.signature}}",
        "created_at": at,
        "updated_at": at,
    }
    return listed(call.asked, "brands", [row], lambda row: (row["id"],), lambda row: row)


def statuses(call: Call) -> Json:
    """GET /custom_statuses: the default one of each category, and the account's own."""
    at = iso(call.sim.account.founded_at)
    rows = [
        {
            "url": f"{call.base}/api/v2/custom_statuses/{status.id}.json",
            "id": status.id,
            "status_category": status.category,
            "agent_label": status.label,
            "raw_agent_label": status.label,
            "end_user_label": status.label,
            "raw_end_user_label": status.label,
            "description": None,
            "raw_description": None,
            "end_user_description": None,
            "raw_end_user_description": None,
            "active": True,
            "default": status.default,
            "created_at": at,
            "updated_at": at,
        }
        for status in call.sim.account.statuses.values()
    ]
    return {"custom_statuses": rows}


def triggers(call: Call) -> Json:
    """GET /triggers: the account's own rules, in order."""
    at = iso(call.sim.account.founded_at)

    def row(place: int, trigger: Trigger) -> Json:
        return {
            "url": f"{call.base}/api/v2/triggers/{trigger.id}.json",
            "id": trigger.id,
            "title": trigger.title,
            "active": trigger.active(),
            "position": place,
            "conditions": {
                "all": [{"field": c.field, "operator": c.operator, "value": _text(c.value)} for c in trigger.all],
                "any": [],
            },
            "actions": [{"field": action.field, "value": _text(action.value)} for action in trigger.actions],
            "description": None,
            "category_id": None,
            "default": False,
            "raw_title": trigger.title,
            "created_at": at,
            "updated_at": at,
        }

    rows = [row(place, trigger) for place, trigger in enumerate(call.sim.desk.triggers, 1)]
    return {"triggers": rows, "next_page": None, "previous_page": None, "count": len(rows)}


def _text(value: Any) -> Any:
    """A condition's or action's value as the API prints it: text, or a list of texts."""
    if isinstance(value, tuple):
        return [_text(one) for one in value]
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def suspended(call: Call) -> Json:
    """GET /suspended_tickets: mails that became no ticket."""
    rows = list(call.sim.account.suspended.values())
    return listed(call.asked, "suspended_tickets", rows, _by_id, call.render.suspended)


def show_suspended(call: Call) -> Json:
    """GET /suspended_tickets/{id}."""
    return {"suspended_ticket": call.render.suspended(_suspended(call))}


def recover(call: Call) -> Json:
    """PUT /suspended_tickets/{id}/recover: makes it the ticket it should have been."""
    held = _suspended(call)
    row = call.render.suspended(held)
    ticket_id = call.sim.recover(held)
    return {"ticket": [{**row, "ticket_id": ticket_id}]}


def discard(call: Call) -> Response:
    """DELETE /suspended_tickets/{id}."""
    del call.sim.account.suspended[_suspended(call).id]
    return answer(None, 204)


def _suspended(call: Call) -> Suspended:
    held = call.sim.account.suspended.get(call.id())
    if held is None:
        raise not_found()
    return held


async def token(request: Request) -> Response:
    """POST /oauth/tokens: JSON or form; not under /api/v2, and outside the budgets."""
    sim = request.app.state.sim
    raw = await request.body()
    try:
        body = read_body(raw) if raw[:1] == b"{" else dict(parse_qsl(raw.decode(errors="replace")))
        return answer(sim.auth.grant(body), 201, {"cache-control": "no-store"})
    except Refusal as refusal:
        return refused(refusal)


def _by_id(record: Any) -> tuple[int]:
    return (record.id,)


ENDPOINTS = (
    Endpoint("GET", "/groups", groups),
    Endpoint("GET", "/groups/assignable", groups),
    Endpoint("GET", "/groups/{id:int}", group),
    Endpoint("GET", "/group_memberships", memberships),
    Endpoint("GET", "/users/{user:int}/group_memberships", memberships),
    Endpoint("GET", "/groups/{group:int}/memberships", memberships),
    Endpoint("GET", "/ticket_fields", ticket_fields),
    Endpoint("GET", "/organization_fields", organization_fields),
    Endpoint("GET", "/user_fields", user_fields),
    Endpoint("GET", "/ticket_forms", forms),
    Endpoint("GET", "/brands", brands),
    Endpoint("GET", "/custom_statuses", statuses),
    Endpoint("GET", "/triggers", triggers),
    Endpoint("GET", "/suspended_tickets", suspended),
    Endpoint("GET", "/suspended_tickets/{id:int}", show_suspended),
    Endpoint("PUT", "/suspended_tickets/{id:int}/recover", recover),
    Endpoint("DELETE", "/suspended_tickets/{id:int}", discard),
)
