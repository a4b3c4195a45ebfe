"""The commands that show marks: feedback, report, export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from autogradient import errors
from autogradient.cli.grade import EXIT_FAILED, chosen_names, warm_engine
from autogradient.cli.saying import say


@click.command()
@click.argument("names", nargs=-1)
def feedback(names: tuple[str, ...]) -> None:
    """Write each student's feedback from the results.

    feedback/STUDENT/ASSIGNMENT/ gets feedback.md, a summary, and feedback.html, a page with the
    notebook. All assignments, or those in NAMES.

    Example: autogradient feedback perceptrons
    """
    from autogradient.cli import output
    from autogradient.course import config
    from autogradient.coursework.report import write_feedback

    here = config.find()
    with output.Bar("writing feedback", quiet=not sys.stderr.isatty()) as bar:
        found = write_feedback(here, chosen_names(here, names), step=bar.step)
    for sentence in found.damaged:
        say(sentence, err=True)
    say(
        f"feedback: {len(found.written)} written, {len(found.fresh)} up to date; in "
        f"{errors.relative(here.feedback)}"
    )
    if found.damaged:
        sys.exit(EXIT_FAILED)


@click.command()
@click.argument("names", nargs=-1)
def report(names: tuple[str, ...]) -> None:
    """Show a table: points, what failed, what waits.

    A row for each student and assignment. All assignments, or those in NAMES.

    Example: autogradient report
    """
    from rich.console import Console

    from autogradient.course import config
    from autogradient.coursework.report import all_results, notices
    from autogradient.feedback import table

    here = config.find()
    chosen = chosen_names(here, names)
    results = all_results(here, chosen)
    for sentence in notices(here, results):
        say(sentence, err=True)
    if sys.stdout.isatty():
        Console().print(table.table(results, chosen))
    else:
        say(table.plain(results, chosen), nl=False)
    if any(one.damaged for one in results):
        sys.exit(EXIT_FAILED)


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--to",
    "target",
    type=click.Choice(["csv", "gradescope"]),
    default="csv",
    show_default=True,
    help="What to write.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The folder; by default results/, and generated/gradescope/ for Gradescope.",
)
def export(names: tuple[str, ...], target: str, out: Path | None) -> None:
    """Write the marks as CSV, or what Gradescope takes.

    marks.csv has a row for each student, parts.csv one for each part of each submission. What has
    no verdict is blank. With --to gradescope: for each assignment an autograder.zip, which holds
    its hidden tests, and results/STUDENT/results.json. All assignments, or those in NAMES.

    Example: autogradient export --to csv
    """
    from autogradient.course import config

    here = config.find()
    chosen = chosen_names(here, names)
    if target == "gradescope":
        _to_gradescope(here, chosen, out)
        return
    from autogradient.coursework.report import all_results, unknown_marks, write_marks

    results = all_results(here, chosen)
    for sentence in unknown_marks(here, results):
        say(sentence, err=True)
    for path in write_marks(results, chosen, out or here.results):
        say(errors.relative(path))
    if any(one.damaged for one in results):
        sys.exit(EXIT_FAILED)


def _to_gradescope(here: Any, names: list[str], out: Path | None) -> None:
    from datetime import UTC, datetime

    from autogradient.coursework import export_gradescope
    from autogradient.grading.reference_answers import expected_answers

    with warm_engine() as engine:
        for name in names:
            folder, assignment = (
                (out or here.root / export_gradescope.FOLDER) / name,
                here.assignment(name),
            )
            if assignment.format != "autogradient":
                say(
                    errors.FOREIGN_ONLY_GRADED.format(
                        name=name, format=assignment.format, done="exported to Gradescope"
                    ),
                    err=True,
                )
                continue
            path, said = export_gradescope.write_autograder(
                here, assignment, expected_answers(assignment, engine), folder
            )
            say(f"{errors.relative(path)}: {said}")
            written = export_gradescope.write_results(
                here, name, folder / "results", datetime.now(UTC)
            )
            say(
                f"{errors.relative(folder / 'results')}: results.json of {len(written)} "
                f"{'student' if len(written) == 1 else 'students'}"
            )


COMMANDS = (feedback, report, export)
