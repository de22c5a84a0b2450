"""The tables. Times are whole epoch seconds (UTC), ids the vendor's own, structures JSON text.

Every column says how private it is (design §4, "Privacy"): `none`, `personal` (names, addresses), `text` (what people
wrote, or may quote it), or `secret` (opens a tool). Ids of people alone are `none`. No table keeps a vendor's raw JSON.
The migrations in `migrations/versions` create the same; a test holds the two together.
"""

from typing import Any, Literal

import sqlalchemy as sa

Privacy = Literal["none", "personal", "text", "secret"]

metadata = sa.MetaData()

BIG = sa.BigInteger()
ROWID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _column(name: str, kind: Any, privacy: Privacy = "none", **options: Any) -> sa.Column[Any]:
    """A column: required and not private unless said otherwise."""
    options.setdefault("nullable", False)
    return sa.Column(name, kind, info={"privacy": privacy}, **options)


def _key(name: str, kind: Any, **options: Any) -> sa.Column[Any]:
    return _column(name, kind, primary_key=True, **options)


def _maybe(name: str, kind: Any, privacy: Privacy = "none") -> sa.Column[Any]:
    return _column(name, kind, privacy, nullable=True)


def _only(sqlite: str, postgresql: str | None = None) -> dict[str, Any]:
    """An index over those rows alone; queries have to say the same words for SQLite to use it."""
    return {"sqlite_where": sa.text(sqlite), "postgresql_where": sa.text(postgresql or sqlite)}


meta = sa.Table("meta", metadata, _key("key", sa.Text), _column("value", sa.Text))

# `seq` hands out the rising numbers of changed facts; its row lock makes them commit in order. `outbox` is a lock only.
counter = sa.Table("counter", metadata, _key("name", sa.Text), _column("value", BIG))

company = sa.Table(
    "company",
    metadata,
    _key("id", ROWID, autoincrement=False),
    _column("name", sa.Text, "personal"),
    _column("updated_at", BIG),
    _maybe("external_id", sa.Text),
    _maybe("plan", sa.Text),
    _column("vip", sa.Boolean),
    _maybe("csm", sa.Text, "personal"),
    _column("deleted", sa.Boolean),
    _column("warnings", sa.Integer, server_default="0"),
    _maybe("last_warning_at", sa.Text),
    _maybe("restricted_until", sa.Text),
)

plan_seen = sa.Table(
    "plan_seen", metadata, _key("company_id", BIG, autoincrement=False), _key("at", BIG), _maybe("plan", sa.Text)
)

person = sa.Table(
    "person",
    metadata,
    _key("id", ROWID, autoincrement=False),
    _column("name", sa.Text, "personal"),
    _column("updated_at", BIG),
    _column("agent", sa.Boolean),
    _column("admin", sa.Boolean),
    _maybe("email", sa.Text, "personal"),
    _maybe("role", sa.Text),
    _maybe("company_id", BIG),
    _maybe("locale", sa.Text),
    _column("active", sa.Boolean),
    _maybe("external_id", sa.Text),
)

ticket = sa.Table(
    "ticket",
    metadata,
    _key("id", ROWID, autoincrement=False),
    _column("status", sa.Text),
    _column("created_at", BIG),
    _column("updated_at", BIG),
    _column("subject", sa.Text, "text"),
    _maybe("priority", sa.Text),
    _column("channel", sa.Text),
    _maybe("requester_id", BIG),
    _maybe("submitter_id", BIG),
    _maybe("assignee_id", BIG),
    _maybe("group_id", BIG),
    _maybe("company_id", BIG),
    _maybe("form_id", BIG),
    _maybe("brand_id", BIG),
    _maybe("problem_id", BIG),
    _column("tags", sa.Text),
    _maybe("severity", sa.Text),
    _maybe("kind", sa.Text),
    _maybe("module", sa.Text),
    _maybe("tier", sa.Integer),
    _column("fields", sa.Text, "text"),
    _column("generated_at", BIG),
    _maybe("recipient", sa.Text),
    _column("description", sa.Text, "text", server_default=""),
    _maybe("events_through", BIG),
    _column("open", sa.Boolean),
    _column("seq", BIG),
)

