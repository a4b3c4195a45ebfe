"""The release repository: what students get, in small commits that say what changed for them.
Nothing unproved, stale or leaking, and never by force.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from autogradient.course.config import OWN, TEMPLATES, Course
from autogradient.coursework.release_course import check_release
from autogradient.errors import CourseError, GitError
from autogradient.github import messages
from autogradient.github.colab import badge, published
from autogradient.github.git import Bare
from autogradient.github.hosting import Hosting
from autogradient.github.settings import CONFIG, MAIN, Settings
from autogradient.model.assignment import Assignment
from autogradient.model.files import digest, write_atomically
from autogradient.model.result import decimal
from autogradient.proving.proofs import require_proof
from autogradient.sources.release import load, released_cells

#: What an App has to be allowed for this.
PERMISSIONS = {
    "administration": "write",
    "contents": "write",
    "workflows": "write",
    "metadata": "read",
}
#: One file for each assignment that is published: what the checks and this command know it by.
MANIFESTS = ".github/release/"
#: template → path in the repository
FILES = {
    "README.md": "README.md",
    "check.yml": ".github/workflows/check.yml",
    "check.py.txt": ".github/check.py",
    "requirements.txt": "requirements.txt",
    "environment.yml": "environment.yml",
    "devcontainer.json": ".devcontainer/devcontainer.json",
    "gitignore": ".gitignore",
}


@dataclass(frozen=True)
class Change:
    """One commit: what its message says, and the files it changes (None where one goes)."""

    message: str
    files: dict[str, bytes | None]

    @property
    def subject(self) -> str:
        """The message's first line."""
        return self.message.split("\n", 1)[0]


def check(course: Course, assignments: list[Assignment]) -> None:
    """Raise LeakError, ProofError or StaleError where an assignment must not be published."""
    for assignment in assignments:
        check_release(course, assignment)
        require_proof(assignment)


def changes(
    course: Course,
    assignments: list[Assignment],
    present: Mapping[str, bytes],
    settings: Settings | None = None,
) -> list[Change]:
    """What is to be changed in a repository that holds `present`, commit by commit; nothing where
    it is as it should be.
    """
    out = []
    manifests = {path: data for path, data in present.items() if path.startswith(MANIFESTS)}
    manifests |= {
        f"{MANIFESTS}{assignment.name}.json": manifest(assignment, settings)
        for assignment in assignments
    }
    order = course.names()
    known = sorted(
        (json.loads(data) for data in manifests.values()),
        key=lambda about: order.index(about["name"]) if about["name"] in order else len(order),
    )
    wanted = course_files(course, known, settings)
    files = _differing(wanted, present, [])
    if files:
        out.append(Change(messages.PUBLISH_COURSE.format(files=", ".join(sorted(files))), files))
    for assignment in assignments:
        name = assignment.name
        built = published(assignment, settings)
        wanted = {f"{name}/{path}": data for path, data in built.files.items()} | {
            f"{MANIFESTS}{name}.json": manifests[f"{MANIFESTS}{name}.json"]
        }
        files = _differing(
            wanted, present, [path for path in present if path.startswith(f"{name}/")]
        )
        if files:
            old = present.get(f"{name}/{name}.ipynb")
            out.append(
                Change(
                    _message(
                        assignment,
                        old,
                        load(built),
                        sorted(path for path in files if path.startswith(f"{name}/")),
                    ),
                    files,
                )
            )
    return out


