"""The IPython extension for authors: in an instructor notebook, tests and wrong answers run where
they stand.

`%load_ext autogradient.authoring` supplies `seed`, `secret`, `test_case` and `probe`, and from then
on a cell does what its directive says:

    tests    runs its cases against the notebook's names; a failing case stops Run All
    wrong    runs over a copy of the names, says which case catches it, and puts the names back
    right    the same, and says whether it gets full marks
    answer   is plain code; a short answer then shows its form check and what each slip would get
    others   are plain code

Verdicts agree with grading: the same seeds, given values fresh for each case, and tests that see
the setup, helpers and given cells only. A cell with a broken directive is not run; it says what is
wrong with it.
"""

from __future__ import annotations

import contextlib
import io
import weakref
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from IPython.display import display

from autogradient.authoring import cases, messages
from autogradient.authoring.cases import judge
from autogradient.authoring.cell_report import Report, Row, points_text
from autogradient.authoring.cells import Cells
from autogradient.authoring.isolation import borrowed, time_limit, undisturbed
from autogradient.course import config
from autogradient.errors import CellError, CourseError, nearest
from autogradient.model import answer_kind, short_answers
from autogradient.model.assignment import Part
from autogradient.model.points import show_points
from autogradient.model.testcode import read_cases
from autogradient.sources.directives import Directive, parse

MAGIC = "autogradient"


class Author:
    """What each directive does in one shell."""

    def __init__(self, shell: Any, seed: int) -> None:
        self.shell = shell
        self.cells = Cells(seed)

    @property
    def names(self) -> dict[str, Any]:
        """The notebook's names."""
        found: dict[str, Any] = self.shell.user_ns
        return found

    # IPython calls these three.

    def route(self, lines: list[str]) -> list[str]:
        """Input transformer: hand a cell over to `magic` where its directive asks for more than
        running it. Runs nothing.
        """
        raw = "".join(lines)
        directive = parse(raw, "code")
        whole = [f"%%{MAGIC}\n", *lines]
        if directive.problems or directive.role in ("tests", "wrong", "right"):
            return whole
        if directive.role in ("answer", "equivalent") and directive.target:
            try:
                part = self.cells.model(directive, raw)
            except CellError:
                return whole
            if part is not None and part.is_short:
                return [raw.rstrip("\n") + "\n", f"%{MAGIC} {part.id}\n"]
        return lines

    def before(self, info: Any) -> None:
        """Before a cell runs: remember the ones that later cells need."""
        self.cells.cell_id = getattr(info, "cell_id", None)
        raw = (info.raw_cell or "").lstrip("\n")
        directive = parse(raw, "code")
        if directive.role in ("setup", "helpers", "given", "answer") and not directive.problems:
            self.cells.keep(directive, raw)

    def magic(self, line: str, cell: str | None = None) -> None:
        """`%%autogradient` runs a tests, wrong or right cell; `%autogradient PART` shows what a
        short answer's declaration makes of it.
        """
        if cell is None:
            self.show_short(line.strip())
            return
        directive = parse(cell, "code")
        if directive.problems:
            raise CellError(
                "\n".join(
                    messages.CELL_MISTAKE.format(line=offset + 1, message=message)
                    for offset, message in directive.problems
                )
            )
        if directive.role in ("tests", "wrong", "right"):
            answered = [kept.target for kept in self.cells.kept("answer")]
            if directive.target not in answered:
                raise CellError(
                    messages.ANSWER_NOT_RUN.format(
                        part=directive.target, nearest=nearest(directive.target, answered)
                    )
                )
        part = self.cells.model(directive, cell)
        if part is None:
            return
        if directive.role == "tests":
            self.cells.keep(directive, cell)
            self.show_tests(part, directive, cell)
        elif part.kind == "code" and not self.cells.kept("tests", part.id):
            raise CellError(messages.TESTS_NOT_RUN.format(part=part.id))
        else:
            self.show_variant(part, directive)

    # ---- what each role does ---------------------------------------------------------------------

    def show_tests(self, part: Part, directive: Directive, raw: str) -> None:
        """Run the cases of a tests cell against the notebook's names. Raises CellError where one
        fails.
        """
        own = {case.name for case in read_cases(raw, part.id)[0]}
        outcomes = judge(
            self.cells, part, [case for case in part.cases if case.name in own], self.names
        )
        failed = [outcome for outcome in outcomes if not outcome.passed]
        earned, possible = (
            sum(points, Fraction(0))
            for points in ([o.earned for o in outcomes], [o.case.points for o in outcomes])
        )
        printed = "".join(outcome.printed for outcome in failed)
        display(
            Report(
                not failed,
                f"{part.id}: {points_text(earned, possible)}",
                [outcome.row for outcome in outcomes],
                printed,
            )
        )
        if failed:
            which = "; ".join(f"'{outcome.case.title}' ({outcome.message})" for outcome in failed)
            raise CellError(
                messages.CASES_FAIL.format(failing=len(failed), of=len(outcomes), which=which)
            )

    def show_variant(self, part: Part, directive: Directive) -> None:
        """Run a wrong or right answer over the notebook's names, say what its cases make of it, and
        put the names back.
        """
        variant = [*part.wrong, *part.right][-1]
        name = part.names[0] if part.names else ""
        expected = self.names.get(name, ...)
        problem = ""
        with borrowed(self.names, self.shell.user_ns_hidden), undisturbed():
            quiet = io.StringIO()
            try:
                with (
                    contextlib.redirect_stdout(quiet),
                    contextlib.redirect_stderr(quiet),
                    time_limit(cases.CASE_SECONDS),
                ):
                    exec(
                        compile(
                            self.shell.transform_cell(variant.source),
                            "<variant>",
                            "exec",
                            dont_inherit=True,
                        ),
                        self.names,
                    )
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # grading goes on after a cell that fails, and so do we
                problem = f" (the cell itself ends with {cases.explain(error, '', {}, {})})"
            outcomes = judge(self.cells, part, list(part.cases), self.names, expected)
        earned = sum((outcome.earned for outcome in outcomes), Fraction(0))
        failed = [outcome for outcome in outcomes if not outcome.passed]
        points = points_text(earned, part.points)
        if directive.role == "right":
            fine, sentence = (
                earned == part.points,
                "full marks, as it should be"
                if earned == part.points
                else f"NOT full marks: {points}",
            )
        elif not failed:
            fine, sentence = False, "NOT caught: full marks"
        else:
            caught = " and ".join(f"'{outcome.case.title}'" for outcome in failed)
            fine, sentence = True, f"caught by {caught}: {points}"
            if variant.earns is not None and variant.earns != earned:
                fine, sentence = (
                    False,
                    f"{sentence}, but the cell says it earns {show_points(variant.earns)}",
                )
            elif earned >= part.points:  # the case that catches it is worth nothing
                fine, sentence = False, f"NOT caught: {points}, because {caught} carries none"
        display(
            Report(
                fine,
                f"{directive.role} ({variant.because}): {sentence}{problem}",
                [outcome.row for outcome in failed],
            )
        )

    def show_short(self, part_id: str) -> None:
        """Show the form check of a short answer, and what its slips and other options would get.
        Raises CellError where it fails its own check.
        """
        answer = self.cells.kept("answer", part_id)[-1]
        part = self.cells.model(parse(answer.raw, "code"), answer.raw)
        assert part is not None
        name = part.names[0]
        expected = self.names.get(name, ...)
        both = list(part.cases)
        outcomes = judge(self.cells, part, both, self.names, expected)
        rows = [outcome.row for outcome in outcomes]
        for variant in short_answers.kind_of(part).slips(part):
            found = answer_kind.assigned_value(variant.source)
            text = variant.source.partition("=")[2].strip() if found else variant.source
            names = dict(self.names)
            try:
                exec(compile(variant.source, "<slip>", "exec", dont_inherit=True), names)
                tried = judge(self.cells, part, both, names, expected)
            except Exception as error:
                rows.append(
                    Row(
                        True,
                        (
                            text,
                            "slip",
                            points_text(Fraction(0), part.points),
                            f"{variant.because} ({type(error).__name__}: {error})",
                        ),
                    )
                )
                continue
            earned = sum((outcome.earned for outcome in tried), Fraction(0))
            possible = sum((case.points for case in both), Fraction(0))
            refused = "" if tried[0].passed else f" (its form is refused: {tried[0].message})"
            rows.append(
                Row(
                    earned < possible,
                    (text, "slip", points_text(earned, possible), f"{variant.because}{refused}"),
                )
            )
        failed = [outcome for outcome in outcomes if not outcome.passed]
        caught = all(row.fine for row in rows[len(outcomes) :])
        sentence = (
            f"{part.id}: {part.kind}, {show_points(part.points)} "
            f"{'point' if part.points == 1 else 'points'}"
        )
        display(
            Report(
                not failed and caught,
                sentence + ("" if caught else "; a slip gets full marks"),
                rows,
            )
        )
        if failed:
            raise CellError(
                messages.ANSWER_FAILS.format(
                    part=part.id, problem=failed[0].message or failed[0].case.title
                )
            )


