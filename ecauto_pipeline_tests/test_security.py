"""What an attacker would look for first: text that becomes code, values that become SQL, servers that listen to all."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from ecauto_pipeline_tests.pages import ROOT

UNPACKS_CODE = {"pickle", "cPickle", "marshal", "shelve", "dill", "joblib", "cloudpickle", "jsonpickle"}
RUNS_TEXT = {"eval", "exec", "compile", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load", "tempfile.mktemp"}
ASKS = {"execute", "executemany", "executescript", "exec_driver_sql", "sql", "text"}
COMPOSES_SQL = {
    "ecauto_pipeline/history",
    "ecauto_pipeline/register",
    "ecauto_pipeline/state",
}
"""Here names of tables and columns, ours or looked up in the database itself, are put into SQL; values never are."""
EVERY_ADDRESS = re.compile(r"0\.0\.0\.0|\[::\]|[\"']::[\"']")


@cache
def texts() -> dict[str, str]:
    """Every module of the product, by its path."""
    paths = sorted((ROOT / "ecauto_pipeline").rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def _naming(names: Iterable[str], beside: str = "") -> Iterator[tuple[str, ast.Module]]:
    """The modules in whose text one of these names stands, and what matches `beside`: no other is worth a walk."""
    named, also = re.compile(rf"\b(?:{'|'.join(names)})\b"), re.compile(beside)
    for path, text in texts().items():
        if named.search(text) and also.search(text):
            yield path, ast.parse(text)


def _calls(names: Iterable[str], beside: str = "") -> Iterator[tuple[str, ast.Call]]:
    for path, module in _naming(names, beside):
        for node in ast.walk(module):
            if isinstance(node, ast.Call):
                yield f"{path}:{node.lineno}", node


def test_nothing_unpacks_objects_from_bytes() -> None:
    """Whoever can write such a file runs code with the rights of the shop."""
    found = []
    for path, module in _naming(UNPACKS_CODE):
        for node in ast.walk(module):
            if isinstance(node, ast.Import):
                found += [(path, one.name) for one in node.names if one.name.split(".")[0] in UNPACKS_CODE]
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in UNPACKS_CODE:
                found.append((path, str(node.module)))
    assert [] == found


def test_no_text_is_run() -> None:
    """Neither as Python nor by a shell."""
    last_words = {name.rpartition(".")[2] for name in RUNS_TEXT}
    calls = [(place, ast.unparse(call.func), call) for place, call in _calls({*last_words, "shell"})]
    assert [] == [(place, name) for place, name, _ in calls if name in RUNS_TEXT]
    assert [] == [place for place, _, call in calls if any(word.arg == "shell" for word in call.keywords)]


_TEXT_PUT_TOGETHER = r"""\b(?:[fF][rR]?|[rR][fF])["']"""


def test_values_reach_sql_beside_it() -> None:
    """Nothing stands between quotes in a query that was put together, but a number, a constant or a table of ours."""
    found = []
    for place, call in _calls(ASKS, _TEXT_PUT_TOGETHER):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name not in ASKS or not call.args or not isinstance(call.args[0], ast.JoinedStr):
            continue
        if not place.startswith(tuple(COMPOSES_SQL)):
            found.append((place, "SQL is put together here"))
        parts = call.args[0].values
        for before, value in pairwise(parts):
            quoted = isinstance(before, ast.Constant) and re.search(r"(?<!')'$", str(before.value))
            if isinstance(value, ast.FormattedValue) and quoted and not _is_ours(value.value):
                found.append((place, ast.unparse(value.value)))
    assert [] == found


def _is_ours(value: ast.expr) -> bool:
    said = ast.unparse(value)
    return said.isupper() or said.startswith("int(") or said == "table.name"


REFUSE_IT = {"ecauto_pipeline/desk/sessions.py", "ecauto_pipeline/settings/running.py"}
"""These know the addresses that mean "everybody" in order to ask for a password there."""


def test_no_server_listens_to_every_address_unasked() -> None:
    """The addresses that mean "everybody" stand where they are guarded against, and nowhere else."""
    assert [] == [path for path, text in texts().items() if path not in REFUSE_IT and EVERY_ADDRESS.search(text)]


def test_the_papers_name_each_place_that_keeps_a_secret() -> None:
    """docs/security.md says where secrets are; what it leaves out would be looked after by nobody."""
    for paper in (ROOT / "docs" / "security.md", ROOT / "docs" / "ja" / "security.md"):
        said = Path(paper).read_text(encoding="utf-8")
        assert [] == [name for name in (".env", "data/tokens/", "state.db", "ECAUTO_FLEET_KEY") if name not in said]
