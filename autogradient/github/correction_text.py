"""What a pull request with a correction says to the student whose repository it is in."""

from __future__ import annotations

from pathlib import PurePosixPath

from autogradient.feedback.summary import escape
from autogradient.github import messages
from autogradient.github.corrections import Correction
from autogradient.github.publish import MANIFESTS
from autogradient.model.assignment import Assignment
from autogradient.sources.release import released_cells

#: What a cell of the course's is to a student, by its role.
WORDS = {
    "text": "text",
    "given": "data",
    "answer": "what its answer starts from",
    "check": "check",
    "hidden": "points",
    "setup": "setup",
    "grader": "setup",
}


def title(assignment: Assignment, fresh: bool) -> str:
    """The title of the pull request; `fresh` where the student has no notebook yet."""
    return (messages.LETTER_NEW if fresh else messages.LETTER_TITLE).format(
        title=assignment.title or assignment.name
    )


def message(assignment: Assignment, paths: list[str]) -> str:
    """The commit's message."""
    return messages.LETTER_COMMIT.format(
        title=assignment.title,
        name=assignment.name,
        files=", ".join(escape(path) for path in paths),
    )


def body(assignment: Assignment, correction: Correction) -> str:
    """What has changed, that nothing is lost, what to look at, and how to merge."""
    lines = [
        messages.LETTER_FRESH.format(name=assignment.name)
        if correction.fresh
        else messages.LETTER_BEGIN,
        "",
    ]
    changes = what_changed(assignment, correction)
    if changes:
        lines += [messages.LETTER_CHANGED, "", *(f"- {change}" for change in changes), ""]
    carried = correction.carried.values()
    answers = {part for each in carried for part in each.answers}
    if carried:
        lines += [
            messages.LETTER_CARRIED.format(
                answers=_count(len(answers), "answer"), files=_list(correction.carried)
            ),
            "",
        ]
    outdated = list(dict.fromkeys(part for each in carried for part in each.outdated))
    if outdated:
        lines += [messages.LETTER_OUTDATED.format(parts=_list(outdated)), ""]
    if any(each.aside for each in carried):
        lines += [messages.LETTER_ASIDE, ""]
    if correction.problems:
        lines += [
            messages.LETTER_LEFT,
            "",
            *(f"- {escape(problem)}" for problem in correction.problems),
            "",
        ]
    if correction.kept:
        lines += [messages.LETTER_KEPT.format(files=_list(correction.kept)), ""]
    return "\n".join([*lines, messages.LETTER_MERGE])


def what_changed(assignment: Assignment, correction: Correction) -> list[str]:
    """A line for each question in which something is another, then the files."""
    cells = {cell.grade_id: cell for cell in released_cells(assignment)}
    owner = {
        name: question.id
        for question in assignment.questions
        for name in (question.id, *(part.id for part in question.parts))
    }
    found: dict[str, set[str]] = {}
    new = {name for each in correction.carried.values() for name in each.new}
    for name in {name for each in correction.carried.values() for name in each.corrected} | new:
        cell = cells.get(name)
        if cell is not None:
            stem = cell.target or name.rpartition("-n")[0]
            found.setdefault(owner.get(stem, ""), set()).add(WORDS[cell.role])
    for path in correction.files:
        part = PurePosixPath(path).stem
        if path.startswith(f"{assignment.name}/tests/") and part in owner and not correction.fresh:
            found.setdefault(owner[part], set()).add(WORDS["check"])
    gone = sorted(
        {
            name.removesuffix("-text")
            for each in correction.carried.values()
            for name in each.gone
            if name.endswith("-text")
        }
    )
    lines = []
    for question in ["", *(question.id for question in assignment.questions)]:
        if question in found:
            heading = (
                f"*{escape(assignment.headings.get(question, question))}*"
                if question
                else messages.LETTER_FRAME
            )
            lines.append(
                f"{heading}: "
                f"{'new' if f'{question}-text' in new else ', '.join(sorted(found[question]))}"
            )
    notebooks = set(correction.carried) | {f"{assignment.name}/{assignment.name}.ipynb"}
    others = [
        path
        for path in sorted(correction.files)
        if path not in notebooks and not path.startswith((f"{assignment.name}/tests/", MANIFESTS))
    ]
    lines += [messages.LETTER_GONE.format(questions=_list(gone))] if gone else []
    return [*lines, *([messages.LETTER_FILES.format(files=_list(others))] if others else [])]


def _list(names: object) -> str:
    return ", ".join(escape(str(name)) for name in names)  # type: ignore[attr-defined]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
