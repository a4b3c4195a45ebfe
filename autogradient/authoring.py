"""The IPython extension for authors: in an instructor notebook, tests and wrong answers run where they stand.

`%load_ext autogradient.authoring` supplies `seed`, `secret`, `test_case` and `probe`, and from then on a cell does what its directive says:

    tests    runs its cases against the notebook's names; a failing case stops Run All
    wrong    runs over a copy of the names, says which case catches it, and puts the names back
    right    the same, and says whether it gets full marks
    answer   is plain code; a short answer then shows its form check and what each slip would get
    others   are plain code

Verdicts agree with grading: the same seeds, given values fresh for each case, and tests that see the setup, helpers and given cells only.
A cell with a broken directive is not run; it says what is wrong with it.
"""

from __future__ import annotations

import contextlib
import copy
import html
import inspect
import io
import linecache
import random
import re
import signal
import sys
import threading
import traceback
import types
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import numpy as np
from IPython.display import display

from autogradient import course, errors, kinds, source
from autogradient.assignment import Case, Cell, Limits, Part
from autogradient.directives import Directive, nearest, parse
from autogradient.errors import CellError, CourseError, SourceErrors
from autogradient.judge import case_seed
from autogradient.release import given_source
from autogradient.testcode import bound_names, read_cases, show_points

MAGIC = "autogradient"
#: The receipt's seed that `prove` uses.
SEED = 1
CASE_SECONDS = Limits().case_s
_STAND_IN = "#| answer: {part}\nanswer = ...  # SOLUTION"
_EARLIER = "#| answer: {part}\n#| kind: true-false\n#| points: 1\nearlier{n} = True  # SOLUTION"
_ANY_TEST = "#| tests: {part}\n@test_case(points={points})\ndef test_it(answer):\n    pass"


# ---- what is shown ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One line of a report: whether all is well with it, and its columns."""

    fine: bool
    columns: tuple[str, ...]


@dataclass
class Report:
    """What came of a cell: a sentence and a small table, as HTML and as plain text."""

    fine: bool
    sentence: str
    rows: list[Row] = field(default_factory=list)
    printed: str = ""

    def __repr__(self) -> str:
        count = max((len(row.columns) for row in self.rows), default=0)
        widths = [max(len(row.columns[i]) for row in self.rows if i < len(row.columns)) for i in range(count)]
        lines = [f"{_mark(self.fine)} {self.sentence}"]
        for row in self.rows:
            lines.append("  " + " ".join([_mark(row.fine), *(text.ljust(width + 1) for text, width in zip(row.columns, widths, strict=False))]).rstrip())
        return "\n".join([*lines, *(["printed while they ran:", self.printed] if self.printed else [])])

    def _repr_html_(self) -> str:
        cell = '<td style="text-align: left; vertical-align: top">{}</td>'
        rows = "".join("<tr>" + "".join(cell.format(_html(text)) for text in (_mark(row.fine), *row.columns)) + "</tr>" for row in self.rows)
        table = f'<table class="autogradient-cases">{rows}</table>' if rows else ""
        printed = f"<p>printed while they ran:</p><pre>{html.escape(self.printed)}</pre>" if self.printed else ""
        colour = "" if self.fine else ' style="color: var(--jp-error-color1, #c62828)"'
        return f'<div class="autogradient-report"><p{colour}><b>{_mark(self.fine)}</b> {_html(self.sentence)}</p>{table}{printed}</div>'


def _mark(fine: bool) -> str:
    return "✓" if fine else "✗"


def _html(text: str) -> str:
    # A formula in a message would be typeset by JupyterLab; it is code here.
    return html.escape(text).replace("$", "&#36;<!-- -->")


def _points(earned: Fraction, possible: Fraction) -> str:
    if not possible:
        return "no points"
    noun = "point" if possible == 1 else "points"
    return f"{show_points(earned)} of {show_points(possible)} {noun}"


# ---- keeping things as they are ----------------------------------------------------------------------------------------


