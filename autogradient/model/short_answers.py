"""Short answers: a class for each kind, which says what its form is, what is right, and which wrong
answers are known.

`KINDS` has them by name. What public tests need as well, the checks as plain functions, stands in
`answer_checks`.
"""

from __future__ import annotations

import ast
import functools
import inspect
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from autogradient import errors
from autogradient.model import answer_checks
from autogradient.model.assignment import Case, Part, Variant
from autogradient.model.testcode import literal, parse

FORM_CASE = "test_form"
ANSWER_CASE = "test_answer"
FORM_TITLE, ANSWER_TITLE = "form of the answer", "answer"
FORM_IS_RIGHT = "The form is right. Whether the answer is, you learn after you hand in."
UNFILLED = "Replace the three dots with your answer."
UNREADABLE = "This is not a value that can be read; write it out plainly."

# ---- the solution as it is written ---------------------------------------------------------------


def assigned_value(line: str) -> tuple[str, ast.expr] | None:
    """The name and value node of a one-line answer `name = value`; None where the text is no such
    line.
    """
    try:
        body = parse(line).body
    except SyntaxError:
        return None
    if (
        len(body) != 1
        or not isinstance(body[0], ast.Assign)
        or len(body[0].targets) != 1
        or not isinstance(body[0].targets[0], ast.Name)
    ):
        return None
    return body[0].targets[0].id, body[0].value


def literal_answer(part: Part) -> Any:
    """The reference's value where it is written out as a literal; ... where it has to
    be computed.
    """
    node = _node(part)
    try:
        return ... if node is None else ast.literal_eval(node)
    except ValueError:
        return ...


def _node(part: Part) -> ast.expr | None:
    found = assigned_value(part.solution)
    return found[1] if found else None


def _literal(text: str, otherwise: Any) -> Any:
    """A text as a Python value, or something else where it is none."""
    try:
        return literal(text)
    except (ValueError, SyntaxError):
        return otherwise


# ---- the kinds -----------------------------------------------------------------------------------


