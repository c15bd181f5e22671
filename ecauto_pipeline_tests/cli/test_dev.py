"""What `ecauto dev` starts Dagster's servers with."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path

import dagster as dg
import httpx
import psutil
import pytest
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin
from dagster._core.workspace.load_target import WorkspaceFileTarget
from uvicorn import Config, Server

from ecauto_pipeline.cli.dagster_child import NAMES, Child
from ecauto_pipeline.cli.dev_code_server import AGAIN_AFTER_S, CodeServer, ServedModule, module_of
from ecauto_pipeline.cli.dev_dagster import DagsterServers, servers_environ
from ecauto_pipeline.cli.dev_desk import DeskBeside
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.defs.living_runs import OWNER_TAG
from ecauto_pipeline.desk.server import end_with
from ecauto_pipeline.emulator import process
from ecauto_pipeline.settings import parse
from ecauto_pipeline.wiring.ports import free_port, is_free
from ecauto_pipeline_tests.cli.prepared_days import owner_that_has_gone
from ecauto_pipeline_tests.pages import ROOT

pytestmark = pytest.mark.long


def test_the_servers_live_where_dagster_yaml_is(tmp_path: Path) -> None:
    """A home of their own would be a `.tmp_dagster_home_*` in the owner's folder that a kill leaves behind."""
    environ = servers_environ(tmp_path, {"PATH": "p"})
    assert (str(tmp_path), "p") == (environ["DAGSTER_HOME"], environ["PATH"])
    assert "elsewhere" == servers_environ(tmp_path, {"DAGSTER_HOME": "elsewhere"})["DAGSTER_HOME"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("dev")
    for name in ("workspace.yaml", "dagster.yaml"):
        (made / name).write_bytes((ROOT / name).read_bytes())
    (made / "ecauto.toml").write_text("[emulator]\nlistings = 12\naccounts = 2\n", encoding="utf-8")
    return made


def test_a_desk_whose_port_is_taken_is_said_and_all_else_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line names the port and where to change it; nothing is started, looked after or waited for."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        desk = DeskBeside(parse({"desk": {"port": port}}, tmp_path), tmp_path / "desk.log")
        desk.start()
        desk.say_address()
        desk.look_after()
        desk.end()
    said = capsys.readouterr().out
    assert 1 == len(said.splitlines())
    assert f"ポート {port} は別のプログラムが使っています ([desk] port)" in said
    assert not (tmp_path / "desk.log").exists()


def test_the_desk_ends_with_the_process_it_was_started_for() -> None:
    """Also when that is killed and can end nothing: nobody would know that the desk is still there."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as parent:
        server = Server(Config(lambda: None))
        watch = threading.Thread(target=end_with, args=(parent.pid, server, 0.01))
        watch.start()
        assert not server.should_exit
        parent.kill()
        watch.join(timeout=10)
    assert server.should_exit


def test_daemon_and_web_server_are_told_of_a_code_server_that_is_there(tmp_path: Path) -> None:
    """Under the name of workspace.yaml, by which runs, schedules and sensors are known; `dagster dev` starts no other
    one, nor a proxy, for a server that it is told of."""
    served = module_of(ROOT / "workspace.yaml")
    assert served is not None
    code = CodeServer(served, tmp_path, _ends_at_once, tmp_path / "dagster.log")
    (origin,) = WorkspaceFileTarget([str(code.workspace)]).create_origins()
    assert isinstance(origin, GrpcServerCodeLocationOrigin)
    assert "ecauto_pipeline" == origin.location_name
    assert tmp_path == Path(str(origin.socket)).parent


OURS = ServedModule("ecauto_pipeline", ("--module-name", "ecauto_pipeline.definitions"), {})
_OURS = (
    "load_from:\n- python_module:\n    module_name: ecauto_pipeline.definitions\n    location_name: ecauto_pipeline\n"
)


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        (f"load_from:\n{_OURS}", True),
        (f"load_from:\n{_OURS}- python_file: theirs.py\n", False),
        ("load_from: 7", False),
    ],
    ids=["ours", "with theirs", "unreadable"],
)
def test_a_workspace_with_more_in_it_is_left_to_dagster(tmp_path: Path, text: str, ours: bool) -> None:
    """Whoever adds a code location of their own has it served as ever; what is wrong in the file Dagster says."""
    (tmp_path / "workspace.yaml").write_text(text, encoding="utf-8")
    assert ours == (module_of(tmp_path / "workspace.yaml") is not None)


class Played(Child):
    """One that ends when the test says so, or is told to."""

    def __init__(self, ended_with: int | None = None) -> None:
        self.ended_with = ended_with

    @property
    def code(self) -> int | None:
        return self.ended_with

    def has_ended(self, within_s: float = 0) -> bool:
        return self.ended_with is not None

    def end(self, *, tell: bool) -> None:
        self.ended_with = self.ended_with or 0


def _ends_at_once(_words: Sequence[str]) -> Child:
    return Played(0)


def test_a_code_server_that_has_ended_is_started_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the same words, so at the same address; said each time; not sooner than half a minute after its last start,
    for one that can't start would take a core."""
    clock, begun = ManualClock(datetime(2026, 1, 5, tzinfo=UTC)), list[tuple[str, ...]]()

    def begin(words: Sequence[str]) -> Child:
        begun.append(tuple(words))
        return _ends_at_once(words)

    code = CodeServer(OURS, tmp_path, begin, tmp_path / "dagster.log", clock)
    code.start()
    for passed_s in (AGAIN_AFTER_S - 1, 1):
        code.look_after()
        assert 1 == len(begun)
        clock.advance(passed_s)
    code.look_after()
    code.look_after()
    assert [begun[0]] * 2 == begun
    assert ("dagster", "api", "grpc") == begun[0][:3]
    said = capsys.readouterr().out
    assert 1 == said.count("起動し直しました")
    assert 1 == said.count("dagster.log")


def test_a_code_server_that_ends_before_it_serves_is_not_waited_for(tmp_path: Path) -> None:
    """`ecauto dev` says so and ends, where it would wait for ever."""
    code = CodeServer(OURS, tmp_path, _ends_at_once, tmp_path / "dagster.log")
    code.start()
    assert not code.wait_until_it_listens()


@pytest.mark.parametrize("which", ["dagster_webserver", "dagster._daemon"])
def test_web_server_and_daemon_end_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str) -> None:
    """Of one alone nobody has anything: `ecauto dev` ends with its code, and the service begins it again."""
    begun = dict[str, Played]()

    def begin(_servers: DagsterServers, words: Sequence[str], go: Event | None = None) -> Child:
        begun[words[0]] = Played()
        return begun[words[0]]

    monkeypatch.setattr(DagsterServers, "_begin", begin)
    monkeypatch.setattr(CodeServer, "wait_until_it_listens", lambda _self: True)
    servers = DagsterServers(tmp_path, 0, tmp_path / "dagster.log")
    assert servers.start(OURS)
    assert {"dagster", "dagster_webserver", "dagster._daemon"} == set(begun)
    assert not servers.have_ended(0)
    begun[which].ended_with = 3
    assert servers.have_ended(0)
    assert 3 == servers.returncode
    servers.end(tell=True)
    assert all(one.has_ended() for one in begun.values())


