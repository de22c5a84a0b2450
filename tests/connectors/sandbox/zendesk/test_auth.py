"""Who may call: tokens that run out, refresh tokens that work once, and an answer that proves nothing."""

import base64

import pytest

from tests.connectors.sandbox.zendesk.conftest import Api


def basic(name: str, secret: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def test_client_credentials_speak_for_the_service_user(api: Api) -> None:
    """A token by client credentials belongs to an admin who is no person and in no group."""
    me = api.get("/users/me.json")["user"]
    assert (me["role"], me["email"]) == ("admin", api.sim.service_email)
    assert api.get(f"/users/{me['id']}/group_memberships")["group_memberships"] == []


def test_a_token_runs_out_on_the_simulated_clock(api: Api) -> None:
    """Half an hour later the same token gets a 401 with the tool's own words."""
    api.sandbox.advance(1800)
    answer = api.http.get("/tickets")
    assert (answer.status_code, answer.json()) == (401, {"error": "Couldn't authenticate you"})


def test_a_refresh_token_works_once(api: Api) -> None:
    """Refreshing deletes both old tokens; the old refresh token is refused from then on."""
    user = api.sim.user(api.agent)
    first = api.grant(grant_type="authorization_code", code=api.sim.auth.consent(user)).json()
    second = api.grant(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert second.json()["refresh_token"] != first["refresh_token"]
    again = api.grant(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    old = api.http.get("/users/me", headers={"authorization": f"Bearer {first['access_token']}"})
    assert old.status_code == 401


def test_a_wrong_client_is_refused(api: Api) -> None:
    """A wrong secret is an OAuth error, not a token."""
    answer = api.grant(grant_type="client_credentials", client_secret="wrong")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("headers", [{"authorization": ""}, basic("agent@builder.example", "password")])
def test_nobody_is_welcome_at_users_me(api: Api, headers: dict[str, str]) -> None:
    """Missing credentials or a password answer 200 with the Anonymous user, and 401 everywhere else."""
    del api.http.headers["authorization"]
    sent = {name: value for name, value in headers.items() if value}
    answer = api.http.get("/users/me", headers=sent)
    assert (answer.status_code, answer.json()["user"]["id"]) == (200, None)
    assert api.http.get("/tickets", headers=sent).status_code == 401


def test_the_legacy_token_speaks_for_any_agent(api: Api) -> None:
    """`email/token` with the account's token; a wrong one is a 401."""
    token = api.sim.auth.api_token
    assert token is not None
    me = api.http.get("/users/me", headers=basic(f"{api.agent}/token", token)).json()["user"]
    assert me["email"] == api.agent
    assert api.http.get("/users/me", headers=basic(f"{api.agent}/token", "wrong")).status_code == 401


def test_roles_and_scopes(api: Api) -> None:
    """Exports are for admins (shape B), writing needs a scope, customers see nothing here."""
    token = api.sim.auth.api_token or ""
    export = api.http.get("/incremental/tickets.json?start_time=0", headers=basic(f"{api.agent}/token", token))
    assert (export.status_code, export.json()["error"]["title"]) == (403, "Forbidden")
    assert api.http.get("/tickets", headers=basic(f"{api.customer}/token", token)).status_code == 403
    read = api.grant(grant_type="client_credentials", scope="read").json()["access_token"]
    write = api.http.put("/tickets/1", json={"ticket": {}}, headers={"authorization": f"Bearer {read}"})
    assert (write.status_code, "write" in write.json()["description"]) == (403, True)


def test_audits_need_the_global_read_scope(api: Api) -> None:
    """A token for tickets only may read a ticket, but not its audits."""
    ticket = api.filed()
    narrow = api.grant(grant_type="client_credentials", scope="tickets:read").json()["access_token"]
    headers = {"authorization": f"Bearer {narrow}"}
    assert api.http.get(f"/tickets/{ticket}", headers=headers).status_code == 200
    assert api.http.get(f"/tickets/{ticket}/audits", headers=headers).status_code == 403
