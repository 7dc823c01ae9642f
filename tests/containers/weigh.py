"""Runs in a container: prints the bytes of torch and all it brings, of other packages, of ours."""

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
            if "extra ==" not in requirement:
                needs(re.match(r"[\w.-]+", requirement)[0], found)


torch = set()
needs("torch", torch)
# setuptools comes with every environment
torch_bytes = sum(
    size(Path(str(file.locate())))
    for dist in distributions()
    if re.sub(r"[-_.]+", "-", dist.metadata["Name"]).lower() in torch
    for file in dist.files or []
)
print(torch_bytes, size(Path("/opt/venv")) - torch_bytes, size(Path("/app")))
