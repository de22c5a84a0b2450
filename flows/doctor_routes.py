"""What `helpdesk doctor` asks of the tools by which colleagues are told: Slack and the mail server."""

from collections.abc import Iterator

from connectors.errors import ConnectorError
from connectors.mail.client import Mail
from connectors.slack.client import Slack
from flows.context import mail_server
from flows.settings import Settings, needed, secret
from mappings.notices import ways
from mappings.policies.doctor import Finding, fail, ok, routes, warn
from mappings.profile import Profile

_FIX = "set it, or say {tool}: false in the profile's tools"
_CAUSE = "not set, and the profile's routes lead there"


def ways_out(settings: Settings, profile: Profile) -> Iterator[Finding]:
    """The routes' addresses, and both tools one after another: that one does not answer never hides the other."""
    yield from routes(profile)
    wanted = sorted({way for route in profile.routes.values() for way in ways(route, profile)})
    for tool, check in (("slack", _slack), ("mail", _mail)):
        try:
            yield from check(settings, [way for way in wanted if way.startswith(f"{tool} ")])
        except ConnectorError as error:
            yield fail(error.place, error.cause, error.fix)


def _slack(settings: Settings, wanted: list[str]) -> Iterator[Finding]:
    """Does the token work, and does the app see every channel and person of the profile's routes?"""
    if secret("SLACK_TOKEN") is None:
        fix = _FIX.format(tool="slack")
        yield warn("environment: SLACK_TOKEN", _CAUSE, fix) if wanted else ok("slack", "the profile does not use it")
        return
    tool = Slack(settings.slack_url, token=lambda: needed("SLACK_TOKEN"))
    yield ok("slack", f"the token works, in {tool.who().get('team')}")
    for way in wanted:
        try:
            tool.place(way.removeprefix("slack "))
        except ConnectorError as error:
            yield fail(error.place, error.cause, error.fix)


def _mail(settings: Settings, wanted: list[str]) -> Iterator[Finding]:
    """Does the mail server take us?"""
    if settings.smtp_url is None:
        fix = _FIX.format(tool="mail")
        yield warn("environment: SMTP_URL", _CAUSE, fix) if wanted else ok("mail", "the profile does not use it")
        return
    if settings.smtp_from is None:
        yield fail("environment: SMTP_FROM", "not set", "set the address that our mail comes from")
        return
    Mail(mail_server(settings.smtp_url, settings.smtp_from, settings.smtp_user)).greet()
    yield ok("mail", "the mail server takes us")
