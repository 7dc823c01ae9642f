"""Make .venv, or add to it what a group needs; run.sh calls this where something is missing.

python install.py app|train|test    for API, page and predict | for training too | for tests too
python install.py --list GROUP      the packages that a group of pyproject.toml names
"""

import fcntl
import filecmp
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON, UV = VENV / "bin" / "python", VENV / "bin" / "uv"
LOCKED = ROOT / "requirements.txt"
GROUPS = ("app", "train", "test")  # each takes those before it for granted
MEGABYTES = {"app": 900, "train": 2000, "test": 600}  # of disk, measured
CUDA_MEGABYTES = 5800  # of train, where torch brings CUDA
TORCH_INDEX = os.environ.get("TORCH_INDEX") or "https://download.pytorch.org/whl/cpu"
AGAIN = "then run this again."
FAILED = (
    f"The installation failed (the reason stands above): see to the network or the disk, {AGAIN}"
)
# The user's settings that would change what is installed, or put it elsewhere.
MISLEADING = {"PIP_CONSTRAINT", "PIP_NO_DEPS", "PIP_PREFIX", "PIP_PYTHON", "PIP_ROOT", "PIP_TARGET"}
MISLEADING |= {"UV_CONSTRAINT", "UV_OVERRIDE", "UV_SYSTEM_PYTHON"}


class InstallError(Exception):
    """Something prevents the installation; the message says what to do."""


def say(sentence: object) -> None:
    print("run.sh:", sentence, file=sys.stderr, flush=True)


def is_installed(group: str) -> bool:
    """Whether .venv has the group in today's versions, and its Python still starts."""
    installed = VENV / f"installed-{group}"
    if not installed.exists() or not filecmp.cmp(installed, LOCKED, shallow=False):
        return False
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", ""]).returncode == 0


@contextmanager
def locked() -> Iterator[None]:
    """Wait until no other process installs; the lock lasts as long as this or a child lives."""
    try:
        file = (ROOT / ".venv.lock").open("w")
    except OSError as error:
        raise InstallError(
            f"Cannot write into {ROOT}: make it writable or clone the project elsewhere, {AGAIN}"
        ) from error
    with file:
        os.set_inheritable(file.fileno(), True)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another run.sh is installing: waiting.")
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            say("This file system has no locks: start no other run.sh before this one is done.")
        yield


def answers(url: str) -> bool:
    """Whether a URL answers within 3 s; in a process of its own, as a name look-up can hang."""
    command = [sys.executable, "-c", "import sys, urllib.request as u; u.urlopen(sys.argv[1])", url]
    try:
        return subprocess.run(command, timeout=3, stderr=subprocess.DEVNULL).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def choose_torch() -> tuple[str | None, int]:
    """Return the index of torch's CPU build, None for PyPI; and the MB of disk that takes."""
    if sys.platform == "darwin":  # where PyPI's torch has no CUDA
        return None, MEGABYTES["train"]
    gpu_tool = shutil.which("nvidia-smi")
    if gpu_tool and subprocess.run([gpu_tool, "-L"], capture_output=True).returncode == 0:
        say("There is an NVIDIA GPU: torch comes from PyPI, with CUDA.")
    elif answers(f"{TORCH_INDEX}/torch/"):
        say(f"There is no NVIDIA GPU: torch comes as CPU build from {TORCH_INDEX}.")
        return TORCH_INDEX, MEGABYTES["train"]
    else:
        say(f"{TORCH_INDEX} does not answer within 3 s: torch comes from PyPI, with CUDA.")
    return None, CUDA_MEGABYTES


def pip_install(*arguments: str, **environment: str) -> bool:
    """Install by uv in a minute; by pip where uv is not there yet or does not get through."""
    what = ["install", "--quiet", "--only-binary", ":all:", "--constraint", LOCKED.name, *arguments]
    uv = [str(UV), "pip", *what, "--python", str(PYTHON)]
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-cache-dir", *what]
    # Downloads wait in .venv: /tmp is often held in memory and too small for them.
    settings = {"PIP_USER": "0", "TMPDIR": str(VENV), **environment}
    usable = {name: value for name, value in os.environ.items() if name not in MISLEADING}

    for command in (uv, pip) if UV.exists() else (pip,):
        done = subprocess.run(
            command, cwd=ROOT, env=usable | settings, stdout=sys.stderr, close_fds=False
        )
        if done.returncode == 0:
            return True
    return False


def packages(group: str) -> list[str]:
    """Return what a group names, with what the groups name that it includes."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    named: list[str] = []
    for entry in groups[group]:
        named += [entry] if isinstance(entry, str) else packages(entry["include-group"])
    return named


def make_venv() -> None:
    """Make .venv anew, with uv and a .pth file by which its Python finds src."""
    try:
        import ensurepip  # noqa: F401  # Debian has it in a package of its own
        import venv
    except ImportError as error:
        name = Path(sys.executable).name
        advice = f"install it (Debian, Ubuntu: apt-get install {name}-venv), {AGAIN}"
        raise InstallError(f"{name} has no venv module: {advice}") from error
    say(f"Making .venv with Python {sys.version.split()[0]}.")
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    try:
        venv.create(VENV, clear=True, with_pip=True, symlinks=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise InstallError(f"{VENV} cannot be made: {error}: mend that, {AGAIN}") from error
    if not pip_install("uv"):
        raise InstallError(FAILED)
    if not UV.exists():
        advice = f'take "target" and "prefix" out of its settings (pip config list), {AGAIN}'
        raise InstallError(f"pip installs outside of .venv: {advice}")
    for folder in VENV.glob("lib/python3*/site-packages"):
        (folder / "digits.pth").write_text("../../../../src\n")


def require_disk(group: str, need: int, free: int) -> None:
    """Raise InstallError if fewer MB are free than a group needs."""
    if free >= need:
        return
    advice = "free some space there"
    if need == CUDA_MEGABYTES:
        advice += f", or set TORCH_INDEX to an index of CPU builds ({MEGABYTES['train']} MB)"
    raise InstallError(
        f"'{group}' needs {need} MB of free disk and {ROOT} has {free} MB: {advice}, {AGAIN}"
    )


def install(group: str) -> None:
    """Install a group, and before the group app all of .venv."""
    index, need = choose_torch() if group == "train" else (None, MEGABYTES[group])
    require_disk(group, need, shutil.disk_usage(ROOT).free // 2**20)
    if group == "app":
        make_venv()
    say(f"Installing what '{group}' needs (a minute or two).")
    if index:
        pins = re.findall(r"^torch(?:vision)?==\S+", LOCKED.read_text(), re.MULTILINE)
        if not pip_install("--no-deps", *pins, PIP_INDEX_URL=index, UV_DEFAULT_INDEX=index):
            say(f"{index} has no build for this machine: torch comes from PyPI.")
    if not pip_install(*packages(group)):
        raise InstallError(FAILED)
    shutil.copy(LOCKED, VENV / f"installed-{group}")


def main() -> int:
    """Install all groups up to the one that the command line names; return the exit status."""
    if sys.argv[1] == "--list":
        print("\n".join(packages(sys.argv[2])))
        return 0
    try:
        with locked():
            for group in GROUPS[: GROUPS.index(sys.argv[1]) + 1]:
                if not is_installed(group):
                    install(group)
    except InstallError as error:
        say(error)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