class _TimeUp(BaseException):
    """A case took too long. No `except Exception` of an answer can catch it."""


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise _TimeUp in the block after so many seconds of wall time, where the system has timers: a wrong answer may never end."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: Any) -> None:
        raise _TimeUp

    previous = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)  # rings again in case a bare `except:` swallows it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Leave the global random states as they are, and close the figures that the block opens."""
    torch, plt = sys.modules.get("torch"), sys.modules.get("matplotlib.pyplot")
    states = random.getstate(), np.random.get_state(), torch.get_rng_state() if torch else None
    figures = set(plt.get_fignums()) if plt else set()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        if torch and states[2] is not None:
            torch.set_rng_state(states[2])
        if plt := sys.modules.get("matplotlib.pyplot"):
            for number in set(plt.get_fignums()) - figures:
                plt.close(number)


def _seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed)


def _is_data(value: Any) -> bool:
    """Whether an answer could change a value in place: containers, arrays, tensors, models."""
    if isinstance(value, (type, types.ModuleType, types.FunctionType)):
        return False
    torch = sys.modules.get("torch")
    if torch and isinstance(value, torch.nn.Module):
        return True
    return isinstance(value, (list, dict, set, bytearray)) or type(value).__module__.split(".")[0] in ("numpy", "torch")


@contextlib.contextmanager
def borrowed(names: dict[str, Any], untouched: Mapping[str, Any]) -> Iterator[None]:
    """Let the block do with the notebook's names what it likes: afterwards they are as they were, and so is the data behind them."""
    saved = dict(names)
    memo: dict[int, Any] = {}
    for name, value in saved.items():
        if not name.startswith("_") and name not in untouched and _is_data(value):
            with contextlib.suppress(Exception):  # what cannot be copied is lent as it is
                names[name] = copy.deepcopy(value, memo)
    try:
        yield
    finally:
        for name in names.keys() - saved.keys():
            del names[name]
        names.update(saved)


# ---- cases -----------------------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What came of one case."""

    case: Case
    passed: bool
    message: str = ""
    printed: str = ""

    @property
    def earned(self) -> Fraction:
        """Its points, or none."""
        return self.case.points if self.passed else Fraction(0)

    @property
    def row(self) -> Row:
        """The case as a line of a report."""
        return Row(self.passed, (self.case.title, "hidden" if self.case.hidden else "visible", _points(self.earned, self.case.points), self.message))


def _identity(*arguments: Any, **keys: Any) -> Any:
    """What `test_case` and `probe` are while cases run: functions stay functions."""
    return arguments[0] if len(arguments) == 1 and callable(arguments[0]) and not keys else lambda function: function


def _run(text: str, namespace: dict[str, Any], filename: str) -> None:
    """Run instructor's code; a traceback can quote it."""
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    exec(compile(re.sub(r"^(\s*)[%!].*$", r"\1pass", text, flags=re.MULTILINE), filename, "exec", dont_inherit=True), namespace)


def _explain(error: BaseException, filename: str, notebook: Mapping[str, Any], namespace: Mapping[str, Any]) -> str:
    """An exception in one line, with the line of the tests cell that it comes from."""
    if isinstance(error, _TimeUp):
        return f"stopped after {CASE_SECONDS:g} s"
    text = f"{type(error).__name__}: {error}".rstrip(": ")
    if isinstance(error, NameError) and error.name in notebook and error.name not in namespace:
        text = errors.ONLY_IN_NOTEBOOK.format(name=error.name)
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == filename]
    return f"{text} (line {lines[-1].lineno}: {lines[-1].line})" if lines else text


# ---- cells -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """A cell that was run and that later cells need."""

    role: str
    target: str
    raw: str
    body: str
    cell_id: str | None

    def replaces(self, other: Kept) -> bool:
        """Whether this is a newer version of the other cell."""
        if (self.role, self.target) != (other.role, other.target):
            return self.cell_id is not None and self.cell_id == other.cell_id
        if self.cell_id is not None and self.cell_id == other.cell_id or self.raw == other.raw or self.role == "answer":
            return True
        return self.role in ("tests", "given") and bool(set(bound_names(self.body)) & set(bound_names(other.body)))


