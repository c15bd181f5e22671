"""Docker and Kubernetes take what deploy/ says, by their own checkers; neither Docker nor a cluster is needed.

docker-compose is Debian's package of that name. Not for: what the files name (ecauto_pipeline_tests/test_deploy.py).
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import dagster as dg
import kubernetes_validate
import pytest
import yaml
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.launcher import LaunchRunContext
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster_k8s.launcher import K8sRunLauncher
from jsonschema import Draft202012Validator
from kubernetes.client import ApiClient, BatchV1Api
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from ecauto_pipeline_tests import dagster_chart
from proofs.fleet.little_jobs import working
from proofs.fleet.machines import ROOT

KUBERNETES = "1.34"


def test_compose_takes_the_file(tmp_path: Path) -> None:
    """`docker-compose config -q`, with secrets.env as a person fills it in."""
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    folder = tmp_path / "deploy" / "compose"
    shutil.copy(folder / "secrets.env.example", folder / "secrets.env")
    said = subprocess.run(["docker-compose", "config", "-q"], cwd=folder, capture_output=True, text=True, check=False)
    assert (0, "") == (said.returncode, said.stderr)


def test_kubernetes_takes_what_the_chart_hands_on() -> None:
    """Volumes, mounts, limits, security contexts of values.yaml, against the definitions its chart's schema asks for:
    those of kubernetes-validate; a volume without a name is refused."""
    name = f"kubernetes-json-schema/v{KUBERNETES}.0-local/_definitions.json"
    theirs = json.loads((resources.files(kubernetes_validate) / name).read_text(encoding="utf-8"))
    kubernetes = {"$defs": theirs["$defs"], "definitions": theirs["$defs"]}  # the chart asks for them by the older name
    registry = Registry().with_resource("kubernetes", DRAFT202012.create_resource(kubernetes))
    values = yaml.safe_load((ROOT / "deploy/helm/values.yaml").read_text(encoding="utf-8"))

    def told(values: dict[str, Any]) -> list[str]:
        asked = [
            (Draft202012Validator(schema, registry=registry), document)
            for schema, document in dagster_chart.validated(values)
        ]
        return [f"{one.json_path}: {one.message}" for check, document in asked for one in check.iter_errors(document)]

    assert [] == told(values)
    del values["dagster-user-deployments"]["deployments"][0]["volumes"][0]["name"]
    assert [] != told(values)


class _KeptJobs(BatchV1Api):  # type: ignore[misc]  # the project's own environment lacks the package: Any to mypy
    """Kubernetes' own client, whose jobs are kept here instead of being sent to a cluster that is not there."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[Any] = []

    def create_namespaced_job(self, body: Any, namespace: str, **_: Any) -> Any:
        self.jobs.append(body)
        return body


def test_kubernetes_takes_the_job_of_a_run(tmp_path: Path) -> None:
    """What K8sRunLauncher makes of deploy/helm/values.yaml for a run: valid, with the secrets, files and limits."""
    kubeconfig = tmp_path / "kubeconfig"
    cluster = {"name": "nowhere", "cluster": {"server": "http://127.0.0.1:9"}}
    context = {"name": "nowhere", "context": {"cluster": "nowhere", "user": "nobody"}}
    document = {"apiVersion": "v1", "kind": "Config", "clusters": [cluster], "contexts": [context]}
    document |= {"users": [{"name": "nobody", "user": {}}], "current-context": "nowhere"}
    kubeconfig.write_text(yaml.safe_dump(document), encoding="utf-8")
    values = yaml.safe_load((ROOT / "deploy/helm/values.yaml").read_text(encoding="utf-8"))
    told = values["runLauncher"]["config"]["k8sRunLauncher"]
    deployed = values["dagster-user-deployments"]["deployments"][0]
    kept = _KeptJobs()
    launcher = K8sRunLauncher(
        service_account_name="ecauto",
        instance_config_map="ecauto-instance",
        postgres_password_secret=values["global"]["postgresqlSecretName"],
        dagster_home=values["global"]["dagsterHome"],
        load_incluster_config=False,
        kubeconfig_file=str(kubeconfig),
        k8s_client_batch_api=kept,
        image_pull_policy=told["imagePullPolicy"],
        fail_pod_on_run_failure=told["failPodOnRunFailure"],
        run_k8s_config=_snake(told["runK8sConfig"]),
    )
    in_runs = {
        "env_vars": [f"{name}={value}" for name, value in deployed["env"].items()],
        "env_secrets": [one["name"] for one in deployed["envSecrets"]],
        "volumes": [_snake(one) for one in deployed["volumes"]],
        "volume_mounts": [_snake(one) for one in deployed["volumeMounts"]],
        "run_k8s_config": {"pod_spec_config": {"security_context": _snake(deployed["podSecurityContext"])}},
    }
    image = f"{deployed['image']['repository']}:{deployed['image']['tag']}"
    repository = RepositoryPythonOrigin(
        executable_path="python",
        code_pointer=ModuleCodePointer("ecauto_pipeline.definitions", "defs", None),
        container_image=image,
        container_context={"k8s": in_runs},
    )
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        launcher.register_instance(instance)
        run = instance.create_run_for_job(working, job_code_origin=JobPythonOrigin("stock_sync", repository))
        launcher.launch_run(LaunchRunContext(dagster_run=run, workspace=None))
    (job,) = [ApiClient().sanitize_for_serialization(one) for one in kept.jobs]
    kubernetes_validate.validate(job, KUBERNETES, strict=True)
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert image == container["image"]
    assert {"name": "ecauto"} in [one.get("secretRef") for one in container["envFrom"]]
    assert {"/app/config", "/app/data"} <= {one["mountPath"] for one in container["volumeMounts"]}
    assert (7200, 10001) == (job["spec"]["activeDeadlineSeconds"], pod["securityContext"]["runAsUser"])


@pytest.mark.parametrize(("name", "kinds"), [("desk", ["Deployment", "Service"]), ("migrate", ["Job"])])
def test_kubernetes_takes_the_manifests(name: str, kinds: list[str]) -> None:
    """What stands beside Dagster's chart, document by document."""
    documents = list(yaml.safe_load_all((ROOT / f"deploy/helm/{name}.yaml").read_text(encoding="utf-8")))
    assert kinds == [one["kind"] for one in documents]
    for one in documents:
        kubernetes_validate.validate(one, KUBERNETES, strict=True)


def _snake(document: Any) -> Any:
    """As the chart writes it into dagster.yaml: keys of Kubernetes' objects in Python's way."""
    if isinstance(document, dict):
        return {re.sub(r"(?<=[a-z])([A-Z])", r"_\1", key).lower(): _snake(value) for key, value in document.items()}
    return [_snake(one) for one in document] if isinstance(document, list) else document
