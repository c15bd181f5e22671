"""The desk over a data folder that nobody can write to: a disk that the system has mounted read-only.

It is mounted in a namespace of its own, as root of that alone (util-linux: unshare, mount); the scene is played there.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ecauto_pipeline_tests.pages import ROOT

MOUNTS = 'set -e; mount -t tmpfs none "$1"; exec "$2" -m proofs.test_desk_read_only "$1"'


def test_every_page_opens_on_a_read_only_disk_and_says_so(tmp_path: Path) -> None:
    """Each page in both languages, with the cause and the next step; no page fails, nothing is changed."""
    place = tmp_path / "disk"
    place.mkdir()
    apart = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNTS, "sh", str(place), sys.executable]
    played = subprocess.run(apart, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert (0, "every page says so\n") == (played.returncode, played.stdout), played.stderr


def _play(place: Path) -> None:
    from ecauto_pipeline_tests.desk.shop import a_filled_shop
    from ecauto_pipeline_tests.desk.test_unknowns import UNKNOWN, look_at_every_page
    from ecauto_pipeline_tests.desk.visitor import served

    patch = pytest.MonkeyPatch()
    shop = a_filled_shop(place, patch)
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    said = {
        "ja": "読み取り専用の場所です。書き込める場所に data を移してください",
        "en": "the place is read-only; move data to",
    }
    with served() as desk:
        for language in ("ja", "en"):
            pages = look_at_every_page(desk, shop, language)
            silent = [path for path, text in pages.items() if said[language] not in text]
            assert [] == silent, silent
            assert all(UNKNOWN[language] in text for text in pages.values())
        assert said["ja"] in desk.get("/ja/items.csv").text
    sys.stdout.write("every page says so\n")


if __name__ == "__main__":
    _play(Path(sys.argv[1]))