class Author:
    """What the extension knows in one shell: the cells that were run, and what each directive does."""

    def __init__(self, shell: Any, seed: int) -> None:
        self.shell = shell
        self.seed = seed
        self.cells: list[Kept] = []
        self.cell_id: str | None = None

    @property
    def names(self) -> dict[str, Any]:
        """The notebook's names."""
        found: dict[str, Any] = self.shell.user_ns
        return found

    # IPython calls these three.

    def route(self, lines: list[str]) -> list[str]:
        """Input transformer: hand a cell over to `magic` where its directive asks for more than running it. Runs nothing."""
        raw = "".join(lines)
        directive = parse(raw, "code")
        whole = [f"%%{MAGIC}\n", *lines]
        if directive.problems or directive.role in ("tests", "wrong", "right"):
            return whole
        if directive.role in ("answer", "equivalent") and directive.target:
            try:
                part = self.model(directive, raw)
            except CellError:
                return whole
            if part is not None and part.is_short:
                return [raw.rstrip("\n") + "\n", f"%{MAGIC} {part.id}\n"]
        return lines

    def before(self, info: Any) -> None:
        """Before a cell runs: remember the ones that later cells need."""
        self.cell_id = getattr(info, "cell_id", None)
        raw = (info.raw_cell or "").lstrip("\n")
        directive = parse(raw, "code")
        if directive.role in ("setup", "helpers", "given", "answer") and not directive.problems:
            self.keep(directive, raw)

    def magic(self, line: str, cell: str | None = None) -> None:
        """`%%autogradient` runs a tests, wrong or right cell; `%autogradient PART` shows what a short answer's declaration makes of it."""
        if cell is None:
            self.show_short(line.strip())
            return
        directive = parse(cell, "code")
        if directive.problems:
            raise CellError("\n".join(errors.CELL_MISTAKE.format(line=offset + 1, message=message) for offset, message in directive.problems))
        if directive.role in ("tests", "wrong", "right"):
            answered = [kept.target for kept in self.cells if kept.role == "answer"]
            if directive.target not in answered:
                raise CellError(errors.ANSWER_NOT_RUN.format(part=directive.target, nearest=nearest(directive.target, answered)))
        part = self.model(directive, cell)
        if part is None:
            return
        if directive.role == "tests":
            self.keep(directive, cell)
            self.show_tests(part, directive, cell)
        elif part.kind == "code" and not self.kept("tests", part.id):
            raise CellError(errors.TESTS_NOT_RUN.format(part=part.id))
        else:
            self.show_variant(part, directive)

    # ---- the model ---------------------------------------------------------------------------------------------------

    def keep(self, directive: Directive, raw: str) -> None:
        """Remember a cell in place of its older version."""
        new = Kept(directive.role, directive.target, raw, directive.body, self.cell_id)
        place = next((i for i, old in enumerate(self.cells) if new.replaces(old)), len(self.cells))
        self.cells = [old for old in self.cells[:place] if not new.replaces(old)] + [new] + [old for old in self.cells[place:] if not new.replaces(old)]

    def kept(self, role: str, *targets: str) -> list[Kept]:
        """The cells of a role that were run, in order."""
        return [cell for cell in self.cells if cell.role == role and (not targets or cell.target in targets)]

    def model(self, directive: Directive, raw: str) -> Part | None:
        """The part as a source of the cells run so far would have it, `raw` included. Raises CellError with what is wrong with `raw`.

        None where the cell is no valid Python: then Python itself says it best.
        """
        part, role = directive.target, directive.role
        question, _, number = part.rpartition("-p") if re.search(r"-p\d+$", part) else (part, "", "1")
        answers = [raw] if role == "answer" else [kept.raw for kept in self.kept("answer", part)]
        keys = parse(answers[0], "code").keys if answers else {}
        is_code = keys.get("kind", "code") == "code"
        mine = Kept(role, part, raw, directive.body, self.cell_id)
        tests = [kept.raw for kept in self.kept("tests", part) if role != "tests" or not mine.replaces(kept)]
        if is_code and role == "answer":
            tests = [_ANY_TEST.format(part=part, points=keys.get("points", 1))]
        elif is_code:
            answers = [_STAND_IN.format(part=part)]
            if not tests and role != "tests":
                tests = [_ANY_TEST.format(part=part, points=1)]
        earlier = [_EARLIER.format(part=f"{question}-p{n}", n=n) for n in range(1, min(int(number), 100))]
        texts = [*earlier, *answers, *tests, *([] if role == "answer" else [raw])]
        here = len(earlier) + 2 if role == "answer" else len(texts) + 1
        text = _as_source(question, texts)
        try:
            return source.read(text, Path(f"{question}.py"), seed=self.seed).part(part)
        except SourceErrors as found:
            syntax = errors.BAD_SYNTAX.split("{")[0]
            if role == "answer" and any(mistake.cell == here and mistake.message.startswith(syntax) for mistake in found.mistakes):
                return None
            first = source.cell_lines(text)[here - 1]
            said = [errors.CELL_MISTAKE.format(line=max(m.line - first + 1, 1), message=m.message) if m.cell == here else m.message for m in found.mistakes]
            raise CellError("\n".join(dict.fromkeys(said))) from None

    # ---- running -----------------------------------------------------------------------------------------------------

    def judge(self, part: Part, cases: list[Case], names: dict[str, Any], expected: Any = ...) -> list[Outcome]:
        """Run some cases of a part against `names`, each with what grading gives it. `expected` is the reference's value of a short answer."""
        with _undisturbed():
            namespace: dict[str, Any] | None = None
            outcomes = []
            for case in cases:
                if part.is_short and part.kind != "formula" and case.name in (kinds.FORM_CASE, kinds.ANSWER_CASE):
                    outcomes.append(_judge_value(part, case, names, expected))
                    continue
                if namespace is None:
                    namespace = self._namespace(part)
                outcomes.append(self._run_case(part, case, names, namespace))
        return outcomes

    def _given(self, part: Part) -> list[str]:
        cells = [Cell("given", kept.target, "code", kept.body, 0) for kept in self.kept("given", part.question, part.id)]
        return [given_source(cell, self.seed) for cell in cells]

    def _namespace(self, part: Part) -> dict[str, Any]:
        """What the tests of a part see: the setup, helpers, given and tests cells, run afresh."""
        quiet = io.StringIO()
        namespace: dict[str, Any] = {"__name__": "tests", "test_case": _identity, "probe": _identity, "display": lambda *a, **k: None}
        texts = [("setup", kept.body) for kept in [*self.kept("setup"), *self.kept("helpers")]] + [("given", text) for text in self._given(part)]
        with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            for role, text in texts:
                _run(text, namespace, f"<{role}>")
            if part.kind == "formula":
                _run(kinds.formula_tests(part), namespace, "<formula>")
            for kept in self.kept("tests", part.id):
                try:
                    _run(kept.raw, namespace, _filename(part, kept))
                except Exception as error:
                    raise CellError(errors.TESTS_END.format(part=part.id, error=_explain(error, _filename(part, kept), self.names, namespace))) from error
        return namespace

    def _run_case(self, part: Part, case: Case, names: dict[str, Any], namespace: dict[str, Any]) -> Outcome:
        seed = case_seed(SEED, part.id, case.name)
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), _time_limit(CASE_SECONDS):
                _seed_everything(seed)
                given = self._given(part)
                for text in given:
                    _run(text, namespace, "<given>")
                namespace["secret"] = np.random.default_rng(seed)
                _seed_everything(seed)
                given_names = {name for text in given for name in bound_names(text)}
                arguments: dict[str, Any] = {}
                for parameter in inspect.signature(namespace[case.name]).parameters:
                    if parameter == "env":
                        arguments[parameter] = names
                    elif parameter in names and parameter not in given_names:
                        arguments[parameter] = names[parameter]
                    elif parameter in namespace:
                        arguments[parameter] = namespace[parameter]
                missing = inspect.signature(namespace[case.name]).parameters.keys() - arguments.keys()
                if missing:
                    raise NameError(f"{', '.join(sorted(missing))} is not defined above")
                namespace[case.name](**arguments)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a case that calls sys.exit fails like any other
            filename = getattr(getattr(namespace.get(case.name), "__code__", None), "co_filename", "")
            return Outcome(case, False, _explain(error, filename, names, namespace), printed.getvalue()[:2000])
        return Outcome(case, True, "", printed.getvalue()[:2000])

    # ---- what each role does -----------------------------------------------------------------------------------------

    def show_tests(self, part: Part, directive: Directive, raw: str) -> None:
        """Run the cases of a tests cell against the notebook's names. Raises CellError where one fails."""
        own = {case.name for case in read_cases(raw, part.id)[0]}
        outcomes = self.judge(part, [case for case in part.cases if case.name in own], self.names)
        failed = [outcome for outcome in outcomes if not outcome.passed]
        earned, possible = (sum(points, Fraction(0)) for points in ([o.earned for o in outcomes], [o.case.points for o in outcomes]))
        printed = "".join(outcome.printed for outcome in failed)
        display(Report(not failed, f"{part.id}: {_points(earned, possible)}", [outcome.row for outcome in outcomes], printed))
        if failed:
            which = "; ".join(f"'{outcome.case.title}' ({outcome.message})" for outcome in failed)
            raise CellError(errors.CASES_FAIL.format(failing=len(failed), of=len(outcomes), which=which))

    def show_variant(self, part: Part, directive: Directive) -> None:
        """Run a wrong or right answer over the notebook's names, say what its cases make of it, and put the names back."""
        variant = [*part.wrong, *part.right][-1]
        name = part.names[0] if part.names else ""
        expected = self.names.get(name, ...)
        problem = ""
        with borrowed(self.names, self.shell.user_ns_hidden), _undisturbed():
            quiet = io.StringIO()
            try:
                with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet), _time_limit(CASE_SECONDS):
                    exec(compile(self.shell.transform_cell(variant.source), "<variant>", "exec", dont_inherit=True), self.names)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # grading goes on after a cell that fails, and so do we
                problem = f" (the cell itself ends with {_explain(error, '', {}, {})})"
            outcomes = self.judge(part, list(part.cases), self.names, expected)
        earned = sum((outcome.earned for outcome in outcomes), Fraction(0))
        failed = [outcome for outcome in outcomes if not outcome.passed]
        points = _points(earned, part.points)
        if directive.role == "right":
            fine, sentence = earned == part.points, "full marks, as it should be" if earned == part.points else f"NOT full marks: {points}"
        elif not failed:
            fine, sentence = False, "NOT caught: full marks"
        else:
            caught = " and ".join(f"'{outcome.case.title}'" for outcome in failed)
            fine, sentence = True, f"caught by {caught}: {points}"
            if variant.earns is not None and variant.earns != earned:
                fine, sentence = False, f"{sentence}, but the cell says it earns {show_points(variant.earns)}"
            elif earned >= part.points:  # the case that catches it is worth nothing
                fine, sentence = False, f"NOT caught: {points}, because {caught} carries none"
        display(Report(fine, f"{directive.role} ({variant.because}): {sentence}{problem}", [outcome.row for outcome in failed]))

    def show_short(self, part_id: str) -> None:
        """Show the form check of a short answer, and what its slips and other options would get. Raises CellError where it fails its own check."""
        answer = self.kept("answer", part_id)[-1]
        part = self.model(parse(answer.raw, "code"), answer.raw)
        assert part is not None
        name = part.names[0]
        expected = self.names.get(name, ...)
        cases = [case for case in part.cases if case.name in (kinds.FORM_CASE, kinds.ANSWER_CASE)]
        outcomes = self.judge(part, cases, self.names, expected)
        rows = [outcome.row for outcome in outcomes]
        for variant in kinds.derived_variants(part):
            found = kinds.assigned_value(variant.source)
            text = variant.source.partition("=")[2].strip() if found else variant.source
            names = dict(self.names)
            try:
                exec(compile(variant.source, "<slip>", "exec", dont_inherit=True), names)
                tried = self.judge(part, cases, names, expected)
            except Exception as error:
                rows.append(Row(True, (text, "slip", _points(Fraction(0), part.points), f"{variant.because} ({type(error).__name__}: {error})")))
                continue
            earned = sum((outcome.earned for outcome in tried), Fraction(0))
            possible = sum((case.points for case in cases), Fraction(0))
            refused = "" if tried[0].passed else f" (its form is refused: {tried[0].message})"
            rows.append(Row(earned < possible, (text, "slip", _points(earned, possible), f"{variant.because}{refused}")))
        failed = [outcome for outcome in outcomes if not outcome.passed]
        caught = all(row.fine for row in rows[len(outcomes) :])
        sentence = f"{part.id}: {part.kind}, {show_points(part.points)} {'point' if part.points == 1 else 'points'}"
        display(Report(not failed and caught, sentence + ("" if caught else "; a slip gets full marks"), rows))
        if failed:
            raise CellError(errors.ANSWER_FAILS.format(part=part.id, problem=failed[0].message or failed[0].case.title))


