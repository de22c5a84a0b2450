"""Slack's names for what it does not do, as what they mean for us (vendor-facts §6)."""

from typing import NamedTuple

from connectors.errors import BadRequest, ConnectorError, Forbidden, NotFound


class Refusal(NamedTuple):
    """The error that a name stands for, null where the token does not work; and what helps."""

    kind: type[ConnectorError] | None
    fix: str = ""


_TOKEN = Refusal(None)
_INVITE = "invite the app to the channel (/invite), or mend the profile's routes"
_SCOPE = "give the app this scope, and install it again"

REFUSALS = {
    "invalid_auth": _TOKEN,
    "not_authed": _TOKEN,
    "account_inactive": _TOKEN,
    "token_revoked": _TOKEN,
    "token_expired": _TOKEN,
    "missing_scope": Refusal(Forbidden, _SCOPE),
    "restricted_action": Refusal(Forbidden, "let the app post there: the workspace's settings keep it from it"),
    "no_permission": Refusal(Forbidden, _SCOPE),
    "not_in_channel": Refusal(Forbidden, _INVITE),
    "is_archived": Refusal(Forbidden, "take the channel back from the archive, or mend the profile's routes"),
    "channel_not_found": Refusal(NotFound, _INVITE),
    "users_not_found": Refusal(NotFound, "nobody in the workspace has the route's address: mend the profile's routes"),
    "user_not_found": Refusal(NotFound, "mend the profile's routes"),
    "user_disabled": Refusal(NotFound, "the person is no member any more: mend the profile's routes"),
    "msg_too_long": Refusal(BadRequest, "this is a fault of ours: report it"),
}
UNSURE = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
"""Trouble of Slack's own, after which a post may or may not stand there."""
