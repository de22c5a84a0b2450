"""The fault rig: a story and a seed make a schedule of faults; the sandbox's journal judges what came of it."""