class ShortAnswer:
    """A kind of short answer. What is here holds for a plain value that is compared with the
    reference's; the kinds say what is different about them.

    A judge's process knows no part: `form_of` and `rules` are plain data about one, by which `form`
    and `right` decide.
    """

    #: What `kind` says in an answer cell.
    name: ClassVar[str]
    #: The keys of an answer cell that mean something to the kind, beside `kind` and `points`.
    keys: ClassVar[tuple[str, ...]] = ("because",)
    #: What stands above its list of options.
    how_many: ClassVar[str] = ""

    @staticmethod
    def check(value: Any, form: dict[str, Any]) -> str | None:
        """The form check as a release copies it: what is wrong with the form, as a sentence, or
        None. It says nothing about right or wrong.
        """
        raise NotImplementedError

    # How a value is judged.

    def form_of(self, part: Part) -> dict[str, Any]:
        """What the form check may know of a part: letters, or how many values, or
        parameter names.
        """
        return {}

    def form(self, value: Any, form: dict[str, Any]) -> str | None:
        """What is wrong with the form of a value, as a sentence; None where nothing is."""
        return UNFILLED if value is ... else self.check(value, form)

    def rules(self, part: Part) -> dict[str, Any]:
        """What the verdict needs beside the expected value."""
        return {
            "letters": list(part.declaration.options),
            "accept": part.declaration.accept,
            "tolerance": part.declaration.tolerance,
        }

    def right(self, value: Any, expected: Any, rules: dict[str, Any]) -> bool:
        """Whether a value of the right form is right. Raises whatever comparing an odd value
        raises.
        """
        return bool(answer_checks.is_right(self.name, value, expected, rules))

    def message(self, part: Part) -> str:
        """What a student reads whose answer is wrong, and no known slip."""
        raise NotImplementedError

    # Wrong answers that are known.

    def slips(self, part: Part) -> list[Variant]:
        """The wrong answers that a declaration implies, as answer cells: every other option, every
        flipped statement, every listed slip.
        """
        return [
            Variant(f"{part.names[0]} = {value}", because, part.cell)
            for value, because in self.wrong_values(part).items()
        ]

    def wrong_values(self, part: Part) -> dict[str, str]:
        """The wrong values that a declaration implies, as Python → what each of them is."""
        return dict(part.declaration.slips)

    def slip_value(self, text: str) -> Any:
        """The value that a key of `because` stands for. Raises ValueError or SyntaxError where it
        is none.
        """
        return literal(text)

    def listed_slips(self, part: Part) -> list[tuple[Any, list[list[str]], str]]:
        """The listed slips: the wrong value, the words that mean it, and the sentence that names
        the slip.
        """
        found = []
        for text, slip in part.declaration.slips.items():
            try:
                wrong = self.slip_value(text)
            except Exception:
                continue
            found.append(
                (
                    wrong,
                    [[str(word)] for word in (wrong if isinstance(wrong, tuple) else (wrong,))],
                    slip,
                )
            )
        return found

    # What is made of a declaration, and what may be wrong with it.

    def cases(self, part: Part) -> tuple[Case, Case]:
        """The two cases of every short answer: its form, visible and worth nothing, and the answer
        itself, hidden.
        """
        form = Case(FORM_CASE, FORM_TITLE, Fraction(0), success_message=FORM_IS_RIGHT)
        return form, Case(
            ANSWER_CASE, ANSWER_TITLE, part.points, hidden=True, failure_message=self.message(part)
        )

    def form_check(self, part: Part) -> str:
        """The body of a test function that checks the form: two lines."""
        name = part.names[0]
        check = f"{self.check.__name__}({name}, {self.form_of(part)!r})"
        return (
            f"    problem = {UNFILLED!r} if {name} is ... else {check}\n    assert problem "
            "is None, problem"
        )

    def tests(self, part: Part) -> str:
        """The tests of an answer that is not judged by its value; "" where it is."""
        return ""

    def options(self, part: Part, options: Any) -> str | None:
        """Take `options` into the declaration of a part; returns what is wrong with them."""
        return None

    def accept(self, part: Part, accept: Any) -> str | None:
        """Take `accept` into the declaration of a part; returns what is wrong with it."""
        return None

    def slip_key(self, key: str) -> str:
        """A key of `because` as it is kept."""
        return key

    def solution_mistake(self, part: Part) -> str | None:
        """What is wrong with the solution, where it is written out."""
        expected = literal_answer(part)
        problem = None if expected is ... else self.form(expected, self.form_of(part))
        return (
            self.not_solved(part, expected, problem.rstrip(".").removeprefix("Write "))
            if problem
            else None
        )

    def not_solved(self, part: Part, value: Any, expected: str) -> str:
        """The sentence on a solution that is none."""
        return errors.BAD_SOLUTION.format(
            part=part.id, value=repr(value), kind=self.name, expected=expected
        )

    def slip_mistake(self, part: Part, text: str) -> str | None:
        """What is wrong with a key of `because`."""
        try:
            value = self.slip_value(text)
        except (ValueError, SyntaxError):
            return errors.BAD_SLIP.format(
                value=text, part=part.id, kind=self.name, expected="it as a Python value in quotes"
            )
        if value is ...:
            return None
        if self.form(value, self.form_of(part)):
            return self.misfit(part, text)
        expected = literal_answer(part)
        is_right = expected is not ... and self.right(value, expected, self.rules(part))
        return errors.SLIP_IS_RIGHT.format(part=part.id, value=text) if is_right else None

    def misfit(self, part: Part, text: str) -> str | None:
        """What is wrong with a key of `because` whose value is refused for its form: nothing, since
        students write such values, too.
        """
        return None


