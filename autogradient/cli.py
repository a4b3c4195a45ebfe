"""The command line: one thin function for each command. What a command does is importable from the module it calls."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from autogradient import __version__, cli_ledger, errors
from autogradient.errors import AutogradientError, CourseError, StaleError
from autogradient.github import commands as github_commands

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


class _InOrder(click.Group):
    """Commands as they are needed, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="autogradient")
def cli() -> None:
    """A deep-learning course that grades itself.

    Exit codes: 0 all is well; 1 something is not proved, stale, leaking or could not be graded; 2 the command, a file or the course is wrong; 130 interrupted.
    """


def main() -> None:
    """Run the command line; errors of ours become one sentence on standard error."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("interrupted; what was finished is kept, run the command again to go on", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)
    except AutogradientError as error:
        click.echo(str(error), err=True)
        sys.exit(
            EXIT_FAILED if isinstance(error, (errors.ReleaseError, errors.ProofError, errors.WorkerError, errors.GitHubError, errors.GitError)) else EXIT_USAGE
        )
    except OSError as error:
        click.echo(errors.NO_ACCESS.format(path=errors.relative(str(error.filename or "a file")), problem=error.strerror or error), err=True)
        sys.exit(EXIT_USAGE)


# ---- writing ---------------------------------------------------------------------------------------------------------


@cli.command()
@click.argument("name")
@click.option("--title", help="The notebook's title; by default made from NAME.")
def new(name: str, title: str | None) -> None:
    """Start an assignment: a small, complete notebook.

    Writes source/NAME/NAME.py, with one question of each sort to change into your own.

    Example: autogradient new attention --title "Attention, by hand"
    """
    from autogradient import course, scaffold

    click.echo(errors.relative(scaffold.new(course.find().root, name, title)))


@cli.command()
@click.argument("names", nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 and name the files that would change.")
def fmt(names: tuple[str, ...], check: bool) -> None:
    """Tidy instructor notebooks: key order, header, spaces.

    All assignments, or those in NAMES (names or files).

    Example: autogradient fmt --check
    """
    from autogradient import course, scaffold
    from autogradient.source import find_source

    if names and all(Path(name).exists() for name in names):
        paths = [find_source(Path(name)) for name in names]
    else:
        here = course.find()
        paths = [find_source(here.source(name)) for name in names or here.names()]
    changed = [path for path in paths if scaffold.fmt(path, check=check)]
    for path in changed:
        click.echo(f"{'would tidy' if check else 'tidied'} {errors.relative(path)}")
    if check and changed:
        sys.exit(EXIT_FAILED)


@cli.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print a list of proofs as JSON.")
@click.option("--jobs", type=click.IntRange(min=1), help="How many processes at once; by default one for each processor.")
@click.option("--again", is_flag=True, help="Prove anew even what has been proved on this machine.")
def prove(names: tuple[str, ...], as_json: bool, jobs: int | None, again: bool) -> None:
    """Show that the tests catch what is wrong.

    Runs the reference (full marks), the untouched release (nothing), every other right answer (full marks), every known wrong answer (fewer),
    mutants of the reference and hostile return values, and writes source/NAME/proof.json. NAMES are assignments of the course or paths; all by default.
    Exits 1 if any is not proved.

    Example: autogradient prove perceptrons
    """
    from autogradient import console
    from autogradient import prove as proving
    from autogradient.batch import cpu_count
    from autogradient.engine import Engine

    assignments = _ours(_assignments(names), "proved")
    out, failed = [], False
    waiting = [a for a in assignments if again or not proving.proved_here(a)]
    with _engine(bool(waiting)) as engine:
        for assignment in assignments:
            if assignment not in waiting:
                content = proving.read_proof(assignment) or {}
                out.append({key: value for key, value in content.items() if key != "digest"})
                if not as_json:
                    click.echo(f"{assignment.name}: proved already on this machine; nothing has changed")
                continue
            assert isinstance(engine, Engine)
            with console.Bar(f"proving {assignment.name}", quiet=as_json) as bar:
                proof = proving.prove(assignment, engine, jobs=jobs or cpu_count(), progress=bar.step)
            proving.write_proof(assignment, proof)
            out.append(proof.to_dict())
            failed = failed or not proof.proved
            if not as_json:
                click.echo(console.proof_text(proof.to_dict()))
    if as_json:
        click.echo(json.dumps(out, indent=1, ensure_ascii=False))
    if failed:
        sys.exit(EXIT_FAILED)


@cli.command()
@click.argument("names", nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 and show the difference where release/ is stale.")
@click.option("--unproved", is_flag=True, help="Release a draft whose proof is missing or out of date.")
def release(names: tuple[str, ...], check: bool, unproved: bool) -> None:
    """Write student notebooks and public tests to release/.

    All assignments, or those in NAMES. Nothing is written where something secret would reach students, or without an up-to-date proof.

    Example: autogradient release --check
    """
    from autogradient import course, coursework

    here = course.find()
    stale = False
    for assignment in _ours([here.assignment(name) for name in names or here.names()], "released"):
        name = assignment.name
        if check:
            try:
                coursework.check_release(here, assignment)
                click.echo(f"{name}: up to date")
            except StaleError as error:
                click.echo(str(error), err=True)
                stale = True
        else:
            changed = coursework.write_release(here, assignment, unproved=unproved)
            click.echo(f"{name}: {'written to ' + errors.relative(here.released(name)) if changed else 'up to date'}")
    if stale:
        sys.exit(EXIT_FAILED)


# ---- grading ---------------------------------------------------------------------------------------------------------


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Grade submitted/ and bring results, gradebook and autograded/ up to date.")
@click.option("--assignment", help="An assignment of the course, or the path of a source, an nbgrader notebook or a folder with otter tests.")
@click.option("--json", "as_json", is_flag=True, help="Print results as JSON: an object for one file, a list for several.")
@click.option("--jobs", type=click.IntRange(min=1), help="How many submissions at once; by default one for each processor.")
@click.option("--out", type=click.Path(path_type=Path), help="Write a JSON result and a summary for each file to this folder.")
@click.option("--dask", metavar="ADDRESS", help="Grade on the Dask cluster with this scheduler (tls://HOST:PORT), or on one of this machine's own: local.")
@click.option("--trust-submissions", "trusted", is_flag=True, help="Grade even where student code cannot be confined. Only for work you have read.")
def grade(
    paths: tuple[Path, ...], everything: bool, assignment: str | None, as_json: bool, jobs: int | None, out: Path | None, dask: str | None, trusted: bool
) -> None:
    """Grade notebooks: files and folders, or all of the course.

    PATHS are files and folders of students; --all takes what lies in submitted/. Exits 0 if every file got a result (essays that wait are no failure), 1 on a grader error, 2 on bad usage.

    Example: autogradient grade homework.ipynb --assignment perceptrons
    """
    from autogradient import console, course, coursework

    if everything == bool(paths):
        raise click.UsageError("name the files to grade, or give --all")
    if everything and out:
        raise click.UsageError("--out is for files; --all writes to results/")
    for path in paths:
        if not path.exists():
            raise CourseError(errors.NO_FILE.format(path=path))
    failed, several, results = False, True, list[Any]()
    with _grader(jobs, dask, trusted=trusted) as grader:
        if everything:
            here = course.find()
            assignments = _assignments((assignment,) if assignment else ())
            with console.Bar("grading", quiet=as_json) as watcher:
                graded = coursework.grade_course(here, assignments, grader, watcher=watcher)
            for sentence in graded.skipped:
                click.echo(sentence, err=True)
            if not graded.submissions:
                click.echo(errors.NOTHING_SUBMITTED, err=True)
            if not as_json:
                click.echo(f"{graded.new} graded, {len(graded.submissions) - graded.new} up to date; results in {errors.relative(here.results)}")
            failed = graded.failed
            results = list(coursework.course_results(here, graded.submissions)) if as_json else []
        else:
            assignments = _assignments_for(paths, assignment)
            with console.Bar("grading", quiet=as_json or not sys.stderr.isatty()) as watcher:
                done = coursework.grade_files(list(paths), assignments, grader, watcher=watcher)
            results, several = [d.graded.result for d in done], len(done) > 1 or any(path.is_dir() for path in paths)
            failed = any(result.outcome == "grader_error" for result in results)
            if out:
                coursework.save_results(done, out)
    if as_json:
        data = [json.loads(result.to_json()) for result in results]
        click.echo(json.dumps(data if several else data[0], indent=1, ensure_ascii=False))
    elif not everything:
        console.show_results(results, {a.name: a for a in assignments}, several)
    if failed:
        sys.exit(EXIT_FAILED)


@cli.command()
@click.argument("names", nargs=-1)
@click.option("--preview", is_flag=True, help="Say what would change, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the changes as JSON.")
@click.option("--jobs", type=click.IntRange(min=1), help="How many submissions at once; by default one for each processor.")
@click.option("--dask", metavar="ADDRESS", help="Grade on a Dask cluster, as with grade --dask.")
def regrade(names: tuple[str, ...], preview: bool, as_json: bool, jobs: int | None, dask: str | None) -> None:
    """Say whose marks change, and grade anew.

    Grades in submitted/ what has changed since it was graded: notebooks, tests, environment. First says for whom the verdict becomes another, by how much and in
    which cases, hand marks counted in; then, without --preview, writes results and gradebook. All assignments, or those in NAMES.

    Example: autogradient regrade perceptrons --preview
    """
    from autogradient import console, course, coursework
    from autogradient import regrade as regrading

    here = course.find()
    assignments = _assignments(tuple(_names(here, names)))
    with _grader(jobs, dask) as grader:
        with console.Bar("regrading", quiet=as_json) as watcher:
            changes, looked_at = regrading.preview(here, assignments, grader, watcher=watcher)
        if not preview:
            coursework.grade_course(here, assignments, grader)
    if as_json:
        click.echo(json.dumps([change.to_dict() for change in changes], indent=1, ensure_ascii=False))
        return
    for change in changes:
        click.echo(change.text)
    click.echo(f"{len(changes)} of {looked_at} {'would come' if preview else 'came'} out otherwise, {looked_at - len(changes)} the same")


@cli.command()
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
def verify(results: tuple[Path, ...]) -> None:
    """Grade again what results were made from.

    Finds the notebook that each result's receipt names in submitted/, grades it anew with the receipt's seed and compares every case, times aside.
    Exits 0 if all came out the same, 1 if one did not, or cannot be compared because assignment or environment have changed.

    Example: autogradient verify results/perceptrons/ada.json
    """
    from autogradient import course
    from autogradient import regrade as regrading

    here = course.find()
    same = True
    with _engine(True) as engine:
        engine.check()
        for path in results:
            verified = regrading.verify(here, path, engine)
            same = same and verified.same is True
            said = {True: "same", False: "different", None: "cannot be told"}[verified.same]
            click.echo("\n    ".join([f"{errors.relative(path)}: {said}", *verified.sentences]))
    if not same:
        sys.exit(EXIT_FAILED)


@cli.command()
@click.argument("names", nargs=-1)
def feedback(names: tuple[str, ...]) -> None:
    """Write each student's feedback from the results.

    feedback/STUDENT/ASSIGNMENT/ gets feedback.md, a summary, and feedback.html, a page with the notebook. All assignments, or those in NAMES.

    Example: autogradient feedback perceptrons
    """
    from autogradient import course, coursework

    here = course.find()
    written, fresh = coursework.write_feedback(here, _names(here, names))
    click.echo(f"feedback: {len(written)} written, {len(fresh)} up to date; in {errors.relative(here.feedback)}")


@cli.command()
@click.argument("names", nargs=-1)
def report(names: tuple[str, ...]) -> None:
    """Show a table: points, what failed, what waits.

    A row for each student and assignment. All assignments, or those in NAMES.

    Example: autogradient report
    """
    from rich.console import Console

    from autogradient import course, coursework
    from autogradient.feedback import table

    here = course.find()
    chosen = _names(here, names)
    results = coursework.all_results(here, chosen)
    for sentence in coursework.notices(here, results):
        click.echo(sentence, err=True)
    if sys.stdout.isatty():
        Console().print(table.table(results, chosen))
    else:
        click.echo(table.plain(results, chosen), nl=False)


@cli.command()
@click.argument("names", nargs=-1)
@click.option("--to", "target", type=click.Choice(["csv"]), default="csv", show_default=True, help="What to write.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder; by default results/.")
def export(names: tuple[str, ...], target: str, out: Path | None) -> None:
    """Write the marks as CSV.

    marks.csv has a row for each student, parts.csv one for each part of each submission. What has no verdict is blank. All assignments, or those in NAMES.

    Example: autogradient export --to csv
    """
    from autogradient import course, coursework

    here = course.find()
    for path in coursework.write_marks(here, _names(here, names), out or here.results):
        click.echo(errors.relative(path))


# ---- deciding, GitHub -------------------------------------------------------------------------------------------------

for _command in (*cli_ledger.COMMANDS, *github_commands.COMMANDS):
    cli.add_command(_command)


# ---- the machine -----------------------------------------------------------------------------------------------------


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def doctor(as_json: bool) -> None:
    """Show what keeps student code in here.

    Each layer of confinement that is in force on this machine is shown by an attempt to break it, made as student code; of each that is missing it says
    why, and what to set. Exits 0 if work that nobody vouches for can be graded here, 1 if not.

    Example: autogradient doctor
    """
    from autogradient import doctor as doctors

    report = doctors.examine()
    click.echo(json.dumps(report.to_dict(), indent=1) if as_json else report.text())
    if not report.sealed:
        sys.exit(EXIT_FAILED)


# ---- shared ----------------------------------------------------------------------------------------------------------


def _names(here: Any, names: tuple[str, ...]) -> list[str]:
    for name in names:
        here.source(name)
    return list(names or here.names())


def _assignments(names: tuple[str, ...]) -> list[Any]:
    """Assignments by name in the course, or by path anywhere; all of the course by default."""
    from autogradient import course
    from autogradient.formats import load_assignment

    found = []
    here = None
    for name in names:
        if "/" in name or name.endswith((".py", ".ipynb")) or (Path(name).exists() and not _in_course(name)):
            found.append(load_assignment(Path(name)))
        else:
            here = here or course.find()
            found.append(here.assignment(name))
    if not names:
        here = course.find()
        found = [here.assignment(name) for name in here.names()]
    return found


def _ours(assignments: list[Any], done: str) -> list[Any]:
    """The assignments in our own format; of others it is said that they can only be graded."""
    for assignment in assignments:
        if assignment.format != "autogradient":
            click.echo(errors.FOREIGN_ONLY_GRADED.format(name=assignment.name, format=assignment.format, done=done), err=True)
    return [assignment for assignment in assignments if assignment.format == "autogradient"]


def _in_course(name: str) -> bool:
    from autogradient import course

    try:
        return name in course.find().names()
    except CourseError:
        return False


def _assignments_for(paths: tuple[Path, ...], assignment: str | None) -> list[Any]:
    """The assignment that is named, or those of the course that the files say they belong to (reading a source takes a moment)."""
    from autogradient import batch, course
    from autogradient.errors import SubmissionError
    from autogradient.submission import read

    if assignment:
        return _assignments((assignment,))
    here = course.find()
    claims = set()
    for path in paths:
        for file in batch.find_notebooks(path):
            try:
                claims.add(read(file.read_bytes(), file.name).claims)
            except SubmissionError:
                claims.add("")
    return _assignments(tuple(sorted(claims)) if claims and claims <= set(here.names()) else ())


@contextmanager
def _engine(needed: bool) -> Iterator[Any]:
    from autogradient.engine import Engine

    if not needed:
        yield None
        return
    from autogradient import course

    with Engine(course=course.root_or_none()) as engine:
        yield engine


@contextmanager
def _grader(jobs: int | None, dask: str | None, *, trusted: bool = False) -> Iterator[Any]:
    """Who grades: a Dask cluster where one is named, else this machine."""
    from autogradient import course

    if dask:
        if trusted:
            raise click.UsageError("--trust-submissions is for this machine; a cluster's workers confine student code or grade nothing")
        from autogradient.cluster import connect

        with connect(dask, workers=jobs, course=course.root_or_none(), say=partial(click.echo, err=True)) as cluster:
            yield cluster
        return
    from autogradient.batch import Local, cpu_count
    from autogradient.engine import Engine

    with Engine(trusted=trusted, course=course.root_or_none()) as engine:
        engine.check()
        if engine.missing:
            click.echo(errors.UNSEALED.format(missing=", ".join(engine.missing)), err=True)
        yield Local(engine, jobs or cpu_count())


if __name__ == "__main__":
    main()
