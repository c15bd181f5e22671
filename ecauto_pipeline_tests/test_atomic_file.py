"""Files that are whole or not there, whatever happens while they are written."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ecauto_pipeline.atomic_file import PRIVATE, on_read_only_disk, remove_leftovers, replace_file, replacing
from ecauto_pipeline_tests.pages import ROOT

posix = pytest.mark.skipif(os.name == "nt", reason="modes, links and pipes are POSIX's")


def test_a_file_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    """Text is UTF-8 with its own line ends, bytes are as given, folders are made, nothing else is left."""
    path = tmp_path / "new" / "folder" / "a.csv"
    replace_file(path, "old")
    replace_file(path, "商品\r\n1\n")
    assert "商品\r\n1\n".encode() == path.read_bytes()
    replace_file(path, b"\x93\xfa")
    assert b"\x93\xfa" == path.read_bytes()
    assert [path] == list(path.parent.iterdir())


def test_an_error_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    """Whatever is raised by the writer, even an interrupt: the old content stays and no temporary file does."""
    path = tmp_path / "tokens.json"
    replace_file(path, "old")
    for wrong in (OSError, KeyboardInterrupt):
        with pytest.raises(wrong):
            _write_half(path, wrong)
    assert "old" == path.read_text(encoding="utf-8")
    assert [path] == list(tmp_path.iterdir())


def _write_half(path: Path, wrong: type[BaseException]) -> None:
    with replacing(path) as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise wrong


def test_a_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    """kill -9 between the first byte and the rename: old content; what it left is dropped by the next lock holder."""
    path = tmp_path / "tokens.json"
    replace_file(path, "old")
    program = f"""
        import os, signal
        from pathlib import Path
        from ecauto_pipeline.atomic_file import replacing
        with replacing(Path({str(path)!r})) as temporary:
            temporary.write_text("half", encoding="utf-8")
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, check=False, timeout=500)
    assert "old" == path.read_text(encoding="utf-8")
    assert 2 == len(list(tmp_path.iterdir()))
    remove_leftovers(path)
    assert [path] == list(tmp_path.iterdir())


@posix
def test_a_secret_is_private_from_its_first_byte(tmp_path: Path) -> None:
    """The temporary file has the mode asked for before anything is written to it."""
    path = tmp_path / ".env"
    with replacing(path, PRIVATE) as temporary:
        assert 0o600 == stat.S_IMODE(temporary.stat().st_mode)
        temporary.write_text("secret", encoding="utf-8")
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


@posix
def test_links_and_pipes_stay_what_they_are(tmp_path: Path) -> None:
    """A link still points where it did, at the new content; /dev/null can be an output."""
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    replace_file(real, "old")
    link.symlink_to(real)
    replace_file(link, "new")
    assert link.is_symlink()
    assert "new" == real.read_text(encoding="utf-8")
    replace_file(Path(os.devnull), "gone")


def test_files_are_replaced_in_one_place() -> None:
    """No module but atomic_file syncs or renames files by itself; the emulator shares no code and has its own."""
    alone = re.compile(r"os\.replace\(|os\.rename\(|os\.fsync\(|mkstemp|NamedTemporaryFile")
    found = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "ecauto_pipeline").rglob("*.py"))
        if alone.search(path.read_text(encoding="utf-8")) and "emulator" not in path.parts
    ]
    assert ["ecauto_pipeline/atomic_file.py"] == found


@pytest.mark.skipif(not Path("/proc/mounts").exists(), reason="the system has no list of its disks")
def test_a_disk_is_read_only_where_the_system_says_so(tmp_path: Path) -> None:
    """Of every disk of this machine that can be looked at, and of the one we write to."""
    assert not on_read_only_disk(tmp_path)
    mounted = {}
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, place, _, options, *_ = line.split()
        if "\\" not in place and os.access(place, os.R_OK):
            mounted[place] = "ro" in options.split(",")  # of two at one place the later is seen
    assert mounted == {place: on_read_only_disk(Path(place)) for place in mounted}