class _Lettered(ShortAnswer):
    """Options that have letters."""

    keys = ("options", "because")

    def form_of(self, part: Part) -> dict[str, Any]:
        return {"letters": list(part.declaration.options)}

    def options(self, part: Part, options: Any) -> str | None:
        if options is None:
            return errors.NO_OPTIONS.format(part=part.id, kind=self.name)
        if not isinstance(options, dict) or len(options) < 2:
            return errors.BAD_OPTIONS.format(
                part=part.id, expected="{a: …, b: …} with at least two letters"
            )
        part.declaration.options = {str(key).lower(): str(value) for key, value in options.items()}
        return None

    def not_solved(self, part: Part, value: Any, expected: str) -> str:
        return errors.NOT_AN_OPTION.format(
            part=part.id, value=repr(value), options=", ".join(part.declaration.options)
        )

    def misfit(self, part: Part, text: str) -> str | None:
        return errors.BAD_SLIP.format(
            value=text,
            part=part.id,
            kind=self.name,
            expected="letters out of " + ", ".join(part.declaration.options),
        )


class Choice(_Lettered):
    """One option out of several, by its letter."""

    name = "choice"
    how_many = "*Choose one.*"
    check = staticmethod(answer_checks.choice_form)

    def message(self, part: Part) -> str:
        return "Another option fits better; read each one against the text above."

    def wrong_values(self, part: Part) -> dict[str, str]:
        slips, expected = part.declaration.slips, literal_answer(part)
        return {
            repr(letter): slips.get(letter, f"option {letter}")
            for letter in part.declaration.options
            if letter != expected
        }

    def slip_value(self, text: str) -> Any:
        return text

    def slip_key(self, key: str) -> str:
        return key.lower()


class ChooseAll(_Lettered):
    """All options that apply, by their letters."""

    name = "choose-all"
    how_many = "*Choose all that apply.*"
    check = staticmethod(answer_checks.choose_all_form)

    def message(self, part: Part) -> str:
        return "The set is not right yet: something is missing or does not belong."

    def wrong_values(self, part: Part) -> dict[str, str]:
        expected, letters = literal_answer(part), list(part.declaration.options)
        if expected is ...:
            return super().wrong_values(part)
        right = answer_checks.chosen_letters(answer_checks.plain_value(expected), letters) or set()
        values = {
            repr(sorted(right ^ {letter})): f"option {letter} "
            + ("left out" if letter in right else "included")
            for letter in letters
        }
        return values | {
            repr(self.slip_value(text)): slip for text, slip in part.declaration.slips.items()
        }

    def slip_value(self, text: str) -> Any:
        return _literal(text, otherwise=text)


class TrueFalse(ShortAnswer):
    """A verdict, or one on each of several statements."""

    name = "true-false"
    keys = ("options", "because")
    how_many = "*True or false, one by one:*"
    check = staticmethod(answer_checks.true_false_form)

    def form_of(self, part: Part) -> dict[str, Any]:
        return {"count": len(part.declaration.options)}

    def message(self, part: Part) -> str:
        if part.declaration.options:
            return "At least one of your verdicts does not hold; test each statement on an example."
        return "Test the statement on an example."

    def wrong_values(self, part: Part) -> dict[str, str]:
        expected = literal_answer(part)
        values: dict[str, str] = {}
        if isinstance(expected, bool):
            values[repr(not expected)] = "the other verdict"
        elif expected is not ...:
            for i in range(len(expected)):
                values[repr(tuple(not v if j == i else v for j, v in enumerate(expected)))] = (
                    f"statement {i + 1} turned round"
                )
        return values | super().wrong_values(part)

    def options(self, part: Part, options: Any) -> str | None:
        if options is None:
            return None
        if not isinstance(options, list) or not options:
            return errors.BAD_OPTIONS.format(part=part.id, expected="a list of statements")
        part.declaration.options = [str(option) for option in options]
        return None