def manifest(assignment: Assignment, settings: Settings | None = None) -> bytes:
    """What the repository knows of an assignment: title, time, points, and digests by which
    untouched answers are known.
    """
    cells = released_cells(assignment)
    about: dict[str, Any] = {
        "name": assignment.name,
        "title": assignment.title,
        "minutes": assignment.minutes,
        "questions": len(assignment.questions),
        "points": decimal(
            sum(
                (question.points for question in assignment.questions if not question.optional),
                start=Fraction(0),
            )
        ),
        "notebook": _hex(published(assignment, settings).notebook),
        "checks": [cell.target for cell in cells if cell.role == "check"],
        "answers": {
            cell.grade_id: _hex(cell.source.strip().encode())
            for cell in cells
            if cell.role == "answer"
        },
    }
    return (json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode()


def course_files(
    course: Course, known: list[dict[str, Any]], settings: Settings | None = None
) -> dict[str, bytes]:
    """The files that belong to no assignment. The course's own stand for ours."""
    files = {path: (TEMPLATES / name).read_bytes() for name, path in FILES.items()}
    rows = [
        (
            f"| [{about['title']}]({about['name']}/{about['name']}.ipynb) | "
            f"{about['questions']} | {about['points']:g} | {about['minutes']:g} |"
        )
        for about in known
    ]
    table = "\n".join(["| assignment | questions | points | minutes |", "|---|---|---|---|", *rows])
    if settings is not None and settings.colab:
        badges = (f"{about['title']}: {badge(about['name'], settings)}" for about in known)
        table += "\n\n" + "\n\n".join([*badges, messages.README_COLAB])
    readme = files["README.md"].decode()
    limit = course.policy.attempts_per_day
    said = messages.README_LIMIT.format(count=limit, zone=course.policy.timezone) if limit else ""
    files["README.md"] = (
        readme.replace("{course}", course.name)
        .replace("{table}", table)
        .replace("{limit}", said)
        .encode()
    )
    own = course.root / OWN
    for path in sorted(own.rglob("*")):
        if path.is_file() and not path.is_symlink():
            files[path.relative_to(own).as_posix()] = path.read_bytes()
    return files


def _differing(
    wanted: Mapping[str, bytes], present: Mapping[str, bytes], ours: list[str]
) -> dict[str, bytes | None]:
    changed: dict[str, bytes | None] = {
        path: data for path, data in wanted.items() if present.get(path) != data
    }
    return changed | {path: None for path in ours if path not in wanted}


def _message(
    assignment: Assignment, old: bytes | None, new: dict[str, Any], paths: list[str]
) -> str:
    """What changed for a student: the questions whose cells are other ones now, and the files."""
    if old is None:
        return messages.PUBLISH_NEW.format(
            title=assignment.title, name=assignment.name, questions=len(assignment.questions)
        )
    try:
        before = _cells(json.loads(old))
    except (ValueError, AttributeError, TypeError):
        before = {}
    after = _cells(new)
    cells = [
        grade_id
        for grade_id in dict.fromkeys([*after, *before])
        if before.get(grade_id) != after.get(grade_id)
    ]
    lines = [messages.PUBLISH_CHANGED.format(title=assignment.title, name=assignment.name), ""]
    lines += [messages.PUBLISH_CELLS.format(cells=", ".join(cells))] if cells else []
    return "\n".join([*lines, messages.PUBLISH_FILES.format(files=", ".join(paths))]) + "\n"


def _cells(notebook: dict[str, Any]) -> dict[str, str]:
    return {
        str(cell["metadata"].get("nbgrader", {}).get("grade_id", cell.get("id", ""))): str(
            cell["source"]
        )
        for cell in notebook["cells"]
    }


def _hex(data: bytes) -> str:
    return digest(data).removeprefix("sha256:")


# ---- where to ------------------------------------------------------------------------------------


def to_github(
    hosting: Hosting,
    course: Course,
    assignments: list[Assignment],
    *,
    dry_run: bool = False,
    told: Callable[[str], None] = lambda _: None,
) -> list[Change]:
    """Publish to the release repository on GitHub, which is made where there is none; `told` hears
    of that. A rehearsal only says what would be changed.
    """
    settings = hosting.settings
    full_name = f"{settings.organization}/{settings.release}"
    if hosting.repository(full_name) is None:
        check(course, assignments)
        told(f"{full_name}: {'would ' if dry_run else ''}{messages.ENROL_REPOSITORY}")
        if dry_run:
            return changes(course, assignments, {})
    hosting.make_repository(full_name, messages.PUBLISH_DESCRIPTION.format(course=course.name))
    if settings.colab:
        repository = hosting.repository(full_name)
        if repository is None or not repository.is_public:
            raise CourseError(messages.COLAB_PRIVATE.format(file=CONFIG, repository=full_name))
    url = settings.url(full_name)
    return to_repository(
        url, course, assignments, hosting.git_configuration(url), settings, dry_run=dry_run
    )


def to_repository(
    url: str,
    course: Course,
    assignments: list[Assignment],
    secrets: Mapping[str, str] | None = None,
    settings: Settings | None = None,
    *,
    dry_run: bool = False,
) -> list[Change]:
    """Publish to a repository's branch `main`, a commit for each change, on top of what
    is there.
    """
    check(course, assignments)
    with Bare(secrets=secrets or {}, local=url.startswith("file:")) as git:
        parent, present = "", {}
        if MAIN in git.refs(url):
            git.fetch(url, f"refs/heads/{MAIN}", "refs/release", whole=True)
            parent = git.commit("refs/release")
            present = _present(git, parent)
        todo = changes(course, assignments, present, settings)
        if dry_run:
            return todo
        for change in todo:
            tree = git.change_tree(parent, change.files)
            parent = git.write_commit(
                tree,
                [parent] if parent else [],
                change.message,
                datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            )
        if todo:
            try:
                git.push(url, {MAIN: parent})
            except GitError as error:
                raise GitError(messages.PUBLISH_REFUSED.format(url=url, problem=error)) from None
    return todo


def _present(git: Bare, commit: str) -> dict[str, bytes]:
    entries, complete = git.entries(commit)
    if not complete:
        raise CourseError(messages.PUBLISH_TOO_MANY)
    plain = [entry for entry in entries if entry.kind == "blob"]
    contents = git.blobs([entry.oid for entry in plain]) if plain else []
    return {
        entry.path.decode("utf-8", "replace"): data or b""
        for entry, data in zip(plain, contents, strict=True)
    }


def to_folder(
    folder: Path,
    course: Course,
    assignments: list[Assignment],
    settings: Settings | None = None,
    *,
    dry_run: bool = False,
) -> list[Change]:
    """Write the files into a folder, for whoever publishes them by other means. What is not ours is
    left alone.
    """
    check(course, assignments)
    paths = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and ".git" not in path.relative_to(folder).parts
    ]
    todo = changes(
        course,
        assignments,
        {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths},
        settings,
    )
    for change in [] if dry_run else todo:
        for path, data in change.files.items():
            target = folder / path
            if not target.resolve().is_relative_to(folder.resolve()):
                raise CourseError(messages.PUBLISH_OUTSIDE.format(path=path, folder=folder))
            if data is None:
                target.unlink()
            else:
                write_atomically(target, data)
    return todo
