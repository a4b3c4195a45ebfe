"""What commands show: proofs, results, a progress bar."""

from __future__ import annotations

import io
import sys
import time
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from autogradient import visible
from autogradient.cli.saying import say
from autogradient.feedback import summary
from autogradient.grading.batch import Done, Watcher
from autogradient.grading.find_submissions import Item
from autogradient.model.points import show_points

#: Seconds after which a submission is named.
SLOW_S = 10.0


def proof_text(proof: dict[str, Any]) -> str:
    reference, blank, mutants = proof["reference"], proof["blank"], proof["mutants"]
    lines = [
        f"{proof['assignment']}: {'proved' if proof['proved'] else 'NOT PROVED'}",
        (
            f"  reference {reference['earned']:g} of {reference['possible']:g} points, "
            f"untouched release {blank['earned']:g}"
        ),
        (
            f"  right answers with full marks {proof['right']['full']} of "
            f"{proof['right']['of']}, wrong answers caught {proof['wrong']['caught']} of "
            f"{proof['wrong']['of']}"
        ),
        (
            f"  mutants killed {mutants['killed']} of {mutants['of']} "
            f"({mutants['equivalent']} declared equivalent), hostile returns refused "
            f"{proof['hostile']['refused']} of {proof['hostile']['of']}"
        ),
        (
            f"  verdicts alike sealed and in a plain notebook {proof['boundary']['alike']} "
            f"of {proof['boundary']['of']}"
        ),
    ]
    lines += (
        [f"  not run, for want of a card: {', '.join(proof['not_run'])}"]
        if proof["not_run"]
        else []
    )
    lists = (
        ("not right", proof["remarks"]),
        ("right, but without full marks", proof["right"]["missed"]),
        ("wrong, but not caught", proof["wrong"]["missed"]),
        ("mutant survived", mutants["survived"]),
        ("hostile, but accepted", proof["hostile"]["accepted"]),
        ("not alike", proof["boundary"]["differ"]),
    )
    lines += [f"    {what}: {sentence}" for what, sentences in lists for sentence in sentences]
    return "\n".join(lines)


def show_results(results: list[Any], assignments: dict[str, Any], several: bool) -> None:
    if not several:
        assignment = assignments[results[0].assignment]
        text = Markdown(summary.markdown(results[0], assignment.title, assignment.headings))
        if sys.stdout.isatty():
            Console().print(text)
        else:  # a log, where wrapping could begin a line with what a runner takes for a command
            Console(width=100, file=(out := io.StringIO())).print(text)
            say(out.getvalue(), nl=False)
        return
    for result in results:
        points = result.points
        waits = f", {show_points(points.ungraded)} wait" if points.ungraded else ""
        say(
            f"{visible.line(result.submission.file)}: {result.assignment}: "
            f"{result.outcome}, {show_points(points.earned)} of "
            f"{show_points(points.possible)} points{waits}"
        )


class _Note(ProgressColumn):
    """What a bar says beside itself, up to date at each drawing."""

    def __init__(self, bar: Bar) -> None:
        super().__init__()
        self.bar = bar

    def render(self, task: Task) -> Text:
        return Text(self.bar.note)


class Bar(Watcher):
    """How far something is: a bar on a terminal, a line at every quarter elsewhere, nothing where
    `quiet`. A context manager.
    """

    def __init__(self, label: str, *, quiet: bool = False) -> None:
        self.label, self.quiet = label, quiet
        self.of = self.finished = self.failed = 0
        self.quarter = -1
        self.running: dict[str, float] = {}
        self.bar: Progress | None = None
        self.task = TaskID(0)
        if not quiet and sys.stderr.isatty():
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                _Note(self),
            )
            self.bar = Progress(*columns, console=Console(stderr=True))
            self.task = self.bar.add_task(label, total=None)

    def __enter__(self) -> Bar:
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar:
            self.bar.stop()

    def step(self, done: int, of: int) -> None:
        """So many are done, of so many."""
        self.finished, self.of = done, of
        self._show()

    def total(self, number: int) -> None:
        self.of = number
        self._show()

    def began(self, item: Item) -> None:
        self.running[_name(item)] = time.monotonic()
        self._show()

    def done(self, done: Done) -> None:
        self.running.pop(_name(done.item), None)
        self.finished += 1
        self.failed += done.graded.result.outcome != "graded"
        self._show()

    @property
    def note(self) -> str:
        """What could not be graded, and what is taking long."""
        notes = [f"{self.failed} not graded"] if self.failed else []
        now = time.monotonic()
        slow = [
            (now - since, name)
            for name, since in list(self.running.items())
            if now - since > SLOW_S
        ]
        notes += [f"{name}: {seconds:.0f} s" for seconds, name in sorted(slow, reverse=True)[:1]]
        return ", ".join(notes)

    def _show(self) -> None:
        if self.bar:
            self.bar.update(self.task, completed=self.finished, total=self.of or None)
        elif not self.quiet and 4 * self.finished // max(self.of, 1) > self.quarter:
            self.quarter = 4 * self.finished // max(self.of, 1)
            note = f" ({self.note})" if self.note else ""
            say(f"{self.label}: {self.finished} of {self.of}{note}", err=True)


def _name(item: Item) -> str:
    return visible.line(
        f"{item.students[0]}/{item.assignment.name}" if item.students else item.path.name
    )
