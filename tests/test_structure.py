"""The shape of the code: what import-linter cannot say, as checks with a name for each offender."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
LAYERS = ("mappings", "connectors", "flows")
MODULE_LINES, FUNCTION_LINES = 400, 60

CLOCKS = {"now", "utcnow", "today"}
FILES = {"pathlib", "pathlib.Path", "pathlib.PosixPath"}  # a PurePath only takes a name apart
IMPURE_CALLS = {"open", "print", "input", "eval", "exec"}
ASSERTING_NAMES = ("assert", "check", "expect", "verify", "raises", "warns", "fail")
LEFTOVERS = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def parse(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text())


def modules(*folders: str) -> list[Path]:
    """Return every module under the named top-level folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def functions(path: Path) -> Iterator[Function]:
    """Yield every function of a module, nested ones too."""
    yield from (node for node in ast.walk(parse(path)) if isinstance(node, Function))


def place(path: Path, node: ast.AST | None = None) -> str:
    """Return where something is, as an editor opens it."""
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def test_modules_are_short() -> None:
    """No module is over 400 lines."""
    long = [f"{place(p)} has {n}" for p in modules(*LAYERS) if (n := len(p.read_text().splitlines())) > MODULE_LINES]
    assert not long, f"over {MODULE_LINES} lines, give the second idea its own file: {long}"


def test_functions_are_short() -> None:
    """No function is over 60 lines, but for a migration's, which is one list of steps."""
    long = [
        f"{place(path, node)} {node.name} has {length}"
        for path in modules(*LAYERS)
        if path.parent.parts[-2:] != ("migrations", "versions")
        for node in functions(path)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]
    assert not long, f"over {FUNCTION_LINES} lines: {long}"


def says_itself(node: ast.AST) -> bool:
    """Whether a member is one expression under a name, and a sentence would only repeat it."""
    return isinstance(node, Function) and len(node.body) == 1 and isinstance(node.body[0], ast.Return)


def undocumented(path: Path) -> Iterator[str]:
    """Yield the module, and its public functions, classes and methods, that say nothing of themselves."""
    tree = parse(path)
    if tree.body and not ast.get_docstring(tree):
        yield place(path)
    for node in tree.body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        members = [m for m in node.body if isinstance(m, Function)] if isinstance(node, ast.ClassDef) else []
        public = [m for m in members if not m.name.startswith("_") and not says_itself(m)]
        yield from (f"{place(path, each)} {each.name}" for each in [node, *public] if not ast.get_docstring(each))


def test_everything_public_is_documented() -> None:
    """Every module, and every public function, class and method, has a docstring."""
    bare = [name for path in modules(*LAYERS) for name in undocumented(path)]
    assert not bare, f"say what goes in and what comes out: {bare}"


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Return the full names that an import statement brings in."""
    module = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    return [module + alias.name for alias in node.names]


def impurities(path: Path) -> Iterator[str]:
    """Yield what a module takes from the world that was not handed to it: the wall clock, files, the terminal."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import | ast.ImportFrom) and not set(imported(node)).isdisjoint(FILES):
            yield f"{place(path, node)} {ast.unparse(node)}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            yield f"{place(path, node)} {ast.unparse(node.func)}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
            yield f"{place(path, node)} {node.func.id}"


@pytest.mark.req("NFR-07")
def test_mappings_read_no_clock() -> None:
    """Time, text and files are handed to a mapping; it fetches none of them (import-linter forbids the modules)."""
    taken = [found for path in modules("mappings") for found in impurities(path)]
    assert not taken, f"hand it in as an argument: {taken}"


