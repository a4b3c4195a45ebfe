"""A kind of short answer, and what all kinds have: form, verdict, slips, and a solution as it is
written. The kinds themselves are in `short_answers`.
"""

from __future__ import annotations

import ast
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
    node = solution_node(part)
    try:
        return ... if node is None else ast.literal_eval(node)
    except ValueError:
        return ...


def solution_node(part: Part) -> ast.expr | None:
    """The value node of a one-line solution."""
    found = assigned_value(part.solution)
    return found[1] if found else None


def literal_or(text: str, otherwise: Any) -> Any:
    """A text as a Python value, or something else where it is none."""
    try:
        return literal(text)
    except (ValueError, SyntaxError):
        return otherwise


# ---- a kind of short answer ----------------------------------------------------------------------


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
