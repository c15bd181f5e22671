"""The shape of the code: who may know whom, how long a module may get, and what no committed file may hold."""

from __future__ import annotations

import ast
import graphlib
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from importlinter.cli import lint_imports

from ecauto_pipeline_tests.pages import ROOT

MAX_LINES = 350
"""Past 300 a module wants to be two; the test leaves some air for the change that is under way."""

MAX_TEST_LINES = 450

LOCK_FILES = ("requirements.txt", "requirements-dev.txt", "requirements-fleet.txt", "requirements-fleet-dev.txt")

_INDEX = re.compile(
    r"""
    (?: ^ \s* (?: -i | --(?:extra-)?index-url | --find-links | --trusted-host ) [ =]  # options of requirement files
    |   \b (?: PIP | UV ) _ (?: EXTRA_ )? (?: DEFAULT_ )? INDEX (?: _URL )? \s* =     # variables of installers
    |   ^ \s* (?: extra- )? index-url \s* =                                           # pip.conf
    |   \[ \[? tool \. uv \. (?: index | pip ) \b                                     # pyproject.toml
    |   https?:// [^\s"'`)]* / simple \b                                              # an index by its address
    |   https?:// (?: [\w.-]+ \. )? pythonhosted \. org
    )
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|Users|work|mnt|media|workspace)/[\w.-]+|\b[A-Za-z]:\\Users\\\w+")


@cache
def tracked() -> tuple[str, ...]:
    """Paths of the files that are committed or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = listed.stdout.decode("utf-8").split("\0")
    return tuple(sorted(name for name in names if name and (ROOT / name).is_file()))


def texts() -> Iterator[tuple[str, str]]:
    """(path, text) of every committed file that is text."""
    for name in tracked():
        content = (ROOT / name).read_bytes()
        if b"\0" not in content:
            yield name, content.decode("utf-8")


@cache
def modules(folder: str) -> tuple[Path, ...]:
    return tuple(sorted(path for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts))


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def trees(folder: str, word: str) -> Iterator[tuple[str, ast.Module]]:
    """(path, tree) of the modules in whose text the pattern is found: the others are not worth a walk."""
    worth_it = re.compile(word)
    for path in modules(folder):
        if worth_it.search(text_of(path)):
            yield path.relative_to(ROOT).as_posix(), ast.parse(text_of(path))


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Every statement at any depth; no expression is looked into, and most of a tree is expressions."""
    for child in ast.iter_child_nodes(tree):
        if not isinstance(child, ast.expr):
            yield child
            yield from statements(child)


def test_rooms_know_only_the_rooms_below_them(capsys: pytest.CaptureFixture[str]) -> None:
    """The import contracts of pyproject.toml: layers, Dagster at the top only, the emulator apart from everything."""
    code = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True)
    assert 0 == code, capsys.readouterr().out


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Not even where one is imported late, or for its types alone: neither could be read without the other."""
    files = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in modules("ecauto_pipeline")}
    knows = {name: set(_modules_of(text_of(path))) & files.keys() for name, path in files.items()}
    assert ("ecauto_pipeline.history.store", "ecauto_pipeline.history.writer") in {
        (one, other) for one, others in knows.items() for other in others
    }, "an import inside a function was not seen"
    graphlib.TopologicalSorter(knows).prepare()  # raises CycleError, which names the circle