@pytest.mark.parametrize(
    "source",
    [
        "from pathlib import Path",
        "import pathlib",
        "datetime.now(UTC)",
        "date.today()",
        "dt.datetime.utcnow()",
        "open('profile.yaml')",
        "print('late')",
    ],
)
def test_impurity_is_seen(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check above can fail."""
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    (tmp_path / "sample.py").write_text(source)
    assert list(impurities(tmp_path / "sample.py"))


def capabilities() -> list[str]:
    """Return the stems of the policies that hold code."""
    policies = ROOT / "mappings" / "policies"
    files = [path for path in policies.rglob("*.py") if path.name != "__init__.py" or len(parse(path).body) > 1]
    return sorted({path.relative_to(policies).parts[0].removesuffix(".py") for path in files} - {"__init__"})


def test_one_stem_per_capability() -> None:
    """A capability is found by one word: the policy X is run by flows/X.py and shown by tests of the same name."""
    missing = []
    for stem in capabilities():
        if not (ROOT / "flows" / f"{stem}.py").exists() and (ROOT / "flows" / "pulse.py").exists():
            missing.append(f"flows/{stem}.py, which runs mappings/policies/{stem}")
        if not [*ROOT.glob(f"tests/**/test_{stem}.py"), *ROOT.glob(f"tests/**/policies/{stem}/test_*.py")]:
            missing.append(f"tests/mappings/policies/test_{stem}.py or …/{stem}/, which shows it")
    assert not missing, missing


def asserts(node: ast.AST, checkers: frozenset[str] = frozenset()) -> bool:
    """Whether something under `node` asserts, or calls what is named for it or is among `checkers`."""
    for each in ast.walk(node):
        if isinstance(each, ast.Assert):
            return True
        if isinstance(each, ast.Call):
            name = each.func.attr if isinstance(each.func, ast.Attribute) else getattr(each.func, "id", "")
            if name in checkers or name.lstrip("_").startswith(ASSERTING_NAMES):
                return True
    return False


def idle_tests(path: Path) -> Iterator[str]:
    """Yield the tests of a module that assert nothing, neither themselves nor through a function beside them."""
    checkers = frozenset(f.name for f in functions(path) if not f.name.startswith("test_") and asserts(f))
    for node in functions(path):
        if node.name.startswith("test_") and not asserts(node, checkers):
            yield f"{place(path, node)} {node.name}"


def test_every_test_can_fail() -> None:
    """No test runs code without asserting anything about it."""
    idle = [test for path in modules("tests") for test in idle_tests(path)]
    assert not idle, f"these assert nothing: {idle}"


def test_every_test_says_its_claim() -> None:
    """A test's docstring is the sentence that it shows."""
    silent = [
        f"{place(path, node)} {node.name}"
        for path in modules("tests")
        for node in functions(path)
        if node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert not silent, f"say what each shows: {silent}"


def test_nothing_is_left_over() -> None:
    """What is not done is said in the changelog or an issue, and not left in the code."""
    left = [
        f"{place(path)} {word}"
        for path in modules(*LAYERS, "tests")
        for word in LEFTOVERS
        if path != Path(__file__) and word in path.read_text()
    ]
    assert not left, left


def locked(name: str) -> dict[str, str]:
    """Return package → version of a lock file."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", ["requirements.lock", "deploy/requirements.lock"])
def test_locks_are_hashed_and_name_no_host(name: str) -> None:
    """Each pin carries a hash, and where packages come from is the reader's business."""
    lines = (ROOT / name).read_text().replace("\\\n", " ").splitlines()
    pins = [line for line in lines if line and not line.lstrip().startswith("#")]
    assert len(pins) > 50
    assert [pin for pin in pins if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:", pin)] == []
    assert [line for line in lines if "://" in line] == []


def test_image_is_a_part_of_the_lock() -> None:
    """The image runs the versions that the tests ran."""
    assert locked("deploy/requirements.lock").items() <= locked("requirements.lock").items()


def test_lock_answers_the_project() -> None:
    """Every package that pyproject.toml asks for is in the lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(want for extra in project["optional-dependencies"].values() for want in extra),
    ]
    names = {re.match(r"[\w.-]+", want)[0].replace(".", "-") for want in wanted}
    assert names <= locked("requirements.lock").keys()


def test_yaml_parses() -> None:
    """Every YAML file that is not a template of a broken one can be read."""
    files = [path for folder in ("config", "deploy") for path in (ROOT / folder).rglob("*.yaml")]
    assert files
    for path in files:
        assert list(YAML(typ="safe", pure=True).load_all(path.read_text())), path
