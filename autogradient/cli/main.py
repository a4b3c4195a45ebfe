"""The command line: one thin function for each command. What a command does is importable from the
module it calls.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import click

from autogradient import __version__, errors
from autogradient.cli import decide, github, grade, show
from autogradient.cli.grade import chosen_assignments, warm_engine
from autogradient.cli.saying import say, say_json
from autogradient.errors import AutogradientError

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


class _InOrder(click.Group):
    """Commands as they are needed, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="autogradient")
def cli() -> None:
    """A deep-learning course that grades itself.

    Exit codes: 0 all is well; 1 something is not proved, stale, leaking or could not be graded; 2
    the command, a file or the course is wrong; 130 interrupted.
    """


def main() -> None:
    """Run the command line; errors of ours become one sentence on standard error."""
    # names of files would not be those of the roster
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.execve(
            sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, "PYTHONUTF8": "1"}
        )
    warnings.showwarning = _warn
    try:
        os.getcwd()
    except OSError:
        say(errors.NO_FOLDER, err=True)
        sys.exit(EXIT_USAGE)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup has it that HUP is nothing
            signal.signal(number, _end)
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except (click.exceptions.Abort, KeyboardInterrupt) as error:
        say("interrupted; what was finished is kept, run the command again to go on", err=True)
        asked = error.__cause__ or error  # click makes an Abort of it
        sys.exit(128 + asked.number if isinstance(asked, _Ended) else EXIT_INTERRUPTED)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(file=shown)
        say(shown.getvalue(), err=True, nl=False)
        sys.exit(EXIT_USAGE)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)
    except AutogradientError as error:
        say(str(error), err=True)
        sys.exit(
            EXIT_FAILED
            if isinstance(
                error,
                (
                    errors.ReleaseError,
                    errors.ProofError,
                    errors.WorkerError,
                    errors.GitHubError,
                    errors.GitError,
                ),
            )
            else EXIT_USAGE
        )
    except OSError as error:
        say(
            errors.NO_ACCESS.format(
                path=errors.relative(str(error.filename or "a file")),
                problem=error.strerror or error,
            ),
            err=True,
        )
        sys.exit(EXIT_USAGE)
    except Exception:  # ours to mend; what a student wrote may stand in it all the same
        say(traceback.format_exc(), err=True, nl=False)
        sys.exit(EXIT_FAILED)


