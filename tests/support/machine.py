"""A small clone of the project on a machine that has little, and an index of tiny packages."""

import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = "awk bash cmp cp dirname env grep mkdir mktemp readlink rm sed sh sleep tr uname"
PYTHON = Path(sys._base_executable).resolve()
GROUPS = """[dependency-groups]
app = ["uv"]
train = ["torch", "torchvision"]
test = ["extra", {include-group = "app"}]
"""
SHOW = "import os, sys; print(os.getcwd(), sys.argv[1:], sys.flags.optimize)"


def write_script(path: Path, script: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{script}\n")
    path.chmod(0o755)


def write_wheel(folder: Path, name: str, version: str, script: str = "") -> None:
    """A package with nothing in it but, where `script` is given, a command of its name."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if script:
        files[f"{name}-{version}.data/scripts/{name}"] = script
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in files)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for file, text in files.items():
            entry = zipfile.ZipInfo(file)
            entry.external_attr = 0o100755 << 16  # pip leaves executable what is so here
            wheel.writestr(entry, text)


@contextmanager
def serve_indexes(root: Path) -> Iterator[str]:
    """The address of /pypi, of /cpu with CPU builds of torch and of /empty-cpu without any."""
    uv = Path(sys.executable).parent / "uv"
    uv = f"""#!/bin/sh
case "$1 $2" in # the one Python that can be had here stands for what uv would download
"python install") ;;
"python find") echo "{PYTHON}" ;;
*) exec "{uv}" "$@" ;;
esac
"""
    write_wheel(root / "pypi" / "uv", "uv", "1", uv)
    for name in ("torch", "torchvision"):
        write_wheel(root / "pypi" / name, name, "2")
        write_wheel(root / "cpu" / name, name, "2+cpu")
    write_wheel(root / "pypi" / "extra", "extra", "1")
    (root / "empty-cpu" / "torch").mkdir(parents=True)
    handler = partial(SimpleHTTPRequestHandler, directory=root)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Machine:
    """A machine with the usual tools and one Python, and a small clone of the project."""

    def __init__(self, folder: Path, indexes: str) -> None:
        self.project, self.bin, self.indexes = folder / "digits", folder / "bin", indexes
        self.venv = self.project / ".venv"
        (self.project / "src").mkdir(parents=True)
        self.bin.mkdir()
        for name in TOOLS.split():
            (self.bin / name).symlink_to(shutil.which(name))
        write_script(self.bin / "python3", f'exec "{PYTHON}" "$@"')
        for name in ("run.sh", "install.py"):
            shutil.copy(REPOSITORY / name, self.project)
        self.command = ["bash", str(self.project / "run.sh")]
        self.write("pyproject.toml", GROUPS)
        self.write("src/main_pipeline.py", SHOW)
        self.write("src/predict.py", SHOW)
        self.require("torch==2", "torchvision==2", "uv==1", "extra==1")
        self.env = {
            "PATH": str(self.bin),
            "HOME": str(folder),
            "TORCH_INDEX": "http://127.0.0.1:1",
            "PIP_INDEX_URL": f"{indexes}/pypi",
            "UV_DEFAULT_INDEX": f"{indexes}/pypi",
        }

    def write(self, path: str, text: str) -> None:
        (self.project / path).parent.mkdir(parents=True, exist_ok=True)
        (self.project / path).write_text(text)

    def require(self, *pins: str) -> None:
        self.write("requirements.txt", "\n".join(pins) + "\n")

    def installed(self) -> set[str]:
        """The packages in .venv with their versions, such as uv-1; but those of Python itself."""
        found = self.venv.glob("lib/python3*/site-packages/*.dist-info")
        names = {path.name.removesuffix(".dist-info") for path in found}
        return {name for name in names if not name.startswith(("pip-", "setuptools-"))}

    def start(self, *arguments: str, **env: str) -> subprocess.Popen:
        return subprocess.Popen(
            [*self.command, *arguments],
            env=self.env | env,
            cwd=self.project.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # a background job, as some CI systems are, would hand down an ignored Ctrl-C
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess:
        with self.start(*arguments, **env) as process:
            out, err = process.communicate()
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)
