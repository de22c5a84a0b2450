"""The support tools, simulated: one app per vendor on its own port, one shared world, a clock that can be moved."""
