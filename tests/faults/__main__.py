"""`make faults`: play seeds, count what struck, shrink what fails. `SEED=17` replays one, `COUNT=5000` plays many.

The seeds take turns with the stories; `STORY=emergency` plays that one alone, and so does `STORY=everybody`.
"""

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator

from tests.faults.play import Theatre, Verdict, memory_folder
from tests.faults.schedule import Schedule, draw, shrink
from tests.faults.stories import EMERGENCY, EVERYBODY, STORIES, Story

Stories = tuple[Story, ...]


def theatre_of(theatres: list[Theatre], seed: int) -> Theatre:
    """Seeds take turns with the stories."""
    return theatres[seed % len(theatres)]


def schedule_of(theatres: list[Theatre], seed: int) -> Schedule:
    """What goes wrong with a seed."""
    story = theatre_of(theatres, seed).story
    return draw(seed, len(story.moments), telling=story.telling)


def play_seeds(seeds: range, stories: Stories = STORIES) -> Iterator[tuple[int, Verdict]]:
    """Play seeds one after another."""
    with memory_folder() as folder:
        theatres = [Theatre(story, folder) for story in stories]
        for seed in seeds:
            yield seed, theatre_of(theatres, seed).play(schedule_of(theatres, seed))


def smallest(seed: int, stories: Stories = STORIES) -> Verdict:
    """A failing seed's schedule without whatever it fails without, and what is wrong then."""
    with memory_folder() as folder:
        theatres = [Theatre(story, folder) for story in stories]
        theatre = theatre_of(theatres, seed)
        return theatre.play(shrink(schedule_of(theatres, seed), lambda fewer: bool(theatre.play(fewer).wrong)))


def told(seed: int, verdict: Verdict, stories: Stories = STORIES) -> str:
    """A failing play as a person reads it."""
    story, alone = stories[seed % len(stories)].name, "" if stories == STORIES else f" STORY={stories[0].name}"
    lines = [f"seed {seed}, {story}: {len(verdict.wrong)} promises broken; make faults SEED={seed}{alone}"]
    return "\n".join([*lines, *(f"    {mishap}" for mishap in verdict.schedule), *(f"  ✗ {w}" for w in verdict.wrong)])


NAMED = {story.name: story for story in (*STORIES, EMERGENCY, EVERYBODY)}


def stories_of(name: str | None) -> Stories:
    """The one of this name, alone, or those that take turns."""
    return STORIES if name is None else (NAMED[name],)


def _share(share: tuple[range, str | None]) -> list[tuple[int, Verdict]]:
    seeds, name = share
    return list(play_seeds(seeds, stories_of(name)))


def main() -> int:
    """Exit code 0 where every promise was kept."""
    asked = argparse.ArgumentParser(prog="make faults", description=__doc__)
    asked.add_argument("--seed", type=int, help="replay this one, and print its smallest schedule")
    asked.add_argument("--count", type=int, default=300, help="how many seeds to play")
    asked.add_argument("--first", type=int, default=0, help="the first seed")
    asked.add_argument("--story", choices=NAMED, help="play this one alone")
    given = asked.parse_args()
    stories = stories_of(given.story)
    if given.seed is not None:
        verdict = smallest(given.seed, stories)
        print(told(given.seed, verdict, stories) if verdict.wrong else f"seed {given.seed}: every promise kept")
        return bool(verdict.wrong)
    began, cores = time.monotonic(), multiprocessing.cpu_count()
    shares = [(range(given.first + core, given.first + given.count, cores), given.story) for core in range(cores)]
    with multiprocessing.Pool(cores) as pool:
        plays = sorted((play for share in pool.imap_unordered(_share, shares) for play in share), key=lambda p: p[0])
    struck = sum((verdict.struck for _, verdict in plays), Counter[str]())
    failing = [(seed, verdict) for seed, verdict in plays if verdict.wrong]
    for kind, count in sorted(struck.items()):
        print(f"{count:6d}  {kind}")
    print(
        f"{len(plays)} seeds, {struck.total()} mishaps, {sum(verdict.beats for _, verdict in plays)} pulses", end=", "
    )
    print(f"{time.monotonic() - began:.0f} s: {len(failing)} seeds with a broken promise")
    for seed, _ in failing[:3]:
        print(told(seed, smallest(seed, stories), stories))
    if len(failing) > 3:
        print(f"also failing: {', '.join(str(seed) for seed, _ in failing[3:])}")
    return bool(failing)


if __name__ == "__main__":
    sys.exit(main())
