"""What a deployment is told by its environment: addresses, credentials, profile, mode. Secrets never come another way.

Every credential `NAME` may also be given as a file, `NAME_FILE`, which is read again when a tool says 401 (design §4,
"Tokens"); deploy/env.example lists them all.
"""

import os
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.errors import Unauthorized
from connectors.mail.client import unreadable
from mappings.faults import Explained
from mappings.plan import Mode

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """The environment, typed. A missing credential is asked for by the connector that needs it, by name."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    profile: str = Field("builder", alias="HELPDESK_PROFILE")
    database_url: str = Field("sqlite:///helpdesk.sqlite", alias="HELPDESK_DATABASE_URL")
    mode: Mode = Field(Mode.APPLY, alias="HELPDESK_MODE")
    """The most that any policy may do; each policy's own mode is in the store."""
    clock_url: str | None = Field(None, alias="HELPDESK_CLOCK_URL")
    config_dir: Path = Field(ROOT / "config", alias="HELPDESK_CONFIG_DIR")
    watchdog_url: str | None = Field(None, alias="HELPDESK_WATCHDOG_URL")
    zendesk_url: str | None = Field(None, alias="ZENDESK_URL")
    pagerduty_url: str = Field("https://api.pagerduty.com", alias="PAGERDUTY_URL")
    pagerduty_events_url: str = Field("https://events.pagerduty.com", alias="PAGERDUTY_EVENTS_URL")
    pagerduty_from: str | None = Field(None, alias="PAGERDUTY_FROM")
    slack_url: str = Field("https://slack.com", alias="SLACK_URL")
    smtp_url: str | None = Field(None, alias="SMTP_URL")
    smtp_from: str | None = Field(None, alias="SMTP_FROM")
    smtp_user: str | None = Field(None, alias="SMTP_USER")

    @field_validator("clock_url", "watchdog_url", "zendesk_url", "pagerduty_url", "pagerduty_events_url", "slack_url")
    @classmethod
    def _addressed(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("http://", "https://")):
            raise ValueError(f"{url!r} is no address: write https://… in front")
        return url

    @field_validator("smtp_url")
    @classmethod
    def _mailable(cls, url: str | None) -> str | None:
        if url is not None and (wrong := unreadable(url)) is not None:
            raise ValueError(wrong)
        return url


class BadSettings(Explained):
    """Variables of the environment that cannot be used, all at once."""


def read_settings() -> Settings:
    """The environment. Raises `BadSettings` with a line for each variable that is wrong."""
    try:
        return Settings()
    except ValidationError as invalid:
        lines = [
            f"environment: {fault['loc'][0]}: {fault['msg'].removeprefix('Value error, ')}; see deploy/env.example"
            for fault in invalid.errors()
        ]
        raise BadSettings("\n".join(lines)) from None


class MissingSetting(Explained):
    """A setting that the work at hand needs is not there."""

    def __init__(self, *names: str) -> None:
        wanted, file = " or ".join(names), "" if names[0].endswith(("_URL", "_FROM")) else f" (or {names[0]}_FILE)"
        super().__init__(f"environment: {wanted}: not set; set it{file}, see deploy/env.example")


class PortTaken(Explained):
    """A process of ours cannot listen where it was told to."""

    def __init__(self, command: str, host: str, port: int, error: OSError) -> None:
        super().__init__(f"{command}: {host}:{port}: cannot listen there ({error}); choose another --host or --port")


def profile_key(settings: Settings) -> str:
    """The key of the profile, without reading it: a file is called by its key."""
    return Path(settings.profile).stem


def secret(name: str) -> SecretStr | None:
    """A credential from `NAME_FILE` or `NAME`, read anew at every call; None where neither is set.

    Raises Unauthorized where the file cannot be read: that stops the one tool, as a wrong credential does.
    """
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return SecretStr(Path(path).read_text().strip())
        except (OSError, UnicodeDecodeError) as error:
            cause = f"{path} cannot be read ({error.strerror if isinstance(error, OSError) else 'no text'})"
            raise Unauthorized(f"environment: {name}_FILE", cause, "name a file that this user may read") from error
    value = os.environ.get(name)
    return SecretStr(value) if value else None


def needed(name: str) -> str:
    """A credential that must be there. Raises `MissingSetting`, which names it."""
    found = secret(name)
    if found is None:
        raise MissingSetting(name)
    return found.get_secret_value()
