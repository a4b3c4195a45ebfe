"""The rooms of the house stay apart: which module may import which, read from the text of the package."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import autogradient

PACKAGE = Path(autogradient.__file__).parent
MODULES = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in sorted(PACKAGE.rglob("*.py"))}

#: From top to bottom: a room may import rooms of the rows below its own. A package is one room, whatever its modules import of each other.
ROWS = (
    ("__main__",),
    ("cli",),
    ("cli_ledger", "cli_grade", "gradescope"),
    ("regrade", "sheets", "github"),
    ("shards",),
    ("decisions",),
    ("coursework", "authoring", "scaffold", "doctor", "console"),
    ("prove", "autograded", "exports", "penalties", "cluster"),
    ("batch", "gradebook", "mutants", "node"),
    ("grade", "course", "feedback", "carry"),
    ("marks",),
    ("verdicts",),
    ("running",),
    ("judge", "submission", "leaks", "formats"),
    ("engine", "release", "source", "nbgrader_format", "otter_format"),
    ("declarations", "foreign", "front_matter"),
    ("trial", "plain"),
    ("guard",),
    ("kinds", "demands"),
    ("testcode", "ledger", "sandbox"),
    ("policy", "roster"),
    ("directives",),
    ("assignment", "result", "wire"),
    ("errors", "attempts", "saying"),
    ("visible",),
)
ROW = {room: number for number, row in enumerate(ROWS) for room in row}


def imports(module: str) -> set[str]:
    """The modules of ours that a module imports, wherever in its text ("" is the package itself, for its version)."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: write imports in full"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    ours = {name.removeprefix("autogradient").removeprefix(".") for name in found if name.split(".")[0] == "autogradient"}
    return {_module_of(name) for name in ours}


def _module_of(name: str) -> str:
    """The module that a dotted name is, or stands in."""
    while name and name not in MODULES and f"{name}.__init__" not in MODULES:
        name = name.rpartition(".")[0]
    return name


def room(module: str) -> str:
    """The room that a module is in."""
    return module.split(".")[0]


@pytest.mark.parametrize("module", [module for module in MODULES if module != "__init__"])
def test_imports_point_downwards(module: str) -> None:
    assert room(module) in ROW, f"give {room(module)} a row in this test and a line in docs/architecture.md"
    for other in imports(module) - {""}:
        assert room(other) == room(module) or ROW[room(other)] > ROW[room(module)], f"{module} must not import {other}"


@pytest.mark.parametrize("package", sorted({room(module) for module in MODULES if "." in module}))
def test_modules_of_a_package_do_not_go_round(package: str) -> None:
    open_modules = {module: {m for m in imports(module) if room(m) == package and m != package} for module in MODULES if room(module) == package}
    while open_modules:
        done = [module for module, needs in open_modules.items() if not needs & set(open_modules)]
        assert done, f"a circle of imports: {sorted(open_modules)}"
        for module in done:
            del open_modules[module]


def test_the_untrusted_side_knows_only_wire_and_errors() -> None:
    for module in MODULES:
        if room(module) == "sandbox":
            assert {room(other) for other in imports(module)} <= {"sandbox", "wire", "errors"}, module


def test_wire_and_errors_import_nothing_of_ours() -> None:
    for module in MODULES:
        if room(module) == "wire":
            assert {room(other) for other in imports(module)} <= {"wire"}, module
    assert imports("errors") == {"visible"} and imports("visible") == set()


def test_commands_print_in_one_place() -> None:
    for module, path in MODULES.items():
        text = path.read_text(encoding="utf-8")
        assert module == "saying" or not ("click.echo" in text or "secho" in text), f"{module}: use saying.say"
        if room(module) in ("cli", "cli_grade", "cli_ledger", "console", "coursework", "batch", "github", "feedback"):
            calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
            assert not [call for call in calls if call.func.id == "print"], f"{module}: use saying.say"


def test_what_students_wrote_is_drawn_in_the_renderers_process_alone() -> None:
    assert [module for module in MODULES if "feedback.cells" in imports(module)] == ["feedback.desk"]
    libraries = ("mistune", "nh3", "latex2mathml", "nbconvert", "bleach")
    for module, path in MODULES.items():
        found = [library for library in libraries if re.search(rf"^\s*(import|from) {library}\b", path.read_text(encoding="utf-8"), re.MULTILINE)]
        assert not found or module in ("feedback.cells", "feedback.formulas", "feedback.sanitize"), f"{module} loads {found}"


def test_the_judges_process_knows_nothing_of_sources_results_or_marks() -> None:
    reached, todo = set(), {"trial"}
    while todo:
        module = todo.pop()
        reached.add(module)
        todo |= imports(module) - reached - {""}
    assert {room(module) for module in reached} <= {
        "trial",
        "kinds",
        "demands",
        "guard",
        "testcode",
        "wire",
        "sandbox",
        "errors",
        "visible",
        "assignment",
        "directives",
    }, reached
    assert imports("trial") & {m for m in MODULES if room(m) == "sandbox"} == {"sandbox.rehearsal", "sandbox.servant"}


def test_what_is_sent_over_as_text_needs_nothing_of_ours() -> None:
    assert imports("attempts") == set()


def test_the_bottom_rests_on_errors_alone() -> None:
    assert imports("assignment") <= {"errors"} and imports("result") <= {"", "errors", "visible"}


def test_the_judge_does_not_know_who_asks_and_release_knows_nothing_of_proofs() -> None:
    reached, todo = set(), {"release"}
    while todo:
        module = todo.pop()
        reached.add(module)
        todo |= {m for m in imports(module) if m in MODULES} - reached
    assert not reached & {"prove", "mutants", "grade", "judge"}
    assert "grade" not in imports("judge") and "prove" not in imports("grade")


@pytest.mark.parametrize("module", MODULES)
def test_modules_stay_small_and_have_a_subject(module: str) -> None:
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= 500
    assert not module.split(".")[-1].startswith(("util", "helper", "common", "misc"))
    assert ast.get_docstring(ast.parse(MODULES[module].read_text(encoding="utf-8"))), "say in a docstring what the module does"


@pytest.mark.parametrize("module", [module for module in MODULES if module.endswith("__init__")])
def test_init_files_hold_only_a_docstring_and_names(module: str) -> None:
    for node in ast.parse(MODULES[module].read_text(encoding="utf-8")).body:
        is_name = isinstance(node, ast.Assign) and [t.id for t in node.targets if isinstance(t, ast.Name)] in (["__all__"], ["__version__"])
        assert isinstance(node, ast.ImportFrom) or is_name or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)), ast.unparse(node)
