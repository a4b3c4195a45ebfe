"""The commands that have to do with GitHub: one thin function for each, as in `cli`."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autogradient import errors
from autogradient.cli.saying import say
from autogradient.errors import CourseError

if TYPE_CHECKING:
    from autogradient.course.config import Course
    from autogradient.github.hosting import Hosting
    from autogradient.model.assignment import Assignment

EXIT_FAILED = 1
#: Sentences about refused results that are shown; a forger could cause any number.
MOST_REFUSED = 100


@click.command()
@click.option(
    "--revoke",
    is_flag=True,
    help="Also take the access of those who are not on the roster for a repository.",
)
@click.option(
    "--archive",
    is_flag=True,
    help="At the end of a run, instead: archive its repositories, so that they can only be read.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def enrol(revoke: bool, archive: bool, dry_run: bool) -> None:
    """Make a repository for each student or team.

    Each of the roster gets a private repository made from the release repository, access to it, and
    the standing pull request 'Feedback'. Run again after a change of the roster, it does only what
    is missing, and says who has access without being on the roster. A repository of another run, or
    of something else, is left alone. Exits 1 if something could not be done.

    Example: autogradient enrol --dry-run
    """
    from autogradient.course import config
    from autogradient.github import enrol as enrolling
    from autogradient.github import messages, roster, settings
    from autogradient.github.client import GitHubClient

    if revoke and archive:
        raise click.UsageError("--revoke and --archive are two things; run one after the other")
    here = config.find()
    failed = []

    def told(enrolled: enrolling.Enrolled) -> None:
        if enrolled.done:
            say(f"{enrolled.repository}: {'would ' if dry_run else ''}{', '.join(enrolled.done)}")
        for sentence in [*enrolled.remarks, *enrolled.problems]:
            say(sentence, err=True)
        failed.extend(enrolled.problems)

    groups = roster.groups(roster.read(here.root))
    hosting = GitHubClient(settings.load(here.root), enrolling.PERMISSIONS)
    if archive:
        done = enrolling.archive(hosting, here, groups, dry_run=dry_run, told=told)
    else:
        done = enrolling.enrol(hosting, here, groups, revoke=revoke, dry_run=dry_run, told=told)
    changed = sum(bool(each.done) for each in done)
    say(
        messages.ENROL_SUMMARY.format(
            changed=changed, would="would be " if dry_run else "", same=len(done) - changed
        )
    )
    if failed:
        sys.exit(EXIT_FAILED)


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--from",
    "source",
    default="",
    metavar="SOURCE",
    help="repositories, pulls, or the path of a folder or zip; by default what github.toml says.",
)
@click.option(
    "--at",
    "time",
    default="",
    help="Take what had been pushed at that time, by GitHub's record: 2026-03-01T22:59:00Z.",
)
@click.option(
    "--received",
    default="",
    help="When all files of a folder or zip were received, whatever they say themselves.",
)
@click.option(
    "--names",
    "mapping",
    type=click.Path(path_type=Path),
    help="Of a folder or zip: a CSV of whom names mean; by default grader_config/names.csv.",
)
@click.option(
    "--pattern",
    default="",
    help="Of a folder or zip: nbgrader's regular expression with student_id and file_id.",
)
def collect(
    names: tuple[str, ...],
    source: str,
    time: str,
    received: str,
    pattern: str,
    mapping: Path | None,
) -> None:
    """Bring in what students handed in.

    From their repositories, from pull requests to a shared one, from a folder or from a learning
    platform's zip. What is new becomes submitted/STUDENT/ASSIGNMENT/attempt-N/. From GitHub, how
    things stood at a student's deadline is taken too, once it has passed. Only notebooks are read,
    and nothing of a student's is run. Exits 1 if something could not be collected.

    Example: autogradient collect --from downloads/week-3.zip
    """
    from autogradient.course import config, identity
    from autogradient.github import collect as collecting
    from autogradient.github import messages, roster, settings
    from autogradient.github.client import GitHubClient
    from autogradient.github.recognise import Recogniser

    here = config.find()
    at, given = _time(time), _time(received)
    failed = []

    def told(done: collecting.Collected) -> None:
        for attempt in done.attempts:
            say(errors.relative(attempt))
        for sentence in [*done.remarks, *done.problems]:
            say(f"{done.who}: {sentence}", err=True)
        failed.extend(done.problems)

    members = roster.read(here.root)
    collector = collecting.Collector(here, members, Recogniser(here, names), told)
    if source not in ("", "repositories", "pulls"):
        if at is not None:
            raise click.UsageError(
                "--at is for GitHub, whose record says when something was pushed"
            )
        if mapping is not None and not mapping.is_file():
            raise CourseError(errors.NO_FILE.format(path=mapping))
        done = collector.from_path(
            Path(source),
            pattern,
            given,
            identity.read_names(mapping or here.root / identity.NAMES, members),
        )
    else:
        if given is not None or pattern or mapping:
            raise click.UsageError("--received, --pattern and --names are for folders and zips")
        place = settings.load(here.root)
        hosting = GitHubClient(place, collecting.PERMISSIONS)
        if source == "pulls" and not place.shared:
            raise CourseError(messages.COLLECT_NO_SHARED)
        done = (
            collector.from_pulls(hosting, at)
            if source == "pulls" or (place.shared and not source)
            else collector.from_repositories(hosting, at)
        )
    new = [attempt for each in done for attempt in each.attempts]
    same = sum(not each.attempts for each in done)
    say(
        messages.COLLECT_SUMMARY.format(
            count=len(new), folder=errors.relative(here.submitted), same=same, of=len(done)
        )
    )
    if failed:
        sys.exit(EXIT_FAILED)


def _time(text: str) -> datetime | None:
    """A time with its zone. Raises CourseError where it is none."""
    from autogradient.course import times

    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or times.known(found) is None:
        raise CourseError(errors.BAD_TIME.format(time=text))
    return found


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--to",
    "target",
    default="",
    metavar="PATH",
    help="A bare repository or a folder, instead of the release repository on GitHub.",
)
@click.option(
    "--update",
    is_flag=True,
    help="Then bring it to students: in each repository a pull request with their work in "
    "the corrected notebook.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def publish(names: tuple[str, ...], target: str, update: bool, dry_run: bool) -> None:
    """Write what students get to the release repository.

    Notebooks, public tests, the workflow that runs them, environment files and a README, in a
    commit for each assignment that changed, never by force. All assignments, or those in NAMES;
    what else is published stays. Exits 1 where something is not proved, stale or leaking: then
    nothing is written.

    With --update, students' repositories follow: a pull request brings the corrected files, and the
    student's own notebook with answers and own cells in their places. Run again, it does only what
    is missing. Exits 1 if something could not be updated.

    Example: autogradient publish perceptrons --update
    """
    from autogradient.course import config
    from autogradient.github import errata, messages, settings
    from autogradient.github import publish as publishing
    from autogradient.github.client import GitHubClient

    if update and target:
        raise click.UsageError(messages.UPDATE_ONLY_GITHUB)
    here = config.find()
    assignments = []
    for assignment in [here.assignment(name) for name in names or here.names()]:
        if assignment.format == "autogradient":
            assignments.append(assignment)
        else:
            say(
                errors.FOREIGN_ONLY_GRADED.format(
                    name=assignment.name, format=assignment.format, done="published"
                ),
                err=True,
            )
    path = Path(target)
    place = (
        settings.load(here.root) if not target or (here.root / settings.CONFIG).is_file() else None
    )
    if not target and place is not None:
        publishing.check(here, assignments)
        hosting = GitHubClient(
            place, {**publishing.PERMISSIONS, **(errata.PERMISSIONS if update else {})}
        )
        done = publishing.to_github(hosting, here, assignments, dry_run=dry_run, told=say)
    elif (path / "HEAD").is_file() and (path / "objects").is_dir():
        done = publishing.to_repository(
            path.resolve().as_uri(), here, assignments, settings=place, dry_run=dry_run
        )
    elif path.exists() and not path.is_dir():
        raise CourseError(messages.PUBLISH_NO_FOLDER.format(path=target))
    else:
        done = publishing.to_folder(path, here, assignments, place, dry_run=dry_run)
    for change in done:
        say(change.subject)
    said = messages.PUBLISH_REHEARSED if dry_run else messages.PUBLISH_SUMMARY
    say(said.format(count=len(done)) if done else messages.PUBLISH_NOTHING)
    if update:
        _update(here, hosting, assignments, dry_run)


def _update(here: Course, hosting: Hosting, assignments: list[Assignment], dry_run: bool) -> None:
    """Bring the present releases to students' repositories, and say what became of each."""
    from autogradient.github import errata, messages, roster

    failed = []

    def told(updated: errata.Updated) -> None:
        if updated.done:
            say(
                f"{updated.repository}: "
                f"{'would write ' if dry_run else ''}{', '.join(updated.done)}"
            )
        for sentence in [*updated.remarks, *updated.problems]:
            say(sentence, err=True)
        failed.extend(updated.problems)

    done = errata.update(
        hosting,
        here,
        roster.groups(roster.read(here.root)),
        assignments,
        dry_run=dry_run,
        told=told,
    )
    changed = sum(bool(each.done) for each in done)
    say(
        messages.UPDATE_SUMMARY.format(
            changed=changed, would="would be " if dry_run else "", same=len(done) - changed
        )
    )
    if failed:
        sys.exit(EXIT_FAILED)


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--shards",
    type=click.IntRange(min=1, max=256),
    default=8,
    show_default=True,
    help="How many machines of a kind at most.",
)
@click.option(
    "--card",
    type=click.Choice(["only", "none"]),
    help="Plan only for machines with a card, or only for those without.",
)
def plan(names: tuple[str, ...], shards: int, card: str | None) -> None:
    """Say what is to be graded, and on how many machines.

    Prints two lines for a workflow's outputs: cpu=["1/2", "2/2"] and card=[]. Each share is graded
    by `grade --all --card none --shard 1/2 --out DIR`, those that need a card by the same with
    `--card only`; `merge` brings results together. Where nothing has changed both lists are empty.
    All assignments, or those in NAMES.

    Example: autogradient plan --shards 8 >> "$GITHUB_OUTPUT"
    """
    import json

    from autogradient.course import config
    from autogradient.coursework import shards as sharding
    from autogradient.github import messages

    here = config.find()
    assignments = [here.assignment(name) for name in names or here.names()]

    def left(count: int) -> None:
        say(messages.PLAN_LEFT.format(count=count), err=True)

    for kind, found in sharding.plan(
        here, assignments, shards, {"only": True, "none": False}.get(card or ""), left=left
    ).items():
        say(f"{kind}={json.dumps(found)}")


