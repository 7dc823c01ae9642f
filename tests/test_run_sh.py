"""run.sh itself in small clones: real Python, venv, uv and pip, with an index of tiny packages."""

import errno
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import install
import psutil
import pytest
import requests

from app.share import local_address
from tests.support.machine import PYTHON, REPOSITORY, Machine, serve_indexes, write_script


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve_indexes(tmp_path_factory.mktemp("indexes")) as address:
        yield address


@pytest.fixture
def machine(tmp_path: Path, indexes: str) -> Machine:
    return Machine(tmp_path, indexes)


@pytest.fixture
def ready(machine: Machine) -> Machine:
    """A machine whose .venv is that of these tests."""
    machine.venv.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (machine.venv / name).symlink_to(Path(sys.prefix) / name)
    mark_installed(machine)
    return machine


def mark_installed(machine: Machine) -> None:
    for group in install.GROUPS:
        shutil.copy(machine.project / "requirements.txt", machine.venv / f"installed-{group}")


def assert_one_sentence(result: subprocess.CompletedProcess, *parts: str) -> None:
    """The run failed and its last line is a sentence of run.sh that names all `parts`."""
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("run.sh: ") and last.endswith((".", "..."))
    for part in parts:
        assert part in last
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("", ""),
        ("nonsense", "There is no command 'nonsense'."),
        ("bench nonsense", "There is no command 'bench nonsense'."),
        ("notebooks --loud", "There is no command 'notebooks --loud'."),
        ("api --port 3", "'api' takes no such option, but environment variables."),
        ("app now", "'app' takes no such option, but environment variables."),
        ("bench", "bash run.sh bench serve or train"),
    ],
)
def test_a_wrong_command_says_what_is_wrong_and_the_usage_with_status_2(machine, command, said):
    result = machine.run(*command.split())
    assert result.returncode == 2
    assert said in result.stderr
    assert "bash run.sh COMMAND" in result.stderr
    assert not machine.venv.exists()


@pytest.mark.parametrize("command", ["", "app", "front", "bench", "test-containers"])
def test_help_is_the_usage_with_status_0(machine, command):
    result = machine.run(*command.split(), "--help")
    assert result.returncode == 0
    assert "Environment" in result.stdout
    assert not machine.venv.exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("drawn file", "run.sh evaluate PATH"),
        ("bench quality", "run.sh evaluate PATH"),
        ("bench page", "tests.support.page_load"),
        ("evaluate images pictures", "run.sh evaluate PATH"),
        ("evaluate numbers file", "run.sh evaluate --numbers"),
        ("readme", "evaluate"),
    ],
)
def test_an_old_name_ends_with_one_line_that_names_the_new_one(machine, old, new):
    result = machine.run(*old.split())
    assert result.returncode == 2
    assert new in result.stderr and len(result.stderr.splitlines()) == 1


def test_options_pass_through_and_the_user_stays_in_the_current_folder(ready):
    result = ready.run("cnn", "--data", "a folder")
    assert result.stdout == f"{ready.project.parent} ['cnn', '--data', 'a folder'] 0\n"


def test_a_path_after_test_is_tested_alone_and_nothing_else_is_checked(ready):
    ready.write("tests/test_one.py", "import os, sys\ndef test_one(): pass")  # ruff objects
    ready.write("tests/test_two.py", "def test_two(): assert False")
    alone = ready.run("test", "tests/test_one.py")
    assert (alone.returncode, alone.stdout.count("1 passed")) == (0, 1), alone.stdout
    everything = ready.run("test", "-q")
    assert everything.returncode != 0
    assert "F401" in everything.stdout and "passed" not in everything.stdout


def test_without_docker_the_container_tests_end_with_status_3(ready):
    result = ready.run("test-containers")
    assert result.returncode == 3
    assert "No Docker engine" in result.stderr