class Number(ShortAnswer):
    """A number, or an array of them, within a tolerance."""

    name = "number"
    keys = ("tol", "because")
    check = staticmethod(answer_checks.number_form)

    def form_of(self, part: Part) -> dict[str, Any]:
        """How many numbers, read off the solution where it is written out, else off the listed
        slips (None where neither tells).
        """
        written, node = literal_answer(part), _node(part)
        if (
            written is ...
            and isinstance(node, (ast.Tuple, ast.List))
            and not any(isinstance(item, ast.Starred) for item in node.elts)
        ):
            return {"count": len(node.elts)}
        known = (
            [written]
            if written is not ...
            else [
                value
                for text in part.declaration.slips
                if (value := _literal(text, ...)) is not ...
            ]
        )
        counts = {len(value) if isinstance(value, (tuple, list)) else 0 for value in known}
        rows = any(
            isinstance(item, (tuple, list))
            for value in known
            if isinstance(value, (tuple, list))
            for item in value
        )
        return {"count": counts.pop() if len(counts) == 1 else None} | (
            {"rows": True} if rows else {}
        )

    def message(self, part: Part) -> str:
        what = "At least one number" if "," in part.solution else "The number"
        return f"{what} is off; work it through once more, step by step."


class Shape(ShortAnswer):
    """The shape of an array."""

    name = "shape"
    check = staticmethod(answer_checks.shape_form)

    def message(self, part: Part) -> str:
        return "The shape is not right; follow it layer by layer, axis by axis."


class Text(ShortAnswer):
    """A word, or one for each of several blanks, out of those that are accepted."""

    name = "text"
    keys = ("accept", "because")
    check = staticmethod(answer_checks.text_form)

    def form_of(self, part: Part) -> dict[str, Any]:
        return {
            "count": len(part.declaration.accept)
            if isinstance(_node(part), (ast.Tuple, ast.List))
            else 0
        }

    def message(self, part: Part) -> str:
        return "At least one blank is not right; read the sentence aloud with your words in it."

    def wrong_values(self, part: Part) -> dict[str, str]:
        return {self._as_python(text): slip for text, slip in part.declaration.slips.items()}

    def slip_value(self, text: str) -> Any:
        return literal(self._as_python(text))

    @staticmethod
    def _as_python(text: str) -> str:
        """A key of `because` as Python: a tuple as it stands, a bare word in quotes."""
        return text if text.startswith("(") else repr(text)

    def accept(self, part: Part, accept: Any) -> str | None:
        lists = [isinstance(words, list) for words in accept] if isinstance(accept, list) else []
        if (
            not isinstance(accept, list)
            or not accept
            or any(lists) != all(lists)
            or not all(accept)
        ):
            return errors.BAD_ACCEPT.format(part=part.id)
        part.declaration.accept = (
            [list(map(str, words)) for words in accept] if all(lists) else [list(map(str, accept))]
        )
        return None

    def solution_mistake(self, part: Part) -> str | None:
        accept, expected = part.declaration.accept, literal_answer(part)
        found = super().solution_mistake(part)
        if found or expected is ...:
            return found
        if len(accept) > 1 and not isinstance(expected, (tuple, list)):
            return errors.BAD_ACCEPT.format(part=part.id)
        return (
            None
            if self.right(expected, expected, self.rules(part))
            else self.not_solved(part, expected, f"one of those in 'accept' ({accept})")
        )