def contracts() -> dict[str, Any]:
    """The import contracts of pyproject.toml, by name."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {one["name"]: one for one in document["tool"]["importlinter"]["contracts"]}


def rooms() -> set[str]:
    """Packages and modules at the top of the product."""
    package = ROOT / "ecauto_pipeline"
    found = {path.stem for path in package.glob("*.py") if path.stem != "__init__"}
    return found | {path.parent.name for path in package.glob("*/__init__.py")}


def test_every_room_stands_in_the_contract() -> None:
    """A new room that nobody put into a layer would be free to know everything."""
    named = {room for layer in contracts()["rooms"]["layers"] for room in re.split(r"[ :|]+", layer)} | {"emulator"}
    assert rooms() == named


@pytest.mark.parametrize(
    ("name", "side", "spared"),
    [
        ("only the top three know dagster", "source_modules", {"cli", "definitions", "defs"}),
        ("the emulator shares no code with what it fools", "forbidden_modules", {"emulator", "clock"}),
        ("only the fleet knows the packages of its extra", "source_modules", {"fleet"}),
        ("nobody but cli and wiring knows the emulator", "source_modules", {"cli", "wiring", "emulator"}),
    ],
)
def test_every_contract_names_every_room_it_is_about(name: str, side: str, spared: set[str]) -> None:
    """A new room is forbidden what the others are forbidden; only those spared on purpose are missing."""
    assert {f"ecauto_pipeline.{room}" for room in rooms() - spared} == set(contracts()[name][side])


def test_the_paper_shows_the_order_of_the_contract() -> None:
    """docs/architecture.md draws the layers as they are held, and its table has every room."""
    paper = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert " > ".join(contracts()["rooms"]["layers"]) in paper
    table = paper.split("## Who may know whom")[0]
    assert [] == [room for room in sorted(rooms()) if f"`{room}/`" not in table and f"`{room}.py`" not in table]


def test_one_module_alone_reads_the_endpoints() -> None:
    """Whoever took one from ecauto.toml himself could call a real host in emulated mode."""
    reads = re.compile(r"settings\.(?:sp_api|base)\.(?:lwa_)?endpoint\b")
    found = [path.relative_to(ROOT).as_posix() for path in modules("ecauto_pipeline") if reads.search(text_of(path))]
    assert ["ecauto_pipeline/wiring/connections.py"] == found


def test_only_state_builds_sql_over_its_tables() -> None:
    """Outside `state` a connection is handed on, never asked: what may be asked has a name in state's modules.

    The files of Dagster's records hold none of our tables; what opens them asks nothing. A register in PostgreSQL is
    the owner's and no table of state's: its module says what it asks as text.
    """
    opens_dagster_s = [
        f"ecauto_pipeline/defs/dagster_storage.py: {name}" for name in ("Engine", "DBAPIError", "NullPool")
    ]
    found = [
        f"{name}: {alias.name}"
        for name, tree in trees("ecauto_pipeline", "sqlalchemy")
        if not name.startswith(("ecauto_pipeline/state/", "ecauto_pipeline/register/postgresql.py"))
        for node in statements(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if (getattr(node, "module", None) or alias.name).split(".")[0] == "sqlalchemy" and alias.name != "Connection"
    ]
    assert opens_dagster_s == found


def test_shop_platforms_do_not_know_each_other() -> None:
    """A new platform is a new folder beside `base`: neither imports the other."""
    shops = ROOT / "ecauto_pipeline" / "shops"
    platforms = {path.parent.name for path in shops.glob("*/__init__.py")}
    strangers = [
        f"{path.relative_to(ROOT)} imports {other}"
        for platform in platforms
        for path in modules(f"ecauto_pipeline/shops/{platform}")
        for other in platforms - {platform}
        if f"ecauto_pipeline.shops.{other}" in text_of(path)
    ]
    assert platforms
    assert [] == strangers


def test_platforms_are_named_in_one_place() -> None:
    """No step, rule or report knows a platform by name: what holds for all shops is asked of shops/platforms.py.

    Their own folders, the emulator and the way in from the old scripts may; so may the command of one platform, and
    the endpoints of ecauto.toml.
    """
    at_home = ("shops/base/", "shops/csv/", "emulator/", "migrate/", "cli/auth.py", "wiring/connections.py")
    found = [
        f"{name}:{node.lineno}"
        for name, tree in trees("ecauto_pipeline", r"""["'](base|csv)["']""")
        if not name.removeprefix("ecauto_pipeline/").startswith(at_home)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in ("base", "csv")
    ]
    assert [] == found


def test_rules_do_no_input_or_output() -> None:
    """`domain`, `limiter` and `settings` stay pure: no database, network, process, thread or log."""
    forbidden = {"sqlite3", "sqlalchemy", "duckdb", "requests", "httpx", "socket", "subprocess", "threading", "logging"}
    pure = [
        *modules("ecauto_pipeline/domain"),
        ROOT / "ecauto_pipeline/limiter.py",
        *modules("ecauto_pipeline/settings"),
    ]
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in pure
        for node in ast.walk(ast.parse(text_of(path)))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
        if name.split(".")[0] in forbidden
    ]
    assert [] == found


@pytest.mark.parametrize(
    ("folder", "limit"), [("ecauto_pipeline", MAX_LINES), ("ecauto_pipeline_tests", MAX_TEST_LINES)]
)
def test_modules_stay_short_enough_to_be_read(folder: str, limit: int) -> None:
    """A module that has grown past its limit is two modules."""
    lengths = {path.relative_to(ROOT).as_posix(): text_of(path).count("\n") for path in modules(folder)}
    too_long = {name: lines for name, lines in lengths.items() if lines > limit}
    assert {} == too_long


def _head(text: str) -> str:
    """The lines of a module's docstring, where it begins with one; else all of it."""
    found = re.match(r'\s*(""").*?"""[^\n]*\n', text, re.DOTALL)
    return found[0] if found else text


@pytest.mark.parametrize("folder", ["ecauto_pipeline", "ecauto_pipeline_tests", "benchmarks"])
def test_every_module_says_what_it_is_for(folder: str) -> None:
    """The first thing in a module is its docstring; only an empty `__init__.py` needs none."""
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in modules(folder)
        if (text := text_of(path)).strip() and not ast.get_docstring(ast.parse(_head(text)))
    ]
    assert [] == silent