@click.command()
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
def merge(folders: tuple[Path, ...]) -> None:
    """Bring the results of several machines together.

    FOLDERS are what `grade --shard … --out` wrote. Results of one submission from a machine with a
    card and from one without become one. Exits 1 where a file was left out: it is no result, or
    lies where another's should.

    Example: autogradient merge shard-1 shard-2
    """
    from autogradient.course import config
    from autogradient.coursework import shards as sharding

    here = config.find()
    changed, refused = sharding.merge(here, list(folders))
    for sentence in refused:
        say(sentence, err=True)
    say(f"{changed} results new or changed; in {errors.relative(here.results)}")
    if refused:
        sys.exit(EXIT_FAILED)


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--changed",
    is_flag=True,
    help="Ask GitHub nothing about repositories for which nothing has changed since the last time.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def deliver(names: tuple[str, ...], changed: bool, dry_run: bool) -> None:
    """Bring feedback to students' repositories.

    For each assignment one comment on the pull request, one check run, and Markdown on the branch
    'feedback', as far as the course's policy lets it out by now. Results are taken as data: what
    does not fit its assignment or what was collected is refused. Run again, it writes only what has
    changed. All assignments, or those in NAMES. Exits 1 if a result was refused or something could
    not be delivered.

    Example: autogradient deliver perceptrons
    """
    from datetime import UTC

    from autogradient.course import config
    from autogradient.github import deliver as delivering
    from autogradient.github import messages, roster, settings
    from autogradient.github.client import GitHubClient

    here = config.find()
    failed = False

    def told(delivered: delivering.Delivered) -> None:
        nonlocal failed
        if delivered.done:
            say(
                f"{delivered.repository}: "
                f"{'would write ' if dry_run else ''}{', '.join(delivered.done)}"
            )
        for sentence in [*delivered.remarks, *delivered.problems]:
            say(sentence, err=True)
        failed = failed or bool(delivered.problems)

    assignments = [here.assignment(name) for name in names or here.names()]
    hosting = GitHubClient(settings.load(here.root), delivering.PERMISSIONS)
    members, now = roster.read(here.root), datetime.now(UTC)
    done, refused = delivering.deliver(
        hosting, here, members, assignments, now, dry_run=dry_run, changed=changed, told=told
    )
    for sentence in refused[:MOST_REFUSED]:
        say(sentence, err=True)
    new = sum(bool(each.done) for each in done)
    would = "would be " if dry_run else ""
    say(
        messages.DELIVER_SUMMARY.format(
            changed=new, would=would, same=len(done) - new, refused=len(refused)
        )
    )
    if failed or refused:
        sys.exit(EXIT_FAILED)


