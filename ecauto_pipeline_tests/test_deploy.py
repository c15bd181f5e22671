"""What deploy/ names exists: settings, variables, commands, files, Dagster's own keys and those of its chart.

Not for: whether Docker and Kubernetes take the files (proofs/fleet/test_deploy.py asks their own checkers).
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._config import validate_config
from dagster._core.instance.config import dagster_instance_config_schema
from jsonschema import Draft7Validator, Draft202012Validator, ValidationError

from ecauto_pipeline.settings import Settings, parse
from ecauto_pipeline_tests import commands_page, dagster_chart
from ecauto_pipeline_tests.pages import ROOT, read

COMPOSE = "deploy/compose/docker-compose.yml"
OF_SERVERS = {
    *("PGPASSWORD", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"),
}
"""Variables that servers and their libraries know by these names."""

CHART = Path(__file__).with_name("chart_values.schema.json")
"""What Dagster's chart takes in the tables that deploy/helm/values.yaml sets; its source stands in it."""


def test_the_policy_of_the_example_is_read_by_the_program() -> None:
    """deploy/compose/ecauto.toml: every key exists, a fleet is on, nothing of it is on a local disk."""
    settings = _settings()
    assert settings.fleet.on
    assert settings.state_url().startswith("postgresql+psycopg://")


def test_every_variable_that_is_asked_for_can_be_given() -> None:
    """By ecauto.toml, dagster.yaml and the containers' commands: each stands in secrets.env.example; and no other."""
    settings = tomllib.loads(read("deploy/compose/ecauto.toml"))
    named = {value for key, value in _leaves(settings) if key.endswith("_env")}
    named |= {value for key, value in _leaves(yaml.safe_load(read("deploy/dagster.yaml"))) if key == "env"}
    named |= set(re.findall(r"\$\$([A-Z][A-Z_]+)", read(COMPOSE))) - {"HOSTNAME"}
    given = set(re.findall(r"^([A-Z][A-Z0-9_]+)=", read("deploy/compose/secrets.env.example"), re.M))
    assert given == named | OF_SERVERS


def test_no_secret_stands_in_an_example() -> None:
    """secrets.env.example names variables; only addresses on the containers' own network have a value."""
    values = re.findall(r"^[A-Z][A-Z0-9_]+=(.+)$", read("deploy/compose/secrets.env.example"), re.M)
    assert [] == [value for value in values if not re.fullmatch(r"[a-z0-9+]+://[a-z0-9:/@-]+", value)]
    assert "secrets.env" in read(".gitignore").splitlines()


def test_no_secret_is_a_word_of_a_command() -> None:
    """Whoever lists processes would read it: it is handed on as a variable. Redis alone is told so, and takes it out of
    its title."""
    services = yaml.safe_load(read(COMPOSE))["services"].values()
    told = [word for one in services for word in (*one.get("command", ()), *one.get("healthcheck", {}).get("test", ()))]
    handed = [found for word in told for found in re.findall(r'(\S+ ?)"\$\$\w*(?:URL|PASSWORD|KEY)"', word)]
    assert ["--requirepass ", "CELERY_BROKER_URL=", "REDISCLI_AUTH="] == sorted(handed)


def test_every_command_of_the_containers_exists() -> None:
    """`ecauto ...` with its options, in compose, Dockerfile and the desk's manifest."""
    known = {entry.path: set(entry.option_names) for entry in commands_page.entries()}
    composed = [one.get("command") for one in yaml.safe_load(read(COMPOSE))["services"].values()]
    manifests = [yaml.safe_load(read(f"deploy/helm/{name}.yaml").split("---")[0]) for name in ("desk", "migrate")]
    in_pods = [one["spec"]["template"]["spec"]["containers"][0]["command"] for one in manifests]
    told = [*composed, *in_pods, ["ecauto", "fleet", "worker"]]
    ours = [words for words in told if words and words[0] == "ecauto"]
    assert len(ours) >= 4
    for words in ours:
        path = next(" ".join(words[:n]) for n in (3, 2) if " ".join(words[:n]) in known)
        assert {word for word in words if word.startswith("--")} <= known[path], words


def test_dagster_knows_every_key_of_its_file() -> None:
    """deploy/dagster.yaml against Dagster's own schema of an instance."""
    document = yaml.safe_load(read("deploy/dagster.yaml"))
    result = validate_config(dagster_instance_config_schema(), document)
    assert result.success, result.errors


