"""The store: all of its parts behind one name."""

import sqlalchemy as sa

from connectors.store import migrations, schema
from connectors.store.batches import Batches
from connectors.store.clocks import Clocks
from connectors.store.database import create_engine
from connectors.store.decisions import Decisions
from connectors.store.errors import WrongProfile
from connectors.store.evidence import EvidenceStore
from connectors.store.facts import FactStore
from connectors.store.inbox import Inbox
from connectors.store.journal import Journal
from connectors.store.loads import Loads
from connectors.store.looks import Looks
from connectors.store.messages import Messages
from connectors.store.neighbours import Neighbours
from connectors.store.outbox import Outbox
from connectors.store.policy import Policies
from connectors.store.reading import FactReader
from connectors.store.restore import Restores
from connectors.store.sources import Sources
from connectors.store.tokens import Tokens
from connectors.store.trouble import explained
from connectors.store.wakes import Wakes


class Store(
    FactStore,
    FactReader,
    Neighbours,
    Sources,
    Clocks,
    Decisions,
    Batches,
    Loads,
    Looks,
    Wakes,
    Outbox,
    Journal,
    Policies,
    Tokens,
    Inbox,
    Restores,
    Messages,
    EvidenceStore,
):
    """One profile's store. Safe to use from several threads; every method is one transaction."""

    @classmethod
    def open(cls, url: str, *, profile: str | None = None, migrate: bool = False) -> "Store":
        """Open the store at `url` (`sqlite:///helpdesk.db`, `postgresql+psycopg://…`).

        `profile` is the profile's key: the first one to open a store owns it, any other is refused (`WrongProfile`).
        Where no database answers, `Unreachable` says what the driver said.
        A database whose schema is not this code's is refused (`NotMigrated`), unless `migrate` brings it up first.
        """
        store = cls(create_engine(url))
        try:
            if migrate:
                store.migrate()
            with explained(store.engine):
                migrations.check(store.engine)
            if profile is not None:
                store._claim(profile)
        except BaseException:
            store.close()
            raise
        return store

    def migrate(self) -> None:
        """Bring the schema up to this code's; nothing happens when it is there already."""
        with explained(self.engine):
            migrations.upgrade(self.engine)

    @property
    def profile(self) -> str | None:
        """The key of the profile that owns this store."""
        with self.reading() as conn:
            return conn.scalar(sa.select(schema.meta.c.value).where(schema.meta.c.key == "profile"))

    def _claim(self, profile: str) -> None:
        owner = self.profile
        if owner is None:
            with self.writing() as conn:
                into = sa.text("INSERT INTO meta (key, value) VALUES ('profile', :value) ON CONFLICT DO NOTHING")
                conn.execute(into, {"value": profile})
            owner = self.profile
        if owner != profile:
            raise WrongProfile(self.engine.url.render_as_string(), str(owner), profile)
