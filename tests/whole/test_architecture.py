"""The wings of the house stay apart: which module may import which, read from the text of the
package.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import autogradient

PACKAGE = Path(autogradient.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
ROOT = PACKAGE.parent

#: From top to bottom: a wing may import wings of the rows below its own. A wing is a package; what
#: stands alone at the root is one, too.
WINGS = (
    ("__main__",),
    ("cli",),
    ("github",),
    ("coursework", "authoring"),
    ("proving", "feedback"),
    ("grading",),
    ("course",),
    ("sources",),
    ("sandbox", "model"),
    ("wire",),
    ("errors",),
    ("visible",),
)
ROW = {wing: number for number, row in enumerate(WINGS) for wing in row}


def imports(module: str) -> set[str]:
    """The modules of ours that a module imports, wherever in its text ("" is the package itself,
    for its version).
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: write imports in full"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    ours = {
        name.removeprefix("autogradient").removeprefix(".")
        for name in found
        if name.split(".")[0] == "autogradient"
    }
    return {_module_of(name) for name in ours}


def _module_of(name: str) -> str:
    """The module that a dotted name is, or stands in."""
    while name and name not in MODULES and f"{name}.__init__" not in MODULES:
        name = name.rpartition(".")[0]
    return name


def wing(module: str) -> str:
    """The wing that a module is in."""
    return module.split(".")[0]


def reached(start: str) -> set[str]:
    """All modules that a process has to load for one."""
    found, todo = set(), {start}
    while todo:
        module = todo.pop()
        found.add(module)
        todo |= {m for m in imports(module) if m in MODULES} - found
    return found


@pytest.mark.parametrize("module", [module for module in MODULES if module != "__init__"])
def test_imports_point_downwards(module: str) -> None:
    assert wing(module) in ROW, (
        f"give {wing(module)} a row in this test and a place in docs/architecture.md"
    )
    for other in imports(module) - {""}:
        assert wing(other) == wing(module) or ROW[wing(other)] > ROW[wing(module)], (
            f"{module} must not import {other}"
        )


@pytest.mark.parametrize("package", sorted({wing(module) for module in MODULES if "." in module}))
def test_modules_of_a_wing_do_not_go_round(package: str) -> None:
    open_modules = {
        module: {m for m in imports(module) if wing(m) == package and m != package}
        for module in MODULES
        if wing(module) == package
    }
    while open_modules:
        done = [module for module, needs in open_modules.items() if not needs & set(open_modules)]
        assert done, f"a circle of imports: {sorted(open_modules)}"
        for module in done:
            del open_modules[module]


def test_few_modules_stand_outside_the_wings() -> None:
    assert {module for module in MODULES if "." not in module} == {
        "__init__",
        "__main__",
        "errors",
        "visible",
    }


def test_the_page_has_a_line_for_every_module_and_no_other() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## The wings\n(.*?)^## ", page, re.DOTALL | re.MULTILINE)
    said: set[str] = set()
    for name, cell in re.findall(r"^\| `(\w+)/?` \|[^|]*\| (.*) \|$", section, re.MULTILINE):
        said |= {
            name if module == name and name in MODULES else f"{name}.{module}"
            for module in re.findall(r"`(\w+)`", cell)
        } or {name}
    assert said == {
        module for module in MODULES if module.split(".")[-1] not in ("__init__", "__main__")
    }


def test_the_untrusted_side_knows_only_wire_and_errors() -> None:
    for module in MODULES:
        if wing(module) == "sandbox":
            assert {wing(other) for other in imports(module)} <= {"sandbox", "wire", "errors"}, (
                module
            )


def test_wire_and_errors_import_nothing_of_ours() -> None:
    for module in MODULES:
        if wing(module) == "wire":
            assert {wing(other) for other in imports(module)} <= {"wire"}, module
    assert imports("errors") == {"visible"} and imports("visible") == set()


def test_commands_print_in_one_place() -> None:
    for module, path in MODULES.items():
        text = path.read_text(encoding="utf-8")
        assert module == "cli.saying" or not ("click.echo" in text or "secho" in text), (
            f"{module}: use saying.say"
        )
        if wing(module) in ("cli", "coursework", "github", "feedback", "grading"):
            calls = [
                node
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            ]
            assert not [call for call in calls if call.func.id == "print"], (
                f"{module}: use saying.say"
            )