_OPEN = _only("open = 1", "open")
sa.Index("ticket_seq", ticket.c.seq)
sa.Index("ticket_updated_at", ticket.c.updated_at)
sa.Index("ticket_open", ticket.c.id, **_OPEN)
sa.Index("ticket_open_created", ticket.c.created_at, **_OPEN)
sa.Index("ticket_open_company", ticket.c.company_id, **_OPEN)
# Few of many tickets are asked for beside another one: a company's of some days, and those on one problem.
sa.Index("ticket_company", ticket.c.company_id, ticket.c.created_at, **_only("company_id IS NOT NULL"))
sa.Index("ticket_problem", ticket.c.problem_id, **_only("problem_id IS NOT NULL"))
sa.Index("ticket_open_requester", ticket.c.requester_id, **_OPEN)

ticket_event = sa.Table(
    "ticket_event",
    metadata,
    _key("id", ROWID, autoincrement=False),
    _column("audit_id", BIG),
    _column("ticket_id", BIG),
    _column("at", BIG),
    _column("actor", sa.Text),
    _column("kind", sa.Text),
    _maybe("actor_id", BIG),
    _maybe("field", sa.Text),
    _maybe("old", sa.Text, "text"),
    _maybe("new", sa.Text, "text"),
    _maybe("public", sa.Boolean),
)
sa.Index("ticket_event_ticket", ticket_event.c.ticket_id)
sa.Index("ticket_event_problem", ticket_event.c.new, **_only("field = 'problem_id'"))
sa.Index("ticket_event_unknown", ticket_event.c.at, **_only("actor = 'unknown'"))

incident = sa.Table(
    "incident",
    metadata,
    _key("id", sa.Text),
    _column("dedup_key", sa.Text),
    _column("status", sa.Text),
    _column("created_at", BIG),
    _column("updated_at", BIG),
    _column("title", sa.Text),
    _maybe("url", sa.Text),
    _maybe("urgency", sa.Text),
    _maybe("acknowledged_at", BIG),
    _maybe("acknowledged_by", sa.Text, "personal"),
    _maybe("resolved_at", BIG),
)
sa.Index("incident_dedup_key", incident.c.dedup_key)

clock = sa.Table(
    "clock",
    metadata,
    _key("record", sa.Text),
    _key("target", sa.Text),
    _column("measure", sa.Text),
    _key("cause", sa.Text),
    _column("start_at", BIG),
    _column("state", sa.Text),
    _column("cell", sa.Text),
    _column("dims", sa.Text),
    _column("profile_version", sa.Text),
    _maybe("warn_at", BIG),
    _maybe("due_at", BIG),
    _maybe("remaining", BIG),
    _column("used", BIG),
    _column("paused", BIG),
    _maybe("stopped_at", BIG),
    _maybe("fulfilled_by", sa.Text),
    _maybe("missed_by", BIG),
    _maybe("warned_at", BIG),
    _maybe("detected_at", BIG),
    _column("segments", sa.Text),
    _maybe("next_at", BIG),
)
# The minute's index scan: only clocks with something left to notice are in it.
sa.Index("clock_next_at", clock.c.next_at, **_only("next_at IS NOT NULL"))
# Looked through every minute: the tickets that wait for somebody, few beside all that ever did.
sa.Index("clock_running", clock.c.record, clock.c.measure, **_only("state = 'running'"))

source = sa.Table(
    "source",
    metadata,
    _key("tool", sa.Text),
    _key("name", sa.Text),
    _maybe("cursor", sa.Text),
    _maybe("fresh_through", BIG),
    _maybe("ok_at", BIG),
    _maybe("error", sa.Text),
    _maybe("down_since", BIG),
)

parked = sa.Table(
    "parked",
    metadata,
    _column("tool", sa.Text),
    _key("record", sa.Text),
    _column("reason", sa.Text, "text"),
    _column("first_seen", BIG),
    _column("last_seen", BIG),
    _column("count", sa.Integer),
)

