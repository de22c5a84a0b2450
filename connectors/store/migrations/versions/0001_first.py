"""The first schema."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite's own row number serves as the id only where the type is spelt INTEGER.
ROWID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create all tables and the two counters."""
    _customers()
    _tickets()
    _incidents()
    _clocks()
    _reading()
    _outbox()
    _control()
    op.execute("INSERT INTO counter (name, value) VALUES ('seq', 0), ('outbox', 0)")


def _key(name: str, kind: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, nullable=False, **options)


def _column(name: str, kind: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, **options)


def _maybe(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _index(name: str, table: str, columns: list[str], only: str | None = None, postgresql: str | None = None) -> None:
    """An index, over those rows alone that `only` says (`postgresql`: where that spells it otherwise)."""
    if only is None:
        op.create_index(name, table, columns)
    else:
        spelt: dict[str, Any] = {"sqlite_where": sa.text(only), "postgresql_where": sa.text(postgresql or only)}
        op.create_index(name, table, columns, **spelt)


def _customers() -> None:
    """Companies with the plans they were seen to have, and people."""
    op.create_table(
        "company",
        _key("id", ROWID, autoincrement=False),
        _column("name", sa.Text),
        _column("updated_at", sa.BigInteger),
        _maybe("external_id", sa.Text),
        _maybe("plan", sa.Text),
        _column("vip", sa.Boolean),
        _maybe("csm", sa.Text),
        _column("deleted", sa.Boolean),
    )
    op.create_table(
        "plan_seen",
        _key("company_id", sa.BigInteger),
        _key("at", sa.BigInteger),
        _maybe("plan", sa.Text),
    )
    op.create_table(
        "person",
        _key("id", ROWID, autoincrement=False),
        _column("name", sa.Text),
        _column("updated_at", sa.BigInteger),
        _column("agent", sa.Boolean),
        _column("admin", sa.Boolean),
        _maybe("email", sa.Text),
        _maybe("role", sa.Text),
        _maybe("company_id", sa.BigInteger),
        _maybe("locale", sa.Text),
        _column("active", sa.Boolean),
    )


def _tickets() -> None:
    """Tickets and what happened to them."""
    op.create_table(
        "ticket",
        _key("id", ROWID, autoincrement=False),
        _column("status", sa.Text),
        _column("created_at", sa.BigInteger),
        _column("updated_at", sa.BigInteger),
        _column("subject", sa.Text),
        _maybe("priority", sa.Text),
        _column("channel", sa.Text),
        _maybe("requester_id", sa.BigInteger),
        _maybe("submitter_id", sa.BigInteger),
        _maybe("assignee_id", sa.BigInteger),
        _maybe("group_id", sa.BigInteger),
        _maybe("company_id", sa.BigInteger),
        _maybe("form_id", sa.BigInteger),
        _maybe("brand_id", sa.BigInteger),
        _maybe("problem_id", sa.BigInteger),
        _column("tags", sa.Text),
        _maybe("severity", sa.Text),
        _maybe("kind", sa.Text),
        _maybe("module", sa.Text),
        _maybe("tier", sa.Integer),
        _column("fields", sa.Text),
        _column("generated_at", sa.BigInteger),
        _maybe("events_through", sa.BigInteger),
        _column("open", sa.Boolean),
        _column("seq", sa.BigInteger),
    )
    _index("ticket_open", "ticket", ["id"], "open = 1", "open")
    _index("ticket_open_company", "ticket", ["company_id"], "open = 1", "open")
    _index("ticket_open_created", "ticket", ["created_at"], "open = 1", "open")
    _index("ticket_open_requester", "ticket", ["requester_id"], "open = 1", "open")
    _index("ticket_seq", "ticket", ["seq"])
    _index("ticket_updated_at", "ticket", ["updated_at"])
    op.create_table(
        "ticket_event",
        _key("id", ROWID, autoincrement=False),
        _column("audit_id", sa.BigInteger),
        _column("ticket_id", sa.BigInteger),
        _column("at", sa.BigInteger),
        _column("actor", sa.Text),
        _column("kind", sa.Text),
        _maybe("actor_id", sa.BigInteger),
        _maybe("field", sa.Text),
        _maybe("old", sa.Text),
        _maybe("new", sa.Text),
        _maybe("public", sa.Boolean),
    )
    _index("ticket_event_ticket", "ticket_event", ["ticket_id"])
    _index("ticket_event_unknown", "ticket_event", ["at"], "actor = 'unknown'")


def _incidents() -> None:
    """Pages as PagerDuty tells them."""
    op.create_table(
        "incident",
        _key("id", sa.Text),
        _column("dedup_key", sa.Text),
        _column("status", sa.Text),
        _column("created_at", sa.BigInteger),
        _column("updated_at", sa.BigInteger),
        _column("title", sa.Text),
        _maybe("url", sa.Text),
        _maybe("urgency", sa.Text),
        _maybe("acknowledged_at", sa.BigInteger),
        _maybe("acknowledged_by", sa.Text),
        _maybe("resolved_at", sa.BigInteger),
    )
    _index("incident_dedup_key", "incident", ["dedup_key"])


def _clocks() -> None:
    """Clocks, and the index over those with something left to notice."""
    op.create_table(
        "clock",
        _key("record", sa.Text),
        _key("target", sa.Text),
        _column("measure", sa.Text),
        _key("cause", sa.Text),
        _column("start_at", sa.BigInteger),
        _column("state", sa.Text),
        _column("cell", sa.Text),
        _column("dims", sa.Text),
        _column("profile_version", sa.Text),
        _maybe("warn_at", sa.BigInteger),
        _maybe("due_at", sa.BigInteger),
        _maybe("remaining", sa.BigInteger),
        _column("used", sa.BigInteger),
        _column("paused", sa.BigInteger),
        _maybe("stopped_at", sa.BigInteger),
        _maybe("fulfilled_by", sa.Text),
        _maybe("missed_by", sa.BigInteger),
        _maybe("warned_at", sa.BigInteger),
        _maybe("detected_at", sa.BigInteger),
        _column("segments", sa.Text),
        _maybe("next_at", sa.BigInteger),
    )
    _index("clock_next_at", "clock", ["next_at"], "next_at IS NOT NULL")
    _index("clock_running", "clock", ["record", "measure"], "state = 'running'")


def _reading() -> None:
    """How far each tool was read, and what could not be."""
    op.create_table(
        "source",
        _key("tool", sa.Text),
        _key("name", sa.Text),
        _maybe("cursor", sa.Text),
        _maybe("fresh_through", sa.BigInteger),
        _maybe("ok_at", sa.BigInteger),
        _maybe("error", sa.Text),
        _maybe("down_since", sa.BigInteger),
    )
    op.create_table(
        "parked",
        _column("tool", sa.Text),
        _key("record", sa.Text),
        _column("reason", sa.Text),
        _column("first_seen", sa.BigInteger),
        _column("last_seen", sa.BigInteger),
        _column("count", sa.Integer),
    )
    op.create_table(
        "inbox",
        _key("tool", sa.Text),
        _key("id", sa.Text),
        _column("about", sa.Text),
        _column("received_at", sa.BigInteger),
        _maybe("done_at", sa.BigInteger),
    )
    _index("inbox_waiting", "inbox", ["received_at"], "done_at IS NULL")


def _outbox() -> None:
    """Decisions and what became of them."""
    op.create_table(
        "outbox",
        _key("id", ROWID),
        _column("key", sa.Text, unique=True),
        _column("policy", sa.Text),
        _column("rule", sa.Text),
        _column("verb", sa.Text),
        _column("tool", sa.Text),
        _column("record", sa.Text),
        _column("lane", sa.Text),
        _column("change", sa.Text),
        _column("reason", sa.Text),
        _column("expects", sa.Text),
        _maybe("not_after", sa.BigInteger),
        _maybe("after_key", sa.Text),
        _column("cause_at", sa.BigInteger),
        _column("state", sa.Text),
        _maybe("owner", sa.Text),
        _maybe("deadline", sa.BigInteger),
        _column("attempts", sa.Integer),
        _maybe("vendor_ref", sa.Text),
        _maybe("error", sa.Text),
        _column("again", sa.Boolean),
        _maybe("batch", sa.Text),
        _maybe("dedup_key", sa.Text),
        _column("profile_version", sa.Text),
        _column("created_at", sa.BigInteger),
        _column("updated_at", sa.BigInteger),
        _column("decided_at", sa.BigInteger),
    )
    _index("outbox_again", "outbox", ["policy"], "again = 1", "again")
    _index("outbox_dedup_key", "outbox", ["dedup_key"], "dedup_key IS NOT NULL")
    _index("outbox_record", "outbox", ["record", "tool", "id"])
    _index("outbox_state", "outbox", ["state", "tool", "lane", "id"])
    op.create_table(
        "batch",
        _key("hash", sa.Text),
        _column("policy", sa.Text),
        _column("verb", sa.Text),
        _column("count", sa.Integer),
        _column("state", sa.Text),
        _column("updated_at", sa.BigInteger),
    )


def _control() -> None:
    """Who may do what, since when."""
    op.create_table(
        "meta",
        _key("key", sa.Text),
        _column("value", sa.Text),
    )
    op.create_table(
        "counter",
        _key("name", sa.Text),
        _column("value", sa.BigInteger),
    )
    op.create_table(
        "policy",
        _key("name", sa.Text),
        _maybe("mode", sa.Text),
        _maybe("decided_mode", sa.Text),
        _column("decided_seq", sa.BigInteger),
    )
    op.create_table(
        "act_from",
        _key("policy", sa.Text),
        _key("rule", sa.Text),
        _column("at", sa.BigInteger),
    )
    op.create_table(
        "pause",
        _key("scope", sa.Text),
        _column("since", sa.BigInteger),
    )
    op.create_table(
        "lease",
        _key("name", sa.Text),
        _maybe("owner", sa.Text),
        _column("fence", sa.BigInteger),
        _column("expires_at", sa.BigInteger),
    )
