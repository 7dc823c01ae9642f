"""The deployment files and the table of settings keep their promises."""

import re
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from pydantic_settings import BaseSettings

from app.front.settings import PageSettings
from app.settings import ApiSettings
from model.config import REPOSITORY
from tests.support.services import free_port, running

COMPOSE = (REPOSITORY / "docker-compose.yml").read_text()
OBJECTS = list(yaml.safe_load_all((REPOSITORY / "deploy" / "kubernetes.yaml").read_text()))
PODS = [o["spec"]["template"]["spec"] for o in OBJECTS if o["kind"] == "Deployment"]
STOP_SECONDS = 10  # in which the API ends after SIGTERM, whatever its threads do


@pytest.mark.parametrize(
    "described", OBJECTS, ids=lambda o: o["kind"] + "-" + o["metadata"]["name"]
)
def test_kubernetes_accepts_every_object(described):
    kubernetes_validate.validate(described, "1.34", strict=True)


@pytest.mark.parametrize("pod", PODS)
def test_pods_pass_the_restricted_profile(pod):
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"""
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    assert all(set(volume) <= {"name", "emptyDir"} for volume in pod["volumes"])
    assert pod["automountServiceAccountToken"] is pod["enableServiceLinks"] is False
    [container] = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"].keys() == {"cpu", "memory"}


def test_a_pod_is_taken_off_before_it_stops_and_has_time_to_end():
    pod = PODS[0]
    [container] = pod["containers"]
    pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pause > 0
    assert pause + STOP_SECONDS < pod["terminationGracePeriodSeconds"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/ready", "port": 8000}


@pytest.mark.parametrize("prefix", ["", "/tools/digits/"])
def test_the_pages_health_check_passes_under_a_prefix(prefix):
    text = (REPOSITORY / "Dockerfile.front").read_text()
    [code] = re.findall(r'^HEALTHCHECK .*"-c", \\\n *"(.*)"\]$', text, re.MULTILINE)
    port, environment = free_port(), {"STREAMLIT_SERVER_BASE_URL_PATH": prefix}
    page = ["-m", "streamlit", "run", "src/app/streamlit_app.py", "--server.port", str(port)]
    health = prefix.rstrip("/") + "/_stcore/health"
    with running(page, f"http://127.0.0.1:{port}", health, **environment):
        check = [sys.executable, "-IS", "-c", code.replace("8501", str(port))]
        assert subprocess.run(check, env=environment).returncode == 0
    assert subprocess.run(check, env=environment, stderr=subprocess.DEVNULL).returncode != 0


def read_by(reader: str) -> dict[str, str]:
    """The default of each variable in deploy/README.md that has this reader."""
    text = (REPOSITORY / "deploy" / "README.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)` \| (\S.*?) \| (.+?) \| .+ \|$", text, re.MULTILINE)
    return {name: default for name, default, readers in rows if reader in readers}


def of_settings(settings: type[BaseSettings], prefix: str = "") -> dict[str, str]:
    """The variables of a settings class with their defaults, as the table writes them."""
    values = {}
    for name, field in settings.model_fields.items():
        default = field.default
        if isinstance(default, Path):
            default = default.name
        elif isinstance(default, float):
            default = f"{default:g}"
        values[prefix + name.upper()] = str(default) or "none"
    return values


def test_the_table_has_every_setting_with_its_default():
    expected = of_settings(ApiSettings, prefix="API_")
    expected["MODELS_DIR"] = expected.pop("API_MODELS_DIR")
    assert read_by("API") == expected
    assert read_by("page") == of_settings(PageSettings)


def test_the_table_has_every_variable_that_compose_reads():
    variables = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE))
    for service in yaml.safe_load(COMPOSE)["services"].values():
        variables |= {name for name in service.get("environment", []) if "=" not in name}
    assert read_by("compose").keys() == variables
