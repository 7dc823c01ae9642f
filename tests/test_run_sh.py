"""run.sh, really run in copies of the project; only what would take minutes is stood in for.

The stand-in Python hands every `-c` to the real one, makes an empty environment for `-m venv`,
and writes down what it is asked otherwise, so the decisions of run.sh are seen in its log.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
TOOLS = "awk bash cat cksum cp cut dirname du env grep id ln mkdir readlink rm sed sleep uname"

PYTHON = f"""#!/usr/bin/env bash
here=$(dirname "$0")
case "$1 ${{2:-}}" in
"-c "*ensurepip*) if [ -e "$here/no-venv-module" ]; then exit 1; fi ;;
"-c "*python%d.%d-venv*) echo python3.12-venv; exit ;;
"--version "*) echo Python 3.12.1; exit ;;
"-m venv")
    if [ "$3" = --clear ]; then rm -rf "$4"; fi
    mkdir -p "${{@: -1}}/bin" && cp "$0" "${{@: -1}}/bin/python"
    echo "venv" >>"$LOG"; exit ;;
"-m pip")
    echo "pip ${{*:4}}" >>"$LOG"
    while [ -e "$LOG.pip-waits" ]; do sleep 0.1; done
    exit "${{PIP_STATUS:-0}}" ;;
"-m app") name=API ;;
"-m streamlit") name=page ;;
esac
if [ "$1" = -c ]; then exec {sys.executable} "$@"; fi
echo "$(pwd): ${{name:-python}} $* (${{API_PORT:-}} ${{API_URL:-}})" >>"$LOG"
if [ -n "${{name:-}}" ]; then
    trap 'echo "$name stopped" >>"$LOG"; exit 0' TERM
    for _ in {{1..200}}; do
        if [ -e "$LOG.$name-dies" ]; then exit 7; fi
        sleep 0.1
    done
fi
"""


class Machine:
    """A machine with nothing but the usual tools, and a clone of the project."""

    def __init__(self, folder: Path) -> None:
        self.project, self.bin, self.log_file = folder / "digits", folder / "bin", folder / "log"
        self.project.mkdir()
        self.bin.mkdir()
        for name in TOOLS.split():
            (self.bin / name).symlink_to(shutil.which(name))
        for name in ("run.sh", "requirements.txt"):
            shutil.copy(REPOSITORY / name, self.project)
        self.env = {
            "PATH": str(self.bin),
            "LOG": str(self.log_file),
            "TORCH_INDEX": "http://127.0.0.1:1",
        }
        self.stub("df", "echo head; echo disk 1 1 99999999 1% /")
        self.python("python3")

    def stub(self, name: str, script: str) -> None:
        """Put a command of our own in place of one of the machine's."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(script if script.startswith("#!") else f"#!/usr/bin/env bash\n{script}\n")
        path.chmod(0o755)

    def python(self, name: str) -> None:
        self.stub(name, PYTHON)

    def start(self, *arguments: str, **env: str) -> subprocess.Popen:
        """Start run.sh in a process group of its own, as a terminal would."""
        return subprocess.Popen(
            ["bash", str(self.project / "run.sh"), *arguments],
            env=self.env | env,
            cwd=self.project.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # a background job, as some CI systems are, would hand down an ignored Ctrl-C
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess:
        with self.start(*arguments, **env) as process:
            try:
                out, err = process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    @property
    def log(self) -> list[str]:
        return self.log_file.read_text().splitlines() if self.log_file.exists() else []

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + 30
        while not any(text in line for line in self.log):
            assert time.monotonic() < deadline, f"{text!r} did not come; the log: {self.log}"
            time.sleep(0.05)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def assert_one_sentence(result: subprocess.CompletedProcess, *parts: str) -> None:
    """The run failed and its last line is a sentence of run.sh that names all `parts`."""
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("run.sh: ") and last.endswith((".", "..."))
    for part in parts:
        assert part in last
    assert "Traceback" not in result.stderr


# --- Usage ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["bench"], ["bench", "nonsense"]])
def test_what_it_does_not_know_gets_the_usage_and_status_2(machine, arguments):
    result = machine.run(*arguments)
    assert result.returncode == 2
    assert "bash run.sh COMMAND" in result.stderr
    assert machine.log == []


def test_help_is_the_usage_with_status_0(machine):
    result = machine.run("--help")
    assert result.returncode == 0
    assert "Environment" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "python_is_asked"),
    [
        (["cnn", "--epochs", "3", "--data", "a folder"], "main_pipeline.py cnn --epochs 3 --data"),
        (["mlp", "--help"], "main_pipeline.py mlp --help"),
        (["predict", "1.png", "2.png"], "-m predict 1.png 2.png"),
        (["bench", "serve", "--seconds", "2"], "-m bench.serve --seconds 2"),
        (["compare", "--quick"], "-m study --quick"),
    ],
)
def test_options_pass_through_and_the_user_stays_in_the_folder_he_is_in(
    machine, arguments, python_is_asked
):
    result = machine.run(*arguments)
    assert result.returncode == 0
    assert python_is_asked in machine.log[-1]
    assert machine.log[-1].startswith(f"{machine.project.parent}: ")


