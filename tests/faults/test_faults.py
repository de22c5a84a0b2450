"""The rails under fire: whatever goes wrong, nothing is lost, nothing is done twice, and a person wins."""

from collections.abc import Iterator

import pytest

from tests.faults.__main__ import schedule_of, smallest, theatre_of, told
from tests.faults.mutations import MUTATIONS
from tests.faults.play import Theatre, memory_folder
from tests.faults.schedule import WEBHOOKS, Mishap, shrink
from tests.faults.stories import EMERGENCY, EVERYBODY, STORIES, Story

SEEDS = 300
AT_A_TIME = 20


@pytest.fixture(scope="module")
def theatres() -> Iterator[list[Theatre]]:
    """Both stories, settled, to be played as often as a test likes."""
    with memory_folder() as folder:
        yield [Theatre(story, folder) for story in STORIES]


@pytest.mark.req("NFR-03")
@pytest.mark.parametrize("story", range(len(STORIES)), ids=[story.name for story in STORIES])
def test_nothing_goes_wrong(theatres: list[Theatre], story: int) -> None:
    """Where nothing goes wrong the model and the tools agree: the judge expects what the product does."""
    assert theatres[story].play(()).wrong == []


@pytest.mark.req("NFR-03", "NFR-04")
@pytest.mark.parametrize("first", range(0, SEEDS, AT_A_TIME))
def test_whatever_goes_wrong(theatres: list[Theatre], first: int) -> None:
    """Each seed's faults: nothing lost, nothing doubled, nobody's edit undone, all reasons present."""
    failing = [
        seed
        for seed in range(first, first + AT_A_TIME)
        if theatre_of(theatres, seed).play(schedule_of(theatres, seed)).wrong
    ]
    assert not failing, "\n".join([f"seeds {failing}", told(failing[0], smallest(failing[0]))])


@pytest.mark.req("NFR-03", "NFR-04", "NTF-09", "NTF-12")
@pytest.mark.parametrize(
    ("story", "first"), [(EMERGENCY, 0), (EVERYBODY, 40)], ids=lambda one: getattr(one, "name", "")
)
def test_whatever_goes_wrong_elsewhere(story: Story, first: int) -> None:
    """The same code under other organisations' profiles: the same promises, and whoever is told by Slack or mail is
    told once. A product that posts again what had no answer is found out.
    """
    lost = (Mishap(0, "answer", {"vendor": "slack", "call": "postMessage", "says": "cut after", "times": 1}),)
    with memory_folder() as folder:
        theatre = Theatre(story, folder)
        assert theatre.play(()).wrong == []
        assert bool(theatre.play(lost, MUTATIONS["drop unknown"][0]).wrong) is story.telling
        schedules = {seed: schedule_of([theatre], seed) for seed in range(first, first + AT_A_TIME // 2)}
        wrong = {seed: found for seed, schedule in schedules.items() if (found := theatre.play(schedule).wrong)}
    assert wrong == {}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_broken_product_is_found_out(theatres: list[Theatre], mutation: str) -> None:
    """Take one thing away that the rails rest on, and the rig says so."""
    mutate, needs = MUTATIONS[mutation]
    schedules = {seed: schedule_of(theatres, seed) for seed in range(SEEDS)}
    fit = [
        seed
        for seed, schedule in schedules.items()
        if not needs or any(need in str(mishap) for mishap in schedule for need in needs)
    ]
    assert any(theatre_of(theatres, seed).play(schedules[seed], mutate).wrong for seed in fit), f"{len(fit)} seeds"


@pytest.mark.req("NFR-10")
@pytest.mark.parametrize("come", WEBHOOKS)
def test_webhooks_change_nothing(theatres: list[Theatre], come: str) -> None:
    """However the tools' webhooks come, twice, late or not at all: the same promises are kept."""
    verdict = theatres[0].play((Mishap(0, "webhooks", {"come": come}),))
    assert verdict.wrong == []
    assert (verdict.hints == 0) is (come == "lost")


def test_same_seed_same_play(theatres: list[Theatre]) -> None:
    """A seed is replayed by its number: the same schedule strikes the same way."""
    schedule = schedule_of(theatres, 4)
    assert schedule == schedule_of(theatres, 4)
    once, again = (theatre_of(theatres, 4).play(schedule) for _ in range(2))
    assert (once.struck, once.beats, once.wrong) == (again.struck, again.beats, again.wrong)


def test_smallest_schedule() -> None:
    """Of a failing schedule only what it fails by is left."""
    guilty = Mishap(3, "killed", {"point": "store.take:after"})
    schedule = (Mishap(1, "jump", {"minutes": 5}), guilty, Mishap(4, "down", {"beats": 2}))
    assert shrink(schedule, lambda fewer: guilty in fewer) == (guilty,)
