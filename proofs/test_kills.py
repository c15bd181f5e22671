"""A hundred kills (-9) at random moments of pushing runs: nothing edited twice, nothing forgotten, no token lost."""

from __future__ import annotations

from pathlib import Path

from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.scenarios.killing import Pushing

KILLS = 100


def test_a_hundred_kills_leave_every_diff_sent_once(tmp_path: Path) -> None:
    """By the emulator's own list of calls. An access token dies now and then, so that rotations are killed, too."""
    with EmulatorServer(seed=3, listings=4000, accounts=3, speed=1000.0) as emulator:
        pushing = Pushing(tmp_path, emulator, seed=29)
        worker = pushing.worker()
        killed = 0
        for number in range(KILLS):
            if number % 10 == 5:
                pushing.control.expire_tokens(api="base")
            killed += worker.kill_after_edits(pushing, pushing.chance.randrange(1, 20)) == -9
        for _ in range(2):
            worker.begin(pushing.next_run())
            assert worker.ended() == 0
        worker.close()
        assert killed == KILLS
        pushing.verify()
