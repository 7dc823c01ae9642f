"""requirements.txt pins all that is installed, and the groups name all that the code imports."""

import ast
import re
import sys
import tomllib
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import install

REPOSITORY = Path(__file__).resolve().parents[1]
LOCK = (REPOSITORY / "requirements.txt").read_text()
PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
GROUPS = PYPROJECT["dependency-groups"]
OURS = {path.stem for folder in ("", "src", "tests") for path in (REPOSITORY / folder).iterdir()}
OF_TORCH = re.compile("nvidia-|cuda-|triton$")  # which of these there are depends on the platform


def canonical(name: str) -> str:
    """The name alone, of a requirement too: no extras, no marker."""
    return re.sub(r"[-_.]+", "-", re.split(r"[ ;\[]", name)[0]).lower()


def pinned() -> dict[str, set[str]]:
    """The versions of each distribution; more than one where Python's version decides."""
    pins: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([^#\s=]+)==(\S+)", LOCK, re.MULTILINE):
        pins.setdefault(canonical(name), set()).add(version)
    return pins


def named(group: str) -> set[str]:
    names = set()
    for entry in GROUPS[group]:
        if isinstance(entry, dict):
            names |= named(entry["include-group"])
        else:
            names.add(canonical(entry))
    return names


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
    return names - OURS - set(sys.stdlib_module_names)


def test_every_installed_distribution_has_the_version_that_is_pinned():
    installed = {
        canonical(found.name): found.version.partition("+")[0]
        for found in distributions()
        if found.name != "pip" and not OF_TORCH.match(found.name)
    }
    pins = pinned()
    assert {name: has for name, has in installed.items() if has not in pins.get(name, ())} == {}


def test_every_line_is_an_exact_pin_for_every_platform_and_index():
    lines = [line for line in LOCK.splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[^\s=]+==\S+( ; .+)?", line)] == []
    assert "://" not in LOCK and "--index" not in LOCK
    assert not [name for name in pinned() if OF_TORCH.match(name)]


def test_the_groups_name_every_package_that_the_code_imports_and_each_is_pinned():
    of = packages_distributions()
    unnamed = [n for n in imported() if not named("all") & {*map(canonical, of.get(n, [n]))}]
    assert unnamed == []
    assert named("all") - pinned().keys() == set()


def test_no_setting_of_uv_makes_an_installation_take_wheels_of_another_python():
    """`uv pip install` obeys them as `uv pip compile` does."""
    assert (
        not {"python-version", "python-platform", "universal"}
        & PYPROJECT["tool"]["uv"]["pip"].keys()
    )


def test_what_starts_the_api_the_page_and_training_needs_no_tool_for_tests():
    needed = {*install.packages("app"), *install.packages("train")}
    assert {"torch", "streamlit[performance]", "onnxruntime"} <= needed
    assert not {"pytest", "ruff", "playwright"} & needed
    assert "torch" not in install.packages("app")
