"""The compose file, the Dockerfiles and the Kubernetes objects say the same and are valid."""

import re
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from app.__main__ import SHUTDOWN_SECONDS
from app.settings import ApiSettings

REPOSITORY = Path(__file__).resolve().parents[1]
COMPOSE = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
DOCKERFILES = {"api": "Dockerfile.api", "front": "Dockerfile.front"}
GIGA = {"1g": 2**30, "1Gi": 2**30}


@pytest.fixture(scope="module")
def objects() -> dict[tuple[str, str], dict]:
    """The Kubernetes objects by kind and name."""
    text = (REPOSITORY / "src" / "app" / "kubernetes.yaml").read_text()
    return {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(text)}


@pytest.fixture(params=DOCKERFILES)
def name(request) -> str:
    return request.param


@pytest.fixture
def dockerfile(name) -> str:
    return (REPOSITORY / DOCKERFILES[name]).read_text()


@pytest.fixture
def pod(objects, name) -> dict:
    return objects["Deployment", name]["spec"]["template"]["spec"]


@pytest.fixture
def container(pod) -> dict:
    [container] = pod["containers"]
    return container


def port_of(name: str) -> int:
    [published] = SERVICES[name]["ports"]
    return int(published.rpartition(":")[2])


def test_image_port_health_and_user_are_those_of_compose_file_and_image(
    objects, name, pod, container, dockerfile
):
    assert container["image"] == SERVICES[name]["image"]
    assert container["ports"] == [{"containerPort": port_of(name)}]
    assert f"EXPOSE {port_of(name)}\n" in dockerfile
    assert objects["Service", name]["spec"]["ports"] == [{"port": port_of(name)}]
    probe = container["readinessProbe"]["httpGet"]
    assert f"http://127.0.0.1:{probe['port']}{probe['path']}'" in dockerfile
    user, group = map(int, re.findall(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)[-1])
    security = pod["securityContext"]
    assert (security["runAsUser"], security["runAsGroup"]) == (user, group)
    assert user > 0


def test_containers_are_as_hardened_and_bounded_as_in_the_compose_file(name, container):
    service, security = SERVICES[name], container["securityContext"]
    assert service["read_only"] and security["readOnlyRootFilesystem"]
    assert service["cap_drop"] == security["capabilities"]["drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert security["allowPrivilegeEscalation"] is False
    paths = [mount.partition(":")[0] for mount in service["tmpfs"]]
    assert paths == [mount["mountPath"] for mount in container["volumeMounts"]]
    default = re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", service["mem_limit"])
    assert GIGA[default] == GIGA[container["resources"]["limits"]["memory"]]


def test_every_object_is_what_kubernetes_takes(objects):
    for object_ in objects.values():
        kubernetes_validate.validate(object_, "1.34", strict=True)


def test_pods_pass_the_restricted_profile(pod):
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"""
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    assert all(set(volume) <= {"name", "emptyDir"} for volume in pod["volumes"])
    assert pod["automountServiceAccountToken"] is False


def test_a_pod_is_taken_off_before_its_socket_closes_and_has_time_to_end(objects):
    pod = objects["Deployment", "api"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    drain = ApiSettings().drain_seconds
    probe = container["readinessProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] + probe["timeoutSeconds"] <= drain
    assert pause + drain + SHUTDOWN_SECONDS < pod["terminationGracePeriodSeconds"]
    grace = float(SERVICES["api"]["stop_grace_period"].removesuffix("s"))
    assert drain + SHUTDOWN_SECONDS < grace


def test_one_replica_stays_while_nodes_are_emptied(objects):
    budget = objects["PodDisruptionBudget", "api"]["spec"]
    assert budget["minAvailable"] < objects["Deployment", "api"]["spec"]["replicas"]
    assert budget["selector"] == objects["Deployment", "api"]["spec"]["selector"]


def test_the_page_looks_for_the_api_where_its_service_is(objects):
    pod = objects["Deployment", "front"]["spec"]["template"]["spec"]
    [variable] = pod["containers"][0]["env"]
    assert variable == {"name": "API_URL", "value": f"http://api:{port_of('api')}"}
    assert f"API_URL:-{variable['value']}}}" in SERVICES["front"]["environment"]["API_URL"]
    assert objects["Deployment", "api"]["metadata"]["name"] == "api"


def test_the_autoscaler_scales_the_api(objects):
    scaler = objects["HorizontalPodAutoscaler", "api"]["spec"]
    assert scaler["scaleTargetRef"]["name"] == "api"
    assert 1 < scaler["minReplicas"] < scaler["maxReplicas"]
    requests = objects["Deployment", "api"]["spec"]["template"]["spec"]["containers"][0]
    assert "cpu" in requests["resources"]["requests"]  # utilisation is a share of this


def test_images_are_tagged_with_the_projects_version():
    version = re.search(r'^version = "(.*)"', (REPOSITORY / "pyproject.toml").read_text(), re.M)[1]
    assert {service["image"].rpartition(":")[2] for service in SERVICES.values()} == {version}


def test_every_published_port_is_on_this_machine_only_unless_asked_otherwise():
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 3
    assert all(port.startswith("${BIND:-127.0.0.1}:") for port in published)


def test_every_container_is_bounded_in_cores_memory_and_logs():
    for service in SERVICES.values():
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}
        assert all(":size=" in mount for mount in service["tmpfs"])
        assert service["mem_limit"]
    assert all(SERVICES[name]["cpus"] for name in ("api", "front", "gateway"))
