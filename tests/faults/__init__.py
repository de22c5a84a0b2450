"""The fault rig: a scenario and a seed make a schedule of faults; what came of it is judged by the sandbox's journal."""
