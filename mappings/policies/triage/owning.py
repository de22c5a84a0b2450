"""Whose a ticket's fields are: what nobody has said is ours to say, and stays ours until somebody changes it."""

from mappings.model import Actor
from mappings.policies.sla.measures import Life
from mappings.profile import Profile


def setter(life: Life, name: str) -> Actor | None:
    """Who gave a field its present value; null where nobody ever said anything.

    Somebody who emptied it has said something.
    """
    steps = life.line.of(name)
    if steps:
        return steps[-1].actor
    if life.line.initial.get(name) is None:
        return None
    return first_author(life, name)


def first_author(life: Life, name: str) -> Actor:
    """Whose a field's first value is: the form's, so the customer's, unless the ticket tells of somebody else.

    A program that files a ticket (`bots` of config/tools/zendesk.yaml) fills in what the customer chose.
    """
    known = life.line.authors.get(name, Actor.CUSTOMER if filed_by_customer(life) else Actor.AGENT)
    return Actor.CUSTOMER if known is Actor.BOT else known


def free(life: Life, name: str) -> bool:
    """May we say what a field is?"""
    return setter(life, name) in (None, Actor.US)


def tagged_by_us(life: Life, tag: str) -> bool:
    """Has a ticket a tag that we put on? One that somebody else put on is theirs."""
    put_on = [step for step in life.line.of("tags") if _has(step.new, tag) and not _has(step.old, tag)]
    return tag in life.history.ticket.tags and bool(put_on) and put_on[-1].actor is Actor.US


def ever_tagged(life: Life, tag: str) -> bool:
    """Did a ticket ever have a tag?"""
    return any(_has(tags, tag) for tags in (life.line.initial.get("tags"), *(s.new for s in life.line.of("tags"))))


def _has(tags: str | None, tag: str) -> bool:
    return tag in (tags or "").split()


def filed_by_customer(life: Life) -> bool:
    """Did the customer file the ticket themselves?"""
    ticket = life.history.ticket
    return ticket.submitter_id in (None, ticket.requester_id)


def own_word(life: Life, name: str) -> str | None:
    """What the customer last said in a field; null where they never did."""
    said = [step.new for step in life.line.of(name) if step.actor is Actor.CUSTOMER]
    if said:
        return said[-1]
    return life.line.initial.get(name) if first_author(life, name) is Actor.CUSTOMER else None


def at_the_entrance(life: Life, profile: Profile, group: str | None) -> bool:
    """Is a ticket where tickets arrive, sent nowhere by anybody?

    That is no group at all, or the first tier's, where the account's own rules put every new ticket.
    """
    moved = any(step.at > life.line.created_at or step.actor is Actor.AGENT for step in life.line.of("group_id"))
    author = life.line.authors.get("group_id")
    chosen = author is Actor.AGENT or (author is None and not filed_by_customer(life))
    if moved or (group is not None and chosen):
        return False
    return group is None or group == profile.tiers[1].group