def test_each_command_installs_what_it_needs_and_all_is_made_anew_when_a_version_changes(machine):
    cpu_index = f"{machine.indexes}/cpu"
    first = machine.run("predict", "1.png")
    assert first.stdout == f"{machine.project.parent} ['1.png'] 0\n", first.stderr
    assert machine.installed() == {"uv-1"}
    assert machine.run("cnn", TORCH_INDEX=cpu_index).returncode == 0
    assert machine.installed() == {"uv-1", "torch-2+cpu", "torchvision-2+cpu"}
    assert machine.run("cnn").stderr == machine.run("predict").stderr == ""
    machine.run("test")
    assert "extra-1" in machine.installed()

    machine.require("torch==2", "torchvision==2", "uv==1", "extra==1", "more==1")
    changed = machine.run("cnn", TORCH_INDEX=f"{machine.indexes}/empty-cpu")
    assert "no build for this machine: torch comes from PyPI" in changed.stderr
    assert machine.installed() == {"uv-1", "torch-2", "torchvision-2"}


def test_torch_comes_with_cuda_where_there_is_a_gpu(machine):
    write_script(machine.bin / "nvidia-smi", "echo GPU 0")
    assert machine.run("cnn", TORCH_INDEX=f"{machine.indexes}/cpu").returncode == 0
    assert "torch-2" in machine.installed()


def test_an_index_of_cpu_builds_that_says_nothing_is_given_up(machine):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        result = machine.run("cnn", TORCH_INDEX=f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert result.returncode == 0 and "does not answer within 3 s" in result.stderr


def test_a_failed_installation_is_one_sentence_and_mended_by_the_next_run(machine):
    machine.require("uv==2")
    assert_one_sentence(machine.run("predict"), "installation failed")
    machine.require("uv==1")
    assert machine.run("predict").returncode == 0


def test_an_environment_whose_python_is_gone_is_made_anew(ready):
    (ready.venv / "bin").unlink()
    result = ready.run("predict")
    assert result.returncode == 0, result.stderr
    assert "Making .venv" in result.stderr


def test_a_run_waits_for_the_one_that_installs(ready):
    (ready.venv / "installed-app").unlink()
    with (ready.project / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = ready.start("predict")
        assert "installing: waiting" in process.stderr.readline()
        mark_installed(ready)
    with process:
        assert process.communicate()[1] == ""
    assert process.returncode == 0


def with_module(machine: Machine, name: str, code: str) -> None:
    """Let the machine's Python find this module before the one of its own."""
    machine.write(f"lacking/{name}.py", code)
    path = f'PYTHONPATH="{machine.project}/lacking"'
    write_script(machine.bin / "python3", f'{path} exec "{PYTHON}" "$@"')


def test_a_file_system_without_locks_is_installed_on_all_the_same(machine):
    code = f"LOCK_EX = LOCK_NB = 0\ndef flock(*_): raise OSError({errno.ENOLCK}, 'No locks')"
    with_module(machine, "fcntl", code)
    result = machine.run("predict")
    assert (result.returncode, machine.installed()) == (0, {"uv-1"}), result.stderr
    assert "no locks" in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda machine: write_script(machine.bin / "python3", "exit 127"), "install one"),
        (lambda machine: with_module(machine, "ensurepip", "raise ImportError"), "-venv)"),
        (lambda machine: (machine.project / ".venv.lock").mkdir(), "Cannot write into"),
        (lambda machine: machine.write("pip.conf", "[install]\ntarget = away"), "pip config list"),
    ],
)
def test_what_prevents_an_installation_is_one_sentence(machine, prepare, said):
    prepare(machine)
    result = machine.run("predict", PIP_CONFIG_FILE=str(machine.project / "pip.conf"))
    assert_one_sentence(result, said)


def test_python_3_14_is_taken_and_a_shim_with_no_python_behind_it_passed_over(machine):
    (machine.bin / "python3").rename(machine.bin / "python3.14")
    write_script(machine.bin / "python3.13", "echo 'pyenv: command not found' >&2; exit 127")
    assert machine.run("predict").returncode == 0


