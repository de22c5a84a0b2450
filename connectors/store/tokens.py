"""Token pairs that a tool hands out once: whoever refreshes does it alone, and keeps the new pair before using it.

A pair belongs to the refresh token that a person put into the environment, told by its hash: another one there begins
anew. Nobody calls a tool inside a transaction, so a claim (a lease, on the database's time) keeps others from
refreshing meanwhile; what is kept replaces only the pair that it came from.
"""

import hashlib

import sqlalchemy as sa

from connectors.store import schema
from connectors.store.lease import Leases
from connectors.tokens import Pair

_TOKEN = schema.token


class Tokens(Leases):
    """A keeper of token pairs (`connectors.tokens.TokenKeeper`)."""

    def token_pair(self, tool: str, first: str) -> Pair | None:
        """The newest pair that grew from the refresh token `first`; null where none was kept."""
        query = sa.select(_TOKEN.c.access, _TOKEN.c.refresh, _TOKEN.c.expires_at)
        with self.reading() as conn:
            row = conn.execute(query.where(_TOKEN.c.tool == tool, _TOKEN.c.origin == _hash(first))).one_or_none()
        return None if row is None else Pair(row.access, row.refresh, row.expires_at)

    def claim_refresh(self, tool: str, owner: str, seconds: int) -> int | None:
        """Leave to refresh, for so long; null while somebody else has it."""
        return self.lease(_claim(tool), owner, seconds)

    def end_refresh(self, tool: str, claim: int) -> None:
        """Let others refresh."""
        self.release(_claim(tool), claim)

    def keep_pair(self, tool: str, first: str, used: str, pair: Pair) -> bool:
        """Keep the pair that the refresh token `used` was exchanged for; false where another took its place already."""
        values = {"access": pair.access, "refresh": pair.refresh, "expires_at": pair.expires_at}
        with self.writing() as conn:
            query = sa.select(_TOKEN.c.refresh, _TOKEN.c.origin).where(_TOKEN.c.tool == tool)
            row = conn.execute(query.with_for_update()).one_or_none()
            if row is None:
                conn.execute(_TOKEN.insert().values(tool=tool, origin=_hash(first), **values))
                return True
            if row.origin == _hash(first) and row.refresh != used:
                return False
            conn.execute(_TOKEN.update().where(_TOKEN.c.tool == tool).values(origin=_hash(first), **values))
            return True


def _claim(tool: str) -> str:
    return f"tokens:{tool}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
