"""The documentation says what the code does: commands, formats, links and the one
complete example.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from autogradient.cli.main import cli
from autogradient.grading import judge
from autogradient.grading.engine import Engine
from autogradient.model.assignment import Assignment
from autogradient.proving import prove
from autogradient.sources import directives, front_matter, leaks, release, source
from autogradient.sources.formats import load_assignment

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "example" / "two-neurons.py"
PAGES = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")] + sorted(
    (ROOT / "docs").glob("*.md")
)
FORMAT = (ROOT / "docs" / "source-format.md").read_text()


def tracked() -> list[Path]:
    """The files of the repository, those included that are about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [
        path
        for path in (ROOT / line for line in listed.stdout.split("\n") if line)
        if path.is_file()
    ]


def writer() -> Any:
    """docs/write_commands.py as a module."""
    spec = importlib.util.spec_from_file_location(
        "write_commands", ROOT / "docs" / "write_commands.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- what is made from the code ------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["commands.md", "result.schema.json", "source-format.md", "security.md"]
)
def test_generated_pages_are_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / name).read_text() == writer().FILES[name](), "run 'make docs'"


def test_every_command_has_an_example_and_every_option_a_description() -> None:
    for name, command in cli.commands.items():
        assert command.help and f"Example: autogradient {name}" in command.help
        for parameter in command.params:
            assert parameter.param_type_name == "argument" or getattr(parameter, "help", None), (
                f"{name} {parameter.name}"
            )


def test_the_result_in_the_grading_page_fits_the_schema() -> None:
    from autogradient.model.result import Result

    (text,) = re.findall(
        r"```json\n(.*?)```", (ROOT / "docs" / "grading.md").read_text(), re.DOTALL
    )
    assert Result.from_json(text).points.earned == 7.5


def test_the_grading_page_names_every_outcome() -> None:
    from typing import get_args

    from autogradient.model.result import ELSEWHERE, ON_GPU, CaseOutcome, SubmissionOutcome

    page = (ROOT / "docs" / "grading.md").read_text()
    for word in (
        *get_args(CaseOutcome),
        *get_args(SubmissionOutcome),
        judge.BY_HAND,
        ON_GPU,
        ELSEWHERE,
    ):
        assert f"`{word}`" in page, word


def test_the_security_page_has_a_command_for_its_figures_and_a_row_for_every_layer() -> None:
    from autogradient.sandbox import LAYERS

    page = (ROOT / "docs" / "security.md").read_text()
    assert len(re.findall(r"^\$ python -c .*\n[^`\n]*\d", page, re.MULTILINE)) >= 7
    assert not [layer for layer in LAYERS if f"\n| {layer} | " not in page]


# ---- the source format ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def example() -> Assignment:
    return load_assignment(EXAMPLE, seed=7)


def test_the_example_is_complete(example: Assignment) -> None:
    assert {cell.role for cell in example.cells} == {*directives.ROLES, "text"}
    assert {part.kind for part in example.parts} == set(source.KINDS)
    assert any(question.optional for question in example.questions) and any(
        part.visible_points and part.hidden_points for part in example.parts
    )
    assert (
        any(variant.earns is not None for part in example.parts for variant in part.wrong)
        and "@probe" in EXAMPLE.read_text()
    )


def test_the_example_is_released_without_leaks(example: Assignment) -> None:
    built = release.build(example)
    assert leaks.find_leaks(example, built) == []
    assert built.files == release.build(load_assignment(EXAMPLE, seed=7)).files
    assert {f"tests/{part.id}.py" for part in example.parts if not part.by_hand} == set(
        built.files
    ) - {"two-neurons.ipynb"}


def test_the_example_is_proved(example: Assignment, engine: Engine) -> None:
    proof = prove.prove(example, engine)
    assert proof.proved, json.dumps(proof.to_dict(), indent=1)
    assert proof.mutants.done == proof.mutants.of > 10 and proof.equivalent == 1


