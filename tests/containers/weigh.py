"""Runs in a container: prints the bytes of torch and all it brings, of other packages, of ours.

Then once more those of torch and what it brings, as they were installed, before any were removed.
"""

import re
from importlib.metadata import PackageNotFoundError, distribution, distributions
from pathlib import Path


def size(path):
    """Bytes of a file, or of all files under a folder."""
    if path.is_file():
        return path.lstat().st_size
    return sum(p.lstat().st_size for p in path.rglob("*") if p.is_file() and not p.is_symlink())


def needs(name, found):
    """Add to `found` the distribution `name` and all it requires on this machine."""
    name = re.sub(r"[-_.]+", "-", name).lower()
    try:
        requires = distribution(name).requires or []
    except PackageNotFoundError:
        return
    if name not in found:
        found.add(name)
        for requirement in requires:
            # torch asks for CUDA's libraries as extras of cuda-toolkit
            if "extra ==" not in requirement or name.startswith("cuda-"):
                needs(re.match(r"[\w.-]+", requirement)[0], found)


torch = set()
needs("torch", torch)
files = [
    file
    for dist in distributions()
    if re.sub(r"[-_.]+", "-", dist.metadata["Name"]).lower() in torch
    for file in dist.files or []
]
present = sum(size(path) for file in files if (path := Path(str(file.locate()))).exists())
removed = sum(file.size or 0 for file in files if not Path(str(file.locate())).exists())
print(present, size(Path("/opt/venv")) - present, size(Path("/app")), present + removed)