class _Ended(KeyboardInterrupt):
    """A signal that asks to end, as Ctrl-C does: what is running is ended, and cleared away."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__()


def _end(number: int, _: object) -> None:
    signal.signal(number, signal.SIG_DFL)  # a second one does not wait
    raise _Ended(number)


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: str | None = None,
) -> None:
    """Show a warning of a library."""
    say(warnings.formatwarning(message, category, filename, lineno, line or ""), err=True, nl=False)


# ---- writing -------------------------------------------------------------------------------------


@cli.command()
@click.argument("name")
@click.option("--title", help="The notebook's title; by default made from NAME.")
def new(name: str, title: str | None) -> None:
    """Start an assignment: a small, complete notebook.

    Writes source/NAME/NAME.py, with one question of each sort to change into your own.

    Example: autogradient new attention --title "Attention, by hand"
    """
    from autogradient.course import config
    from autogradient.sources import scaffold

    say(errors.relative(scaffold.new(config.find().root, name, title)))


@cli.command()
@click.argument("names", nargs=-1)
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 1 and name the files that would change."
)
def fmt(names: tuple[str, ...], check: bool) -> None:
    """Tidy instructor notebooks: key order, header, spaces.

    All assignments, or those in NAMES (names or files).

    Example: autogradient fmt --check
    """
    from autogradient.course import config
    from autogradient.sources import scaffold
    from autogradient.sources.source import find_source

    if names and all(Path(name).exists() for name in names):
        paths = [find_source(Path(name)) for name in names]
    else:
        here = config.find()
        paths = [find_source(here.source(name)) for name in names or here.names()]
    changed = [path for path in paths if scaffold.fmt(path, check=check)]
    for path in changed:
        say(f"{'would tidy' if check else 'tidied'} {errors.relative(path)}")
    if check and changed:
        sys.exit(EXIT_FAILED)


@cli.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print a list of proofs as JSON.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="How many processes at once; by default one for each processor.",
)
@click.option("--again", is_flag=True, help="Prove anew even what has been proved on this machine.")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0),
    help="Prove what has no proof that holds, and of the rest, the oldest first, what can be "
    "begun in so many minutes.",
)
@click.option(
    "--ages",
    is_flag=True,
    help="Prove nothing: say of each proof whether it holds and when it was last seen to, "
    "what is to be proved first on top.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Prove nothing: exit 1 and say why where one has no proof of its present version.",
)
def prove(
    names: tuple[str, ...],
    as_json: bool,
    jobs: int | None,
    again: bool,
    minutes: float | None,
    ages: bool,
    check: bool,
) -> None:
    """Show that the tests catch what is wrong.

    Runs the reference (full marks), the untouched release (nothing), every other right answer (full
    marks), every known wrong answer (fewer), mutants of the reference and hostile return values,
    and writes source/NAME/proof.json. NAMES are assignments of the course or paths; all by default.
    Exits 1 if any is not proved.

    Example: autogradient prove perceptrons
    """
    from autogradient.cli import output
    from autogradient.model.environment import cpu_count
    from autogradient.proving import proofs
    from autogradient.proving import prove as proving

    if ages + check + again + (minutes is not None) > 1:
        raise click.UsageError(
            "--again, --minutes, --ages and --check each ask for something else: give one"
        )
    assignments = _ours(chosen_assignments(names), "proved")
    if ages or check:
        _tell_proofs(
            [proofs.standing(one) for one in assignments] if check else proofs.by_need(assignments),
            check=check,
            as_json=as_json,
        )
        return
    chosen = (
        iter(assignments)
        if minutes is None
        else proofs.as_time_allows(proofs.by_need(assignments), minutes)
    )
    out, failed = [], False
    with warm_engine() as engine:
        for assignment in chosen:
            if not again and minutes is None and proofs.proved_here(assignment):
                content = proofs.read_proof(assignment) or {}
                out.append({key: value for key, value in content.items() if key != "digest"})
                if not as_json:
                    say(f"{assignment.name}: proved already on this machine; nothing has changed")
                continue
            with output.Bar(f"proving {assignment.name}", quiet=as_json) as bar:
                proof = proving.prove(
                    assignment, engine, jobs=jobs or cpu_count(), progress=bar.step
                )
            proofs.write_proof(assignment, proof)
            out.append(proof.to_dict())
            failed = failed or not proof.proved
            if not as_json:
                say(output.proof_text(proof.to_dict()))
    if as_json:
        say_json(out)
    if failed:
        sys.exit(EXIT_FAILED)


def _tell_proofs(found: list[Any], *, check: bool, as_json: bool) -> None:
    """What there is of each proof; exits 1 with `check` where one does not hold."""
    if as_json:
        said = [
            {
                "assignment": one.assignment.name,
                "holds": not one.problem,
                "here": one.here,
                "when": one.when and one.when.isoformat(),
            }
            for one in found
        ]
        say_json(said)
    for one in () if as_json else found:
        when = f"{one.when:%Y-%m-%d %H:%M} UTC" if one.when else "at a time that is not known"
        say(
            one.problem
            or f"{one.assignment.name}: proved {'here' if one.here else 'and committed'} {when}",
            err=bool(one.problem),
        )
    if check and any(one.problem for one in found):
        sys.exit(EXIT_FAILED)


@cli.command()
@click.argument("names", nargs=-1)
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing; exit 1 and say why where release/ is stale, or the proof is "
    "missing, failed or of other tests.",
)
@click.option(
    "--unproved",
    is_flag=True,
    help="Release (or check) a draft whose proof is missing, failed or out of date.",
)
def release(names: tuple[str, ...], check: bool, unproved: bool) -> None:
    """Write student notebooks and public tests to release/.

    All assignments, or those in NAMES. Nothing is written where something secret would reach
    students, or without an up-to-date proof.

    Example: autogradient release --check
    """
    from autogradient.course import config
    from autogradient.coursework import release_course

    here = config.find()
    stale = False
    for assignment in _ours([here.assignment(name) for name in names or here.names()], "released"):
        name = assignment.name
        if check:
            problems = release_course.problems(here, assignment, unproved=unproved)
            for problem in problems:
                say(problem, err=True)
            stale = stale or bool(problems)
            if not problems:
                say(f"{name}: up to date")
        else:
            changed = release_course.write_release(here, assignment, unproved=unproved)
            written = f"written to {errors.relative(here.released(name))}"
            say(f"{name}: {written if changed else 'up to date'}")
    if stale:
        sys.exit(EXIT_FAILED)


# ---- grading -------------------------------------------------------------------------------------

for _command in (*grade.COMMANDS, *show.COMMANDS):
    cli.add_command(_command)


# ---- deciding, GitHub ----------------------------------------------------------------------------

for _command in (*decide.COMMANDS, *github.COMMANDS):
    cli.add_command(_command)


# ---- the machine ---------------------------------------------------------------------------------


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def doctor(as_json: bool) -> None:
    """Show what keeps student code in here.

    Each layer of confinement that is in force on this machine is shown by an attempt to break it,
    made as student code; of each that is missing it says why, and what to set. Exits 0 if work that
    nobody vouches for can be graded here, 1 if not.

    Example: autogradient doctor
    """
    from autogradient.proving import doctor as doctors

    report = doctors.examine()
    if as_json:
        say_json(report.to_dict())
    else:
        say(report.text())
    if not report.sealed:
        sys.exit(EXIT_FAILED)


def _ours(assignments: list[Any], done: str) -> list[Any]:
    """The assignments in our own format; of others it is said that they can only be graded."""
    for assignment in assignments:
        if assignment.format != "autogradient":
            say(
                errors.FOREIGN_ONLY_GRADED.format(
                    name=assignment.name, format=assignment.format, done=done
                ),
                err=True,
            )
    return [assignment for assignment in assignments if assignment.format == "autogradient"]


if __name__ == "__main__":
    main()
