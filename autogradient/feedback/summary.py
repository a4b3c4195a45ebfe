"""A result as Markdown that a student can act on: what counts, what failed and where to look, what
waits, what was not tried.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from autogradient import visible
from autogradient.course.ledger import BY_HAND
from autogradient.course.marks import ADJUSTED, VOID, Marked, is_dropped, is_void
from autogradient.feedback import decided
from autogradient.model.points import show_points
from autogradient.model.result import NO_VERDICT, CaseResult, PartResult, QuestionResult, Result

#: Longer messages are cut: a summary is read, not searched.
LONGEST = 600
_WORD_JOINER = "\N{WORD JOINER}"


def plain(text: str, limit: int = LONGEST) -> str:
    """Foreign text as one line in which everything is seen."""
    line = visible.prose(" ".join(text[: 20 * limit].split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def escape(text: str, limit: int = LONGEST) -> str:
    """Foreign text as one line of Markdown that shows just these characters: no markup, HTML,
    links, mentions or references.
    """
    line = plain(text, limit)
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = re.sub(r"([\\`*_{}\[\]()|~$!^]|#|^[-+=]|(?<=^\d)\.|(?<=^\d\d)\.)", r"\\\1", line)
    return re.sub(
        r"(@|#(?=\d)|:(?=//)|www(?=\.)|GH(?=-\d))", rf"\1{_WORD_JOINER}", line, flags=re.IGNORECASE
    )


def points_line(result: Result) -> str:
    """The totals in one sentence without markup: "7.5 of 12 points, 2 wait to be marked, 1 bonus
    point".
    """
    totals = result.points
    words = [f"{show_points(totals.earned)} of {_points(totals.possible)}"]
    if totals.ungraded:
        words.append(
            f"{show_points(totals.ungraded)} {'waits' if totals.ungraded == 1 else 'wait'} "
            "to be marked"
        )
    if totals.bonus:
        words.append(
            f"{show_points(totals.bonus)} bonus {'point' if totals.bonus == 1 else 'points'}"
        )
    return ", ".join(words)


def markdown(result: Result, title: str = "", headings: Mapping[str, str] | None = None) -> str:
    """The summary of one result. Text of students, tests and errors is escaped; of hidden cases
    only name and hint are shown.

    `headings` are the questions' headings by id; a question without one is called by its id.
    """
    headings = headings or {}
    blocks = [f"# {escape(title or result.assignment)}"]
    if isinstance(result, Marked) and result.excused is not None:
        blocks.append(
            "**You are excused from this assignment: it has no mark, and nothing is "
            f"owed.**{_because(result.excused.why)}"
        )
    elif result.outcome == "missing":
        blocks.append("Nothing was handed in.")
    elif result.outcome == "unreadable":
        blocks.append(
            "**The file could not be read, so nothing is graded yet.** Mend what is named "
            "below and hand it in again."
        )
    else:
        if result.outcome == "grader_error":
            blocks.append(
                "**The grader failed on this submission.** That is no fault of yours and "
                "costs no points; the course staff have to look at it."
            )
        if result.questions:
            blocks.append(f"**{points_line(result)}**")
    if isinstance(result, Marked):
        lines = [f"- {sentence}{_because(why)}" for sentence, why in decided.sentences(result)]
        blocks += ["## What was decided", "\n".join(lines)] if lines else []
    blocks += _problems(result)
    if result.outcome in ("graded", "grader_error"):
        open_questions = [
            question for question in result.questions if any(map(_lines, question.parts))
        ]
        blocks += [
            block
            for question in open_questions
            for block in _question(question, headings.get(question.id))
        ]
        blocks += _closing(result, open_questions, headings)
    return "\n\n".join(blocks) + "\n"


def _because(why: str) -> str:
    return f" {escape(why)}" if why.strip() else ""


def _points(points: Fraction) -> str:
    return f"{show_points(points)} {'point' if points == 1 else 'points'}"


def _problems(result: Result) -> list[str]:
    if not result.problems:
        return []
    lines = [
        f"- {f'Cell {problem.cell}: ' if problem.cell is not None else ''}{escape(problem.message)}"
        for problem in result.problems
    ]
    return ["## About your notebook", "\n".join(lines)]


def _part(question: QuestionResult, part: PartResult, heading: str | None) -> str:
    """What a part is called: by its number below a heading, else by its id."""
    number = part.id.removeprefix(f"{question.id}-p")
    return f"Part {number}" if heading and number.isdigit() else escape(part.id)


def _question(question: QuestionResult, heading: str | None) -> list[str]:
    waiting = _waiting(question.parts)
    note = (f", {show_points(waiting)} wait" if waiting else "") + (
        ", optional" if question.optional else ""
    )
    blocks = [
        (
            f"## {escape(heading or question.id)}: {show_points(question.earned)} of "
            f"{show_points(question.possible)}{note}"
        )
    ]
    for part in question.parts:
        lines = _lines(part)
        if lines and len(question.parts) > 1:
            verdict = (
                f"{show_points(part.earned)} of {show_points(part.possible)}"
                if _waiting([part]) < part.possible or not part.possible
                else "waits"
            )
            blocks.append(f"**{_part(question, part, heading)}**: {verdict}")
        if lines:
            blocks.append("\n".join(lines))
    return blocks


def _waiting(parts: list[PartResult]) -> Fraction:
    """Points that have no verdict yet."""
    return sum(
        (case.possible for part in parts for case in part.cases if case.outcome in NO_VERDICT),
        Fraction(0),
    )


def _lines(part: PartResult) -> list[str]:
    """What there is to say about a part; nothing where all is well or nothing was tried."""
    decided_on = any(
        case.reason in (VOID, ADJUSTED)
        or (case.reason == BY_HAND and case.outcome not in NO_VERDICT)
        for case in part.cases
    )
    if not part.attempted and not decided_on:
        return []
    if is_void(part):
        what = (
            "this is not counted"
            if is_dropped(part)
            else "this counts in full for everybody, whatever was answered"
        )
        return [
            f"- ✎ {what}{_colon(part.cases[0].message)}",
            *(_line(case) for case in part.cases if case.reason == ADJUSTED),
        ]
    return [line for case in part.cases if (line := _line(case))]


def _colon(message: str) -> str:
    return f": {escape(message)}" if message.strip() else ""


def _line(case: CaseResult) -> str:
    message = escape(case.message)
    notes = [_points(case.possible)] if case.possible else []
    if case.hidden:
        notes.append("hidden check")
    if case.reason == ADJUSTED:
        return f"- ✎ {decided.change(case.earned)}{_colon(case.message)}"
    name = f"**{escape(case.name)}**"
    worth = f" ({', '.join(notes)})" if notes else ""
    if case.reason == BY_HAND and case.outcome not in NO_VERDICT:
        return (
            f"- ✎ {name}: {show_points(case.earned)} of {_points(case.possible)}, marked by "
            f"a person{'. ' + message if message else ''}"
        )
    match case.outcome:
        case "passed":
            return ""
        case "failed":
            earned = f", {show_points(case.earned)} earned" if case.earned else ""
            return f"- ✗ {name}{worth}{earned}{': ' + message if message else ''}"
        case "timed_out":
            return (
                f"- ✗ {name}{worth}: it took too long and was "
                f"stopped{'. ' + message if message else '; look for a loop that never ends.'}"
            )
        case "grader_error":
            return (
                f"- ○ {name}{worth}: this could not be checked, through no fault of yours; "
                "the course staff will look at it"
            )
        case _:
            why = {
                "hand": "a person will mark this",
                "gpu": "this needs a GPU and has not been run yet",
                "elsewhere": "this is still to be run",
            }.get(case.reason or "", "this has not been run yet")
            return f"- ○ {name}{worth}: {why}"


def _closing(
    result: Result, open_questions: list[QuestionResult], headings: Mapping[str, str]
) -> list[str]:
    blocks = []
    untried = [
        line
        for question in result.questions
        if (line := _untried(question, headings.get(question.id)))
    ]
    if untried:
        blocks += ["## Not attempted", "\n".join(untried)]
    full = [
        q
        for q in result.questions
        if q not in open_questions
        and q.earned >= q.possible
        and all(part.attempted for part in q.parts)
    ]
    if full:
        blocks += [
            "## Complete",
            "\n".join(f"- {escape(headings.get(question.id, question.id))}" for question in full),
        ]
    return blocks


def _untried(question: QuestionResult, heading: str | None) -> str:
    """A line for the parts of a question that were not tried; "" where all were."""
    parts = [part for part in question.parts if not part.attempted and not is_void(part)]
    if not parts:
        return ""
    name, note = escape(heading or question.id), ", optional" if question.optional else ""
    if len(parts) == len(question.parts):
        return f"- {name}{note}"
    return f"- {name}{note}: {', '.join(_part(question, part, heading) for part in parts)}"
