"""Messages as people read them: what is a link, a call, emphasis or our mark; nothing else is taken for markup."""

import pytest

from connectors.sandbox.console.letters import mail, slack


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<!channel> *P0 &amp; late*", '<i class="call">@channel</i> <b>P0 &amp; late</b>'),
        ("due. <http://x:1/agent/tickets/7|Open>", 'due. <a href="#" data-ticket="7">ticket 7</a>'),
        (
            "<https://status.example/a?b&amp;c|Status>",
            '<a href="https://status.example/a?b&amp;c" rel="noreferrer">Status</a>',
        ),
        ("_ref hf-0a1b_", "<small>ref hf-0a1b</small>"),
        ("<b>x</b> &lt;script&gt;", "&lt;b&gt;x&lt;/b&gt; &lt;script&gt;"),
        ("<javascript:alert(1)|x>", "&lt;javascript:alert(1)|x&gt;"),
    ],
)
def test_slack(text: str, shown: str) -> None:
    """Slack's own markup, whose words are escaped once already."""
    assert slack(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "Rule: x. http://x:1/agent/tickets/7\n\nref hf-0a1b\n",
            'Rule: x. <a href="#" data-ticket="7">ticket 7</a>\n\n<small>ref hf-0a1b</small>',
        ),
        ("<b>*x*</b> a & b", "&lt;b&gt;*x*&lt;/b&gt; a &amp; b"),
    ],
)
def test_mail(text: str, shown: str) -> None:
    """Plain text: its links and our mark."""
    assert mail(text) == shown
