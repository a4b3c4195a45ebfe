"""A class on the small GitHub whose work was collected and graded: what `deliver` begins with."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import homework

from autogradient.course import config
from autogradient.course.config import Course
from autogradient.github import attempt_folders
from autogradient.github.deliver import Delivered, deliver
from autogradient.github.enrol import enrol
from autogradient.github.roster import groups, read
from autogradient.grading.results_folder import result_path
from autogradient.model.assignment import Assignment
from autogradient.model.files import digest, write_atomically
from autogradient.model.result import (
    CaseResult,
    PartResult,
    QuestionResult,
    Receipt,
    Result,
    SubmissionInfo,
    add_up,
)
from autogradient.sources import release
from autogradient.sources.formats import load_assignment
from hub.people import Place, push
from hub.server import Server

#: Before the deadline of the class, when it handed in, and after everything.
CAME, DUE, LATER = "2026-03-03T10:00:00Z", "2026-03-05T12:00:00Z", datetime(2026, 4, 1, tzinfo=UTC)
BEFORE = datetime(2026, 3, 4, tzinfo=UTC)
POLICY = """format = 1
name = "A small course"
timezone = "Europe/Berlin"
hidden_feedback = "after_deadline"

[deadlines]
small = 2026-03-05T13:00:00
"""


@dataclass
class Class:
    """The course, its GitHub and its one assignment."""

    place: Place
    github: Server
    small: Assignment

    @classmethod
    def copy_of(cls, made: Class, place: Place, github: Server) -> Class:
        """The same class once more, in another place and on another GitHub."""
        shutil.copytree(
            made.place.root,
            place.root,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("github.toml"),
        )
        github.state.become(made.github.state)
        return cls(place, github, load_assignment(place.root / "source" / "small"))

    @classmethod
    def make(cls, place: Place, github: Server) -> Class:
        """Everybody has a repository, nobody has handed in."""
        (place.root / "grader_config" / "course.toml").write_text(POLICY)
        small = homework.assignment(place.root / "source")
        github.state.create("the-course/release")
        push(github, "the-course/release", {"small/small.ipynb": release.build(small).notebook})
        enrol(place.hub(), config.load(place.root), groups(read(place.root)))
        return cls(place, github, small)

    @property
    def course(self) -> Course:
        return config.load(self.place.root)

    def notebook(self, *parts: str) -> bytes:
        """A notebook with some answers, all by default."""
        return homework.Notebook(
            self.small, {part: homework.ANSWERS[part] for part in parts} if parts else None
        ).bytes()

    def hand_in(
        self,
        student: str,
        data: bytes,
        repository: str,
        *,
        at: str = CAME,
        branch: str = "main",
        file: str = "small/small.ipynb",
    ) -> str:
        """Push a notebook and collect it. Returns the commit."""
        commit = push(self.github, repository, {file: data}, branch, at=at)
        self.collected(student, data, repository, commit, at, file)
        return commit

    def collected(
        self,
        student: str,
        data: bytes,
        repository: str,
        commit: str,
        at: str = CAME,
        file: str = "small/small.ipynb",
    ) -> Path:
        """What `collect` writes."""
        when = datetime.fromisoformat(at)
        receipt = attempt_folders.Receipt(
            when, "push", "repository", file, "its metadata", digest(data), repository, commit
        )
        folder = attempt_folders.add(self.place.root / "submitted", student, "small", data, receipt)
        assert folder is not None
        return folder

    def result(
        self,
        student: str,
        data: bytes,
        attempt: int = 1,
        wrong: dict[str, str] | None = None,
        blank: tuple[str, ...] = (),
    ) -> Result:
        """What a grader says of a notebook: right but for the cases of the parts in `wrong`, which
        say why.
        """
        wrong = wrong or {}
        questions = []
        for question in self.small.questions:
            parts = []
            for part in question.parts:
                cases = []
                for case in part.cases:
                    passed = part.id not in wrong and part.id not in blank
                    earned = case.points if passed else Fraction(0)
                    message = wrong.get(part.id, "") if not passed else ""
                    cases.append(
                        CaseResult(
                            name=case.title,
                            hidden=case.hidden,
                            outcome="passed" if passed else "failed",
                            earned=earned,
                            possible=case.points,
                            message=message,
                        )
                    )
                cases = cases or [
                    CaseResult(
                        name="marked by hand",
                        outcome="not_run",
                        reason="hand",
                        possible=part.points,
                    )
                ]
                parts.append(
                    PartResult(
                        id=part.id,
                        kind=part.kind,
                        attempted=part.id not in blank,
                        possible=part.points,
                        cases=cases,
                    )
                )
            questions.append(
                QuestionResult(
                    id=question.id,
                    optional=question.optional,
                    possible=question.points,
                    parts=parts,
                )
            )
        info = SubmissionInfo(
            students=[student], attempt=attempt, received_at=CAME, file="small.ipynb"
        )
        made = Result(
            assignment="small",
            submission=info,
            outcome="graded",
            questions=questions,
            receipt=Receipt(submission=digest(data)),
        )
        made.points = add_up(made.questions)
        return made

    def write(self, result: Result, text: str | None = None) -> Path:
        """Put a result where a grader would."""
        path = result_path(
            self.place.root / "results", "small", result.student, result.submission.attempt
        )
        write_atomically(path, text if text is not None else result.to_json())
        return path

    def graded(
        self, student: str, repository: str, wrong: dict[str, str] | None = None, **more: str
    ) -> str:
        """Hand in and grade. Returns the commit."""
        data = self.notebook()
        commit = self.hand_in(student, data, repository, **more)
        self.write(self.result(student, data, wrong=wrong))
        return commit

    def deliver(
        self, now: datetime = LATER, *, dry_run: bool = False, changed: bool = False
    ) -> tuple[dict[str, Delivered], list[str]]:
        """Deliver; returns what became of each repository, and what was refused."""
        done, refused = deliver(
            self.place.hub(),
            self.course,
            read(self.place.root),
            [self.small],
            now,
            dry_run=dry_run,
            changed=changed,
        )
        return {each.repository.removeprefix("the-course/"): each for each in done}, refused

    # ---- what is there then ----------------------------------------------------------------------

    def comments(self, name: str, number: int = 1) -> list[str]:
        """The comments on a pull request."""
        return [
            str(comment["body"])
            for comment in self.github.state.comments.get(f"the-course/{name}#{number}", [])
        ]

    def checks(self, name: str) -> list[dict[str, object]]:
        """The check runs of a repository."""
        return self.github.state.checks.get(f"the-course/{name}", [])

    def branch(self, name: str) -> dict[str, str]:
        """The files of the branch `feedback`."""
        state, full_name = self.github.state, f"the-course/{name}"
        if "feedback" not in state.branches(full_name):
            return {}
        paths = state.git(full_name, "ls-tree", "-r", "--name-only", "feedback").splitlines()
        return {path: state.git(full_name, "show", f"feedback:{path}") for path in paths}