# --- The environment ------------------------------------------------------------------------------


def test_the_first_run_installs_and_the_second_does_not(machine):
    assert machine.run("predict").returncode == 0
    assert [line.split()[0] for line in machine.log[:2]] == ["venv", "pip"]
    first = len(machine.log)
    assert machine.run("predict").returncode == 0
    assert len(machine.log) == first + 1


def test_changed_requirements_are_installed_into_the_same_environment(machine):
    machine.run("predict")
    with (machine.project / "requirements.txt").open("a") as file:
        file.write("tqdm\n")
    machine.log_file.unlink()
    result = machine.run("predict")
    assert "requirements.txt has changed" in result.stderr
    assert [line.split()[0] for line in machine.log] == ["pip", f"{machine.project.parent}:"]


def test_an_update_that_failed_is_made_anew_by_the_next_run(machine):
    machine.run("predict")
    with (machine.project / "requirements.txt").open("a") as file:
        file.write("tqdm\n")
    assert_one_sentence(machine.run("predict", PIP_STATUS="1"), "installation failed")
    machine.run("predict")
    assert machine.log.count("venv") == 2


def test_an_installation_that_failed_is_made_anew_by_the_next_run(machine):
    assert_one_sentence(machine.run("predict", PIP_STATUS="1"), "installation failed")
    left_over = machine.project / ".venv" / "half a package"
    left_over.touch()
    assert not (machine.project / ".venv.lock").is_symlink()
    result = machine.run("predict")
    assert result.returncode == 0
    assert "incomplete" in result.stderr
    assert not left_over.exists()


def test_an_installation_that_was_killed_is_made_anew_by_the_next_run(machine):
    waits = Path(f"{machine.log_file}.pip-waits")
    waits.touch()
    with machine.start("predict") as process:
        machine.wait_for("pip")
        os.killpg(process.pid, signal.SIGKILL)
    waits.unlink()
    assert machine.run("predict").returncode == 0
    assert machine.log.count("venv") == 2


def test_an_environment_whose_python_is_gone_is_made_anew(machine):
    machine.run("predict")
    (machine.project / ".venv" / "bin" / "python").unlink()
    assert machine.run("predict").returncode == 0
    assert machine.log.count("venv") == 2


def test_a_second_run_waits_for_the_one_that_installs(machine):
    waits = Path(f"{machine.log_file}.pip-waits")
    waits.touch()
    with machine.start("predict") as first:
        machine.wait_for("pip")
        with machine.start("predict") as second:
            assert "is installing: waiting" in second.stderr.readline()
            waits.unlink()
            second.communicate(timeout=60)
        first.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 0)
    assert sum(line.startswith(("venv", "pip")) for line in machine.log) == 2


def test_no_python_is_one_sentence(machine):
    (machine.bin / "python3").unlink()
    assert_one_sentence(machine.run("predict"), "No Python 3.11, 3.12 or 3.13", "install")


def test_a_python_that_is_too_old_counts_as_none(machine):
    machine.stub("python3", "exit 1")
    assert_one_sentence(machine.run("predict"), "No Python 3.11, 3.12 or 3.13")


def test_a_shim_with_no_python_behind_it_is_passed_over(machine):
    for name in ("python3.13", "python3.12"):
        machine.stub(name, "echo 'pyenv: command not found' >&2; exit 127")
    assert machine.run("predict").returncode == 0


def test_without_the_venv_module_a_user_is_told_the_package(machine):
    (machine.bin / "no-venv-module").touch()
    machine.stub("id", "echo 1000")
    machine.stub("apt-get", "exit 1")
    result = machine.run("predict")
    assert_one_sentence(result, "no venv module", "sudo apt-get install python3.12-venv")


def test_without_the_venv_module_root_gets_the_package_installed(machine):
    (machine.bin / "no-venv-module").touch()
    machine.stub("id", "echo 0")
    machine.stub("apt-get", 'echo "apt-get $*" >>"$LOG"; rm -f "$(dirname "$0")/no-venv-module"')
    result = machine.run("predict")
    assert result.returncode == 0
    assert "installing python3.12-venv" in result.stderr
    assert "apt-get -qq install -y python3.12-venv" in machine.log