def _as_source(question: str, texts: list[str]) -> str:
    """A source with one question and these code cells."""
    cells = [nbformat.v4.new_markdown_cell(f"<!--| question: {question} -->"), *(nbformat.v4.new_code_cell(text) for text in texts)]
    front = {"autogradient": {"format": 1, "title": question}, "jupytext": {"notebook_metadata_filter": "autogradient"}}
    text: str = jupytext.writes(nbformat.v4.new_notebook(cells=cells, metadata=front), fmt="py:percent")
    return text


def _filename(part: Part, kept: Kept) -> str:
    return f"<tests of {part.id} {abs(hash(kept.raw)):x}>"


def _judge_value(part: Part, case: Case, names: Mapping[str, Any], expected: Any) -> Outcome:
    """The form or the answer of a short answer, as grading judges them."""
    name = part.names[0]
    if name not in names:
        return Outcome(case, False, f"{name} is not defined")
    try:
        problem = kinds.form_problem(part.kind, names[name], kinds.form_of(part))
        if problem or case.name == kinds.FORM_CASE:
            return Outcome(case, not problem, problem or "")
        right = kinds.is_right(part.kind, names[name], expected, kinds.verdict_rules(part))
    except Exception as error:
        return Outcome(case, False, f"a value that cannot be read ({type(error).__name__})")
    return Outcome(case, right, "" if right else case.failure_message)


# ---- the extension ---------------------------------------------------------------------------------------------------

_AUTHORS: weakref.WeakKeyDictionary[Any, Author] = weakref.WeakKeyDictionary()


def test_case(*arguments: Any, **keys: Any) -> Any:
    """otter's decorator, imported when it is first used: that takes seconds, and a tests cell does not need it here."""
    from otter.test_files import test_case as decorator

    return decorator(*arguments, **keys)


def probe(function: Any) -> Any:
    """Leave a probe as it is: in a notebook it runs beside the answer anyway."""
    return function


def course_seed(start: Path | None = None) -> int:
    """The seed of the course that the folder lies in; 0 outside of a course. Raises CourseError where its configuration is wrong."""
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / course.CONFIG).is_file():
            return course.load(folder).seed
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
    shell.user_ns.update(seed=seed, secret=np.random.default_rng(seed), test_case=test_case, probe=probe)
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