@click.command()
@click.argument("way", type=click.Choice(["pull", "push"]))
def store(way: str) -> None:
    """Keep results and submissions in the marks repository.

    `pull` brings results/ and submitted/ up to date from there, `push` does that and then writes
    what is new here: attempts that were collected, their results, the ledger. Nothing is taken
    away, and nothing is pushed over what somebody else has pushed. Exits 1 where a result was
    refused, as `deliver` would refuse it.

    Example: autogradient store pull
    """
    from autogradient.course import config
    from autogradient.github import marks_repository, messages, settings
    from autogradient.github.client import GitHubClient

    here = config.find()
    place = settings.load(here.root)
    kept = marks_repository.Store(
        GitHubClient(place, marks_repository.PERMISSIONS, (place.marks,)), here
    )
    done = kept.pull() if way == "pull" else kept.push()
    for sentence in [*done.remarks, *done.refused[:MOST_REFUSED]]:
        say(sentence, err=True)
    others = sum(not ("/attempts/" in path or "/attempt-" in path) for path in done.pushed)
    if way == "pull":
        say(messages.STORE_PULLED.format(count=done.pulled))
    elif done.pushed:
        say(
            messages.STORE_PUSHED.format(
                results=done.results,
                attempts=done.attempts,
                others=others,
                repository=kept.repository,
            )
        )
    else:
        say(messages.STORE_NOTHING.format(repository=kept.repository))
    if done.refused:
        sys.exit(EXIT_FAILED)


COMMANDS = (publish, enrol, collect, plan, merge, deliver, store)
