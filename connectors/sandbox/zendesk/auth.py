"""Who is calling: OAuth tokens with expiry and single-use refresh tokens, the legacy API token (vendor-facts §1.1)."""

import base64
import binascii
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.sandbox.zendesk.account import Account
from connectors.sandbox.zendesk.errors import Refusal, missing_scope, unauthorized
from connectors.sandbox.zendesk.records import Json, User
from connectors.sandbox.zendesk.switches import ZendeskSwitches

MOST_TOKENS = 256


@dataclass(frozen=True)
class Caller:
    """Who calls, and what their token may do. `user` is null for an anonymous caller."""

    user: User | None
    scopes: frozenset[str]

    def needs(self, verb: str, resource: str) -> None:
        """Refuse (403) a token that has neither the global scope (read, write) nor the resource's own."""
        if not self.scopes & {verb, f"{resource}:{verb}"}:
            raise missing_scope(verb)


@dataclass
class Token:
    """An access token; times are epoch seconds."""

    user_id: int
    scopes: frozenset[str]
    expires_at: int
    refresh: str | None
    refresh_expires_at: int


ALL = frozenset({"read", "write"})


class Auth:
    """The account's credentials. `keep_secret` is told each token as it is issued, for masking."""

    def __init__(
        self,
        account: Account,
        switches: ZendeskSwitches,
        service_user: User,
        chance: random.Random,
        keep_secret: Callable[..., None],
    ) -> None:
        self._account, self._switches, self._chance, self._hide = account, switches, chance, keep_secret
        self._service_user = service_user
        self.client_id = "helpdesk_flows"
        self.client_secret = self._secret(64)
        self.api_token: str | None = self._secret(40)
        keep_secret(self.client_secret, self.api_token)
        self._tokens: dict[str, Token] = {}
        self._codes: dict[str, tuple[int, frozenset[str]]] = {}

    def identify(self, header: str | None) -> Caller:
        """Who an Authorization header speaks for; 401 for a wrong or expired one."""
        if header is None:
            return Caller(None, frozenset())
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "bearer":
            token = self._tokens.get(value.strip())
            if token is None or token.expires_at <= self._account.now():
                raise unauthorized()
            return Caller(self._account.users[token.user_id], token.scopes)
        if scheme.lower() == "basic":
            return self._basic(value)
        raise unauthorized()

    def revoke(self) -> None:
        """Forget every access and refresh token, as an admin can."""
        self._tokens.clear()

    def expire(self) -> None:
        """Let every access token run out now; refresh tokens stay."""
        for token in self._tokens.values():
            token.expires_at = self._account.now()

    def consent(self, user: User, scope: str = "read write") -> str:
        """An authorization code, as the consent page hands it to a client after `user` agreed."""
        code = self._secret(32)
        self._codes[code] = (user.id, frozenset(scope.split()))
        return code

    def grant(self, body: Mapping[str, object]) -> Json:
        """Answer `POST /oauth/tokens`; Refusal in OAuth's own error shape."""
        if (body.get("client_id"), body.get("client_secret")) != (self.client_id, self.client_secret):
            raise _oauth(401, "invalid_client", "Client authentication failed")
        kind = body.get("grant_type")
        if kind == "client_credentials":
            scopes = frozenset(str(body.get("scope") or "read").split())
            return self._issue(self._service_user.id, scopes, body, self._switches.client_credentials_refresh)
        if kind == "authorization_code":
            found = self._codes.pop(str(body.get("code")), None)
            if found is None:
                raise _oauth(400, "invalid_grant", "The provided authorization grant is invalid or expired")
            return self._issue(*found, body, True)
        if kind == "refresh_token":
            return self._refresh(str(body.get("refresh_token")), body)
        raise _oauth(400, "unsupported_grant_type", "The authorization grant type is not supported")

    def _refresh(self, refresh: str, body: Mapping[str, object]) -> Json:
        """Single use: the old access and refresh tokens are gone the moment the new pair is made."""
        now = self._account.now()
        for value, token in self._tokens.items():
            if token.refresh == refresh and token.refresh_expires_at > now:
                del self._tokens[value]
                return self._issue(token.user_id, token.scopes, body, True)
        raise _oauth(400, "invalid_grant", "The refresh token is invalid, expired or was already used")

    def _issue(self, user_id: int, scopes: frozenset[str], body: Mapping[str, object], refreshable: bool) -> Json:
        now, switches = self._account.now(), self._switches
        lives = int(str(body.get("expires_in") or switches.token_seconds))
        refresh_lives = int(str(body.get("refresh_token_expires_in") or switches.refresh_seconds))
        value, refresh = self._secret(64), self._secret(64) if refreshable else None
        self._hide(value, *([refresh] if refresh else []))
        self._tokens[value] = Token(user_id, scopes, now + lives, refresh, now + refresh_lives)
        while len(self._tokens) > MOST_TOKENS:
            del self._tokens[next(iter(self._tokens))]
        answer: Json = {"access_token": value, "token_type": "bearer", "scope": " ".join(sorted(scopes))}
        answer["expires_in"] = lives
        if refresh:
            answer |= {"refresh_token": refresh, "refresh_token_expires_in": refresh_lives}
        return answer

    def _basic(self, value: str) -> Caller:
        try:
            name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise unauthorized() from None
        if not name.endswith("/token"):
            return Caller(None, frozenset())  # e-mail and password: no longer access, but no error either
        user = self._account.user_by_email(name.removesuffix("/token"))
        if user is None or self.api_token is None or password != self.api_token:
            raise unauthorized()
        return Caller(user, ALL)

    def _secret(self, length: int) -> str:
        return f"{self._chance.getrandbits(4 * length):0{length}x}"


def _oauth(status: int, error: str, description: str) -> Refusal:
    return Refusal(status, {"error": error, "error_description": description})
