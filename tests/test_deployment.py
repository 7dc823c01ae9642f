"""The compose file, the Dockerfiles and the README's Kubernetes objects say the same."""

import re
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
COMPOSE = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
DOCKERFILES = {"api": "Dockerfile.api", "front": "Dockerfile.front"}
GIGA = {"1g": 2**30, "1Gi": 2**30}


@pytest.fixture(scope="module")
def objects() -> dict[tuple[str, str], dict]:
    """The README's Kubernetes objects by kind and name."""
    readme = (REPOSITORY / "README.md").read_text()
    [block] = re.findall(r"```yaml\n(apiVersion.*?)```", readme, re.DOTALL)
    return {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(block)}


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


def test_image_and_port_are_those_of_the_compose_file(objects, name, container, dockerfile):
    assert container["image"] == SERVICES[name]["image"]
    assert container["ports"] == [{"containerPort": port_of(name)}]
    assert f"EXPOSE {port_of(name)}\n" in dockerfile
    assert objects["Service", name]["spec"]["ports"] == [{"port": port_of(name)}]


def test_readiness_is_what_the_image_calls_healthy(name, container, dockerfile):
    probe = container["readinessProbe"]["httpGet"]
    assert f"http://127.0.0.1:{probe['port']}{probe['path']}'" in dockerfile


def test_liveness_of_the_api_asks_whether_the_process_lives(objects):
    pod = objects["Deployment", "api"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["livenessProbe"]["httpGet"] == {"path": "/health", "port": 8000}


def test_the_user_is_that_of_the_image(pod, dockerfile):
    user, group = re.findall(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)[-1]
    security = pod["securityContext"]
    assert (security["runAsUser"], security["runAsGroup"]) == (int(user), int(group))
    assert security["runAsNonRoot"] and int(user) > 0


def test_containers_are_as_hardened_as_in_the_compose_file(name, container):
    service, security = SERVICES[name], container["securityContext"]
    assert service["read_only"] and security["readOnlyRootFilesystem"]
    assert service["cap_drop"] == security["capabilities"]["drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert security["allowPrivilegeEscalation"] is False
    assert service["tmpfs"] == [mount["mountPath"] for mount in container["volumeMounts"]]


def test_the_memory_limit_is_that_of_the_compose_file(name, container):
    limit = SERVICES[name]["mem_limit"]
    default = re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", limit)
    assert GIGA[default] == GIGA[container["resources"]["limits"]["memory"]]


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


def test_a_replica_is_the_api_without_a_port():
    api, replica = dict(SERVICES["api"]), dict(SERVICES["api-replica"])
    api.pop("ports")
    assert replica.pop("profiles") == ["scale"]
    assert replica == api
