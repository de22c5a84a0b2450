"""What a connector needs to keep a token pair that its tool hands out once. The store is such a keeper."""

from typing import NamedTuple, Protocol


class Pair(NamedTuple):
    """An access token, the single-use refresh token that comes with it, and when the first ends (epoch seconds)."""

    access: str
    refresh: str
    expires_at: int


class TokenKeeper(Protocol):
    """Keeps a pair for all processes of a deployment. `first` is the refresh token that a person put in."""

    def token_pair(self, tool: str, first: str) -> Pair | None:
        """The newest pair that grew from `first`."""

    def claim_refresh(self, tool: str, owner: str, seconds: int) -> int | None:
        """Leave to refresh, for so long; null while somebody else has it."""

    def end_refresh(self, tool: str, claim: int) -> None:
        """Let others refresh."""

    def keep_pair(self, tool: str, first: str, used: str, pair: Pair) -> bool:
        """Keep the pair that `used` was exchanged for; false where another took its place already."""
