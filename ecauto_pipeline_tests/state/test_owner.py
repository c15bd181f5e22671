"""The name of whoever works: it tells a process from every other, also from a later one of the same number."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.state.owner import is_this_process, new_owner, process_of, process_seen

OWNER = "from ecauto_pipeline.state.owner import new_owner; print(new_owner(), flush=True); input()"


def _another_process() -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_a_process_lives_until_it_is_killed() -> None:
    """Also while its parent has not yet looked after it."""
    process, owner = _another_process()
    assert "lives" == process_of(owner)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, and nobody has looked
    assert "gone" == process_of(owner)
    process.communicate()
    assert "gone" == process_of(owner)


def test_a_number_that_is_used_again_is_another_process() -> None:
    """After a restart of the machine the same number belongs to somebody else: its start tells."""
    host, pid, start, unique = new_owner().split("|")
    boot, _, ticks = start.partition("+")
    assert "lives" == process_of(f"{host}|{pid}|{start}|{unique}")
    assert "gone" == process_of(f"{host}|{pid}|{boot}+{int(ticks) + 1}|{unique}")
    assert "gone" == process_of(f"{host}|{pid}|{'0' * 8}+{ticks}|{unique}")


def test_a_process_of_another_machine_of_this_name_is_never_called_gone() -> None:
    """A container of the same host name has its own process ids on the same boot; another machine its own boot. Only
    this machine, started anew, has surely lost its processes."""
    host, pid, start, unique = new_owner().split("|")
    (boot, namespace, machine), ticks = start.partition("+")[0].split("."), start.partition("+")[2]

    def found(boot: str, namespace: str, machine: str) -> str:
        return process_of(f"{host}|{pid}|{boot}.{namespace}.{machine}+{int(ticks) + 1}|{unique}")

    assert "unknown" == found(boot, "4026530000", machine)
    assert "unknown" == found("0" * 8, namespace, "f" * 8)
    assert "unknown" == found("0" * 8, namespace, "")
    assert ("gone" if machine else "unknown") == found("0" * 8, namespace, machine)
    assert "gone" == found(boot, namespace, machine)


def test_what_an_earlier_version_wrote_is_still_known() -> None:
    """Its names had the boot alone: a run that lives through an update is not taken for dead."""
    host, pid, start, unique = new_owner().split("|")
    earlier = f"{start.partition('.')[0]}+{start.partition('+')[2]}"
    assert "lives" == process_of(f"{host}|{pid}|{earlier}|{unique}")


@pytest.mark.parametrize("owner", ["", "elsewhere|1|0|a", f"{platform.node()}|one|0|a", f"{platform.node()}|1|3.14|a"])
def test_what_nobody_can_look_for_is_unknown(owner: str) -> None:
    """Another host, no name, no number, a start written otherwise: neither alive nor gone."""
    assert "unknown" == process_of(owner)


@given(
    pid=st.text(max_size=6) | st.integers(-(2**70), 2**70).map(str) | st.just(str(os.getpid())),
    start=st.text(max_size=20) | st.from_regex(r"[0-9a-f]{8}\+[0-9]{1,9}", fullmatch=True),
    here=st.booleans(),
)
def test_no_name_of_an_owner_is_taken_for_one_that_lives(pid: str, start: str, here: bool) -> None:
    """Whatever an older version, another host or a damaged row left: an answer, and "lives" for nobody but us."""
    found = process_of(f"{platform.node() if here else 'elsewhere'}|{pid}|{start}|x")
    assert found in ("gone", "unknown")


def test_a_process_known_by_its_number_alone_is_told_by_when_it_was_there() -> None:
    """One that began after the number was seen is another."""
    ours, began = os.getpid(), datetime.fromtimestamp(psutil.Process().create_time(), UTC)
    assert "lives" == process_seen(ours, began)
    assert "gone" == process_seen(ours, began - timedelta(minutes=1))
    assert "gone" == process_seen(2**22 + 1, began)


def test_a_worker_of_this_process_is_known_as_such() -> None:
    """Whatever its unique part is."""
    process, owner = _another_process()
    process.communicate("\n")
    assert is_this_process(new_owner())
    assert not is_this_process(owner)
    assert not is_this_process("")
