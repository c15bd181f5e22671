"""What `ecauto dev` starts Dagster's servers with."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import dagster as dg
import httpx
import pytest
from uvicorn import Config, Server

from ecauto_pipeline.cli.dev import servers_environ
from ecauto_pipeline.cli.dev_desk import DeskBeside
from ecauto_pipeline.defs.living_runs import OWNER_TAG
from ecauto_pipeline.desk.server import end_with
from ecauto_pipeline.emulator import process
from ecauto_pipeline.settings import parse
from ecauto_pipeline.wiring.ports import is_free
from ecauto_pipeline_tests.cli.prepared_days import owner_that_has_gone
from ecauto_pipeline_tests.pages import ROOT

pytestmark = pytest.mark.long


def test_the_servers_live_where_dagster_yaml_is(tmp_path: Path) -> None:
    """A home of their own would be a `.tmp_dagster_home_*` in the owner's folder that a kill leaves behind."""
    environ = servers_environ(tmp_path, {"PATH": "p"})
    assert (str(tmp_path), "p") == (environ["DAGSTER_HOME"], environ["PATH"])
    assert "elsewhere" == servers_environ(tmp_path, {"DAGSTER_HOME": "elsewhere"})["DAGSTER_HOME"]


def test_the_terminal_shows_no_warnings_of_other_peoples_software(tmp_path: Path) -> None:
    """What Dagster or click will drop one day is no matter of the shop owner's; who wants it sets PYTHONWARNINGS."""
    assert "ignore" == servers_environ(tmp_path, {})["PYTHONWARNINGS"]
    assert "default" == servers_environ(tmp_path, {"PYTHONWARNINGS": "default"})["PYTHONWARNINGS"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("dev")
    for name in ("workspace.yaml", "dagster.yaml"):
        (made / name).write_bytes((ROOT / name).read_bytes())
    (made / "ecauto.toml").write_text("[emulator]\nlistings = 12\naccounts = 2\n", encoding="utf-8")
    return made


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


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
    them about the run that a power cut left: no sensor looks for it here."""
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
    assert [] == list(folder.glob(".tmp_dagster_home_*"))
    assert [] == list(ROOT.glob(".tmp_dagster_home_*"))


def _subject(line: str) -> str:
    return line.partition(":")[0].strip().rstrip(".")
