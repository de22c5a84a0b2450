"""Users and organisations, and who the caller is."""

from typing import Any

from starlette.responses import Response

from connectors.sandbox.answers import answer
from connectors.sandbox.zendesk.api.call import Call, Endpoint
from connectors.sandbox.zendesk.errors import invalid, not_found, unauthorized
from connectors.sandbox.zendesk.fields import read_keyed, read_tags
from connectors.sandbox.zendesk.paging import listed
from connectors.sandbox.zendesk.records import Json, Organization, User

_USER_TEXTS = ("name", "phone", "details", "notes", "time_zone")
_ORGANIZATION_TEXTS = ("details", "notes")


def me(call: Call) -> Json:
    """GET /users/me: 200 with a null id for missing credentials, so a good answer proves nothing (§1.1)."""
    user = call.caller.user
    if user is not None:
        call.caller.needs("read", "users")
        return {"user": call.render.user(user)}
    if not call.sim.switches.password_is_anonymous:
        raise unauthorized()
    now = call.sim.account.now()
    nobody = call.render.user(User(0, "Anonymous user", "invalid@example.com", "end-user", now, now, verified=False))
    return {"user": {**nobody, "id": None, "url": None, "active": None, "created_at": None, "updated_at": None}}


def users(call: Call) -> Json:
    """GET /users: by role (role=, role[]=), or by external_id."""
    account = call.sim.account
    wanted = [value for name, value in call.pairs if name in ("role", "role[]")]
    rows = [u for u in account.users.values() if u.active and (not wanted or u.role in wanted)]
    if external := call.query.get("external_id"):
        rows = [user for user in rows if user.external_id == external]
    return listed(call.asked, "users", rows, _by_id, call.render.user)


def show_users(call: Call) -> Json:
    """GET /users/show_many?ids= or external_ids=: unknown ones are left out."""
    account = call.sim.account
    externals = call.query.get("external_ids", "").split(",")
    ids = call.ids() or [account.user_externals[name] for name in externals if name in account.user_externals]
    rows = [account.users[id] for id in ids if id in account.users and account.users[id].active]
    return listed(call.asked, "users", rows, _by_id, call.render.user)


def show_user(call: Call) -> Json:
    """GET /users/{id}."""
    return {"user": call.render.user(_user(call))}


def search_users(call: Call) -> Json:
    """GET /users/search?query= or external_id=: by address, name or external id."""
    text, external = call.query.get("query", "").lower().removeprefix("email:"), call.query.get("external_id")
    rows = [
        user
        for user in call.sim.account.users.values()
        if user.active
        and (user.external_id == external if external else text in f"{user.email or ''} {user.name}".lower())
    ]
    return listed(call.asked, "users", rows, _by_id, call.render.user)


def create_or_update(call: Call) -> Response:
    """POST /users/create_or_update: found by external_id or e-mail; 200 for an update, 201 for a new user."""
    account, row = call.sim.account, call.within("user")
    external, email = row.get("external_id"), str(row.get("email") or "").lower()
    id = account.user_externals.get(str(external)) if external else None
    user = account.users.get(id if id is not None else account.emails.get(email, 0))
    if user is None:
        return _create_user(call, row)
    _change_user(call, user, row)
    return answer({"user": call.render.user(user)})


def create_user(call: Call) -> Response:
    """POST /users: 422 where the address or external id is taken."""
    return _create_user(call, call.within("user"))


def _create_user(call: Call, row: Json) -> Response:
    account, name = call.sim.account, row.get("name")
    if not name:
        raise invalid({"name": "Name: is too short (minimum is 1 characters)"})
    user = User(account.new_id(), str(name), None, str(row.get("role") or "end-user"), account.now(), account.now())
    user.verified = bool(row.get("verified"))
    _change_user(call, user, row)
    return answer({"user": call.render.user(user)}, 201)


def update_user(call: Call) -> Json:
    """PUT /users/{id}."""
    user = _user(call)
    _change_user(call, user, call.within("user"))
    return {"user": call.render.user(user)}


def _change_user(call: Call, user: User, row: Json) -> None:
    account, wrong = call.sim.account, dict[str, str]()
    email, external = row.get("email"), row.get("external_id")
    if email and account.emails.get(str(email).lower(), user.id) != user.id:
        wrong["email"] = f"Email: {email} is already being used by another user"
    if external and account.user_externals.get(str(external), user.id) != user.id:
        wrong["external_id"] = "External has already been taken"
    organization = row.get("organization_id", user.organization_id)
    if organization is not None and organization not in account.organizations:
        wrong["organization_id"] = "Organization: is not valid"
    fields, problems = read_keyed(account.user_fields, row.get("user_fields") or {})
    if problems:
        wrong["base"] = "; ".join(problems)
    if wrong:
        raise invalid(wrong)
    for name in _USER_TEXTS:
        if name in row:
            setattr(user, name, row[name])
    user.email, user.external_id = email or user.email, external or user.external_id
    user.organization_id = organization
    user.suspended = bool(row.get("suspended", user.suspended))
    user.tags = read_tags(row["tags"]) if "tags" in row else user.tags
    user.fields = {**user.fields, **fields}
    account.touch_user(user)


