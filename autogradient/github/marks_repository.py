"""The marks repository: results, the ledger and what was collected, kept where no machine that
grades can write.

What lies here and what is kept there are brought together file by file: of two versions of a result
the newer one stands, the lines of both ledgers are kept, an attempt is never changed. Nothing is
ever taken away, and nothing is pushed over what somebody else has pushed.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from autogradient import errors
from autogradient.course.config import Course
from autogradient.coursework import shards
from autogradient.errors import CourseError, GitError
from autogradient.github import attempt_folders, messages
from autogradient.github.attempt_folders import RECEIPT, iso
from autogradient.github.check_results import accept, collected
from autogradient.github.deliver import MEMORY
from autogradient.github.git import Bare, Entry
from autogradient.github.hosting import Hosting
from autogradient.github.read_commit import FILE_MODES
from autogradient.github.settings import CONFIG, MAIN
from autogradient.grading import results_folder
from autogradient.model.files import write_atomically
from autogradient.model.result import Result

#: What an App has to be allowed for this, in the one repository.
PERMISSIONS = {"contents": "write", "metadata": "read"}
#: How often a push is tried while others push; files that are listed; files that are held at once.
TRIES, MOST_FILES, AT_ONCE = 5, 500_000, 100
LEDGER, REMEMBERED = "results/ledger.jsonl", f"results/{MEMORY}"
_STUDENT, _ASSIGNMENT, _NUMBER = r"[^\W_][\w.@+-]{0,127}", r"[A-Za-z0-9][\w.-]*", r"[1-9]\d{0,8}"
_ATTEMPT = re.compile(
    rf"submitted/(?P<student>{_STUDENT})/(?P<assignment>{_ASSIGNMENT})/attempt-(?P<number>{_NUMBER})/(?P<file>[^/]+\.ipynb|receipt\.json|timestamp\.txt)"
)
_SEEN = re.compile(rf"submitted/{_STUDENT}/\.collected\.json")
_RESULT = re.compile(
    rf"results/(?P<assignment>{_ASSIGNMENT})/attempts/(?P<student>{_STUDENT})/(?P<number>{_NUMBER})\.json"
)
_STAFF = re.compile(rf"results/{_ASSIGNMENT}/attempts/{_STUDENT}/{_NUMBER}\.staff\.json")


@dataclass
class Stored:
    """What came of it: how many files are other ones here, what was written there, and what is to
    be said.
    """

    pulled: int = 0
    pushed: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    #: Results that are not believed, and so not kept.
    refused: list[str] = field(default_factory=list)

    @property
    def results(self) -> int:
        """How many results were written."""
        return sum(bool(_RESULT.fullmatch(path)) for path in self.pushed)

    @property
    def attempts(self) -> int:
        """How many attempts were written."""
        return len({PurePosixPath(path).parent for path in self.pushed if _ATTEMPT.fullmatch(path)})


class Store:
    """The marks repository of a course. Raises CourseError where the settings name none."""

    def __init__(self, hosting: Hosting, course: Course) -> None:
        if not hosting.settings.marks:
            raise CourseError(messages.STORE_NO_NAME.format(file=CONFIG.as_posix()))
        self.hosting, self.course = hosting, course
        self.repository = f"{hosting.settings.organization}/{hosting.settings.marks}"

    def pull(self) -> Stored:
        """Bring what is kept into results/ and submitted/. Raises CourseError, GitHubError,
        GitError.
        """
        done = Stored()
        with self._open() as (git, url):
            self._bring(git, url, self._fetch(git, url)[1], done)
        return done

    def push(self) -> Stored:
        """Keep what is new here, after what is new there was brought here. Of results only those
        that `deliver` would believe. Raises as `pull` does.
        """
        done = Stored()
        with self._open() as (git, url):
            for left in reversed(range(TRIES)):
                parent, there = self._fetch(git, url)
                self._bring(git, url, there, done)
                done.refused = []
                files = self._new(git, url, there, done)
                if not files:
                    return done
                done.pushed = sorted(files)
                message = messages.STORE_MESSAGE.format(
                    results=done.results, attempts=done.attempts
                )
                commit = git.write_commit(
                    git.change_tree(parent, files),
                    [parent] if parent else [],
                    message,
                    iso(datetime.now(UTC)),
                )
                try:
                    git.push(url, {MAIN: commit})
                    return done
                except GitError as error:  # as where somebody was quicker
                    done.pushed = []
                    if not left:
                        raise GitError(
                            messages.STORE_OCCUPIED.format(
                                repository=self.repository, problem=error
                            )
                        ) from None
        raise AssertionError("not reached")

    # ---- there -----------------------------------------------------------------------------------

    @contextmanager
    def _open(self) -> Iterator[tuple[Bare, str]]:
        self._check()
        url = self.hosting.settings.url(self.repository)
        with Bare(
            secrets=self.hosting.git_configuration(url), local=url.startswith("file:")
        ) as git:
            yield git, url

    def _check(self) -> None:
        found = self.hosting.repository(self.repository)
        if found is None:
            raise CourseError(messages.STORE_NO_REPOSITORY.format(repository=self.repository))
        if not found.is_private:
            raise CourseError(messages.STORE_PUBLIC.format(repository=self.repository))

    def _fetch(self, git: Bare, url: str) -> tuple[str, dict[str, Entry]]:
        """The last commit ("" where there is none) and what is kept, by path; what is not of our
        making is left alone.
        """
        if MAIN not in git.refs(url):
            return "", {}
        git.fetch(url, f"refs/heads/{MAIN}", "refs/store", files=False)
        entries, complete = git.entries("refs/store", MOST_FILES)
        if not complete:
            raise CourseError(
                messages.STORE_TOO_MANY.format(repository=self.repository, limit=MOST_FILES)
            )
        plain = (entry for entry in entries if entry.mode in FILE_MODES)
        return git.commit("refs/store"), {
            path: entry
            for entry in plain
            if _is_kept(path := entry.path.decode("utf-8", "replace"))
        }

    # ---- from there to here ----------------------------------------------------------------------

    def _bring(self, git: Bare, url: str, there: dict[str, Entry], done: Stored) -> None:
        differing = [
            (path, entry) for path, entry in there.items() if _oid(self._here(path)) != entry.oid
        ]
        attempts = [(path, entry) for path, entry in differing if _ATTEMPT.fullmatch(path)]
        folders = {str(PurePosixPath(path).parent) for path, _ in attempts}
        whole = [
            (path, entry)
            for path, entry in there.items()
            if str(PurePosixPath(path).parent) in folders
        ]
        for folder, files in groupby(
            _contents(git, url, whole), key=lambda one: str(PurePosixPath(one[0]).parent)
        ):
            self._bring_attempt(
                folder, {PurePosixPath(path).name: data for path, data in files}, there, done
            )
        both = {
            path for path, _ in differing if _RESULT.fullmatch(path) and self._here(path).exists()
        }
        with tempfile.TemporaryDirectory(prefix="autogradient-results-") as place:
            for path, data in _contents(
                git, url, [one for one in differing if not _ATTEMPT.fullmatch(one[0])]
            ):
                here = self._here(path)
                if path == LEDGER:
                    done.pulled += _write(
                        here, _all_lines(data, here.read_bytes() if here.exists() else b"")
                    )
                elif path == REMEMBERED:
                    done.pulled += _write(
                        here, _both(data, here.read_bytes() if here.exists() else b"{}")
                    )
                elif path.replace(".staff.json", ".json") in both:
                    write_atomically(Path(place, *PurePosixPath(path).parts[1:]), data)
                elif not here.exists():
                    done.pulled += _write(here, data)
            if both:
                done.pulled += shards.merge(self.course, [Path(place)])[0]

    def _bring_attempt(
        self, folder: str, files: dict[str, bytes], there: dict[str, Entry], done: Stored
    ) -> None:
        """An attempt as it is kept. Another one of the same number that lies here gets the next
        number, unless it is kept already.
        """
        target = self.course.root / folder
        if target.exists():
            _, student, assignment, name = PurePosixPath(folder).parts
            number = int(name.removeprefix("attempt-"))
            mine, kept = _receipt(target / RECEIPT), _said(files.get(RECEIPT, b""))
            if mine == kept:
                shutil.rmtree(target)
            else:
                numbers = [
                    int(found["number"])
                    for path in there
                    if (found := _ATTEMPT.fullmatch(path))
                    and (found["student"], found["assignment"]) == (student, assignment)
                ]
                new = max([*numbers, *attempt_folders.attempts(target.parent)]) + 1
                target.rename(target.parent / f"attempt-{new}")
                result = results_folder.result_path(
                    self.course.results, assignment, student, number
                )
                for path in (result, result.with_suffix(".staff.json")):
                    path.unlink(missing_ok=True)  # it says another number; it is graded again
                done.remarks.append(
                    messages.STORE_MOVED.format(
                        student=student, number=number, assignment=assignment, new=new
                    )
                )
        attempt_folders.place(target, files)
        done.pulled += len(files)

    # ---- from here to there ----------------------------------------------------------------------

    def _new(
        self, git: Bare, url: str, there: dict[str, Entry], done: Stored
    ) -> dict[str, bytes | Path | None]:
        """What is to be written there."""
        found: dict[str, bytes | Path | None] = {}
        results: list[str] = []
        for path in self._ours():
            if path not in there or there[path].oid != _oid(self._here(path)):
                if _RESULT.fullmatch(path):
                    results.append(path)
                elif not _STAFF.fullmatch(path):
                    found[path] = self._here(path)
        kept = dict(_contents(git, url, [(path, there[path]) for path in results if path in there]))
        for path, result in self._believed(results, done):
            if path not in kept or shards.said(Result.from_json(kept[path])) != shards.said(result):
                found[path] = result.to_json().encode()
                staff = path.removesuffix(".json") + ".staff.json"
                if self._here(staff).is_file():
                    found[staff] = self._here(staff)
        return found

    def _believed(self, paths: list[str], done: Stored) -> Iterator[tuple[str, Result]]:
        """Of some results here those that `deliver` believes, as it believes them."""
        wanted: dict[str, list[str]] = {}
        for path in paths:
            found = _RESULT.fullmatch(path)
            if found and found["assignment"] in self.course.names():
                wanted.setdefault(found["assignment"], []).append(path)
        # who has left keeps what was graded
        students = {*self.course.roster(), *collected(self.course)}
        accepted = (
            accept(self.course, [self.course.assignment(name) for name in wanted], students)
            if wanted
            else None
        )
        for name, several in wanted.items():
            assert accepted is not None
            by_number = {
                (student, result.submission.attempt): result
                for student, results in accepted.results[name].items()
                for result in results
            }
            for path in several:
                found = _RESULT.fullmatch(path)
                assert found is not None
                result = by_number.get((found["student"], int(found["number"])))
                if result is not None:
                    write_atomically(self._here(path), result.to_json())
                    yield path, result
                else:
                    start = f"{errors.relative(self._here(path))} "
                    done.refused += [
                        sentence for sentence in accepted.refused if sentence.startswith(start)
                    ]

    def _ours(self) -> Iterator[str]:
        """What lies here and is to be kept, in order."""
        for folder in (self.course.results, self.course.submitted):
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(self.course.root).as_posix()
                if _is_kept(name) and path.is_file() and not path.is_symlink():
                    yield name

    def _here(self, path: str) -> Path:
        return self.course.root / path


def _is_kept(path: str) -> bool:
    return path in (LEDGER, REMEMBERED) or any(
        pattern.fullmatch(path) for pattern in (_ATTEMPT, _SEEN, _RESULT, _STAFF)
    )


def _oid(path: Path) -> str:
    """git's id of a file; "" where there is none."""
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return ""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _contents(
    git: Bare, url: str, entries: Iterable[tuple[str, Entry]]
) -> Iterator[tuple[str, bytes]]:
    """Paths and contents, in the order of the paths; only these are fetched."""
    wanted = sorted(entries)
    if wanted:
        git.fetch_blobs(url, dict.fromkeys(entry.oid for _, entry in wanted))
    for some in _some(wanted):
        for (path, _), data in zip(some, git.blobs([entry.oid for _, entry in some]), strict=True):
            if data is not None:
                yield path, data