inbox = sa.Table(
    "inbox",
    metadata,
    _key("tool", sa.Text),
    _key("id", sa.Text),
    _column("about", sa.Text),
    _column("received_at", BIG),
    _maybe("done_at", BIG),
)
sa.Index("inbox_waiting", inbox.c.received_at, **_only("done_at IS NULL"))

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", ROWID, primary_key=True, autoincrement=True, info={"privacy": "none"}),
    _column("key", sa.Text, unique=True),
    _column("policy", sa.Text),
    _column("rule", sa.Text),
    _column("verb", sa.Text),
    _column("tool", sa.Text),
    _column("record", sa.Text),
    _column("lane", sa.Text),
    _column("change", sa.Text, "text"),
    _column("reason", sa.Text, "text"),
    _column("expects", sa.Text, "text"),
    _maybe("not_after", BIG),
    _maybe("not_before", BIG),
    _maybe("after_key", sa.Text),
    _column("cause_at", BIG),
    _column("state", sa.Text),
    _maybe("owner", sa.Text),
    _maybe("deadline", BIG),
    _column("attempts", sa.Integer),
    _maybe("vendor_ref", sa.Text),
    _maybe("error", sa.Text, "text"),
    _column("again", sa.Boolean),
    _maybe("batch", sa.Text),
    _maybe("dedup_key", sa.Text),
    _column("profile_version", sa.Text),
    _column("created_at", BIG),
    _column("updated_at", BIG),
    _column("decided_at", BIG),
)
sa.Index("outbox_state", outbox.c.state, outbox.c.tool, outbox.c.lane, outbox.c.id)
sa.Index("outbox_record", outbox.c.record, outbox.c.tool, outbox.c.id)
sa.Index("outbox_again", outbox.c.policy, **_only("again = 1", "again"))
sa.Index("outbox_dedup_key", outbox.c.dedup_key, **_only("dedup_key IS NOT NULL"))

batch = sa.Table(
    "batch",
    metadata,
    _key("hash", sa.Text),
    _column("policy", sa.Text),
    _column("verb", sa.Text),
    _column("count", sa.Integer),
    _column("state", sa.Text),
    _column("updated_at", BIG),
)

# `mode` is what an operator set; `decided_mode` is the one in which it last decided (with HELPDESK_MODE's cap).
policy = sa.Table(
    "policy",
    metadata,
    _key("name", sa.Text),
    _maybe("mode", sa.Text),
    _maybe("decided_mode", sa.Text),
    _column("decided_seq", BIG),
)

act_from = sa.Table("act_from", metadata, _key("policy", sa.Text), _key("rule", sa.Text), _column("at", BIG))

pause = sa.Table("pause", metadata, _key("scope", sa.Text), _column("since", BIG))

lease = sa.Table(
    "lease",
    metadata,
    _key("name", sa.Text),
    _maybe("owner", sa.Text),
    _column("fence", BIG),
    _column("expires_at", BIG),
)

sa.Index("company_restricted", company.c.restricted_until, **_only("restricted_until IS NOT NULL"))

# Copies of flagged tickets, and who read them: appended only, each entry's hash over the one before (per record).
# Triggers of the migration refuse to change an entry, and to delete one before its time.
evidence = sa.Table(
    "evidence",
    metadata,
    _key("record", sa.Text),
    _key("sequence", sa.Integer, autoincrement=False),
    _column("kind", sa.Text),
    _column("cause_key", sa.Text, unique=True),
    _column("taken_at", BIG),
    _column("kept_until", BIG),
    _column("content", sa.Text, "text"),
    _column("previous", sa.Text),
    _column("sha256", sa.Text),
)
sa.Index("evidence_kept_until", evidence.c.kept_until)

# A tool's newest token pair, which its vendor hands out once; `origin` is the hash of the refresh token it grew from.
token = sa.Table(
    "token",
    metadata,
    _key("tool", sa.Text),
    _column("origin", sa.Text),
    _column("access", sa.Text, "secret"),
    _column("refresh", sa.Text, "secret"),
    _column("expires_at", BIG),
)
