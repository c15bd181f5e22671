"""Every command prints, whatever its output is: cp932, a closed output, a pipe whose reader has gone.

One demo world; each command of `ecauto --help` in each of the four ways, as a process of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ecauto_pipeline.amazon.samples import Example, SampleFolder, sample_name
from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.emulator import process
from ecauto_pipeline.state import amazon_shapes
from ecauto_pipeline.state.database import Database
from ecauto_pipeline_tests import commands_page
from ecauto_pipeline_tests.scenarios.webserver import ROOT

ECAUTO = str(Path(sys.executable).with_name("ecauto"))
ENDLESS = {"ecauto dev", "ecauto desk", "ecauto emulator"}
"""Commands that serve until they are ended, so not in these ways; test_ui.py and test_webserver.py run `ecauto dev`."""
WAYS = ("cp932", "no output", "nothing open", "reader gone")
WORDLESS = {"ecauto keys new"}
"""What prints a value alone, for another program to take."""
FIRST = {"ecauto resume": ["stop"]}
"""What has to be so before a command does again what it did the first time."""
SHAPE = ("getItemOffersBatch", "unexpected 在庫")
"""Of an answer of Amazon's, with letters that a terminal has to have."""


class Place:
    """A folder in which one sync has been run, and what its commands' arguments may be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("workspace.yaml", "dagster.yaml", "ecauto.toml"):
            shutil.copy(ROOT / name, folder / name)
        self.environ = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
        self.environ |= {"ECAUTO_DATA_DIR": str(folder / "data"), "ECAUTO_CONFIG": str(folder / "ecauto.toml")}
        subprocess.run([ECAUTO, "sync"], cwd=folder, env=self.environ, stdout=subprocess.DEVNULL, check=False)
        subprocess.run([ECAUTO, "plan"], cwd=folder, env=self.environ, stdout=subprocess.DEVNULL, check=False)
        (folder / "cache").mkdir()
        (folder / "old").mkdir()
        with duckdb.connect(str(folder / "data" / "history.duckdb"), read_only=True) as connection:
            self.asin = str(connection.execute("select asin from snapshots order by asin limit 1").fetchall()[0][0])
            self.run = str(connection.execute("select run_id from run_metrics limit 1").fetchall()[0][0])
            held = connection.execute("select diff_id from diffs where decision = 'held' limit 1").fetchall()
            self.hold = str(held[0][0]) if held else "0"
        self._meet_a_shape()
        rules = f"asin,min_price_jpy,note\n{self.asin},1,年末のセール\n"
        (folder / "rules.csv").write_text(rules, encoding="utf-8")

    def _meet_a_shape(self) -> None:
        """One answer was not as documented, and an example of it is kept."""
        now, state = SystemClock().now(), Database(f"sqlite:///{self.folder / 'data' / 'state.db'}")
        with state.write() as connection:
            amazon_shapes.note(connection, {SHAPE: [self.asin]}, now)
        state.close()
        answer = {"body": {"payload": {"在庫": "〜①"}}}
        example = Example(*SHAPE, self.asin, answer, "sp_1", now.isoformat(timespec="seconds"), 200, "r-1")
        assert not SampleFolder(self.folder / "data" / "samples").keep(example)

    def arguments(self, path: str) -> list[str]:
        return {
            "ecauto explain": [self.asin],
            "ecauto rollback": [self.run, "--dry-run"],
            "ecauto apply": ["plan.json", "--dry-run"],
            "ecauto import-legacy": ["old", "--dry-run"],
            "ecauto holds show": [self.hold],
            "ecauto holds approve": ["no-such-hold"],
            "ecauto holds reject": ["no-such-hold"],
            "ecauto holds take-back": ["no-such-hold"],
            "ecauto holds keep": ["no-such-hold"],
            "ecauto runs show": [self.run],
            "ecauto runs stop": [self.run],
            "ecauto cache import": ["cache"],
            "ecauto cache export": ["cache"],
            "ecauto auth base": ["base_account_1", "--code", "nonsense"],
            "ecauto sync": ["--dry-run"],
            "ecauto report": ["-o", "weekly.html"],
            "ecauto what-if": ["--set", "pricing.markup_ratio=1.25", "--rules", "rules.csv", "--days", "2"],
            "ecauto rules check": ["rules.csv"],
            "ecauto rules import": ["rules.csv"],
            "ecauto rules show": [self.asin],
            "ecauto rules set": [self.asin, "min_price_jpy=1"],
            "ecauto rules unset": [self.asin, "--check"],
            "ecauto fleet put": ["rules", "rules.csv"],
            "ecauto samples show": [sample_name(*SHAPE)],
            "ecauto samples accept": [sample_name(*SHAPE)],
            "ecauto register accept": ["base_account_1"],
        }.get(path, [])

    def call(self, path: str, way: str) -> tuple[int, bytes, str]:
        """Exit code, output, and what was said on the error output."""
        command = [ECAUTO, *path.split()[1:], *self.arguments(path)]
        environ = self.environ | ({"PYTHONIOENCODING": "cp932"} if way == "cp932" else {})
        closing = {"no output": ">&-", "nothing open": "<&- >&- 2>&-", "reader gone": "| head -c 1 >/dev/null"}
        if path in FIRST:
            first = [ECAUTO, *FIRST[path]]
            subprocess.run(first, cwd=self.folder, env=self.environ, stdout=subprocess.DEVNULL, check=True, timeout=300)
        script = f'"$@" {closing.get(way, "")}'
        if way == "reader gone":
            script += "; exit ${PIPESTATUS[0]}"
        done = subprocess.run(
            ["bash", "-c", script, "bash", *command], cwd=self.folder, env=environ, capture_output=True, timeout=300
        )
        return done.returncode, done.stdout, done.stderr.decode("cp932" if way == "cp932" else "utf-8", "strict")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("outputs"))
    yield made
    process.stop(made.folder / "data" / "emulator")


def test_a_command_that_needs_an_argument_is_given_one(place: Place) -> None:
    """A new one is not proved by its refusal in four ways: what it is called with stands above."""
    needing = [entry.path for entry in commands_page.entries() if any(name[0] != "[" for name, _ in entry.arguments)]
    assert [] == [path for path in needing if not place.arguments(path)]


@pytest.mark.parametrize("path", [entry.path for entry in commands_page.entries() if entry.path not in ENDLESS])
def test_a_command_ends_alike_whatever_its_output_is(place: Place, path: str) -> None:
    """The same exit code in each way, one that the papers know, never a trace of Python; Japanese stays readable."""
    codes = {}
    for way in WAYS:
        codes[way], out, said = place.call(path, way)
        assert "Traceback" not in said, (way, said[-2000:])
        assert "UnicodeEncodeError" not in said
        assert "Usage:" not in said, (way, said)
        if way == "cp932":
            text = out.decode("cp932") + said
            spoken = any("぀" <= letter <= "ヿ" or "一" <= letter <= "鿿" for letter in text)
            assert spoken or path in WORDLESS, text[:500]
    assert len(set(codes.values())) == 1, codes
    assert codes["cp932"] in (0, 1, 2, 3)


def test_what_is_written_down_is_utf_8(place: Place) -> None:
    """Log files of runs under cp932 and with nothing open: whole lines, Japanese readable, JSON lines are JSON."""
    files = sorted((place.folder / "data" / "logs").iterdir())
    assert files
    for file in files:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".jsonl":
            assert all(json.loads(line) for line in text.splitlines())
