"""One process killed at an instant chosen beforehand: in a call, at a file, or after so much work of its processor.

Instants that count (the third call, the seventh file) are the same each time a case is played, but for what several
threads do side by side; of work done the system's own clock decides, so that such an instant is met again only nearly.
Whoever outlives its instant dies at the end of what it is to be killed in, so that every kill lands there.
Not for: what is killed and what must hold then (kills.py, kills_of_people.py).
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

from ecauto_pipeline.errors import EcautoError
from ecauto_pipeline_tests.matrices.stage import Stage
from ecauto_pipeline_tests.processes import fresh, from_nothing, imported_before

CALL, UNHEARD, FILE = "in a call", "before a call is heard", "at a file"
STEP, WORK, END = "at a step", "at work", "at its end"
"""Where a kill may land: the other side has done what it was asked and its answer is under way; it was asked and does
nothing; a file or folder is about to be made, opened for writing, renamed or removed; a function of Python or C is
about to be called; anywhere, in the middle of C too; it outlived all that."""
MEASURE = "measure"
"""No kill before the end, which says how far it went (reaches.py)."""
LEAST_KILLS, LEAST_IN_CALLS, MOST_AT_END = 500, 40, 0.25
"""In a whole matrix: kills, those of them in calls, and the share of those that outlived what they were killed in."""
_IN_VAIN = {CALL: "held", UNHEARD: "timeout"}
_LOOK_EVERY_S = 0.003
_FILES = frozenset({"os.rename", "os.remove", "os.mkdir", "os.truncate", "os.chmod", "os.rmdir", "sqlite3.connect"})
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
KILLED = (-signal.SIGKILL, -signal.SIGPROF)
"""Exit codes of processes that a signal ended which nothing in them hears."""
Within = Callable[[], Any]
"""Gives a context: while it lasts the process may be killed."""
Body = Callable[..., object]
Begun = tuple[Path, Body, tuple[object, ...]]
_IMPORTED = (
    "ecauto_pipeline_tests.matrices.__main__",
    "ecauto_pipeline.history.compact",
    "ecauto_pipeline.history.mirror",
    "ecauto_pipeline.history.rebuild",
    "httpcore",
    "pyarrow.fs",
    "pyarrow.parquet",
)
"""What each of the killed would import for half of its life: the matrix, and what a run imports late."""


@dataclass(frozen=True, slots=True)
class Instant:
    """The `number`-th call, file or step, counted from 1, or after `cpu_s` seconds of the processor."""

    kind: str
    number: int = 1
    cpu_s: float = 0.0

    def __str__(self) -> str:
        return f"after {self.cpu_s:.3f} s of work" if self.kind == WORK else f"{self.kind}, number {self.number}"


@dataclass(frozen=True, slots=True)
class Reach:
    """How far it goes, so that instants are spread over all of it: calls it makes, files it touches, functions it
    calls in its main thread, seconds of the processor that it takes; 0 = nothing to be killed at."""

    calls: int = 0
    files: int = 0
    steps: int = 0
    cpu_s: float = 0.0

    def instant(self, chance: random.Random) -> Instant:
        """One of them; early ones more often, since what is killed twice has less to do the second time."""
        kinds = [CALL, CALL, UNHEARD] * (self.calls > 0) + [FILE, FILE] * (self.files > 0)
        kinds += [STEP, STEP] * (self.steps > 0) + [WORK] * (self.cpu_s > 0)
        kind, share = chance.choice(kinds), chance.random() ** 1.3
        if kind == WORK:
            return Instant(kind, cpu_s=max(0.000_1, share * self.cpu_s))
        most = {FILE: self.files, STEP: self.steps}.get(kind, self.calls)
        return Instant(kind, 1 + int(share * most))


@dataclass(frozen=True, slots=True)
class Life:
    """What is killed somewhere, from its beginning: `begin(stage)` gives its folder, the body, what that is given."""

    reach: Reach
    begin: Callable[[Stage], Begun]


@dataclass(frozen=True, slots=True)
class Death:
    """`landed`: where, "" = it ended before it came so far. `broke`: what it raised that is no error of ours, or that
    it never began or never ended. `met`: of who was measured, how often each kind."""

    landed: str
    about: str = ""
    broke: str = ""
    met: Mapping[str, int] = field(default_factory=dict)


def be_ready() -> None:
    """From now on processes are begun from one that has imported what the killed need."""
    imported_before(*_IMPORTED)


def kill_one(
    stage: Stage,
    folder: Path,
    instant: Instant,
    body: Body,
    *given: object,
    imports_itself: bool = False,
    longest_s: float = 120.0,
) -> Death:
    """`body(*given, within)` in a process of its own, killed at that instant of what it does in `with within():`.

    `imports_itself`: begun as a program is, and not from one that has imported all. `longest_s`: who lives on so long
    hangs, and is ended.
    """
    be_ready()
    begun = from_nothing() if imports_itself else fresh()
    ours, theirs = begun.Pipe()
    process = begun.Process(target=_live, args=(theirs, instant, folder, body, given))
    process.start()
    theirs.close()
    faults: list[int] = []
    landed, about, met = END, "", dict[str, int]()
    until_s = time.monotonic() + longest_s
    try:
        word, about, _ = ours.recv() if ours.poll(longest_s) else (END, "", {})
        if word == "begins":
            if fault := _IN_VAIN.get(instant.kind):
                spec = {"kind": fault, "after": instant.number - 1, "times": 1, "seconds": longest_s}
                faults = stage.control.add_faults(spec)
            ours.send("go")
            while process.is_alive() and time.monotonic() < until_s and not ours.poll(_LOOK_EVERY_S):
                if faults and any(one["struck"] for one in stage.control.faults() if one["id"] in faults):
                    os.kill(process.pid, signal.SIGKILL)
                    landed, about = instant.kind, _last_call(stage)
                    break
            if ours.poll():
                word, about, met = ours.recv()
                landed = word if word in (FILE, STEP, END) else ""
    except EOFError:
        pass
    finally:
        process.join(max(0.0, until_s - time.monotonic()))
        if faults:
            stage.control.remove_faults(*faults)
    if process.exitcode is None:
        process.kill()
        process.join()
        return Death("", about, f"it never ended: {about}")
    if process.exitcode == -signal.SIGPROF:
        landed = WORK
    if process.exitcode not in (0, *KILLED):
        return Death("", about, about or f"it ended with {process.exitcode} before it began")
    return Death(landed if process.exitcode in KILLED else "", about, met=met)


def judge(counted: Counter[tuple[str, str]]) -> tuple[str, list[str]]:
    """Of a whole matrix: how many kills landed, how and in what; too few of them show nothing."""
    landed: Counter[str] = Counter()
    within: Counter[str] = Counter()
    for (what, how), times in counted.items():
        within[what] += times if how else 0
        landed[how or "not killed"] += times
    killed = within.total()
    wrong = [f"{killed} kills landed, not {LEAST_KILLS}"] if killed < LEAST_KILLS else []
    if landed[CALL] + landed[UNHEARD] < LEAST_IN_CALLS:
        wrong.append(f"{landed[CALL] + landed[UNHEARD]} kills landed in calls, not {LEAST_IN_CALLS}")
    if landed[END] > MOST_AT_END * killed:
        wrong.append(f"{landed[END]} kills landed at an end: it does not go as far as they are spread over")
    wrong += [f"{what}: no kill landed" for what, times in within.items() if not times]
    return f" {killed} kills ({_listed(landed)}; {_listed(within)}),", wrong


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {times}" for name, times in counts.most_common())


def _last_call(stage: Stage) -> str:
    calls = stage.control.calls()
    return str(calls[-1]["operation"]) if calls else ""


def _live(parent: Connection, instant: Instant, folder: Path, body: Body, given: tuple[object, ...]) -> None:
    """What is to be killed."""
    sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    code = 0

    @contextmanager
    def within() -> Iterator[None]:
        parent.send(("begins", "", {}))
        parent.recv()
        began_s = time.process_time()
        met = _arm(instant, folder, parent)
        yield
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.setprofile(None)
        parent.send((END, f"{time.process_time() - began_s:.3f} s of the processor", dict(met)))
        os.kill(os.getpid(), signal.SIGKILL)

    try:
        body(*given, within)
    except EcautoError:
        pass  # in words, as a run of the line ends
    except Exception:
        parent.send(("broke", traceback.format_exc(limit=-4), {}))
        code = 1
    os._exit(code)


def _arm(instant: Instant, folder: Path, parent: Connection) -> Counter[str]:
    """Die at that instant from now on; gives what counts how often each kind was met."""
    met: Counter[str] = Counter()

    def meet(kind: str, what: str) -> None:
        met[kind] += 1
        if kind == instant.kind and met[kind] == instant.number:
            sys.setprofile(None)
            parent.send((kind, what, {}))
            os.kill(os.getpid(), signal.SIGKILL)

    def audited(event: str, arguments: tuple[Any, ...]) -> None:
        written = event == "open" and isinstance(arguments[2], int) and bool(arguments[2] & _WRITES)
        if (written or event in _FILES) and str(folder) in str(arguments[0]):
            meet(FILE, f"{event} {Path(str(arguments[0])).name}")

    def profiled(frame: FrameType, event: str, called: Any) -> None:
        if event in ("call", "c_call"):
            meet(STEP, called.__name__ if event == "c_call" else frame.f_code.co_name)

    if instant.kind == WORK:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, instant.cpu_s)
    if instant.kind in (FILE, MEASURE):
        sys.addaudithook(audited)
    if instant.kind in (STEP, MEASURE):
        sys.setprofile(profiled)
    return met
