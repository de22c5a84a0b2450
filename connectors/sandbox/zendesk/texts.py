"""How times and origins are written in every answer."""

from datetime import UTC, datetime
from functools import lru_cache

from connectors.sandbox.zendesk.records import Json, Via


@lru_cache(maxsize=1 << 17)
def iso(epoch: int) -> str:
    """Epoch seconds as the tool writes times."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=4096)
def via_json(via: Via) -> Json:
    """The `via` object of tickets, audits, comments and (for rules) events. Shared: never change what this returns."""
    origin = {name: list(value) if isinstance(value, tuple) else value for name, value in via.origin}
    return {"channel": via.channel, "source": {"from": origin, "to": {}, "rel": via.rel}}