# ---- the extension -------------------------------------------------------------------------------

_AUTHORS: weakref.WeakKeyDictionary[Any, Author] = weakref.WeakKeyDictionary()


def test_case(*arguments: Any, **keys: Any) -> Any:
    """otter's decorator, imported when it is first used: that takes seconds, and a tests cell does
    not need it here.
    """
    from otter.test_files import test_case as decorator

    return decorator(*arguments, **keys)


def probe(function: Any) -> Any:
    """Leave a probe as it is: in a notebook it runs beside the answer anyway."""
    return function


def course_seed(start: Path | None = None) -> int:
    """The seed of the course that the folder lies in; 0 outside of a course. Raises CourseError
    where its configuration is wrong.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / config.CONFIG).is_file():
            return config.load(folder).seed
    return 0


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext autogradient.authoring`."""
    if shell in _AUTHORS:
        return
    try:
        seed = course_seed()
    except CourseError as error:
        raise CellError(str(error)) from None
    author = _AUTHORS[shell] = Author(shell, seed)
    shell.user_ns.update(
        seed=seed, secret=np.random.default_rng(seed), test_case=test_case, probe=probe
    )
    shell.register_magic_function(author.magic, magic_kind="line_cell", magic_name=MAGIC)
    shell.input_transformers_cleanup.append(author.route)
    shell.events.register("pre_run_cell", author.before)


def unload_ipython_extension(shell: Any) -> None:
    """`%unload_ext autogradient.authoring`: cells are plain code again; the four names stay."""
    author = _AUTHORS.pop(shell, None)
    if author is None:
        return
    shell.input_transformers_cleanup.remove(author.route)
    shell.events.unregister("pre_run_cell", author.before)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop(MAGIC, None)
