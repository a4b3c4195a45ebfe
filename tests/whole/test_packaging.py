"""What is installed: pyproject.toml, environment.yml, constraints.txt and the Makefile say the
same.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

#: What conda-forge calls packages that have another name there, and what it splits an extra into.
CONDA_NAMES = {
    "matplotlib": "matplotlib-base",
    "msgpack": "msgpack-python",
    "playwright": "playwright-python",
    "torch": "pytorch",
}
CONDA_EXTRAS = {("githubkit", "auth-app"): "pyjwt"}
#: What conda brings that is no dependency of the package.
TOOLS = {"python", "git", "make", "cxx-compiler", "pip", "setuptools"}


def requirements() -> list[Requirement]:
    """Everything that `pip install -e '.[dev]'` asks for by name, the extras `lab`, `dask` and
    `github` included.
    """
    extras = PROJECT["optional-dependencies"]
    lines = [
        *PROJECT["dependencies"],
        *extras["lab"],
        *extras["dask"],
        *extras["github"],
        *extras["dev"],
    ]
    return [
        requirement
        for requirement in map(Requirement, lines)
        if requirement.name != PROJECT["name"]
    ]


def pins() -> dict[str, str]:
    """constraints.txt: name → version."""
    lines = [
        line
        for line in (ROOT / "constraints.txt").read_text().split("\n")
        if line and not line.startswith("#")
    ]
    found = {}
    for line in lines:
        name, equals, version = line.partition("==")
        assert equals and Version(version), f"constraints.txt: '{line}' pins nothing"
        assert canonicalize_name(name) not in found, f"constraints.txt pins {name} twice"
        found[canonicalize_name(name)] = version
    return found


def test_conda_installs_the_same_packages() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["channels"] == ["conda-forge"]
    plain = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    by_pip = [
        line
        for entry in environment["dependencies"]
        if isinstance(entry, dict)
        for line in entry["pip"]
    ]
    conda = {entry.split()[0]: "".join(entry.split()[1:]) for entry in plain} | {
        Requirement(line).name: str(Requirement(line).specifier) for line in by_pip
    }
    expected = {"python": PROJECT["requires-python"]}
    for requirement in requirements():
        expected[CONDA_NAMES.get(requirement.name, requirement.name)] = str(requirement.specifier)
        expected |= {CONDA_EXTRAS[requirement.name, extra]: "" for extra in requirement.extras}
    assert {
        name: version for name, version in conda.items() if name not in TOOLS or name in expected
    } == expected
    assert set(conda) >= TOOLS


@pytest.mark.parametrize("requirement", requirements(), ids=lambda requirement: requirement.name)
def test_every_dependency_is_pinned_to_a_version_it_allows(requirement: Requirement) -> None:
    pinned = pins()
    assert canonicalize_name(requirement.name) in pinned
    assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)])


def test_torch_is_pinned_without_a_build() -> None:
    """So that the same constraint holds for the CPU build and for those with CUDA."""
    assert pins()["torch"] == "2.13.0"


def test_the_readme_names_only_targets_that_there_are() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    named = {
        name
        for page in pages
        for name in re.findall(r"(?:^ *|`)make ([a-z]+)\b", page.read_text(), re.MULTILINE)
    }
    assert {"demo", "test", "setup", "lab"} <= named <= targets, named - targets


def test_every_target_is_described() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    described = set(re.findall(r"^([a-z]+):.*?## ", makefile, re.MULTILINE))
    assert set(phony.split()) == described


def test_what_the_package_needs_at_run_time_is_packed() -> None:
    """Files that are no modules are named in pyproject.toml."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"][
        "package-data"
    ]["autogradient"]
    packed = {path for pattern in data for path in (ROOT / "autogradient").glob(pattern)}
    others = {
        path
        for path in (ROOT / "autogradient").rglob("*")
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
    }
    assert others == packed
