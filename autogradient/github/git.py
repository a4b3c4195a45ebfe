"""Bare repositories, and a git that does nothing but move and read objects.

No work tree is ever checked out, so nothing of a student's is a file here: no link is followed, no
filter, hook or submodule is run. Neither the user's configuration nor the machine's is read; only
the protocols named here are spoken; every object that comes in is checked; and everything ends in
time.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from autogradient import errors
from autogradient.errors import GitError
from autogradient.grading.read_notebook import MAX_MB

#: Seconds that git may take, bytes that it may write into one file, entries and bytes of a listing
#: that are read.
SECONDS, MAX_PACK, MAX_ENTRIES, MAX_LISTING = 180, 1_000_000_000, 20_000, 16_000_000
#: What goes on from our own environment: where programs are, and how the network is reached.
PASSED_ON = (
    "PATH",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
)
CONFIG = {
    "core.hooksPath": os.devnull,
    "core.symlinks": "false",
    "core.fsmonitor": "false",
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "fetch.writeCommitGraph": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "http.followRedirects": "false",
    "pack.threads": "1",
    "protocol.allow": "never",
    "protocol.https.allow": "always",
    "transfer.fsckObjects": "true",
    # Old tools write these, and they harm nobody.
    "fetch.fsck.zeroPaddedFilemode": "warn",
    "fetch.fsck.missingSpaceBeforeDate": "warn",
    "fetch.fsck.badTimezone": "warn",
}
#: What stands for files that are not fetched because they are too large to be read.
FILTER, NO_FILES = f"--filter=blob:limit={MAX_MB * 1_000_000 + 1}", "--filter=blob:none"
#: Who makes commits here.
NAME, EMAIL = "Autogradient", "autogradient@localhost"


@dataclass(frozen=True)
class Entry:
    """A line of a tree: mode, type, object id, size (None where it is not here) and the path's
    bytes.
    """

    mode: str
    kind: str
    oid: str
    size: int | None
    path: bytes


@dataclass
class Bare:
    """A bare repository in a temporary folder, which goes when it is left. `secrets` is
    configuration that nobody else may see.
    """

    secrets: Mapping[str, str] = field(default_factory=dict)
    local: bool = False
    folder: Path = field(init=False)

    def __enter__(self) -> Bare:
        self.folder = Path(tempfile.mkdtemp(prefix="autogradient-git-"))
        try:
            self.run(
                "init",
                "--quiet",
                "--bare",
                "--template=",
                str(self.folder / "repository"),
                inside=False,
            )
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Everything that git gets to know."""
        config = {
            **CONFIG,
            **({"protocol.file.allow": "always"} if self.local else {}),
            **self.secrets,
        }
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        environment |= {
            "HOME": str(self.folder),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "false",
            "GIT_SSH_COMMAND": "false",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_CONFIG_COUNT": str(len(config)),
        }
        for number, (key, value) in enumerate(config.items()):
            environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return environment | dict(more or {})

    def command(self, *arguments: str, inside: bool = True) -> list[str]:
        """git's command line."""
        return [
            "git",
            *(["--git-dir", str(self.folder / "repository")] if inside else []),
            *arguments,
        ]

    def run(
        self,
        *arguments: str,
        data: bytes = b"",
        inside: bool = True,
        more: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
    ) -> bytes:
        """Run git. Raises GitError with what it said, or that it took too long."""
        try:
            process = subprocess.Popen(
                self.command(*arguments, inside=inside),
                env=self.environment(more),
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                preexec_fn=_bound,
            )
        except FileNotFoundError:
            raise GitError(errors.NO_GIT) from None
        with process:
            try:
                out, said = process.communicate(data, timeout=seconds)
            except subprocess.TimeoutExpired:
                raise GitError(
                    errors.GIT_TOO_LONG.format(what=arguments[0], seconds=seconds)
                ) from None
            finally:
                _end(process)
        if process.returncode:
            raise GitError(
                errors.GIT_FAILED.format(what=arguments[0], said=_said(said, process.returncode))
            )
        return out

    # ---- coming in and going out -----------------------------------------------------------------

    def fetch(
        self, url: str, what: str, ref: str, *, whole: bool = False, files: bool = True
    ) -> None:
        """Fetch a commit or ref of another repository into `ref`: all of its history, or that
        commit alone and of its files those that would be read, or none.
        """
        narrow = [] if whole else ["--depth=1", FILTER if files else NO_FILES]
        self._fetch(*narrow, "--", url, f"+{what}:{ref}")

    def fetch_blobs(self, url: str, oids: Iterable[str]) -> None:
        """Fetch the contents of files by their ids, from where a commit was fetched
        without them.
        """
        secrets = self.secrets
        # so does git when it fetches what a filter left out
        there = {"url": url, "promisor": "true", "partialclonefilter": "blob:none"}
        self.secrets = {
            **secrets,
            "fetch.negotiationAlgorithm": "noop",
            **{f"remote.there.{key}": value for key, value in there.items()},
        }
        try:
            self._fetch(
                NO_FILES,
                "--stdin",
                "--",
                "there",
                data="".join(f"{oid}\n" for oid in oids).encode(),
            )
        finally:
            self.secrets = secrets

    def _fetch(self, *arguments: str, data: bytes = b"") -> None:
        self.run(
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            *arguments,
            data=data,
        )
        # Else git would ask for what the filter left out as soon as it is looked at.
        (self.folder / "repository" / "config").write_text(
            "[core]\n\trepositoryformatversion = 0\n\tbare = true\n", encoding="utf-8"
        )

    def fetch_history(self, url: str, commits: Mapping[str, str]) -> None:
        """Fetch what some commits (ref here → id there) come after, without their files: enough to
        ask who came before whom.
        """
        self._fetch(
            "--filter=tree:0", "--", url, *(f"+{oid}:{ref}" for ref, oid in commits.items())
        )

    def refs(self, url: str) -> dict[str, str]:
        """The branches of another repository: name → commit."""
        lines = (
            self.run("ls-remote", "--refs", "--", url, "refs/heads/*")
            .decode("utf-8", "replace")
            .splitlines()
        )
        return {
            ref.removeprefix("refs/heads/"): oid
            for oid, ref in (line.split("\t", 1) for line in lines[:MAX_ENTRIES])
        }

    def push(self, url: str, refs: Mapping[str, str]) -> None:
        """Push commits to branches, all or none, and never over what is there already."""
        self.run(
            "push",
            "--quiet",
            "--atomic",
            "--no-verify",
            "--",
            url,
            *(f"{oid}:refs/heads/{branch}" for branch, oid in refs.items()),
        )

    # ---- reading ---------------------------------------------------------------------------------

    def commit(self, ref: str) -> str:
        """The commit that a ref stands for."""
        return (
            self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
            .decode()
            .strip()
        )

    def committer(self, ref: str) -> str:
        """The address in a commit. Whoever made it can write there what they like."""
        return (
            self.run("show", "-s", "--format=%ce", "--end-of-options", ref)
            .decode("utf-8", "replace")
            .strip()
        )

    def entries(self, commit: str, most: int = MAX_ENTRIES) -> tuple[list[Entry], bool]:
        """What is in a commit, and whether that is all of it: so many entries and so many bytes of
        them are read.
        """
        most_bytes = most * (MAX_LISTING // MAX_ENTRIES)
        process = subprocess.Popen(
            self.command(
                "ls-tree", "-r", "-z", "--long", "--full-tree", "--end-of-options", commit
            ),
            env=self.environment(),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        found: list[Entry] = []
        with process:
            try:
                assert process.stdout is not None
                text = process.stdout.read(most_bytes + 1)
                failed = len(text) <= most_bytes and process.wait(SECONDS)
            finally:
                _end(process)
        if failed:
            raise GitError(errors.GIT_FAILED.format(what="ls-tree", said=errors.GIT_DAMAGED))
        lines = text.split(b"\0")
        complete = len(text) <= most_bytes and len(lines) <= most + 1
        for line in lines[:-1][:most]:
            about, _, path = line.partition(b"\t")
            mode, kind, oid, size = about.decode("ascii", "replace").split()
            found.append(Entry(mode, kind, oid, int(size) if size.isdigit() else None, path))
        return found, complete

    def blobs(self, oids: list[str]) -> list[bytes | None]:
        """The contents of files by their ids; None for one that is not here. Whoever asks has seen
        to it that together they are not too large.
        """
        text = self.run(
            "cat-file", "--batch", "--buffer", data="".join(f"{oid}\n" for oid in oids).encode()
        )
        found: list[bytes | None] = []
        start = 0
        for _ in oids:
            end = text.index(b"\n", start)
            head = text[start:end].split()
            if len(head) != 3:  # "… missing"
                found.append(None)
                start = end + 1
                continue
            stop = end + 1 + int(head[2])
            found.append(text[end + 1 : stop] if head[1] == b"blob" else None)
            start = stop + 1
        return found

    # ---- writing ---------------------------------------------------------------------------------

    def change_tree(self, commit: str, files: Mapping[str, bytes | Path | None]) -> str:
        """The tree of a commit (of none, if "") with some files changed, as an object: nothing is
        written anywhere else.

        A file is its contents, or a path where they are; None takes it away.
        """
        index = {"GIT_INDEX_FILE": str(self.folder / "index")}
        (self.folder / "index").unlink(missing_ok=True)
        if commit:
            self.run("read-tree", commit, more=index)
        lines = []
        for path, data in sorted(files.items()):
            data = data.read_bytes() if isinstance(data, Path) else data
            oid = (
                "0" * 40
                if data is None
                else self.run("hash-object", "-w", "--stdin", data=data).decode().strip()
            )
            lines.append(f"{'0' if data is None else '100644'} {oid}\t{path}".encode())
        self.run(
            "update-index",
            "-z",
            "--add",
            "--index-info",
            data=b"\0".join([*lines, b""]),
            more=index,
        )
        # Files that were too large to be fetched stay as they are.
        return self.run("write-tree", "--missing-ok", more=index).decode().strip()

    def write_commit(self, tree: str, parents: list[str], message: str, date: str) -> str:
        """A commit of ours. With the same arguments it is the same commit."""
        who = {
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in (("NAME", NAME), ("EMAIL", EMAIL), ("DATE", date))
        }
        before = [word for parent in parents for word in ("-p", parent)]
        return (
            self.run("commit-tree", *before, "-F", "-", tree, data=message.encode(), more=who)
            .decode()
            .strip()
        )


def _bound() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_PACK, MAX_PACK))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End git and whatever it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def _said(stderr: bytes, code: int) -> str:
    """The first line in which git says what is wrong, fit to be printed."""
    lines = [
        line.strip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()
    ]
    line = next(
        (line for line in lines if line.startswith(("error:", "fatal:", "remote: fatal", "!"))),
        lines[0] if lines else f"exit code {code}",
    )
    return "".join(character if character.isprintable() else "?" for character in line)[:300]
