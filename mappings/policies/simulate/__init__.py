"""Preview on history: what today's profile and a new one each make of tickets that have been.

A ticket is lived through anew under a profile. What people, customers and the account's own rules did stays where it
was; what we did is taken out, and what the profile would have had us do is put in, at its instant. So a ticket that the
old profile moved up stands in its first tier again until the new one moves it. What people would have done otherwise
nobody can tell: their replies stay when they were, also those that one of our steps had brought about.
"""

from mappings.policies.simulate.deeds import Deed
from mappings.policies.simulate.difference import Preview, Row
from mappings.policies.simulate.judges import Judge, World, judges
from mappings.policies.simulate.living import Kept, Outcome, lived

__all__ = ["Deed", "Judge", "Kept", "Outcome", "Preview", "Row", "World", "judges", "lived"]
