"""What holds for every test: no vendor's address or secret is inherited, and nothing leaves this machine."""

import os
import re
import sys
import tempfile

import pytest
from hypothesis import settings

pytest_plugins = ["tests.plugins.requirements", "tests.plugins.postgres"]

OURS = re.compile(r"(HELPDESK|ZENDESK|INTERCOM|DISCOURSE|PAGERDUTY|JIRA|SLACK|STATUSPAGE|PREFECT)_")
LOOPBACK = re.compile(r"127\.|::1$|localhost$|0\.0\.0\.0$|::$|::ffff:127\.")

LONGEST = (
    "tests/faults/test_faults.py",
    "tests/flows/test_schedule.py",
    "tests/faults/",
    "tests/scenarios/",
    "tests/flows/test_hints.py",
    "tests/flows/test_delivery.py",
    "tests/flows/test_first_load.py",
    "tests/flows/",
)
"""Files that take long begin first, so that no worker is left alone with one in the end."""

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_configure(config: pytest.Config) -> None:
    """Forget this machine's settings before any module reads them; Prefect gets a home that the run throws away."""
    for name in filter(OURS.match, list(os.environ)):
        del os.environ[name]
    home = tempfile.TemporaryDirectory(prefix="helpdesk-tests-")
    config.add_cleanup(home.cleanup)
    os.environ |= {"PREFECT_HOME": home.name, "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
    sys.addaudithook(refuse_to_leave)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; within a file the order stays."""
    items.sort(
        key=lambda item: next((i for i, name in enumerate(LONGEST) if item.nodeid.startswith(name)), len(LONGEST))
    )


def refuse_to_leave(event: str, args: tuple[object, ...]) -> None:
    """Raise PermissionError for a connection to anywhere but this machine (an audit hook: it sees every socket)."""
    if event != "socket.connect":
        return
    address = args[1]
    if isinstance(address, tuple) and not LOOPBACK.match(str(address[0])):
        raise PermissionError(f"a test tried to reach {address[0]}: tests stay on this machine")