def test_the_example_is_tidy() -> None:
    from autogradient.sources import scaffold

    assert scaffold.fmt(EXAMPLE, check=True) == ""


@pytest.mark.parametrize("role", directives.ROLES)
def test_every_role_and_its_keys_are_described(role: str) -> None:
    (section,) = re.findall(r"^## Roles\n(.*?)^## ", FORMAT, re.DOTALL | re.MULTILINE)
    (row,) = [line for line in section.split("\n") if re.match(rf"\| `{role}[:`]", line)]
    for key in directives.ROLES[role].keys:
        assert f"`{key}`" in row, f"{role}: {key}"


@pytest.mark.parametrize(
    "word",
    [*source.KINDS, *front_matter.FRONT_KEYS, *front_matter.LIMIT_KEYS, *source.PRIVATE_FILES],
)
def test_every_kind_and_key_of_the_front_matter_is_described(word: str) -> None:
    assert re.search(rf"`[^`\n]*\b{re.escape(word)}\b[^`\n]*`", FORMAT), word


def test_the_first_snippet_is_read_as_it_stands() -> None:
    text = re.findall(r"```python\n(.*?)```", FORMAT, re.DOTALL)[0]
    code, markdown = text.split("\n\n# %% [markdown]\n# ")
    answer = directives.parse(code.removeprefix("# %%\n"), "code")
    assert not answer.problems and (answer.role, answer.target) == ("answer", "and-gate-p1")
    assert answer.keys["because"] == {
        2: "that is the other edge",
        3: "a line that goes on is indented by two more spaces",
    }
    question = directives.parse(markdown.replace("\n# ", "\n"), "markdown")
    assert not question.problems and question.keys == {"level": "E", "minutes": 10}


# ---- pages ---------------------------------------------------------------------------------------


def test_the_readme_begins_with_what_it_is_and_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    screen = "\n".join(readme.split("\n")[:40])
    assert (
        "make demo" in screen and "make test" in screen and "docs/pictures/pipeline.svg" in screen
    )
    for word in (
        "instructor",
        "student",
        "CI maintainer",
        "uv pip install --torch-backend=cpu",
        '"sealed": true',
        "LICENSE",
    ):
        assert word in readme, word


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "code", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL))
    for alt, target in re.findall(r"!?\[([^\]]*)\]\(([^)\s]+)\)", text):
        if re.match(r"https?:|mailto:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        there = (page.parent / path) if path else page
        assert alt.strip() and there.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(there), f"{page.name}: {target}"


def test_every_page_of_docs_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert not [
        page.name for page in (ROOT / "docs").glob("*.md") if f"docs/{page.name}" not in readme
    ]


def test_pictures_are_what_their_script_draws(tmp_path: Path) -> None:
    (tmp_path / "draw.py").write_text((ROOT / "docs" / "pictures" / "draw.py").read_text())
    subprocess.run(["python3", str(tmp_path / "draw.py")], check=True, timeout=60)
    for picture in (ROOT / "docs" / "pictures").glob("*.svg"):
        assert (tmp_path / picture.name).read_text() == picture.read_text(), (
            f"run docs/pictures/draw.py: {picture.name}"
        )


# ---- the repository speaks of itself alone -------------------------------------------------------

MACHINE = re.compile(r"/(?:work|root|home/\w+|Users/\w+|mnt|private)/[\w.-]+")
REGISTRY = re.compile(
    r"(?:pypi|pythonhosted|anaconda|registry\.npmjs|proxy\.golang)\.(?:org|com)|index-url|--extra-index|download\.pytorch\.org"
)


def test_no_paths_of_a_machine_and_no_registries_in_the_repository() -> None:
    found = []
    for path in tracked():
        if path == Path(__file__):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.split("\n"), start=1):
            match = MACHINE.search(line) or REGISTRY.search(line)
            if match:
                found.append(f"{path.relative_to(ROOT)}:{number}: {match.group()}")
    assert not found, "\n".join(found)
