"""Who takes a ticket: an agent of the group that it goes to, by field of work, presence and load (TRI-15)."""

from collections.abc import Collection, Mapping

import msgspec

from mappings.profile import Profile

NO_AGENT_FREE = "no_agent_free"
"""The tag of a ticket that stays with its group because nobody in it is free."""


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """The agents as they are now. Groups go by the account's names, agents by their ids.

    `members` is null where nobody knows who was there: a ticket then goes to a group, and to nobody in it.
    """

    groups: Mapping[int, str] = {}
    members: Mapping[str, frozenset[int]] | None = {}
    specialties: Mapping[int, frozenset[str]] = {}
    """Kinds, families and modules that are an agent's own, by the profile's keys in lower case."""
    absent: frozenset[int] = frozenset()
    loads: Mapping[int, int] = {}
    """Open tickets by agent; who is not named has none."""

    def given(self, agent: int) -> "Staff":
        """The same, after an agent was given one more."""
        return msgspec.structs.replace(self, loads={**self.loads, agent: self.loads.get(agent, 0) + 1})

    def choose(self, group: str, about: Collection[str], profile: Profile) -> int | None:
        """The agent of a group for a ticket `about` a kind and a module; null where nobody is free.

        Those first whose field it is, then those without a field of their own; among them who has least to do.
        """
        match = profile.agents.match
        away = self.absent if "available" in match else frozenset()
        words = {word.casefold() for word in about}
        free = [
            (self._apart(agent, words) if "specialty" in match else 0, self.loads.get(agent, 0), agent)
            for agent in (self.members or {}).get(group, frozenset()) - away
            if self.loads.get(agent, 0) < profile.agents.max_active
        ]
        return min(free)[2] if free else None

    def _apart(self, agent: int, words: set[str]) -> int:
        own = self.specialties.get(agent, frozenset())
        return 0 if own & words else 1 if not own else 2
