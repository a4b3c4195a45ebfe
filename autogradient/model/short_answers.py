"""Short answers: a class for each kind, which says what its form is, what is right, and which wrong
answers are known. What they have in common: `answer_kind`.

`KINDS` has them by name. What public tests need as well, the checks as plain functions, stands in
`answer_checks`.
"""

from __future__ import annotations

import ast
import functools
import inspect
from dataclasses import dataclass
from typing import Any

from autogradient import errors
from autogradient.model import answer_checks
from autogradient.model.answer_kind import (
    ANSWER_CASE,
    FORM_CASE,
    ShortAnswer,
    assigned_value,
    literal_answer,
    literal_or,
    solution_node,
)
from autogradient.model.assignment import Part
from autogradient.model.testcode import literal

UNREADABLE = "This is not a value that can be read; write it out plainly."

# ---- the kinds -----------------------------------------------------------------------------------


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
        return literal_or(text, otherwise=text)


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
        written, node = literal_answer(part), solution_node(part)
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
                if (value := literal_or(text, ...)) is not ...
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
            if isinstance(solution_node(part), (ast.Tuple, ast.List))
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
        node = solution_node(part)
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
        node = solution_node(part)
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
