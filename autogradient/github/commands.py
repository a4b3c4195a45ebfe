"""The commands that have to do with GitHub: one thin function for each, as in `cli`."""

from __future__ import annotations

import sys

import click

from autogradient import errors

EXIT_FAILED = 1


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def enrol(dry_run: bool) -> None:
    """Make a repository for each student or team.

    Each of the roster gets a private repository made from the release repository, access to it, and the standing pull request 'Feedback'. Run again
    after a change of the roster, it does only what is missing. Exits 1 if something could not be done.

    Example: autogradient enrol --dry-run
    """
    from autogradient import course
    from autogradient.github import enrol as enrolling
    from autogradient.github import roster, settings
    from autogradient.github.client import Hub

    root = course.find().root
    failed = []

    def told(enrolled: enrolling.Enrolled) -> None:
        if enrolled.done:
            click.echo(f"{enrolled.repository}: {'would ' if dry_run else ''}{', '.join(enrolled.done)}")
        for problem in enrolled.problems:
            click.echo(problem, err=True)
        failed.extend(enrolled.problems)

    groups = roster.groups(roster.read(root))
    done = enrolling.enrol(Hub(settings.load(root), enrolling.PERMISSIONS), groups, dry_run=dry_run, told=told)
    changed = sum(bool(each.done) for each in done)
    click.echo(errors.ENROL_SUMMARY.format(changed=changed, would="would be " if dry_run else "", same=len(done) - changed))
    if failed:
        sys.exit(EXIT_FAILED)


COMMANDS = (enrol,)