class Formula(ShortAnswer):
    """A function in one line. It is called and not copied: its tests run the reference and the
    answer on the same secret inputs, five times.
    """

    name = "formula"
    keys = ("inputs", "tol", "because")
    check = staticmethod(answer_checks.formula_form)

    def form_of(self, part: Part) -> dict[str, Any]:
        node = _node(part)
        return (
            {"parameters": [argument.arg for argument in node.args.args]}
            if isinstance(node, ast.Lambda)
            else {}
        )

    def message(self, part: Part) -> str:
        return (
            "On some inputs your formula gives another value; try it on numbers you can "
            "check by hand."
        )

    def slip_value(self, text: str) -> Any:
        """..., since no value tells of a function; ValueError or SyntaxError where the text is
        none.
        """
        if not text.lstrip().startswith("lambda"):
            raise ValueError(text)
        ast.parse(text, mode="eval")
        return ...

    def tests(self, part: Part) -> str:
        found = assigned_value(part.solution)
        assert found is not None
        name, node = found
        arguments = self.form_of(part).get("parameters", [])
        inputs = (
            part.declaration.inputs
            or "(" + "".join("secret.uniform(0.5, 2.0), " for _ in arguments) + ")"
        )
        return (
            f"{form_text()}\n\n"
            f"def {FORM_CASE}({name}):\n{self.form_check(part)}\n\n\n"
            f"def {ANSWER_CASE}({name}):\n"
            f"    import copy\n\n    reference = {ast.unparse(node)}\n"
            f"    for _ in range(5):\n        arguments = {inputs}\n        expected = "
            "reference(*copy.deepcopy(arguments))\n"
            f"        got = {name}(*arguments)\n        assert near(got, expected, "
            f"{part.declaration.tolerance!r}), (arguments, got, expected)\n"
        )

    def solution_mistake(self, part: Part) -> str | None:
        node = _node(part)
        if node is None or isinstance(node, ast.Lambda):
            return None
        return errors.BAD_SOLUTION.format(
            part=part.id, value=ast.unparse(node), kind=self.name, expected="a lambda"
        )


#: Every kind by its name.
KINDS: dict[str, ShortAnswer] = {
    kind.name: kind
    for kind in (Choice(), ChooseAll(), TrueFalse(), Number(), Shape(), Text(), Formula())
}


def kind_of(part: Part) -> ShortAnswer:
    """The kind of a short answer. Raises KeyError for code and essays."""
    return KINDS[part.kind]


@functools.cache
def form_text() -> str:
    """The functions of `answer_checks` with their imports, for test files that must stand alone;
    what a file does not reach is left out of it.
    """
    return inspect.getsource(answer_checks).partition('"""\n\n')[2]


# ---- the verdict on a value ----------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """What a value comes to: `problem` is what is wrong with its form, `slip` what names the listed
    slip that it is, `error` the exception that it raised.
    """

    problem: str = ""
    right: bool = False
    slip: str = ""
    error: str = ""


def criteria(part: Part) -> dict[str, Any]:
    """All by which a value is judged beside the reference's, as plain data: kind, form, rules,
    slips.
    """
    kind = kind_of(part)
    return {
        "kind": part.kind,
        "form": kind.form_of(part),
        "rules": kind.rules(part),
        "slips": kind.listed_slips(part),
    }


def judge(value: Any, expected: Any, criteria: dict[str, Any]) -> Judged:
    """The verdict on a value, however odd it is: whether it has the right form, is right, and which
    listed slip it is.
    """
    kind, rules = KINDS[criteria["kind"]], criteria["rules"]
    try:
        problem = kind.form(value, criteria["form"])
    except Exception as error:  # a value that breaks its own form check is no answer
        return Judged(UNREADABLE, error=type(error).__name__)
    if problem:
        return Judged(problem)
    right, raised = _compare(kind, value, expected, rules)
    named = (
        slip
        for wrong, accept, slip in criteria["slips"]
        if _compare(kind, value, wrong, rules | {"accept": accept})[0]
    )
    return Judged(right=right, slip="" if right else next(named, ""), error=raised)


def _compare(
    kind: ShortAnswer, value: Any, expected: Any, rules: dict[str, Any]
) -> tuple[bool, str]:
    """Whether a value is right, and the name of the exception that it raised."""
    try:
        return kind.right(value, expected, rules), ""
    except Exception as error:
        return False, type(error).__name__