def _some(entries: list[tuple[str, Entry]]) -> Iterator[list[tuple[str, Entry]]]:
    """So many at once that memory has room for them."""
    for start in range(0, len(entries), AT_ONCE):
        yield entries[start : start + AT_ONCE]


def _write(path: Path, data: bytes) -> int:
    """Write a file; how many files have changed."""
    with suppress(FileNotFoundError):
        if path.read_bytes() == data:
            return 0
    write_atomically(path, data)
    return 1


def _all_lines(there: bytes, here: bytes) -> bytes:
    """The lines of two ledgers: those that are kept there, then those that are here alone."""
    lines = [line for line in there.split(b"\n") if line]
    left = Counter(lines)
    for line in here.split(b"\n"):
        if left[line] > 0:
            left[line] -= 1
        elif line:
            lines.append(line)
    return b"".join(line + b"\n" for line in lines)


def _both(there: bytes, here: bytes) -> bytes:
    """What is remembered there and here, as JSON."""
    return (json.dumps({**_read(there), **_read(here)}, indent=0, sort_keys=True) + "\n").encode()


def _read(data: bytes) -> dict[str, Any]:
    with suppress(ValueError):
        found = json.loads(data)
        return found if isinstance(found, dict) else {}
    return {}


def _said(receipt: bytes) -> tuple[object, object]:
    """What tells an attempt from others."""
    found = _read(receipt)
    return found.get("digest"), found.get("commit")


def _receipt(path: Path) -> tuple[object, object]:
    return _said(path.read_bytes() if path.is_file() else b"")