def test_a_python_that_is_too_new_lets_uv_fetch_one(machine):
    refuses = 'case "$2" in *version_info*) exit 1 ;; esac'
    write_script(machine.bin / "python3", f'{refuses}; exec "{PYTHON}" "$@"')
    result = machine.run("predict")
    assert (result.returncode, machine.installed()) == (0, {"uv-1"}), result.stderr


def test_pip_installs_where_uv_does_not_get_through(machine):
    result = machine.run("cnn", UV_DEFAULT_INDEX=f"{machine.indexes}/nowhere")
    assert "torch-2" in machine.installed(), result.stderr
    assert "unsatisfiable" in result.stderr  # says uv


def test_the_users_own_settings_of_python_pip_uv_and_the_shell_change_nothing(machine):
    machine.command = ["bash", "digits/run.sh"]
    settings = {"PIP_USER": "1", "PIP_TARGET": "away", "PIP_CONSTRAINT": "/nowhere.txt"}
    settings |= {"UV_CONSTRAINT": "/nowhere.txt", "UV_SYSTEM_PYTHON": "1", "CDPATH": "."}
    result = machine.run("predict", **settings, PYTHONHOME="/nowhere", PYTHONOPTIMIZE="1")
    assert result.stdout == f"{machine.project.parent} [] 0\n", result.stderr
    assert machine.installed() == {"uv-1"}


def test_any_shell_may_call_run_sh_through_a_link_in_another_folder(machine):
    link = machine.project.parent / "elsewhere" / "run.sh"
    link.parent.mkdir()
    link.symlink_to("../digits/run.sh")
    machine.command = ["sh", "elsewhere/run.sh"]
    result = machine.run("predict")
    assert result.returncode == 0, result.stderr
    assert machine.venv.exists() and list(link.parent.iterdir()) == [link]