def test_every_test_states_its_law() -> None:
    """A test without a docstring leaves the reader to guess what broke."""
    silent = [
        f"{name}::{node.name}"
        for name, tree in trees("ecauto_pipeline_tests", "def test_")
        for node in statements(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert [] == silent


def test_no_room_for_everything_and_nothing() -> None:
    """utils, helpers, common, misc and manager are names of heaps."""
    heaps = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "magic_numbers"}
    found = [path.relative_to(ROOT).as_posix() for path in modules("ecauto_pipeline") if path.stem in heaps]
    assert [] == found


def test_files_are_opened_as_utf_8() -> None:
    """A Japanese Windows opens text files as cp932 unless it is told otherwise."""
    careless = []
    for name, tree in trees("ecauto_pipeline", r"\bopen\b|\bread_text\b|\bwrite_text\b"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _opens_text(node) and "encoding" not in {k.arg for k in node.keywords}:
                careless.append(f"{name}:{node.lineno}")
    assert [] == careless


def test_the_independent_servers_share_nothing_with_us() -> None:
    """What is checked against proofs/independent is checked against the papers: it imports the standard library, and
    itself, so no mistake of ours can be on both sides."""
    foreign = {
        f"{path.name}: {module}"
        for path in modules("proofs/independent")
        for node in ast.walk(ast.parse(text_of(path)))
        for module in _imported(node)
        if module.split(".")[0] not in sys.stdlib_module_names and not module.startswith("proofs.independent")
    }
    assert set() == foreign


_FROM = re.compile(r"^ *from ([\w.]+) import (\([^)]*\)|.*)$", re.MULTILINE)


def _modules_of(text: str) -> Iterator[str]:
    """What a module imports from, and what it imports, where that may be a module too."""
    for package, names in _FROM.findall(text):
        yield package
        yield from (f"{package}.{name}" for name in re.findall(r"\w+", names))


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [name.name for name in node.names]
    return [node.module or "."] if isinstance(node, ast.ImportFrom) else []


_REASONED = re.compile(r"# type: ignore\[[a-z-]+(, [a-z-]+)*\]  # \w.{8,}")


@pytest.mark.parametrize("folder", ["ecauto_pipeline", "ecauto_pipeline_tests", "benchmarks", "proofs"])
def test_every_exception_from_the_types_has_a_code_and_a_reason(folder: str) -> None:
    """`type: ignore` alone hides every later error of its line; without a reason nobody dares to take it away."""
    bare = [
        f"{path.relative_to(ROOT).as_posix()}: {token.start[0]}"
        for path in modules(folder)
        if "type: ignore" in text_of(path)
        for token in tokenize.generate_tokens(io.StringIO(text_of(path)).readline)
        if token.type == tokenize.COMMENT and "type: ignore" in token.string and not _REASONED.search(token.string)
    ]
    assert [] == bare


def _opens_text(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in ("read_text", "write_text"):
        return True
    if name != "open" or (isinstance(call.func, ast.Attribute) and not _is_path_like(call)):
        return False
    modes = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    named = [key.value for key in call.keywords if key.arg == "mode"]
    modes += [str(value.value) for value in named if isinstance(value, ast.Constant)]
    return not any("b" in mode for mode in modes if set(mode) <= set("rwaxbt+"))


def _is_path_like(call: ast.Call) -> bool:
    """`path.open(...)`, not `os.open(...)`, `opener.open(url)` or another library's."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(owner, ast.Name) and ("path" in owner.id or "file" in owner.id)


def test_no_committed_file_names_a_package_index() -> None:
    """Where packages come from is the machine's business; the lock files hold versions and hashes only."""
    found = [f"{name}: {match[0].strip()}" for name, text in texts() for match in _INDEX.finditer(text)]
    assert [] == [line for line in found if not line.startswith(f"{Path(__file__).relative_to(ROOT).as_posix()}:")]


def test_every_locked_package_has_its_hash() -> None:
    """An install takes exactly the files that were chosen."""
    for name in LOCK_FILES:
        entries = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / name).read_text(encoding="utf-8").strip())
        packages = [entry for entry in entries if re.match(r"[A-Za-z0-9._\[\]-]+==", entry)]
        assert len(packages) > 50, name
        assert [] == [entry.split(" ")[0] for entry in packages if "--hash=sha256:" not in entry]


def test_the_lock_files_agree() -> None:
    """What was tested is what is installed: no package has a version in one file that another file has not."""
    entry = re.compile(r"^([A-Za-z0-9._-]+)(?:\[.*?\])?==(\S+)", re.MULTILINE)
    versions: dict[str, set[frozenset[str]]] = {}
    for name in LOCK_FILES:
        named = entry.findall((ROOT / name).read_text(encoding="utf-8"))
        for package in {package for package, _ in named}:
            of_this_file = frozenset(version for other, version in named if other == package)  # by Python's version
            versions.setdefault(package, set()).add(of_this_file)
    assert len(versions) > 200
    assert {} == {package: found for package, found in versions.items() if len(found) > 1}


def test_no_committed_file_names_a_folder_of_one_machine() -> None:
    """The project runs from wherever it was cloned to."""
    found = [f"{name}: {match[0]}" for name, text in texts() for match in _MACHINE_PATH.finditer(text)]
    assert [] == found


def test_nothing_of_the_running_program_is_committed() -> None:
    """data/ holds tokens and the shop's figures: only its page for people is in the repository."""
    assert ["data/README.md"] == [name for name in tracked() if name.startswith("data/")]
    assert [] == [name for name in tracked() if name.endswith((".db", ".duckdb", ".parquet", ".env", "_token.json"))]