def test_both_engines_are_told_the_same() -> None:
    """A lane's one run at a time, how often a dead run is tried again and that what it prints stays with its platform:
    workers and Kubernetes alike."""
    ours = yaml.safe_load(read("deploy/dagster.yaml"))
    values = yaml.safe_load(read("deploy/helm/values.yaml"))
    daemon = values["dagsterDaemon"]
    queued = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]
    assert ours["run_coordinator"]["config"]["tag_concurrency_limits"] == queued["tagConcurrencyLimits"]
    assert ours["run_retries"]["max_retries"] == daemon["runRetries"]["maxRetries"]
    assert "NoOpComputeLogManager" == ours["compute_logs"]["class"] == values["computeLogManager"]["type"]


def test_the_chart_takes_its_values() -> None:
    """Every key is one the chart names (another would be dropped without a word), of its type, and the choice of run
    launcher and coordinator has its table."""
    schema = json.loads(CHART.read_text(encoding="utf-8"))
    Draft7Validator.check_schema(schema)
    values = yaml.safe_load(read("deploy/helm/values.yaml"))
    found = [*Draft7Validator(schema).iter_errors(values), *_told_by_the_chart(values)]
    assert [] == [f"{one.json_path}: {one.message}" for one in found]


@pytest.mark.parametrize(
    ("table", "value"),
    [
        ("runLauncher", {"type": "CeleryRunLauncher"}),
        ("dagsterDaemon", {"runRetries": {"maxRetries": "two"}}),
        ("dagster-user-deployments", {"deployments": [{"name": "ecauto"}]}),
    ],
    ids=["a launcher it lacks", "another type", "a row that lacks a key"],
)
def test_the_whole_schema_of_the_chart_refuses_what_helm_would(table: str, value: object) -> None:
    """The kept schema is the chart's own, whole: what Helm refuses is refused here, in the chart and its subchart."""
    assert [] != _told_by_the_chart({**yaml.safe_load(read("deploy/helm/values.yaml")), table: value})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("dagsterDaemon.runRetries.retryOnFailure", True),
        ("dagsterDaemon.runCoordinator.config.queuedRunCoordinator.tagConcurrencyLimits", [{"key": "ecauto/lane"}]),
        ("runLauncher.type", "CeleryRunLauncher"),
        ("runLauncher.config", {"customRunLauncher": {}}),
        ("runLauncher.config.k8sRunLauncher.imagePullPolicy", "Sometimes"),
        ("dagster-user-deployments.deployments", [{"name": "ecauto"}]),
        ("postgresql.service.port", "5432"),
    ],
    ids=lambda one: one if isinstance(one, str) and "." in one else "",
)
def test_the_chart_would_not_take_another_value(path: str, value: object) -> None:
    """A key that there is not, a row that lacks one, a word it does not know, another type."""
    values = yaml.safe_load(read("deploy/helm/values.yaml"))
    *tables, last = path.split(".")
    table = values
    for name in tables:
        table = table[name]
    table[last] = value
    assert not Draft7Validator(json.loads(CHART.read_text(encoding="utf-8"))).is_valid(values)


def test_the_image_is_made_of_files_that_are_there() -> None:
    """Each COPY of the Dockerfile, from the project's root."""
    copied = re.findall(r"^COPY (.+) \S+$", read("deploy/Dockerfile"), re.M)
    files = [name for line in copied for name in line.split()]
    assert len(files) >= 5
    assert [] == [name for name in files if not (ROOT / name).exists()]


def _told_by_the_chart(values: Mapping[str, Any]) -> list[ValidationError]:
    """What Helm would refuse; what the chart asks of Kubernetes is asked in proofs/fleet/test_deploy.py."""
    asked = [(dagster_chart.without_kubernetes(schema), told) for schema, told in dagster_chart.validated(values)]
    return [found for schema, told in asked for found in Draft202012Validator(schema).iter_errors(told)]


def _settings() -> Settings:
    return parse(tomllib.loads(read("deploy/compose/ecauto.toml")), ROOT, name="deploy/compose/ecauto.toml")


def _leaves(document: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """(key, value) of everything that is no table."""
    if isinstance(document, Mapping):
        for name, value in document.items():
            yield from _leaves(value, str(name))
    elif isinstance(document, list):
        for value in document:
            yield from _leaves(value, key)
    else:
        yield key, document
