"""Request budgets: the account's, the exports', each ticket's."""

from tests.connectors.sandbox.zendesk.conftest import Api


def test_answers_tell_what_is_left(api: Api) -> None:
    """Every answer carries the account's budget, an export also its own."""
    answer = api.http.get("/incremental/tickets/cursor?start_time=0")
    assert answer.headers["x-rate-limit"] == answer.headers["ratelimit-limit"] == "700"
    assert answer.headers["zendesk-ratelimit-incremental-exports"] == "total=10; remaining=9; resets=60"
    api.sim.switches.turn({"older_limit_headers": True})
    assert api.http.get("/groups").headers["rate-limit-remaining"] == "698"


def test_exports_share_ten_calls_a_minute(api: Api) -> None:
    """The eleventh export of any kind is a 429 with Retry-After and no JSON; the next minute it passes again."""
    paths = ("tickets", "ticket_events", "organizations", "tickets/cursor")
    for number in range(10):
        assert api.http.get(f"/incremental/{paths[number % 4]}?start_time=0").status_code == 200
    answer = api.http.get("/incremental/tickets?start_time=0")
    assert (answer.status_code, answer.headers["content-type"]) == (429, "text/plain; charset=utf-8")
    assert api.http.get("/tickets").status_code == 200, "only exports are spent"
    assert api.http.get("/incremental/users/cursor?start_time=0").status_code == 200, "users have their own budget"
    api.sandbox.advance(int(answer.headers["retry-after"]))
    assert api.http.get("/incremental/tickets?start_time=0").status_code == 200


def test_the_account_as_a_whole(api: Api) -> None:
    """Past the plan's requests a minute everything is a 429, as JSON or without a hint where the switches say so."""
    api.sim.switches.turn({"requests_per_minute": 3, "limit_body": "json", "retry_after": False})
    answers = [api.http.get("/groups") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json()["error"] == "APIRateLimitExceeded"
    assert "retry-after" not in answers[-1].headers


def test_thirty_updates_of_a_ticket_in_ten_minutes(api: Api) -> None:
    """The 31st update of one ticket by one user is refused, of another ticket not; ten minutes later it passes."""
    first, second = api.filed(), api.filed()
    for number in range(30):
        api.update(first, tags=[f"t{number}"])
        api.sandbox.advance(3)
    answer = api.put(f"/tickets/{first}", {"ticket": {"priority": "low"}})
    assert answer.status_code == 429
    assert answer.headers["zendesk-ratelimit-per-ticket-updates"].startswith("total=30; remaining=0")
    assert api.put(f"/tickets/{second}", {"ticket": {"priority": "low"}}).status_code == 200
    api.sandbox.advance(int(answer.headers["retry-after"]))
    assert api.put(f"/tickets/{first}", {"ticket": {"priority": "low"}}).status_code == 200
