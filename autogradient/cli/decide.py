"""The commands by which people decide: they write into the ledger. What a command does is
importable from `decisions`, `sheets` and `coursework`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from autogradient import errors
from autogradient.cli.grade import EXIT_FAILED
from autogradient.cli.saying import say

WHO = click.option(
    "--who", help="Who decides; by default git's user name, or the one you are logged in by."
)
WHY = click.option("--why", required=True, help="Why, for the student to read.")


def _say(sentences: list[str]) -> None:
    for sentence in sentences:
        say(sentence)


def _who(here: Any, who: str | None) -> str:
    from autogradient.coursework import decide

    return who or decide.default_who(here)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("student")
@click.argument("assignment")
@click.argument("part_and_points", nargs=-1, required=True, metavar="[PART] POINTS")
@WHY
@WHO
def adjust(
    student: str, assignment: str, part_and_points: tuple[str, ...], why: str, who: str | None
) -> None:
    """Add points, or take points off.

    POINTS are added to a part, or to the whole assignment where no PART is named; with a minus they
    are taken off. Several adjustments add up, and nobody ends below 0. To take one back, adjust by
    the opposite.

    Example: autogradient adjust ada perceptrons and-gate 0.5 --why "the task had a typo"
    """
    from autogradient.course import config
    from autogradient.coursework import decide

    if len(part_and_points) > 2 or any(word.startswith("--") for word in part_and_points):
        raise click.UsageError(
            "give STUDENT ASSIGNMENT [PART] POINTS, not "
            f"{' '.join((student, assignment, *part_and_points))}"
        )
    *part, points = part_and_points
    here = config.find()
    _say(
        decide.adjust(
            here, student, assignment, "".join(part), points, who=_who(here, who), why=why
        )
    )


@click.command()
@click.argument("assignment")
@click.argument("part")
@click.option(
    "--full", "mode", flag_value="full", help="Everybody gets full credit, whatever was answered."
)
@click.option(
    "--drop",
    "mode",
    flag_value="drop",
    help="The part counts neither in what is earned nor in what is possible.",
)
@click.option(
    "--undo", "mode", flag_value="undo", help="Take it back: the part counts as it was graded."
)
@WHY
@WHO
def void(assignment: str, part: str, mode: str | None, why: str, who: str | None) -> None:
    """Let a broken question not count.

    Says for everybody that a part does not count as it was graded, and whose points change by that.

    Example: autogradient void perceptrons and-gate --full --why "the task was ambiguous"
    """
    from autogradient.course import config
    from autogradient.coursework import decide

    if mode is None:
        raise click.UsageError("say --full, --drop or --undo")
    here = config.find()
    _say(decide.void(here, assignment, part, mode, who=_who(here, who), why=why))


@click.command()
@click.argument("student")
@click.argument("assignment")
@click.option("--undo", is_flag=True, help="Take it back.")
@WHY
@WHO
def excuse(student: str, assignment: str, undo: bool, why: str, who: str | None) -> None:
    """Let a student off an assignment.

    There is no mark then and nothing is owed: blank in an export, "excused" in the report.

    Example: autogradient excuse ada perceptrons --why "ill that week"
    """
    from autogradient.course import config
    from autogradient.coursework import decide

    here = config.find()
    _say(decide.excuse(here, student, assignment, undo=undo, who=_who(here, who), why=why))


@click.command()
@click.argument("student")
@click.argument("assignment")
@click.argument("until", required=False, default="")
@click.option("--undo", is_flag=True, help="Take it back: the deadline holds again.")
@WHY
@WHO
def extend(
    student: str, assignment: str, until: str, undo: bool, why: str, who: str | None
) -> None:
    """Give a student more time.

    UNTIL is a date (its end is meant) or a time, with an offset or in the course's timezone. A
    later extension stands for an earlier one.

    Example: autogradient extend ada perceptrons 2026-10-19 --why "ill that week"
    """
    from autogradient.course import config
    from autogradient.coursework import decide

    if undo == bool(until):
        raise click.UsageError("give UNTIL, or --undo")
    here = config.find()
    _say(decide.extend(here, student, assignment, until, who=_who(here, who), why=why))


@click.command()
@click.option(
    "--rebuild",
    is_flag=True,
    help="Make gradebook.db anew from results and ledger alone, where it was lost or damaged.",
)
def gradebook(rebuild: bool) -> None:
    """Bring ledger and gradebook together.

    Takes marks that were given in the formgrader into the ledger, and writes what late work costs
    into the gradebook. `grade --all`, `report`, `feedback` and `export` do the first by themselves,
    `grade --all` both.

    Example: autogradient gradebook --rebuild
    """
    from autogradient.course import config
    from autogradient.coursework import grade_course
    from autogradient.coursework import gradebook as gradebooks

    here = config.find()
    if rebuild:
        count, left, said = grade_course.rebuild_gradebook(here)
        for sentence in left:
            say(sentence, err=True)
        for sentence in said:
            say(sentence)
        say(errors.REBUILT.format(count=count))
        if left:
            sys.exit(EXIT_FAILED)
    else:
        taken = gradebooks.take_hand_marks(here.gradebook_url, here.ledger)
        say(errors.TAKEN.format(count=len(taken)))
        grade_course.bring_penalties(here, here.names())


@click.command()
@click.argument(
    "words",
    nargs=-1,
    required=True,
    metavar="STUDENT ASSIGNMENT PART [POINTS] | ASSIGNMENT | SHEET…",
)
@click.option(
    "--item",
    "items",
    multiple=True,
    metavar="NAME=POINTS",
    help="Points for an item of the rubric; name every item, once each.",
)
@click.option("--comment", default="", help="What the student reads beside the points.")
@click.option("--undo", is_flag=True, help="Take a mark back.")
@click.option(
    "--split",
    type=click.IntRange(min=1),
    metavar="N",
    help="Write what waits in ASSIGNMENT as N sheets, one for each marker.",
)
@click.option(
    "--anonymous",
    is_flag=True,
    help="Sheets carry codes in place of student ids; the key to them stays in results/.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Where sheets are written; by default results/sheets/.",
)
@click.option(
    "--read",
    "reads",
    is_flag=True,
    help="Read filled-in SHEETs back; nothing is written unless all rows are right.",
)
@click.option(
    "--why",
    default="",
    help="Why; by default that it was marked by hand, or which sheet it stood in.",
)
@WHO
def mark(
    words: tuple[str, ...],
    items: tuple[str, ...],
    comment: str,
    undo: bool,
    split: int | None,
    anonymous: bool,
    out: Path | None,
    reads: bool,
    why: str,
    who: str | None,
) -> None:
    """Mark by hand: one answer, or in sheets.

    Marks a part with POINTS, or by the items of its rubric. With --split, everything that waits for
    a person in ASSIGNMENT goes into CSV sheets, one for each marker, all answers to one question
    together; with --read, filled-in sheets become marks. Reading a sheet twice changes nothing.

    Example: autogradient mark ada perceptrons in-your-words --item value=1 --item lesson=0.5
    --comment "Say why."
    """
    from autogradient.course import config
    from autogradient.coursework import decide, sheets

    if (split is not None) + reads + undo > 1:
        raise click.UsageError("--split, --read and --undo are different things; give one")
    if (split is not None or reads) and (items or comment):
        raise click.UsageError("--item and --comment are for the mark of one student")
    if split is None and (anonymous or out):
        raise click.UsageError("--anonymous and --out go with --split")
    here = config.find()
    if reads:
        _say(sheets.read(here, [Path(word) for word in words], who=_who(here, who), why=why))
        return
    if split is not None:
        if len(words) != 1:
            raise click.UsageError("--split takes one ASSIGNMENT")
        written = sheets.split(here, words[0], split, anonymous=anonymous, folder=out)
        for warning in written.warnings:
            say(warning, err=True)
        for path, count in written.sheets.items():
            say(f"{errors.relative(path)}: {count} {'answer' if count == 1 else 'answers'}")
        if not written.sheets:
            say(errors.NOTHING_WAITS.format(assignment=words[0]))
        return
    if len(words) not in (3, 4):
        raise click.UsageError("give STUDENT ASSIGNMENT PART [POINTS]")
    student, assignment, part = words[:3]
    if undo:
        _say(
            decide.unmark(
                here, student, assignment, part, who=_who(here, who), why=why or errors.UNMARKED
            )
        )
        return
    pairs = [item.partition("=") for item in items]
    for (name, equals, _), item in zip(pairs, items, strict=True):
        if not equals or [other for other, _, _ in pairs].count(name) > 1:
            raise click.UsageError(f"--item {item}: write NAME=POINTS, each NAME once")
    given = {name.strip(): points for name, _, points in pairs}
    _say(
        decide.mark(
            here,
            student,
            assignment,
            part,
            "".join(words[3:]),
            given,
            comment=comment,
            who=_who(here, who),
            why=why or errors.MARKED,
        )
    )


COMMANDS = (mark, adjust, void, excuse, extend, gradebook)