def test_a_clone_with_windows_line_ends_and_its_python_alone_find_what_they_need(machine, tmp_path):
    shutil.copy(REPOSITORY / ".gitattributes", machine.project)
    git = ["git", "-c", "core.autocrlf=true", "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "a"]):
        subprocess.run([*git, *command], cwd=machine.project, check=True, capture_output=True)
    machine.write("run.sh", "")
    subprocess.run([*git, "checkout", "-q", "run.sh"], cwd=machine.project, check=True)
    assert machine.run("predict").returncode == 0
    path = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    python = machine.venv / "bin" / "python"
    alone = subprocess.run([python, "-m", "predict"], cwd=tmp_path, env=path)
    assert alone.returncode == 0


@pytest.mark.parametrize(("need", "said"), [(900, ""), (5800, "TORCH_INDEX to an index of CPU")])
def test_too_little_disk_is_said_with_what_to_do(need, said):
    install.require_disk("train", need, free=need)
    with pytest.raises(install.InstallError, match=f"{need} MB .* has 100 MB: free some.*{said}"):
        install.require_disk("train", need, free=100)


@pytest.mark.parametrize("given", [{}, {"GLIBC_TUNABLES": "glibc.malloc.check=1"}])
def test_training_keeps_its_memory_in_large_pages_unless_told_otherwise(ready, given):
    ready.write("src/main_pipeline.py", "import os; print(os.environ['GLIBC_TUNABLES'])")
    tunables = ready.run("cnn", **given).stdout.strip()
    assert ("hugetlb=1" in tunables) is not bool(given)
    assert tunables in given.values() or not given


@pytest.fixture
def ports() -> dict[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as a, socket.create_server(("127.0.0.1", 0)) as b:
        return {"API_PORT": str(a.getsockname()[1]), "FRONT_PORT": str(b.getsockname()[1])}


def answers(port: str) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}", timeout=10) is not None
    except requests.ConnectionError:
        return False


@pytest.mark.parametrize(
    ("command", "variable"), [("api", "API_PORT"), ("front", "FRONT_PORT"), ("app", "FRONT_PORT")]
)
def test_a_port_that_is_taken_is_one_sentence(ready, ports, command, variable):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        result = ready.run(command, **ports | {variable: port})
    assert_one_sentence(result, f"{variable}={port} ", "already in use", f"{variable}=8123")


@pytest.mark.parametrize("bind", ["192.0.2.1", "2001:db8::1", "no.such.host.invalid", "[::1]"])
def test_an_address_that_is_none_of_this_machine_is_one_sentence(ready, ports, bind):
    assert_one_sentence(ready.run("app", **ports, BIND=bind), f"BIND={bind}")


@pytest.mark.parametrize("name", ["API_PORT", "FRONT_PORT"])
def test_an_address_that_a_platform_injects_is_no_port(ready, ports, name):
    ready.write("src/streamlit/__init__.py", "")
    ready.write(
        "src/streamlit/__main__.py", "import os, sys; print(os.environ['API_URL'], sys.argv)"
    )
    result = ready.run("front", **ports | {name: "tcp://10.96.14.3:8000"})
    assert "tcp" not in result.stdout
    assert {"API_PORT": "127.0.0.1:8000", "FRONT_PORT": "'8501'"}[name] in result.stdout


@pytest.mark.parametrize(
    ("bind", "host"),
    [("localhost", "localhost"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]")],
)
def test_the_page_looks_for_the_api_where_it_is_bound(ready, ports, bind, host):
    ready.write("src/streamlit/__init__.py", "")
    ready.write("src/streamlit/__main__.py", "import os; print(os.environ['API_URL'])")
    result = ready.run("front", **ports, BIND=bind)
    assert result.stdout.strip() == f"http://{host}:{ports['API_PORT']}"


def test_the_api_gives_memory_back(ready, ports):
    ready.write("src/app/__main__.py", "import os; print(*map(os.getenv, os.environ))")
    assert {"2", "32000000", "4000000"} <= set(ready.run("api", **ports).stdout.split())


def test_api_and_page_cannot_share_a_port(ready, ports):
    result = ready.run("app", **ports | {"API_PORT": ports["FRONT_PORT"]})
    assert_one_sentence(result, f"cannot share port {ports['FRONT_PORT']}", "set API_PORT")


@pytest.fixture
def real_app(ready: Machine, ports: dict[str, str]) -> Callable[..., subprocess.Popen]:
    """Starts run.sh with the real API and page, and waits until both answer."""
    shutil.rmtree(ready.project / "src")
    for name in ("src", "models", ".streamlit"):
        (ready.project / name).symlink_to(REPOSITORY / name)

    def start(*command: str) -> subprocess.Popen:
        process = ready.start(*command, **ports)
        while not all(map(answers, ports.values())):
            time.sleep(0.1)
        return process

    return start


@pytest.fixture
def app(real_app: Callable[..., subprocess.Popen]) -> Iterator[subprocess.Popen]:
    with real_app("app") as process:
        yield process


@pytest.mark.timeout(120)
def test_ctrl_c_stops_the_api_and_the_page(app, ports):
    app.send_signal(signal.SIGINT)
    assert "API and page are stopped." in app.communicate()[1]
    assert app.returncode == 130
    assert not any(map(answers, ports.values()))


@pytest.mark.timeout(120)
def test_shared_the_page_is_open_to_the_network_and_the_api_is_not(real_app, ports):
    with real_app("app", "--share") as process:
        listening = {
            connection.laddr.port: connection.laddr.ip
            for child in psutil.Process(process.pid).children()
            for connection in child.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }
        process.terminate()
        printed = process.communicate()[1]
    assert listening == {int(ports["FRONT_PORT"]): "0.0.0.0", int(ports["API_PORT"]): "127.0.0.1"}
    assert f"http://{local_address()}:{ports['FRONT_PORT']}" in printed


@pytest.mark.timeout(120)
@pytest.mark.parametrize("module", ["app", "streamlit"])
def test_if_one_service_dies_the_other_is_stopped(app, ports, module):
    children = psutil.Process(app.pid).children()
    [service] = [child for child in children if child.cmdline()[1:3] == ["-m", module]]
    service.kill()
    assert "ended by itself" in app.communicate()[1]
    assert app.returncode == 1
    assert not any(map(answers, ports.values()))
