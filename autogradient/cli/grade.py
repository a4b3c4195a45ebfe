"""The commands that grade: grade, regrade, verify; and what commands choose from: assignments,
engines.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from autogradient import errors
from autogradient.cli.saying import say, say_json
from autogradient.errors import CourseError

EXIT_FAILED = 1
UNPROVED = click.option(
    "--unproved",
    is_flag=True,
    help="Grade by tests whose proof is missing, failed or of another version; results say "
    "that they are not proved.",
)


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Grade submitted/ and bring results, gradebook and autograded/ up to date.",
)
@click.option(
    "--assignment",
    help="An assignment of the course, or the path of a source, an nbgrader notebook or a "
    "folder with otter tests.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print results as JSON: an object for one file, a list for several.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="How many submissions at once; by default one for each processor.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Write a JSON result and a summary for each file to this folder.",
)
@click.option(
    "--dask",
    metavar="ADDRESS",
    help="Grade on the Dask cluster with this scheduler (tls://HOST:PORT), or on one of this "
    "machine's own: local.",
)
@click.option(
    "--card",
    type=click.Choice(["only", "none"]),
    help="Judge only questions that need a card, or only those that do not; by default all "
    "that can be.",
)
@click.option(
    "--shard",
    metavar="N/OF",
    help="With --all and --out: only this machine's share; results go to the folder of "
    "--out, and nothing else is written.",
)
@UNPROVED
@click.option(
    "--trust-submissions",
    "trusted",
    is_flag=True,
    help="Grade even where student code cannot be confined. Only for work you have read.",
)
def grade(
    paths: tuple[Path, ...],
    everything: bool,
    assignment: str | None,
    as_json: bool,
    jobs: int | None,
    out: Path | None,
    dask: str | None,
    card: str | None,
    shard: str | None,
    unproved: bool,
    trusted: bool,
) -> None:
    """Grade notebooks: files and folders, or all of the course.

    PATHS are files and folders of students; --all takes what lies in submitted/. Exits 0 if every
    file got a result (essays that wait are no failure), 1 on a grader error, 2 on bad usage.

    Example: autogradient grade homework.ipynb --assignment perceptrons
    """
    from autogradient.cli import output
    from autogradient.course import config
    from autogradient.coursework import grade_course, shards

    if everything == bool(paths):
        raise click.UsageError("name the files to grade, or give --all")
    if everything and bool(out) != bool(shard):
        raise click.UsageError("--out is for files and shares; --all writes to results/")
    if shard and (not everything or dask):
        raise click.UsageError("--shard goes with --all and --out, on this machine")
    for path in paths:
        if not path.exists():
            raise CourseError(errors.NO_FILE.format(path=path))
    failed, several, results = False, True, list[Any]()
    with _grader(jobs, dask, trusted=trusted, card=card) as grader:
        if everything:
            here = config.find()
            assignments = chosen_assignments((assignment,) if assignment else ())
            _tell_unproved(_handed_in(here, assignments), refuse=not unproved)
            with output.Bar("grading", quiet=as_json) as watcher:
                if shard and out:
                    graded = shards.grade_shard(
                        here, assignments, grader, shards.Shard.parse(shard), out, watcher=watcher
                    )
                else:
                    graded = grade_course.grade_course(here, assignments, grader, watcher=watcher)
            for sentence in graded.skipped:
                say(sentence, err=True)
            if not graded.submissions and not shard:
                say(errors.NOTHING_SUBMITTED, err=True)
            if not as_json:
                say(
                    f"{graded.new} graded, {len(graded.submissions) - graded.new} up to "
                    f"date; results in {errors.relative(out or here.results)}"
                )
            failed = graded.failed
            results = list(grade_course.course_results(here, graded.submissions)) if as_json else []
        else:
            assignments = _assignments_for(paths, assignment)
            _tell_unproved(
                _recognised(paths, assignments),
                refuse=not unproved and not (assignment and _is_path(assignment)),
            )
            with output.Bar("grading", quiet=as_json or not sys.stderr.isatty()) as watcher:
                done = grade_course.grade_files(list(paths), assignments, grader, watcher=watcher)
            results, several = (
                [d.graded.result for d in done],
                len(done) > 1 or any(path.is_dir() for path in paths),
            )
            failed = any(result.outcome == "grader_error" for result in results)
            if out:
                grade_course.save_results(done, out)
    if as_json:
        data = [json.loads(result.to_json()) for result in results]
        say_json(data if several else data[0])
    elif not everything:
        output.show_results(results, {a.name: a for a in assignments}, several)
    if failed:
        sys.exit(EXIT_FAILED)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--preview", is_flag=True, help="Say what would change, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the changes as JSON.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="How many submissions at once; by default one for each processor.",
)
@click.option("--dask", metavar="ADDRESS", help="Grade on a Dask cluster, as with grade --dask.")
@UNPROVED
def regrade(
    names: tuple[str, ...],
    preview: bool,
    as_json: bool,
    jobs: int | None,
    dask: str | None,
    unproved: bool,
) -> None:
    """Say whose marks change, and grade anew.

    Grades in submitted/ what has changed since it was graded: notebooks, tests, environment. First
    says for whom the verdict becomes another, by how much and in which cases, hand marks counted
    in; then, without --preview, writes results and gradebook. All assignments, or those in NAMES.

    Example: autogradient regrade perceptrons --preview
    """
    from autogradient.cli import output
    from autogradient.course import config
    from autogradient.coursework import grade_course
    from autogradient.coursework import regrade as regrading

    here = config.find()
    assignments = chosen_assignments(tuple(chosen_names(here, names)))
    _tell_unproved(_handed_in(here, assignments), refuse=not unproved)
    with _grader(jobs, dask) as grader:
        with output.Bar("regrading", quiet=as_json) as watcher:
            changes, looked_at = regrading.preview(here, assignments, grader, watcher=watcher)
        graded = grade_course.Graded()
        if not preview:
            graded = grade_course.grade_course(here, assignments, grader)
    for sentence in graded.skipped:
        say(sentence, err=True)
    if as_json:
        say_json([change.to_dict() for change in changes])
    else:
        for change in changes:
            say(change.text)
        say(
            f"{len(changes)} of {looked_at} {'would come' if preview else 'came'} out "
            f"otherwise, {looked_at - len(changes)} the same"
        )
    if graded.failed:
        sys.exit(EXIT_FAILED)


@click.command()
@click.argument("results", nargs=-1, type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Every result of the course.")
def verify(results: tuple[Path, ...], everything: bool) -> None:
    """Grade again what results were made from.

    Finds the notebook that each result's receipt names in submitted/, grades it anew with the
    receipt's seed and compares every case, times aside. Exits 0 if all came out the same, 1 if one
    did not, or cannot be compared because assignment or environment have changed. With --all only
    those that did not come out the same are listed.

    Example: autogradient verify results/perceptrons/ada.json
    """
    from autogradient.course import config
    from autogradient.coursework import regrade as regrading

    if everything == bool(results):
        raise click.UsageError("name the results, or give --all")
    here = config.find()
    paths = regrading.all_paths(here) if everything else list(results)
    different = 0
    with warm_engine() as engine:
        engine.check()
        for path in paths:
            verified = regrading.verify(here, path, engine)
            different += verified.same is not True
            said = {True: "same", False: "different", None: "cannot be told"}[verified.same]
            if not everything or verified.same is not True:
                say("\n    ".join([f"{errors.relative(path)}: {said}", *verified.sentences]))
    if everything:
        say(f"{len(paths) - different} of {len(paths)} results came out the same")
    if different:
        sys.exit(EXIT_FAILED)


COMMANDS = (grade, regrade, verify)


# ---- what is chosen ------------------------------------------------------------------------------


def chosen_names(here: Any, names: tuple[str, ...]) -> list[str]:
    """Names of assignments of a course; all of them by default. Raises CourseError where there is
    none of a name.
    """
    for name in names:
        here.source(name)
    return list(names or here.names())


def chosen_assignments(names: tuple[str, ...]) -> list[Any]:
    """Assignments by name in the course, or by path anywhere; all of the course by default."""
    from autogradient.course import config
    from autogradient.sources.formats import load_assignment

    found = []
    here = None
    for name in names:
        if _is_path(name):
            found.append(load_assignment(Path(name)))
        else:
            here = here or config.find()
            found.append(here.assignment(name))
    if not names:
        here = config.find()
        found = [here.assignment(name) for name in here.names()]
    return found


def _is_path(name: str) -> bool:
    return (
        "/" in name
        or name.endswith((".py", ".ipynb"))
        or (Path(name).exists() and not _in_course(name))
    )


def _in_course(name: str) -> bool:
    from autogradient.course import config

    try:
        return name in config.find().names()
    except CourseError:
        return False


def _tell_unproved(assignments: list[Any], *, refuse: bool) -> None:
    """Say of each assignment whose tests are not proved why not. Raises ProofError with `refuse`
    where nobody should be graded by them.
    """
    from autogradient.errors import ProofError
    from autogradient.proving import proofs

    found = [(assignment.name, proofs.worth(assignment)) for assignment in assignments]
    if refuse and (
        problems := [
            errors.GRADE_UNPROVED.format(problem=worth.problem)
            for _, worth in found
            if worth.problem
        ]
    ):
        raise ProofError("\n".join(problems))
    for name, worth in found:
        if not worth.proved:
            say(
                worth.note
                or errors.GRADED_UNPROVED.format(
                    assignment=name, problem=worth.problem.partition("; run ")[0]
                ),
                err=True,
            )


def _handed_in(here: Any, assignments: list[Any]) -> list[Any]:
    """Those of which something was handed in: what nobody has begun need not be proved yet."""
    present = {path.name for path in here.submitted.glob("*/*")}
    return [assignment for assignment in assignments if assignment.name in present]


def _recognised(paths: tuple[Path, ...], assignments: list[Any]) -> list[Any]:
    """Those that files belong to. Raises SubmissionError where a file belongs to none."""
    from autogradient.grading import find_submissions

    if len(assignments) < 2:
        return assignments
    items = [
        find_submissions.identify(path, assignments)
        for given in paths
        for path in find_submissions.find_notebooks(given)
    ]
    return list({item.assignment.name: item.assignment for item in items}.values())


def _assignments_for(paths: tuple[Path, ...], assignment: str | None) -> list[Any]:
    """The assignment that is named, or those of the course that the files say they belong to
    (reading a source takes a moment).
    """
    from autogradient.course import config
    from autogradient.errors import SubmissionError
    from autogradient.grading import find_submissions
    from autogradient.grading.read_notebook import read_file, read_notebook

    if assignment:
        return chosen_assignments((assignment,))
    here = config.find()
    claims = set()
    for path in paths:
        for file in find_submissions.find_notebooks(path):
            try:
                claims.add(read_notebook(read_file(file), file.name).claims)
            except SubmissionError:
                claims.add("")
    return chosen_assignments(
        tuple(sorted(claims)) if claims and claims <= set(here.names()) else ()
    )


@contextmanager
def warm_engine() -> Iterator[Any]:
    """This machine's engine, which starts what it needs when it is needed."""
    from autogradient.course import config
    from autogradient.grading.engine import Engine

    with Engine(course=config.root_or_none()) as engine:
        yield engine


@contextmanager
def _grader(
    jobs: int | None, dask: str | None, *, trusted: bool = False, card: str | None = None
) -> Iterator[Any]:
    """Who grades: a Dask cluster where one is named, else this machine."""
    from autogradient.course import config

    if dask:
        if card:
            raise click.UsageError(
                "--card is for this machine; a cluster sends each question where it can be judged"
            )
        if trusted:
            raise click.UsageError(
                "--trust-submissions is for this machine; a cluster's workers confine "
                "student code or grade nothing"
            )
        from autogradient.grading.dask_cluster import connect

        with connect(
            dask, workers=jobs, course=config.root_or_none(), say=partial(say, err=True)
        ) as cluster:
            yield cluster
        return
    from autogradient.grading.batch import Local
    from autogradient.grading.engine import Engine
    from autogradient.model.environment import cpu_count

    with Engine(trusted=trusted, course=config.root_or_none()) as engine:
        if engine.missing:
            say(errors.UNSEALED.format(missing=", ".join(engine.missing)), err=True)
        if card == "only" and jobs is None:
            jobs = 1  # one submission at a time on a card
        yield Local(engine, jobs or cpu_count(), card={"only": True, "none": False}.get(card or ""))
