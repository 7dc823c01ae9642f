"""requirements.txt names what the code imports, pins all of it, and nothing of the platform's."""

import ast
import re
import sys
from importlib.metadata import packages_distributions, version
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
LINES = (REPOSITORY / "requirements.txt").read_text().splitlines()
PINS = [line for line in LINES if line and not line.startswith("#")]
SECTIONS = ["common", "api", "page", "training and study", "tests"]
OURS = {path.stem for folder in ("src", "tests") for path in (REPOSITORY / folder).iterdir()}
ELSEWHERE = {"litserve"}  # what is compared with has an environment of its own, .venv-bench


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.sub(r"\[.*\]", "", name)).lower()


def imported() -> set[str]:
    """The top-level names of all absolute imports under src, tests and notebooks."""
    names = set()
    for folder in ("src", "tests", "notebooks"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    names |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    names.add(node.module.partition(".")[0])
    return names - OURS - ELSEWHERE - set(sys.stdlib_module_names)


def pinned() -> set[str]:
    return {canonical(pin.partition("==")[0]) for pin in PINS}


def test_every_package_that_the_code_imports_is_pinned():
    distributions = packages_distributions()
    unpinned = {
        name
        for name in imported()
        if not pinned() & {canonical(d) for d in distributions.get(name, [name])}
    }
    assert unpinned == set()


def test_every_requirement_is_an_exact_pin_and_what_is_installed():
    for pin in PINS:
        name, _, wanted = pin.partition("==")
        assert version(re.sub(r"\[.*\]", "", name)).partition("+")[0] == wanted


def test_the_sections_are_those_that_the_images_install():
    assert [line[2:] for line in LINES if re.fullmatch(r"# [a-z ]+", line)] == SECTIONS


def test_no_platform_package_is_named():
    assert not [name for name in pinned() if name.startswith("nvidia-") or name == "triton"]