def test_without_the_venv_module_on_other_systems_a_complete_python_is_asked_for(machine):
    (machine.bin / "no-venv-module").touch()
    assert_one_sentence(machine.run("predict"), "no venv module", "install a complete Python")


def test_too_little_disk_is_said_before_anything_is_made(machine):
    machine.stub("df", "echo head; echo disk 1 1 2097152 1% /")
    assert_one_sentence(machine.run("predict"), "9 GB", "has 2 GB")
    assert not (machine.project / ".venv").exists()


def test_a_folder_that_cannot_be_written_is_one_sentence(machine):
    machine.stub("ln", "exit 1")
    assert_one_sentence(machine.run("predict"), "Cannot write")


# --- Where torch comes from -----------------------------------------------------------------------


@pytest.fixture
def cpu_index() -> str:
    """The address of an index that answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_cpu_index_is_used_where_it_answers(machine, cpu_index):
    result = machine.run("predict", TORCH_INDEX=cpu_index)
    assert f"CPU build from {cpu_index}" in result.stderr
    pips = [line for line in machine.log if line.startswith("pip")]
    assert f"--no-deps --index-url {cpu_index} torch==" in pips[0]
    assert "torchvision==" in pips[0]
    assert "-r" in pips[1] and "index-url" not in pips[1]


def test_an_index_that_accepts_and_never_answers_is_given_up(machine):
    with socket.create_server(("127.0.0.1", 0)) as server:
        result = machine.run("predict", TORCH_INDEX=f"http://127.0.0.1:{server.getsockname()[1]}")
    assert result.returncode == 0
    assert "does not answer within 3 s: torch comes from PyPI" in result.stderr
    assert sum(line.startswith("pip") for line in machine.log) == 1


def test_a_machine_with_a_gpu_gets_torch_with_cuda(machine, cpu_index):
    machine.stub("nvidia-smi", "echo GPU 0")
    result = machine.run("predict", TORCH_INDEX=cpu_index)
    assert "NVIDIA GPU" in result.stderr
    assert sum(line.startswith("pip") for line in machine.log) == 1


def test_a_mac_takes_pypi_without_asking(machine):
    machine.stub("uname", "echo Darwin")
    machine.stub("df", "echo head; echo disk 1 1 5000000 1% /")  # enough, since there is no CUDA
    result = machine.run("predict")
    assert result.returncode == 0
    assert "does not answer" not in result.stderr


# --- The services ---------------------------------------------------------------------------------


@pytest.fixture
def free_ports() -> dict[str, str]:
    with socket.create_server(("127.0.0.1", 0)) as a, socket.create_server(("127.0.0.1", 0)) as b:
        return {"API_PORT": str(a.getsockname()[1]), "FRONT_PORT": str(b.getsockname()[1])}


@pytest.mark.parametrize(
    ("command", "variable"), [("api", "API_PORT"), ("front", "FRONT_PORT"), ("app", "FRONT_PORT")]
)
def test_a_port_that_is_taken_is_one_sentence(machine, free_ports, command, variable):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        result = machine.run(command, **free_ports | {variable: port})
    assert_one_sentence(result, f"Port {port} is taken", f"{variable}=")


@pytest.mark.parametrize("port", ["http", "0", "65536", "1234567"])
def test_what_is_no_port_number_is_one_sentence(machine, port):
    assert_one_sentence(machine.run("api", API_PORT=port), "API_PORT", "port number")


def test_ctrl_c_stops_both_services(machine, free_ports):
    with machine.start("app", **free_ports) as process:
        machine.wait_for(f"API -m app ({free_ports['API_PORT']}")
        machine.wait_for(f"--server.port {free_ports['FRONT_PORT']}")
        machine.wait_for(f" http://127.0.0.1:{free_ports['API_PORT']})")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 130
    assert {"API stopped", "page stopped"} <= set(machine.log)


@pytest.mark.parametrize(("dead", "other"), [("API", "page"), ("page", "API")])
def test_if_one_service_dies_the_other_is_stopped_and_the_status_says_so(
    machine, free_ports, dead, other
):
    with machine.start("app", **free_ports) as process:
        machine.wait_for("API")
        machine.wait_for("page")
        Path(f"{machine.log_file}.{dead}-dies").touch()
        _, err = process.communicate(timeout=30)
    assert process.returncode == 7
    assert f"The {dead} ended by itself (status 7)" in err
    assert f"{other} stopped" in machine.log


# --- Containers -----------------------------------------------------------------------------------


def test_without_docker_the_container_tests_end_with_status_3(machine):
    machine.stub("docker", "exit 1")
    result = machine.run("test-containers")
    assert result.returncode == 3
    assert "No Docker engine" in result.stderr
