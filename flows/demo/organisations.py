"""Story 10: the same code, other organisations. Each has a sandbox and a store of its own."""

from datetime import timedelta

from connectors.store import OutboxState
from flows.demo.stage import Stage

TEN = "2026-03-03 10:00"


def first_pulses(stage: Stage) -> None:
    """The account is read; what was before us is left alone."""
    stage.beat()
    stage.settle()


def pmerit(stage: Stage) -> int:
    """A P0: senior engineers and management at once, all hands in Slack, the leads by mail too, one page."""
    stage.tell("\nStory 10. Same code, other organisations. PMERIT: the site is down.")
    first_pulses(stage)
    stage.people.move_to(stage.moment(TEN))
    ticket = _file(stage, "Site down for everybody", severity="P0", working="working_no")
    stage.beat()
    stage.settle()
    stage.settle()
    [history] = stage.store.histories([ticket])
    stage.check("P0 is with the senior engineers at once", history.ticket.tier == 3, history.ticket.tier)
    told = [row.action.key for verb in ("tell", "message") for row in stage.done(f"zendesk:{ticket}", verb)]
    stage.check("and management is told in the same minute", any(":management:" in key for key in told), told)
    pages = stage.done(f"zendesk:{ticket}", "page")
    stage.check("one page", len(pages) == 1 == len(stage.people.act("incidents")), len(pages))
    posts = [effect for effect in stage.people.journal() if effect["vendor"] == "slack"]
    general = [post for post in posts if "<!channel>" in str(post)]
    stage.check("#general is told, with a mention for everybody, once", len(general) == 1, len(posts))
    mails = [effect for effect in stage.people.journal() if effect["vendor"] == "mail"]
    leads = [mail for mail in mails if "tech-leads@" in str(mail)]
    stage.check("the technical leads have it by mail, too", len(leads) == 1, len(mails))
    waits = {
        row.action.verb for row in stage.store.journal(f"zendesk:{ticket}") if row.state is OutboxState.NOT_CONNECTED
    }
    stage.check("what no tool can do yet is written down", {"open", "name", "status_page"} <= waits, sorted(waits))
    return ticket


def archbuilder(stage: Stage) -> int:
    """A mail to security@: two hours, one hour, half an hour, and it is with engineering."""
    stage.tell("\nArchBuilder: a mail to the security address, and nobody answers.")
    first_pulses(stage)
    company = stage.people.act("companies")[0]
    stage.people.act("plan", company=company, plan_key="basic")
    stage.people.move_to(stage.moment(TEN))
    ticket = _file(
        stage, "Can others see our drawings?", company=company, channel="email", recipient="security@archbuilder.app"
    )
    stage.beat()
    stage.settle()
    for until, tier in (("12:00", 2), ("13:00", 3), ("13:30", 4)):
        stage.go(stage.moment(f"2026-03-03 {until}") + timedelta(minutes=5))
        stage.settle()
        [history] = stage.store.histories([ticket])
        stage.check(f"in tier {tier} at {until}", history.ticket.tier == tier, history.ticket.tier)
    return ticket


def roofing(stage: Stage) -> int:
    """A mail to emergency@ at night: critical by its address, straight to engineering, and somebody is woken."""
    stage.tell("\nRoofing: a mail to the emergency address at 03:00.")
    first_pulses(stage)
    stage.people.move_to(stage.moment("2026-03-04 03:00"))
    ticket = _file(stage, "Payments fail for all customers", channel="email", recipient="emergency@roofingplatform.com")
    stage.beat()
    stage.settle()
    stage.settle()
    [history] = stage.store.histories([ticket])
    stage.check("critical by its address", history.ticket.severity == "critical", history.ticket.severity)
    stage.check("straight to engineering", history.ticket.tier == 3, history.ticket.tier)
    stage.check("one page at 03:00", len(stage.people.act("incidents")) == 1, stage.people.act("incidents"))
    return ticket


def lasercalc(stage: Stage) -> int:
    """Two hours for everybody, whoever asks and whatever it is."""
    stage.tell("\nLaserCalc: two hours for everybody.")
    first_pulses(stage)
    stage.people.move_to(stage.moment(TEN))
    ticket = _file(stage, "How do I export a cut list?")
    stage.beat()
    stage.settle()
    [history] = stage.store.histories([ticket])
    due = history.ticket.fields.get("sla_due")
    stage.check("due at 12:00", due is not None and "T12:00:00" in due, due)
    stage.go(stage.moment("2026-03-03 12:05"))
    stage.settle()
    [history] = stage.store.histories([ticket])
    stage.check("and handed on when nobody answers", history.ticket.tier == 2, history.ticket.tier)
    return ticket


ORGANISATIONS = {"pmerit": pmerit, "archbuilder": archbuilder, "roofing": roofing, "lasercalc": lasercalc}
"""By profile: what is played of it."""


def _file(
    stage: Stage, subject: str, *, company: str = "", recipient: str = "", channel: str = "web", **fields: str
) -> int:
    given = {"recipient": recipient} if recipient else {}
    customer = stage.people.act("customers", company=company or stage.people.act("companies")[1])[0]
    ticket = int(
        stage.people.act(
            "file", requester=customer, subject=subject, body=f"{subject}.", channel=channel, fields=fields, **given
        )
    )
    stage.cast.add(f"zendesk:{ticket}")
    stage.tell(f"{stage.show(stage.people.now())}  zendesk:{ticket}  “{subject}”")
    return ticket
