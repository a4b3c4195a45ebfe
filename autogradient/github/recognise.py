"""Files of one student → the notebook of each assignment among them, recognised as `grade`
recognises it, and a sentence for what was left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from autogradient import errors
from autogradient.course.config import Course
from autogradient.errors import SubmissionError
from autogradient.grading.find_submissions import recognise
from autogradient.grading.read_notebook import read_notebook
from autogradient.grading.submission import plan_submission
from autogradient.model.assignment import Assignment
from autogradient.model.files import digest


@dataclass(frozen=True)
class File:
    """A file as data: its path where it came from, which is never used as a path here, and its
    bytes.
    """

    path: str
    data: bytes


@dataclass(frozen=True)
class Found:
    """The notebook of an assignment: how it was recognised, and the parts that were attempted (none
    where it cannot be read, and `readable` says so).
    """

    assignment: str
    file: File
    how: str
    attempted: frozenset[str]
    readable: bool = True

    @property
    def name(self) -> str:
        """The file's name as the student chose it."""
        return PurePosixPath(self.file.path).name


class Recogniser:
    """Knows the assignments of a course, and the notebooks as they were released. With `blank`,
    notebooks in which nothing is answered are found, too.
    """

    def __init__(self, course: Course, names: Sequence[str] = (), *, blank: bool = False) -> None:
        self.blank = blank
        self.assignments = [course.assignment(name) for name in names or course.names()]
        self.released = {
            digest(path.read_bytes())
            for name in course.names()
            if (path := course.released(name) / f"{name}.ipynb").is_file()
        }

    def sort_out(self, files: Iterable[File]) -> tuple[dict[str, Found], list[str]]:
        """The one notebook of each assignment, and sentences about the others. What stands as it
        was released is nobody's answer.
        """
        found: dict[str, list[Found]] = {}
        sentences = []
        for file in sorted(files, key=lambda file: file.path):
            try:
                one = self.look(file)
            except SubmissionError as error:
                sentences.append(str(error))
                continue
            if one is not None:
                found.setdefault(one.assignment, []).append(one)
        chosen = {}
        for name, several in found.items():
            chosen[name], reason = choose(several, name)
            if len(several) > 1:
                names = " and ".join(each.file.path for each in several)
                sentences.append(
                    errors.TWO_NOTEBOOKS_COLLECTED.format(
                        names=names, chosen=chosen[name].file.path, reason=reason
                    )
                )
        return chosen, sentences

    def look(self, file: File) -> Found | None:
        """What a file is; None where nothing in it was answered. Raises SubmissionError where it
        belongs to no assignment.
        """
        if digest(file.data) in self.released and not self.blank:
            return None
        path = Path(PurePosixPath("/", file.path))
        try:
            notebook = read_notebook(file.data, path.name)
        except SubmissionError:
            by_name = {assignment.name: assignment for assignment in self.assignments}
            for word, how in ((path.stem, "its file name"), (path.parent.name, "its folder")):
                if word in by_name:
                    return Found(word, file, how, frozenset(), readable=False)
            raise
        assignment, how = recognise(notebook, path, self.assignments)
        try:
            attempted = frozenset(
                part
                for part, tried in plan_submission(assignment, notebook).attempted.items()
                if tried
            )
        except Exception:  # the grader will say what is wrong with it
            return Found(assignment.name, file, how, frozenset(), readable=False)
        return (
            Found(assignment.name, file, how, attempted)
            if attempted or self.blank or not _parts(assignment)
            else None
        )


def _parts(assignment: Assignment) -> list[str]:
    return [part.id for part in assignment.parts]


def choose(several: list[Found], name: str) -> tuple[Found, str]:
    """Which of several notebooks of one assignment, handed in together, is taken, and why."""
    readable = [each for each in several if each.readable] or several
    exact = [each for each in readable if PurePosixPath(each.file.path).stem == name]
    more = [each for each in readable if len(exact) == 1 and each.attempted > exact[0].attempted]
    if len(exact) == 1 and not more:
        return exact[0], "it has the assignment's name"
    if more:  # somebody went on under another name
        return max(reversed(more), key=lambda each: len(each.attempted)), "more of it is answered"
    return max(reversed(readable), key=lambda each: len(each.attempted)), "most of it is answered"
