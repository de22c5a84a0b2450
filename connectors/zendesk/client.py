"""Zendesk Support: one method per endpoint that we use; pages come as raw bodies, decoded by mappings/zendesk.

Own client on one plain session (zenpy has no streams, no bulk form, no safe updates: docs of the decision in
ARCHITECTURE). connectors/zendesk/login.py says who we are.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
from pydantic import SecretStr

from connectors.base import Policy, Session
from connectors.budget import Budget
from connectors.errors import BadRequest, NotFound, Unauthorized, Uncertain
from connectors.tokens import TokenKeeper
from connectors.zendesk.login import LOGIN, Login
from mappings.plan import Lane

EXPORT_PAGE = 1000
BULK = 100
"""Tickets of one show_many or update_many; also users and jobs of one show_many."""
TOO_RECENT = ("StartTimeTooRecent", "Too recent start_time")
"""Both spellings of "nothing new yet" (vendor-facts §1.6)."""
EXPORTS = "incremental-exports"
"""The limit that all exports of an account share: 10 calls a minute (vendor-facts §1.3)."""


class _Me(msgspec.Struct):
    id: int | None = None


class _MeBody(msgspec.Struct):
    user: _Me


class _JobId(msgspec.Struct):
    id: str


class _JobBody(msgspec.Struct):
    job_status: _JobId


class _Meta(msgspec.Struct):
    has_more: bool = False
    after_cursor: str | None = None


class _Listed(msgspec.Struct):
    meta: _Meta | None = None


class Zendesk:
    """One account. `secret(name)` gives a credential from the environment or its file, read anew when it is asked.

    `clock` (epoch seconds) is a simulated account's, which then times tokens and request windows; without it the
    machine's clocks do. `keeper` keeps token pairs for all processes.
    """

    def __init__(
        self,
        base_url: str,
        *,
        secret: Callable[[str], SecretStr | None],
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] | None = None,
        keeper: TokenKeeper | None = None,
    ) -> None:
        self._door = Session(Policy("zendesk", sleep=sleep), base_url, transport=transport)
        login = Login(self._door, secret, keeper=keeper, sleep=sleep, clock=clock or time.time)
        self.policy = Policy("zendesk", renew=login.renew, budget=Budget(clock or time.monotonic), sleep=sleep)
        self._http = Session(self.policy, base_url, headers=login.headers, transport=transport)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        self._door.close()

    def rest(self, seconds: float) -> None:
        """Wait, as this client waits."""
        self.policy.rest(seconds)

    # who we are

    def me(self) -> bytes:
        """The service user. A missing login answers 200 "Anonymous" in Zendesk; here it raises Unauthorized."""
        body = self._http.read("/api/v2/users/me.json")
        if msgspec.json.decode(body, type=_MeBody).user.id is None:
            raise Unauthorized("zendesk GET /api/v2/users/me.json", "nobody is logged in (Anonymous user)", LOGIN)
        return body

    def ticket_fields(self) -> list[bytes]:
        """All ticket fields, as pages."""
        return list(self._pages("/api/v2/ticket_fields.json", {}))

    def groups(self) -> list[bytes]:
        """All groups, as pages."""
        return list(self._pages("/api/v2/groups.json", {}))

    def agents(self) -> list[bytes]:
        """All agents and admins, as pages."""
        return list(self._pages("/api/v2/users.json", {"role[]": ["agent", "admin"]}))

    def users(self, ids: Sequence[int]) -> bytes:
        """At most a hundred users; unknown ids are left out by Zendesk."""
        return self._http.read("/api/v2/users/show_many.json", {"ids": _joined(ids)})

    def people_at(self, email: str) -> bytes:
        """The users whose address or name a text finds; whoever asks compares the address."""
        return self._http.read("/api/v2/users/search.json", {"query": f"email:{email}"})

    def objects(self, kind: str) -> list[bytes]:
        """All of the account's `triggers`, `ticket_forms`, `organization_fields`, `group_memberships` …, as pages."""
        return list(self._pages(f"/api/v2/{kind}.json", {}))

    def may_write(self) -> None:
        """Try the right to write on a ticket that never is: Forbidden, Unauthorized where there is none."""
        with suppress(NotFound, BadRequest):
            self._http.write("PUT", "/api/v2/tickets/0.json", {"ticket": {}}, harmless=True)

    # companies

    def organizations(self, ids: Sequence[int]) -> bytes:
        """At most a hundred companies as they are now; unknown and deleted ones are left out by Zendesk."""
        return self._http.read("/api/v2/organizations/show_many.json", {"ids": _joined(ids)})

    def update_organization(self, id: int, fields: Mapping[str, Any], *, lane: str = Lane.UPKEEP) -> bytes:
        """Set some of a company's own fields, by their keys; the others stay. There is no safe update here."""
        body = {"organization": {"organization_fields": dict(fields)}}
        return self._http.write("PUT", f"/api/v2/organizations/{id}.json", body, lane=lane)

    # tickets

    def search(self, query: str) -> bytes:
        """The newest ten that an index finds, which lags behind; `count` tells how many there are."""
        return self._http.read("/api/v2/search.json", {"query": query, "sort_by": "updated_at", "per_page": 10})

    def comments(self, ticket_id: int) -> list[bytes]:
        """A ticket's comments with their channels, as pages."""
        return list(self._pages(f"/api/v2/tickets/{ticket_id}/comments.json", {}))

    def newest_tickets(self) -> Iterator[bytes]:
        """Tickets by their last update, newest first, a hundred a page with their people and companies.

        Stop asking when a page holds nothing new. A ticket that changes meanwhile can appear twice.
        """
        return self._pages("/api/v2/tickets.json", {"sort": "-updated_at", "include": "users,organizations"})

    def tickets(self, ids: Sequence[int], *, beside: bool = False) -> bytes:
        """At most a hundred tickets as they are now; unknown ids are left out by Zendesk.

        `beside` brings their people and companies too.
        """
        more = {"include": "users,organizations"} if beside else {}
        return self._http.read("/api/v2/tickets/show_many.json", {"ids": _joined(ids), **more})

    def open_tickets(self, since: datetime, after: str | None = None) -> bytes:
        """A page of a hundred tickets that are not solved and changed since a time, as search knows them.

        The index lags behind by minutes, and `after` lasts an hour (vendor-facts §1.5).
        """
        query = f"type:ticket status<solved updated>={since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        params = {"query": query, "filter[type]": "ticket", "page[size]": 100}
        return self._http.read("/api/v2/search/export.json", params | ({"page[after]": after} if after else {}))

    def audits(self, ticket_id: int) -> Iterator[bytes]:
        """All that ever happened to a ticket, oldest first, as pages. NotFound for a deleted one."""
        return self._pages(f"/api/v2/tickets/{ticket_id}/audits.json", {})

    def suspended_tickets(self) -> bytes:
        """The first hundred mails that Zendesk holds back."""
        return self._http.read("/api/v2/suspended_tickets.json", {"page[size]": 100})

    # exports: 10 calls a minute for all of them together

    def export_tickets(self, *, cursor: str | None = None, start_time: int | None = None) -> bytes | None:
        """One page of the tickets' cursor export with their people and companies; None: nothing new yet."""
        params: dict[str, Any] = {"per_page": EXPORT_PAGE, "include": "users,organizations"}
        params |= {"cursor": cursor} if cursor else {"start_time": start_time}
        return self._export("/api/v2/incremental/tickets/cursor.json", params)

    def export_events(self, start_time: int) -> bytes | None:
        """One page of what happened since `start_time`, without texts; None: nothing new yet."""
        params = {"start_time": start_time, "per_page": EXPORT_PAGE}
        return self._export("/api/v2/incremental/ticket_events.json", params)

    def export_organizations(self, start_time: int) -> bytes | None:
        """One page of companies changed since `start_time`; None: nothing new yet."""
        return self._export("/api/v2/incremental/organizations.json", {"start_time": start_time})

    def _export(self, path: str, params: dict[str, Any]) -> bytes | None:
        try:
            return self._http.read(path, params, own=EXPORTS)
        except BadRequest as refused:
            if any(name in refused.cause for name in TOO_RECENT):
                return None
            raise

    # writing

    def update_many(self, rows: Sequence[dict[str, Any]], *, lane: str = Lane.UPKEEP) -> str:
        """Change at most a hundred tickets, a row each (`mappings.zendesk.ticket_row`); the id of the job that does it.

        Raises TooMany where thirty jobs are under way already: nothing was done.
        """
        if len(rows) > BULK:
            raise ValueError(f"update_many takes {BULK} rows, got {len(rows)}: send them in parts")
        path = "/api/v2/tickets/update_many.json"
        body = self._http.write("PUT", path, {"tickets": list(rows)}, lane=lane)
        try:
            return msgspec.json.decode(body, type=_JobBody).job_status.id
        except msgspec.ValidationError as error:
            cause = f"an answer without a job: {error}"
            raise Uncertain(f"zendesk PUT {path}", cause, "its outcome is looked up in the tickets") from error

    def job(self, job_id: str) -> bytes:
        """How far a job is, with its results. NotFound a day later."""
        return self._http.read(f"/api/v2/job_statuses/{job_id}.json")

    def jobs(self, job_ids: Sequence[str]) -> bytes:
        """At most a hundred jobs at once; those older than a day are left out."""
        return self._http.read("/api/v2/job_statuses/show_many.json", {"ids": _joined(job_ids)})

    # the way there

    def _pages(self, path: str, params: dict[str, Any]) -> Iterator[bytes]:
        """Cursor pages until Zendesk says that there are no more (an empty page says nothing)."""
        after: str | None = None
        while True:
            more = {"page[size]": 100, **params, **({"page[after]": after} if after else {})}
            body = self._http.read(path, more)
            yield body
            meta = msgspec.json.decode(body, type=_Listed).meta
            if meta is None or not meta.has_more or meta.after_cursor is None:
                return
            after = meta.after_cursor


def _joined(ids: Sequence[int] | Sequence[str]) -> str:
    if len(ids) > BULK:
        raise ValueError(f"show_many takes {BULK} ids, got {len(ids)}: ask in parts")
    return ",".join(str(id) for id in ids)