def a_run_that_died(folder: Path) -> None:
    """A power cut left it at "started"."""
    (folder / "data" / "dagster").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # where the paths of dagster.yaml begin
        with dg.DagsterInstance.from_config(str(folder)) as instance:
            tags = {OWNER_TAG: owner_that_has_gone()}
            instance.add_run(dg.DagsterRun("stock_sync", status=dg.DagsterRunStatus.STARTED, tags=tags))


def test_it_says_the_address_when_it_answers_and_leaves_nothing_behind(folder: Path) -> None:
    """Whoever reads it can open it; emulator and desk live and end with it; the terminal shows our lines alone, one of
    them about the run that a power cut left: no sensor looks for it here. What other people's software warns of, and
    what a killed process of theirs left behind, is no matter of the shop owner's."""
    a_run_that_died(folder)
    port, desk_port = free_port(), free_port()
    with (folder / "ecauto.toml").open("a", encoding="utf-8") as config:
        config.write(f"[desk]\nport = {desk_port}\n")
    hidden = ("DAGSTER_HOME", "ECAUTO_DATA_DIR", "PYTHONWARNINGS")
    environ = {name: value for name, value in os.environ.items() if name not in hidden}
    environ |= {"ECAUTO_CONFIG": str(folder / "ecauto.toml"), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", "from ecauto_pipeline.cli import main; main()", "dev", "--port", str(port)]
    world = folder / "data" / "emulator"
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    ) as dev:
        assert dev.stdout is not None
        said = []
        for line in dev.stdout:
            said.append(line)
            if f"http://127.0.0.1:{port}" in line:
                break
        try:
            answer = httpx.get(f"http://127.0.0.1:{port}/server_info", trust_env=False, timeout=60)
            assert 200 == answer.status_code
            assert process.running(world)
            servers = psutil.Process(dev.pid).children(recursive=True)
            assert {"ignore"} == {one.environ().get("PYTHONWARNINGS") for one in servers}
            assert [1, 1, 1] == [[one.name() for one in servers].count(name) for name in NAMES.values()]
            assert "__repository__" in _asked(port, _WHAT_IT_SERVES)
            desk = httpx.get(f"http://127.0.0.1:{desk_port}/ja", trust_env=False, timeout=60)
            assert (200, True) == (desk.status_code, "今日" in desk.text)
        except BaseException:  # it would be waited for without an end
            os.killpg(dev.pid, signal.SIGKILL)
            process.stop(world)
            raise
        os.killpg(dev.pid, signal.SIGINT)  # as a terminal does: it and its servers
        said += dev.stdout.readlines()
    assert 0 == dev.returncode
    dead = "停電や強制終了で消えた実行 1件を「失敗」にしました。次の実行が続きから始めます。"
    subjects = ["エミュレーター", "Dagsterの画面を起動しています", dead, "店主の画面", "Dagsterの画面"]
    assert subjects == [_subject(line) for line in said]
    assert process.running(world) is None
    assert is_free(desk_port)
    psutil.wait_procs([one for one in servers if _works(one)], timeout=60)  # what they are copies of ends behind it
    assert not any(map(_works, servers))
    assert [] == list(folder.glob(".tmp_dagster_home_*"))
    assert [] == list(ROOT.glob(".tmp_dagster_home_*"))


def _works(one: psutil.Process) -> bool:
    return bool(one.is_running() and one.status() != psutil.STATUS_ZOMBIE)


_WHAT_IT_SERVES = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"


def _asked(port: int, query: str) -> str:
    url = f"http://127.0.0.1:{port}/graphql"
    return httpx.post(url, json={"query": query}, trust_env=False, timeout=60).text


def _subject(line: str) -> str:
    return line.partition(":")[0].strip().rstrip(".")
