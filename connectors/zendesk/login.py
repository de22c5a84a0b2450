"""Who we are to Zendesk: OAuth by client credentials, by a refresh token, or a legacy API token (vendor-facts §1.1).

Refreshing deletes the old access and refresh tokens at once: one process of a deployment does it, and the new pair is
kept before anybody uses it. All credentials are read anew whenever a token is fetched, so a rotated one counts.
"""

import base64
import os
import threading
import time
import uuid
from collections.abc import Callable
from typing import NamedTuple

import msgspec
from pydantic import SecretStr

from connectors.base import Session
from connectors.errors import BadRequest, Forbidden, Unauthorized, Unavailable
from connectors.tokens import Pair, TokenKeeper

SCOPES = "read write"
LOGIN = "set ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET, or ZENDESK_EMAIL and ZENDESK_TOKEN"
_TOOL, _PLACE = "zendesk", "zendesk POST /oauth/tokens"
_CLIENT = "check ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET"
_AGAIN = (
    "it was used by a run that ended before it kept the new one, was revoked, or has expired: "
    "authorise the client again and set ZENDESK_REFRESH_TOKEN"
)
_EARLY = 60
"""Seconds before its end from which a token is not used any more, so that none runs out on its way."""
_CLAIM = 120
"""Seconds that a process has for refreshing: more than a call with all its tries takes."""
_LOOKS, _PAUSE = 20, 0.5
"""How often, and after how many seconds, we look whether somebody else's refresh is done."""


class _Token(msgspec.Struct):
    access_token: str
    expires_in: int | None = None
    refresh_token: str | None = None


class _Held(NamedTuple):
    access: str
    ends: float


class Login:
    """The Authorization header of each call, renewed in time and after a 401.

    `door` is a session without a login; `clock` gives epoch seconds, the domain's; `keeper` keeps token pairs for all
    processes, and is only needed with ZENDESK_REFRESH_TOKEN.
    """

    def __init__(
        self,
        door: Session,
        secret: Callable[[str], SecretStr | None],
        *,
        keeper: TokenKeeper | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._door, self._find, self._keeper, self._sleep, self._clock = door, secret, keeper, sleep, clock
        self._owner = f"{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._held: _Held | None = None
        self._refused: str | None = None
        self._one_at_a_time = threading.Lock()

    def headers(self) -> dict[str, str]:
        """The header that says who calls. Raises Unauthorized where the credentials do not work."""
        if self._secret("ZENDESK_CLIENT_ID") is not None:
            return {"Authorization": f"Bearer {self._access()}"}
        token, email = self._secret("ZENDESK_TOKEN"), self._secret("ZENDESK_EMAIL")
        if token is None or email is None:
            raise Unauthorized("zendesk", "no credentials are set", LOGIN)
        return {"Authorization": f"Basic {base64.b64encode(f'{email}/token:{token}'.encode()).decode()}"}

    def renew(self) -> bool:
        """Do not use the token again that was just refused; False where there is none to renew."""
        with self._one_at_a_time:
            held, self._held = self._held, None
            self._refused = held.access if held else self._refused
        return held is not None

    def _secret(self, name: str) -> str | None:
        found = self._find(name)
        return None if found is None else found.get_secret_value()

    def _access(self) -> str:
        with self._one_at_a_time:
            if self._held is None or self._clock() >= self._held.ends - _EARLY:
                first = self._secret("ZENDESK_REFRESH_TOKEN")
                self._held = self._ours() if first is None else self._shared(first)
            return self._held.access

    def _ours(self) -> _Held:
        """A token of this process alone, by client credentials."""
        token = self._ask({"grant_type": "client_credentials", "scope": SCOPES})
        return _Held(token.access_token, self._ends(token))

    def _shared(self, first: str) -> _Held:
        """The deployment's token: the kept one while it is good, else refreshed by one process for all."""
        if self._keeper is None:
            raise Unauthorized("zendesk", "ZENDESK_REFRESH_TOKEN is set and no store keeps its successors", LOGIN)
        for look in range(_LOOKS):
            if look:
                self._sleep(_PAUSE)
            if (pair := self._good(self._keeper, first)) is not None:
                return _Held(pair.access, pair.expires_at)
            if (claim := self._keeper.claim_refresh(_TOOL, self._owner, _CLAIM)) is not None:
                break
        else:
            raise Unavailable(_PLACE, "another run has been refreshing the tokens for long", "the next pulse goes on")
        try:
            pair = self._good(self._keeper, first) or self._refresh(self._keeper, first)
        finally:
            self._keeper.end_refresh(_TOOL, claim)
        return _Held(pair.access, pair.expires_at)

    def _good(self, keeper: TokenKeeper, first: str) -> Pair | None:
        """The kept pair, unless it was refused or is about to end."""
        pair = keeper.token_pair(_TOOL, first)
        good = pair is not None and pair.access != self._refused and self._clock() < pair.expires_at - _EARLY
        return pair if good else None

    def _refresh(self, keeper: TokenKeeper, first: str) -> Pair:
        """Exchange the newest refresh token for a pair, and keep it before it is used."""
        known = keeper.token_pair(_TOOL, first)
        used = known.refresh if known else first
        token = self._ask({"grant_type": "refresh_token", "refresh_token": used})
        if token.refresh_token is None:
            raise Unauthorized(_PLACE, "an answer without a refresh token", _AGAIN)
        pair = Pair(token.access_token, token.refresh_token, int(self._ends(token)))
        if keeper.keep_pair(_TOOL, first, used, pair):
            return pair
        return keeper.token_pair(_TOOL, first) or pair

    def _ask(self, wanted: dict[str, str]) -> _Token:
        client_id, client_secret = self._secret("ZENDESK_CLIENT_ID"), self._secret("ZENDESK_CLIENT_SECRET")
        if client_id is None or client_secret is None:
            raise Unauthorized("zendesk", "ZENDESK_CLIENT_SECRET is not set", "set it, or ZENDESK_CLIENT_SECRET_FILE")
        wanted |= {"client_id": client_id, "client_secret": client_secret}
        try:
            body = self._door.write("POST", "/oauth/tokens", wanted, harmless=True)
            return msgspec.json.decode(body, type=_Token)
        except (BadRequest, Forbidden, Unauthorized) as refused:
            spent = refused.code == "invalid_grant" and "refresh_token" in wanted
            cause = f"the refresh token is refused ({refused.cause})" if spent else refused.cause
            fix = _AGAIN if spent else _CLIENT
            raise Unauthorized(refused.place, cause, fix, status=refused.status, code=refused.code) from refused
        except msgspec.ValidationError as error:
            raise Unauthorized(_PLACE, f"an answer without a token: {error}", _CLIENT) from error

    def _ends(self, token: _Token) -> float:
        return self._clock() + max(2 * _EARLY, token.expires_in or 1800)
