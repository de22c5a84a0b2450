"""YAML in, a tree with places out; trees merge, the later one wins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.profile.problems import ProfileError
from mappings.profile.reading import Source, Tree, merge, read, spell

KEYS = st.sampled_from(["a", "b", "c", "d"])
PLAIN = st.recursive(
    st.integers() | st.booleans() | st.text(max_size=3) | st.lists(st.integers(), max_size=3),
    lambda below: st.dictionaries(KEYS, below, max_size=3),
    max_leaves=8,
)
MAPS = st.dictionaries(KEYS, PLAIN, max_size=4)


def grown(value: object, file: str = "x.yaml") -> Tree:
    """A plain value as a tree."""
    if isinstance(value, dict):
        return Tree({key: grown(below, file) for key, below in value.items()}, file, 1, dict.fromkeys(value, 1))
    if isinstance(value, list):
        return Tree([grown(item, file) for item in value], file, 1)
    return Tree(value, file, 1)


def merged(base: object, over: object) -> object:
    """Two plain maps, merged."""
    return merge(grown(base), grown(over)).tree.plain()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("007", "007"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("2.5", 2.5),
        ("true", True),
        ("yes", "yes"),
        ("on", "on"),
        ("no", "no"),
        ("null", None),
        ("24/7", "24/7"),
        ("09:00", "09:00"),
        ("2026-12-24", "2026-12-24"),
        ('"4"', "4"),
    ],
)
def test_only_what_looks_like_a_number_is_one(text: str, value: object) -> None:
    """YAML 1.2, so that `on`, `no` and `09:00` stay what was written; codes and dates stay text."""
    assert read(Source("x.yaml", f"key: {text}\n")).plain() == {"key": value}


def test_every_value_knows_its_line() -> None:
    """A key's value is placed at its key, an item of a list at itself."""
    tree = read(Source("x.yaml", "a:\n  b: 1\n\n  c:\n    - x\n    - y\n"))
    assert tree.place(["a", "b"]) == ("x.yaml", 2)
    assert tree.place(["a", "c"]) == ("x.yaml", 4)
    assert tree.place(["a", "c", 1]) == ("x.yaml", 6)


def test_what_is_missing_is_placed_where_it_would_stand() -> None:
    """A path that ends nowhere has the line of its deepest part."""
    tree = read(Source("x.yaml", "a:\n  b: 1\n"))
    assert tree.place(["a", "z", "y"]) == ("x.yaml", 1)
    assert tree.problem(["a", "z", 0], "missing", "add it").field == "a.z[0]"


def test_lines_follow_the_file_that_a_value_came_from() -> None:
    """After a merge each value still knows who wrote it."""
    base = read(Source("base.yaml", "a:\n  b: 1\n  c: 2\n"))
    over = read(Source("over.yaml", "#\n#\na: {c: 3}\n"))
    tree = merge(base, over).tree
    assert tree.place(["a", "b"]) == ("base.yaml", 2)
    assert tree.place(["a", "c"]) == ("over.yaml", 3)


@given(MAPS)
def test_merging_nothing_changes_nothing(base: dict[str, object]) -> None:
    """An empty file, or the same file again, leaves things as they are."""
    assert merged(base, {}) == base
    assert merged(base, base) == base


@given(MAPS, MAPS)
def test_the_later_file_wins(base: dict[str, object], over: dict[str, object]) -> None:
    """Each key has the later value; where both are maps they are merged in turn; the rest stays."""
    both = merged(base, over)
    assert isinstance(both, dict)
    assert set(both) == set(base) | set(over)
    for key, value in both.items():
        if key not in over:
            assert value == base[key]
        elif not (isinstance(over[key], dict) and isinstance(base.get(key), dict)):
            assert value == over[key]
        else:
            assert value == merged(base[key], over[key])


def test_lists_and_scalars_are_replaced_whole() -> None:
    """No second mechanism: a list is never merged item by item."""
    assert merged({"a": [1, 2], "b": {"c": 1}}, {"a": [3], "b": 4}) == {"a": [3], "b": 4}


def test_null_removes() -> None:
    """`key: null` takes away what the base has, and what is removed is told."""
    laid = merge(grown({"a": {"b": 1, "c": 2}}), grown({"a": {"b": None}}))
    assert laid.tree.plain() == {"a": {"c": 2}}
    assert laid.removed == [("a", "b")]
    assert not laid.problems


@pytest.mark.parametrize(
    ("over", "office"),
    [
        ({"mon-sat": "08:00-14:00"}, {"zone": "UTC", "holidays": "us", "mon-sat": "08:00-14:00"}),
        ({"fri": "08:00-14:00"}, {"zone": "UTC", "holidays": "us", "fri": "08:00-14:00"}),
        ({"zone": "Asia/Tokyo"}, {"zone": "Asia/Tokyo", "holidays": "us", "mon-fri": "09:00-17:00"}),
    ],
)
def test_the_days_of_a_calendar_are_one_value(over: dict[str, str], office: dict[str, str]) -> None:
    """Who names days names all of them: else a six-day week would keep the base's five days beside it."""
    base = {"zone": "UTC", "mon-fri": "09:00-17:00", "holidays": "us"}
    assert merged({"calendars": {"office": base}}, {"calendars": {"office": over}}) == {"calendars": {"office": office}}


def test_an_empty_file_is_told_how_to_begin() -> None:
    """Nothing at all is no profile."""
    with pytest.raises(
        ProfileError, match=r"x\.yaml:1: file: not a map of keys and values; begin with `profile: name`"
    ):
        read(Source("x.yaml", ""))


def test_paths_read_as_people_write_them() -> None:
    """Keys are joined by dots, items of lists are in brackets."""
    assert spell(("rules", "night page", "do", 0)) == "rules.night page.do[0]"
    assert spell(()) == "file"
