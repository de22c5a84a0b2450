"""Webhooks of the account: register, list, read the signing secret, remove."""

from starlette.responses import Response

from connectors.sandbox.answers import answer
from connectors.sandbox.zendesk.api.call import Call, Endpoint
from connectors.sandbox.zendesk.errors import bad_request, not_found
from connectors.sandbox.zendesk.records import Json
from connectors.sandbox.zendesk.texts import iso
from connectors.sandbox.zendesk.webhooks import Webhook


def index(call: Call) -> Json:
    """GET /webhooks."""
    return {"webhooks": [_row(hook) for hook in call.sim.webhooks.hooks.values()], "meta": {"has_more": False}}


def show(call: Call) -> Json:
    """GET /webhooks/{id}."""
    return {"webhook": _row(_hook(call))}


def create(call: Call) -> Response:
    """POST /webhooks: event-subscribed ones. The first one's secret is what the sandbox prints."""
    row = call.within("webhook")
    if not row.get("endpoint") or not row.get("subscriptions"):
        raise bad_request("BadRequest", "webhook: needs an endpoint and subscriptions")
    hook = call.sim.webhooks.subscribe(
        str(row["endpoint"]),
        tuple(row["subscriptions"]),
        name=str(row.get("name") or ""),
        secret=None if call.sim.webhooks.hooks else call.sim.webhook_secret,
        by=call.user.id,
    )
    hook.description, hook.authentication = row.get("description"), _without_secrets(row.get("authentication"))
    hook.active = row.get("status", "active") == "active"
    return answer({"webhook": _row(hook)}, 201)


def secret(call: Call) -> Json:
    """GET /webhooks/{id}/signing_secret."""
    return {"signing_secret": {"secret": _hook(call).secret, "algorithm": "SHA256"}}


def destroy(call: Call) -> Response:
    """DELETE /webhooks/{id}."""
    del call.sim.webhooks.hooks[_hook(call).id]
    return answer(None, 204)


def _without_secrets(authentication: Json | None) -> Json | None:
    """How a webhook signs in at its receiver, as answers show it: without passwords and tokens."""
    if not isinstance(authentication, dict):
        return None
    data = {name: value for name, value in (authentication.get("data") or {}).items() if name == "username"}
    return {"type": authentication.get("type"), "data": data, "add_position": authentication.get("add_position")}


def _hook(call: Call) -> Webhook:
    hook = call.sim.webhooks.hooks.get(str(call.params["hook"]))
    if hook is None:
        raise not_found()
    return hook


def _row(hook: Webhook) -> Json:
    return {
        "id": hook.id,
        "name": hook.name,
        **({"description": hook.description} if hook.description else {}),
        "status": "active" if hook.active else "inactive",
        "subscriptions": hook.subscriptions,
        "created_at": iso(hook.created_at),
        "created_by": str(hook.created_by),
        "endpoint": hook.endpoint,
        "http_method": "POST",
        "request_format": "json",
        **({"authentication": hook.authentication} if hook.authentication else {}),
    }


ENDPOINTS = (
    Endpoint("GET", "/webhooks", index, "admin", "webhooks"),
    Endpoint("POST", "/webhooks", create, "admin", "webhooks"),
    Endpoint("GET", "/webhooks/{hook}", show, "admin", "webhooks"),
    Endpoint("DELETE", "/webhooks/{hook}", destroy, "admin", "webhooks"),
    Endpoint("GET", "/webhooks/{hook}/signing_secret", secret, "admin", "webhooks"),
)
