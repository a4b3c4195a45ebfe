"""What lies in submitted/ is graded or named, whatever it is called and whoever wrote the name of
its folder.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import homework
import pytest
from packed import tarred, zipped

from autogradient.course import config
from autogradient.course.config import checked_student
from autogradient.course.ledger import Excuse
from autogradient.coursework import decide
from autogradient.coursework.stray_files import stray_files
from autogradient.errors import SubmissionError
from autogradient.grading import find_submissions
from autogradient.grading.read_notebook import read_file, read_notebook
from autogradient.model.assignment import Assignment


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A course with one assignment."""
    (tmp_path / "source").mkdir()
    homework.assignment(tmp_path / "source")
    (tmp_path / "grader_config").mkdir()
    (tmp_path / "grader_config" / "course.toml").write_text(
        'format = 1\ntimezone = "America/Chicago"\n'
    )
    return tmp_path


@pytest.fixture
def small(root: Path) -> Assignment:
    """The assignment."""
    return homework.assignment(root / "source")


@pytest.fixture
def put(root: Path) -> Callable[..., Path]:
    """Hand a file in."""

    def run(path: str, data: bytes) -> Path:
        place = root / "submitted" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        return place

    return run


def said(root: Path) -> list[str]:
    """What `grade --all` says about what is not graded."""
    return [sentence.replace(f"{root}/", "") for sentence in stray_files(config.load(root))]


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("SMALL.IPYNB", bytes),
        ("small.Ipynb", bytes),
        ("small.json", bytes),
        ("small.ipynb.txt", bytes),
        ("work.zip", lambda data: zipped({"a\\small.ipynb": data, "data.csv": b"1"})),
        ("work.tgz", lambda data: tarred({"deep/small.json": data})),
        ("small.ipynb", lambda data: zipped({"small.ipynb": data})),
    ],
)
def test_a_notebook_is_found_under_any_name(
    root: Path,
    small: Assignment,
    put: Callable[..., Path],
    name: str,
    pack: Callable[[bytes], bytes],
) -> None:
    data = homework.Notebook(small).bytes()
    put(f"ada/small/{name}", pack(data))
    (item,) = find_submissions.submissions(root / "submitted", [small])
    assert read_file(item.path) == data and said(root) == []


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("small.pdf", b"%PDF-1.4"),
        ("small.rar", b"Rar!\x1a\x07"),
        ("w.zip", zipped({"a.csv": b"1"})),
        ("notes.txt", b"x"),
    ],
)
def test_what_is_none_counts_as_handed_in_and_is_named(
    root: Path, small: Assignment, put: Callable[..., Path], name: str, data: bytes
) -> None:
    put(f"ada/small/{name}", data)
    (item,) = find_submissions.submissions(root / "submitted", [small])
    with pytest.raises(SubmissionError):
        read_notebook(read_file(item.path), item.path.name)
    (sentence,) = said(root)
    assert (
        sentence.startswith(f"submitted/ada/small/{name}")
        and "was left out" in sentence
        and ("hand in" in sentence or "unpack" in sentence)
    )


def test_links_to_others_are_named_and_not_followed(
    root: Path, small: Assignment, put: Callable[..., Path]
) -> None:
    put("ada/small/small.ipynb", homework.Notebook(small).bytes())
    for path, target in (
        ("bob", "ada"),
        ("cyd/small", "../ada/small"),
        ("dan/small/small.ipynb", "../../ada/small/small.ipynb"),
        ("eve/small/work", "../../ada/small"),
    ):
        place = root / "submitted" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)
    os.mkfifo(put("fay/small/x", b"").with_name("small.ipynb"))
    (root / "submitted/fay/small/x").unlink()
    assert [
        item.students for item in find_submissions.submissions(root / "submitted", [small])
    ] == [("ada",)]
    assert sorted(sentence.partition(" was left out: ")[0] for sentence in said(root)) == [
        "submitted/bob",
        "submitted/cyd/small",
        "submitted/dan/small/small.ipynb",
        "submitted/eve/small/work",
        "submitted/fay/small/small.ipynb",
    ]


def test_files_where_students_should_be_are_named(root: Path, put: Callable[..., Path]) -> None:
    for path in ("week.zip", "ada/LAB.IPYNB", "ada/small.json", "bob/smal/x.ipynb"):
        put(path, b"{}")
    assert [sentence.partition(":")[0] for sentence in said(root)] == [
        "submitted/week.zip",
        "submitted/ada/LAB.IPYNB",
        "submitted/ada/small.json",
        "submitted/bob/smal",
    ]


@pytest.mark.parametrize("name", ["jörg", "김민준", "Zoë", "李雷"])
def test_a_name_is_the_same_however_its_letters_are_written(
    root: Path, small: Assignment, put: Callable[..., Path], name: str
) -> None:
    apart = unicodedata.normalize("NFD", name)
    put(f"{apart}/small/small.ipynb", homework.Notebook(small).bytes())
    (root / "grader_config" / "roster.csv").write_text(f"student\n{apart}\n", encoding="utf-8")
    here = config.load(root)
    (item,) = find_submissions.submissions(here.submitted, [small])
    assert item.students == (name,) and here.roster() == [name] and checked_student(apart) == name
    assert (
        decide.known(here, apart) == name
        and Excuse(student=apart, assignment="small", who="me").student == name
    )
    assert find_submissions.student_folder(here.submitted, name).name == apart
    if apart != name:
        put(f"{name}/small/small.ipynb", homework.Notebook(small).bytes())
        (sentence,) = said(root)
        assert sentence.startswith(
            f"submitted/{apart} was left out: it is the same student's folder as submitted/{name}"
        )
        assert len(list(find_submissions.submissions(here.submitted, [small]))) == 1


@pytest.mark.parametrize(
    ("stamp", "moment"),
    [
        (b"\xef\xbb\xbf2026-10-24 19:30:00 UTC\r\n", datetime(2026, 10, 24, 19, 30, tzinfo=UTC)),
        ("2026-10-24 19:30:00 UTC".encode("utf-16"), datetime(2026, 10, 24, 19, 30, tzinfo=UTC)),
        (b"2026-10-24 19:30:00 CEST", datetime(2026, 10, 24, 17, 30, tzinfo=UTC)),
        (b"2026-10-24 07:30:00 PM", datetime(2026, 10, 24, 19, 30, tzinfo=UTC)),
        (b"2026-10-24 07:30:00 PM EDT", datetime(2026, 10, 24, 23, 30, tzinfo=UTC)),
        # as in the course's own zone
        (b"2026-12-24 19:30:00 CST", datetime(2026, 12, 25, 1, 30, tzinfo=UTC)),
        (b"2026-10-24 19:30:00 BST", None),
        (b"9999-12-31 23:59:59 UTC", None),
        (b"0001-01-01 00:00:00 +1400", None),
        (b"10/11/2026 19:30", None),
        (b"yesterday", None),
    ],
)
def test_a_timestamp_is_read_right_or_said(
    root: Path, small: Assignment, put: Callable[..., Path], stamp: bytes, moment: datetime | None
) -> None:
    put("ada/small/small.ipynb", homework.Notebook(small).bytes())
    put("ada/small/timestamp.txt", stamp)
    zone = config.load(root).policy.zone
    (item,) = find_submissions.submissions(root / "submitted", [small], zone)
    assert item.received_at == (moment.isoformat(timespec="seconds") if moment else None)
    sentences = said(root)
    assert (
        sentences == []
        if moment
        else sentences[0].startswith(
            "submitted/ada/small/timestamp.txt: no time can be told for certain from"
        )
    )