def organizations(call: Call) -> Json:
    """GET /organizations."""
    rows = [one for one in call.sim.account.organizations.values() if one.deleted_at is None]
    return listed(call.asked, "organizations", rows, _by_id, call.render.organization)


def show_organizations(call: Call) -> Json:
    """GET /organizations/show_many?ids= or external_ids=."""
    ids, externals = set(call.ids()), set(call.query.get("external_ids", "").split(",")) - {""}
    rows = [
        one
        for one in call.sim.account.organizations.values()
        if one.deleted_at is None and (one.id in ids or one.external_id in externals)
    ]
    return listed(call.asked, "organizations", rows, _by_id, call.render.organization)


def show_organization(call: Call) -> Json:
    """GET /organizations/{id}."""
    return {"organization": call.render.organization(_organization(call))}


def create_organization(call: Call) -> Response:
    """POST /organizations: names are unique."""
    account, row = call.sim.account, call.within("organization")
    one = Organization(account.new_id(), "", account.now(), account.now())
    _change_organization(call, one, row)
    return answer({"organization": call.render.organization(one)}, 201)


def update_organization(call: Call) -> Json:
    """PUT /organizations/{id}: whoever writes last wins, field by field."""
    one = _organization(call)
    before = dict(one.fields)
    _change_organization(call, one, call.within("organization"))
    changed = {key: value for key, value in one.fields.items() if before.get(key) != value}
    call.sim.core.journal.add(
        "zendesk",
        "organization",
        f"zendesk:organization:{one.id}",
        at=call.sim.core.clock.now(),
        actor=call.user.email or "",
        fields=changed,
    )
    return {"organization": call.render.organization(one)}


def _change_organization(call: Call, one: Organization, row: Json) -> None:
    account, wrong = call.sim.account, dict[str, str]()
    name = str(row.get("name") or one.name)
    if not name:
        wrong["name"] = "Name: cannot be blank"
    elif account.names.get(name.lower(), one.id) != one.id:
        wrong["name"] = f"Name: {name} has already been taken"
    fields, problems = read_keyed(account.organization_fields, row.get("organization_fields") or {})
    if problems:
        wrong["base"] = "; ".join(problems)
    if wrong:
        raise invalid(wrong)
    account.names.pop(one.name.lower(), None)
    one.name = name
    for text in _ORGANIZATION_TEXTS:
        if text in row:
            setattr(one, text, row[text])
    one.external_id = row.get("external_id", one.external_id)
    one.domain_names = tuple(row.get("domain_names", one.domain_names))
    one.tags = read_tags(row["tags"]) if "tags" in row else one.tags
    one.fields = {**one.fields, **fields}
    account.touch_organization(one)


def _user(call: Call) -> User:
    user = call.sim.account.users.get(call.id())
    if user is None:
        raise not_found()
    return user


def _organization(call: Call) -> Organization:
    one = call.sim.account.organizations.get(call.id())
    if one is None or one.deleted_at is not None:
        raise not_found()
    return one


def _by_id(record: Any) -> tuple[int]:
    return (record.id,)


ENDPOINTS = (
    Endpoint("GET", "/users/me", me, "anyone", "users"),
    Endpoint("GET", "/users", users, resource="users"),
    Endpoint("POST", "/users", create_user, resource="users"),
    Endpoint("GET", "/users/show_many", show_users, resource="users"),
    Endpoint("GET", "/users/search", search_users, resource="users"),
    Endpoint("POST", "/users/create_or_update", create_or_update, resource="users"),
    Endpoint("GET", "/users/{id:int}", show_user, resource="users"),
    Endpoint("PUT", "/users/{id:int}", update_user, resource="users"),
    Endpoint("GET", "/organizations", organizations, resource="organizations"),
    Endpoint("POST", "/organizations", create_organization, resource="organizations"),
    Endpoint("GET", "/organizations/show_many", show_organizations, resource="organizations"),
    Endpoint("GET", "/organizations/{id:int}", show_organization, resource="organizations"),
    Endpoint("PUT", "/organizations/{id:int}", update_organization, resource="organizations"),
)
