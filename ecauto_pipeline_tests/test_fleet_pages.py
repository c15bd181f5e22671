"""What docs/fleet.md and docs/scale.md promise and no other test holds: names, numbers, and that each sum comes out.

Not for: commands and settings in them (test_docs.py), the queue's table (test_scale_benchmark.py), deaths and outages
(proofs/fleet).
"""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml

from ecauto_pipeline.fleet.same_everywhere import OF_ONE_MACHINE
from ecauto_pipeline.history.store import CATCH_UP_EVERY_S
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state.migrations import VERSION
from ecauto_pipeline_tests.pages import ROOT, read

FLEET = ("docs/fleet.md", "docs/ja/fleet.md")
SCALE = ("docs/scale.md", "docs/ja/scale.md")
FACTOR = {"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "ms": 1e-3, "million": 1e6}
_LOOKING = ("doctor", "status")
CLOSE = 0.04
"""Sums are shown rounded, some of them down."""


@pytest.mark.parametrize("page", FLEET, ids=["en", "ja"])
def test_the_tables_in_which_machines_may_differ_are_those_that_are_not_compared(page: str) -> None:
    """In the paragraph about comparing, neither more nor fewer."""
    (paragraph,) = [line for line in read(page).splitlines() if "`[paths]`, `" in line or "`[paths]`、`" in line]
    assert set(OF_ONE_MACHINE) == set(re.findall(r"`\[(\w+)\]`", paragraph))


@pytest.mark.parametrize("page", [*FLEET, "deploy/helm/values.yaml"])
def test_the_chart_is_of_dagsters_version(page: str) -> None:
    """A chart of another version starts an image with another Dagster."""
    needs = tomllib.loads(read("pyproject.toml"))["project"]["dependencies"]
    (version,) = [one.removeprefix("dagster==") for one in needs if one.startswith("dagster==")]
    assert {version} == set(re.findall(r"(?<![\d.])1\.\d+\.\d+", read(page)))


@pytest.mark.parametrize("page", FLEET, ids=["en", "ja"])
def test_whoever_moves_is_told_every_step_in_its_order(page: str) -> None:
    """The new state knows nothing of the old one's stop, and a run refuses to work without the owner's files; on the
    way back state stays, and the stop with it (proofs/fleet/test_commands.py)."""
    there, back = (
        [words for words in re.findall(r"`ecauto ((?:[a-z]+ ?)+)", part) if words.split()[0] not in _LOOKING]
        for part in re.findall(r"^1\. .+?(?=^## )", read(page), re.M | re.S)[:2]
    )
    begun = ["keys new", "fleet migrate", "stop", "register import", "keys seal", "fleet put", "fleet worker", "resume"]
    assert ["stop", "rollback", *begun] == there[: len(begun) + 2]
    assert ["stop", "register export", "keys unseal", "resume"] == back


@pytest.mark.parametrize("page", FLEET, ids=["en", "ja"])
def test_kubernetes_is_of_the_version_that_was_asked(page: str) -> None:
    """proofs/fleet/test_deploy.py asks the schemas of one version."""
    asked = re.search(r'^KUBERNETES = "(.+)"$', read("proofs/fleet/test_deploy.py"), re.M)
    assert asked is not None
    assert [asked[1]] == re.findall(r"Kubernetes (\d\.\d+)", read(page))


def test_containers_are_opened_to_this_computer_alone() -> None:
    """Dagster's UI on 3000, the desk on 3001, both on loopback; PostgreSQL, Redis and the store to nobody."""
    services = yaml.safe_load(read("deploy/compose/docker-compose.yml"))["services"]
    opened = [port for service in services.values() for port in service.get("ports", [])]
    assert ["127.0.0.1:3000:3000", "127.0.0.1:3001:3001"] == sorted(opened)


def test_one_image_serves_every_part_of_the_fleet() -> None:
    """All containers of ours, and every place of the chart's values that names one."""
    services = yaml.safe_load(read("deploy/compose/docker-compose.yml"))["services"]
    ours = {name for name, service in services.items() if "build" in service}
    assert {"migrate", "webserver", "daemon", "desk", "worker"} == ours
    assert 1 == len({services[name]["image"] for name in ours})
    named = re.findall(r"repository: (\S+)\n\s+tag: \"(\S+)\"", read("deploy/helm/values.yaml"))
    manifests = re.findall(r"image: (\S+):(\S+)", read("deploy/helm/desk.yaml") + read("deploy/helm/migrate.yaml"))
    project = tomllib.loads(read("pyproject.toml"))["project"]
    assert {(project["name"], project["version"])} == {*named, *manifests}


def test_the_times_that_a_fleet_is_promised_are_those_of_the_program() -> None:
    """Publishing every 5 minutes, a copy a minute behind, a worker that ends within a slice of 10 minutes."""
    settings = Settings(root=ROOT)
    for page, words in zip(FLEET, (("every 5 minutes", "10 minutes"), ("5分ごと", "10分")), strict=True):
        assert [] == [one for one in words if one not in read(page)]
    assert ("*/5 * * * *", 60.0, 10.0) == (settings.history.publish, CATCH_UP_EVERY_S, settings.slices.minutes)


@pytest.mark.parametrize(
    ("page", "words"), list(zip(FLEET, ("its tables are of version ", "表はバージョン "), strict=True))
)
def test_the_page_says_which_version_the_tables_are_of(page: str, words: str) -> None:
    """By it a person tells before an upgrade whether every worker has to end first."""
    assert [str(VERSION)] == re.findall(rf"{words}(\d+)", read(page))


def _number(text: str, unit: str) -> float:
    return float(text.replace(",", "")) * FACTOR.get(unit, 1.0)


def _numbers(cell: str) -> list[float]:
    """Every number of a cell, by its unit."""
    return [_number(*found) for found in re.findall(r"(\d[\d,.]*\d|\d) ?(KB|MB|GB|TB|ms|million)?", cell)]


def _reckoned(cell: str) -> float | None:
    """What a sum of docs/scale.md comes to; None where it refers to another place, or is two in one."""
    said = re.split(r"[:：] ?", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", cell))[-1]
    if re.search(r"\d or \d|または", said):
        return None
    for unit, factor in FACTOR.items():
        said = re.sub(rf"([\d)]) ?{unit}\b", rf"\1*{factor:f}", said)
    said = re.sub(r"(?<=\d),(?=\d{3})", "", said).replace(" x ", " * ")
    said = re.sub(r"\( *\)", "", re.sub(r"[^\d.()+\-*/ ]", "", said)).strip()
    if not re.search(r"\d *\)* *[*/] *\(*\d", said):
        return None
    return float(eval(said, {"__builtins__": {}}))


def _sums(page: str) -> list[tuple[str, list[float], float]]:
    """(what, the numbers of its row, what its sum comes to) of each row of a table with sums."""
    found, place = [], None
    for line in read(page).splitlines():
        cells = [one.strip() for one in line.strip("|").split(" | ")] if line.startswith("| ") else []
        if not cells:
            place = None if not line.startswith("|") else place
        elif {"sum", "式"} & set(cells):
            place = cells.index("sum" if "sum" in cells else "式")
        elif place is not None and (value := _reckoned(cells[place])) is not None:
            beside = [number for n, cell in enumerate(cells) if n != place for number in _numbers(cell)]
            found.append((cells[0], beside, value))
    return found


@pytest.mark.parametrize("page", SCALE, ids=["en", "ja"])
def test_every_sum_on_paper_comes_out(page: str) -> None:
    """What is reckoned is what its sum says, in the row where it stands."""
    sums = _sums(page)
    assert len(sums) >= 16
    wrong = [
        (what, value) for what, beside, value in sums if not any(abs(one / value - 1) < CLOSE for one in beside if one)
    ]
    assert [] == wrong


def test_both_languages_reckon_the_same() -> None:
    """Sum by sum."""
    english, japanese = ([round(value, 9) for _, _, value in _sums(page)] for page in SCALE)
    assert english == japanese