def test_what_students_wrote_is_drawn_in_the_renderers_process_alone() -> None:
    assert [module for module in MODULES if "feedback.cells" in imports(module)] == [
        "feedback.desk"
    ]
    libraries = ("mistune", "nh3", "latex2mathml", "nbconvert", "bleach")
    for module, path in MODULES.items():
        found = [
            library
            for library in libraries
            if re.search(
                rf"^\s*(import|from) {library}\b", path.read_text(encoding="utf-8"), re.MULTILINE
            )
        ]
        assert not found or module in (
            "feedback.cells",
            "feedback.formulas",
            "feedback.sanitize",
        ), f"{module} loads {found}"


def test_what_the_course_does_on_github_knows_nothing_of_its_rest_api() -> None:
    """It asks `hosting`; only a command says that this is GitHub."""
    for module, path in MODULES.items():
        text = path.read_text(encoding="utf-8")
        assert module == "github.connection" or not re.search(
            r"^\s*(import|from) (githubkit|httpx)\b", text, re.MULTILINE
        ), module
        assert not imports(module) & {"github.client", "github.connection"} or module in (
            "github.client",
            "cli.github",
        ), module


def test_the_judges_process_knows_nothing_of_sources_results_or_marks() -> None:
    found = reached("grading.trial")
    assert {wing(module) for module in found} <= {
        "grading",
        "model",
        "wire",
        "sandbox",
        "errors",
        "visible",
    }
    assert {module for module in found if wing(module) in ("grading", "model")} <= {
        "grading.trial",
        "grading.guard",
        "grading.library_patches",
        "grading.test_needs",
        "grading",
        "grading.__init__",
        "model.answer_kind",
        "model.short_answers",
        "model.answer_checks",
        "model.testcode",
        "model.assignment",
        "model.points",
        "model",
        "model.__init__",
    }
    assert imports("grading.trial") & {m for m in MODULES if wing(m) == "sandbox"} == {
        "sandbox.rehearsal",
        "sandbox.seeds",
        "sandbox.servant",
    }


def test_what_is_sent_over_as_text_needs_nothing_of_ours() -> None:
    assert imports("proving.escapes") == set()


def test_the_bottom_rests_on_errors_alone() -> None:
    assert imports("model.assignment") <= {"errors"}
    assert {wing(module) for module in reached("model.result")} <= {
        "model",
        "errors",
        "visible",
        "",
    }


def test_the_judge_does_not_know_who_asks_and_release_knows_nothing_of_proofs() -> None:
    assert not reached("sources.release") & {
        "proving.prove",
        "proving.mutants",
        "grading.grade",
        "grading.judge",
    }
    assert "grading.grade" not in imports("grading.judge") and "proving.prove" not in imports(
        "grading.grade"
    )


@pytest.mark.parametrize("module", MODULES)
def test_modules_stay_small_and_have_a_subject(module: str) -> None:
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) <= 500
    assert not module.split(".")[-1].startswith(("util", "helper", "common", "misc"))
    assert ast.get_docstring(ast.parse(MODULES[module].read_text(encoding="utf-8"))), (
        "say in a docstring what the module does"
    )


@pytest.mark.parametrize("module", [module for module in MODULES if module.endswith("__init__")])
def test_init_files_hold_only_a_docstring_and_names(module: str) -> None:
    """But for the one line without which every process of ours would start a second later."""
    for node in ast.parse(MODULES[module].read_text(encoding="utf-8")).body:
        if module == "__init__" and ast.unparse(node) in (
            "import sys",
            "sys.modules.setdefault('rfc3987_syntax', None)",
        ):
            continue
        is_name = isinstance(node, ast.Assign) and [
            t.id for t in node.targets if isinstance(t, ast.Name)
        ] in (["__all__"], ["__version__"])
        assert (
            isinstance(node, ast.ImportFrom)
            or is_name
            or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        ), ast.unparse(node)


def test_tests_mirror_the_wings() -> None:
    wings = {wing(module) for module in MODULES if "." in module}
    for folder in sorted(
        path.name
        for path in (ROOT / "tests").iterdir()
        if path.is_dir() and path.name != "__pycache__"
    ):
        assert folder in wings | {"support", "browser", "whole"}, f"tests/{folder} is no wing"
    assert [path.name for path in (ROOT / "tests").glob("*.py")] == ["conftest.py"]
