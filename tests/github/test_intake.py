"""Nothing that was handed in on a platform is lost: attempts, names, files of other
kinds, times.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import resource
import time
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path

import homework
import packed
import pytest
from commands import Ran
from packed import tarred

from autogradient.model.assignment import Assignment
from autogradient.sources import release

NAMES = (
    "student,name\nada,Ada Lovelace\njoerg,Jörg Müller\namo,Anne-Marie O'Neill\nmax1,Max "
    "Weber\nmax2,Max Weber\n"
)

#: A zip with the times that a platform gives its files.
zipped = partial(packed.zipped, when=(2026, 3, 4, 12, 30, 0))


@pytest.fixture
def root(course_root: Path) -> Path:
    """A course with one assignment, released, and a roster of names without logins."""
    assignment = homework.assignment(course_root / "source")
    release.write(release.build(assignment), course_root / "release" / "small")
    (course_root / "grader_config").mkdir(exist_ok=True)
    (course_root / "grader_config" / "course.toml").write_text("format = 1\n")
    (course_root / "grader_config" / "roster.csv").write_text(NAMES)
    return course_root


@pytest.fixture
def small(root: Path) -> Assignment:
    """The assignment."""
    return homework.assignment(root / "source")


@pytest.fixture
def good(small: Assignment) -> bytes:
    """A notebook with every answer."""
    return homework.Notebook(small).bytes()


@pytest.fixture
def other(good: bytes) -> bytes:
    """The same answers in other bytes."""
    return good + b"\n"


@pytest.fixture
def collect(root: Path, tmp_path: Path) -> Callable[..., Ran]:
    """Collect from a zip of some entries, by the command."""

    def run(
        entries: dict[str, bytes] | bytes,
        *options: str,
        when: tuple[int, ...] = (2026, 3, 4, 12, 30, 0),
    ) -> Ran:
        (tmp_path / "week.zip").write_bytes(
            entries if isinstance(entries, bytes) else zipped(entries, when=when)
        )
        return Ran(root, "collect", "--from", str(tmp_path / "week.zip"), *options)

    return run


def times(root: Path, student: str) -> list[str]:
    """When the attempts of a student came, by number."""
    folders = sorted(
        (root / "submitted" / student / "small").glob("attempt-*"),
        key=lambda path: int(path.name[8:]),
    )
    return [json.loads((folder / "receipt.json").read_text())["received"] for folder in folders]


# ---- attempts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        "Lab 1_ada_attempt_{}_small.ipynb",
        "ada/{}/small.ipynb",
        "Ada Lovelace_99_assignsubmission_file/{}_small.ipynb",
    ],
)
def test_each_attempt_of_a_student_is_one_with_its_time(
    root: Path, collect: Callable[..., Ran], good: bytes, other: bytes, form: str
) -> None:
    entries = {form.format("2026-10-13-18-10-01"): other, form.format("2026-10-12-18-58-01"): good}
    assert collect(entries).code == 0
    assert times(root, "ada") == ["2026-10-12T18:58:01Z", "2026-10-13T18:10:01Z"]
    assert "0 new" in collect(entries).out


def test_equal_bytes_are_one_attempt_and_two_of_one_second_are_both_said(
    root: Path, collect: Callable[..., Ran], good: bytes, other: bytes
) -> None:
    ran = collect(
        {
            "L_ada_attempt_2026-10-12-18-58-01_a.ipynb": good,
            "L_ada_attempt_2026-10-12-18-59-01_a.ipynb": good,
        }
    )
    assert (
        times(root, "ada") == ["2026-10-12T18:58:01Z"]
        and "18-59-01_a.ipynb is the same notebook as" in ran.err
    )
    ran = collect(
        {
            "L_joerg_attempt_2026-10-12-18-58-01_b.ipynb": other,
            "L_joerg_attempt_2026-10-12-18-58-01_a.ipynb": good,
        }
    )
    assert (
        len(times(root, "joerg")) == 2
        and "_a.ipynb and L_joerg_attempt_2026-10-12-18-58-01_b.ipynb came in the same second"
        in ran.err
    )
    assert (root / "submitted/joerg/small/attempt-2/small.ipynb").read_bytes() == other


def test_an_earlier_attempt_that_is_found_later_counts_from_its_own_time(
    root: Path, collect: Callable[..., Ran], good: bytes, other: bytes
) -> None:
    collect(
        {
            "L_ada_attempt_2026-10-12-10-00-00_a.ipynb": other,
            "L_ada_attempt_2026-10-13-10-00-00_a.ipynb": good,
        }
    )
    collect({"L_ada_attempt_2026-10-11-10-00-00_a.ipynb": good})
    assert times(root, "ada")[2] == "2026-10-11T10:00:00Z"


def test_without_a_time_an_attempt_has_none_where_others_have_one(
    root: Path, collect: Callable[..., Ran], good: bytes, other: bytes
) -> None:
    ran = collect({"L_ada_attempt_2026-10-12-18-58-01_a.ipynb": good, "ada/small.ipynb": other})
    assert (
        times(root, "ada") == ["", "2026-10-12T18:58:01Z"]
        and "nobody knows when ada/small.ipynb was handed in" in ran.err
    )
    assert not (root / "submitted/ada/small/attempt-1/timestamp.txt").exists()
    assert (
        "0 new"
        in collect(
            {"L_ada_attempt_2026-10-12-18-58-01_a.ipynb": good, "ada/small.ipynb": other}
        ).out
    )
    collect({"joerg/small.ipynb": good}, when=(1980, 1, 1, 0, 0, 0))
    assert times(root, "joerg") == [""]


def test_a_time_that_a_student_may_have_chosen_is_said(
    root: Path, collect: Callable[..., Ran], good: bytes
) -> None:
    ran = collect({"Ada Lovelace_9_assignsubmission_file/small_2026-10-12_18-58.ipynb": good})
    assert (
        "counts as handed in on 12 October 2026, 18:58 UTC, the time in its name, which the "
        "student may have chosen" in ran.err
    )


# ---- files of other kinds ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "small.ipynb.txt",
        "small.json",
        "SMALL.IPYNB",
        "small.txt",
        "small",
        "small.ipynb (1)",
        "a\\b\\small.ipynb",
        "small.ipynb.download",
    ],
)
def test_a_notebook_is_read_under_any_name(
    root: Path, collect: Callable[..., Ran], good: bytes, name: str
) -> None:
    ran = collect({f"ada/{name}" if "\\" not in name else f"ada\\{name}": good})
    assert (
        root / "submitted/ada/small/attempt-1/small.ipynb"
    ).read_bytes() == good and ran.err == ""


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("w.zip", lambda data: zipped({"x\\small.ipynb": data})),
        ("w.zip", lambda data: zipped({"v.zip": zipped({"u.zip": zipped({"small.json": data})})})),
        ("w.tar.gz", lambda data: tarred({"./x/small.ipynb": data})),
        ("w.tgz", lambda data: tarred({"small.ipynb.txt": data})),
        ("w.tar", lambda data: tarred({"small.ipynb": data}, "w")),
        ("w.tar.bz2", lambda data: tarred({"small.ipynb": data}, "w:bz2")),
        ("w.tar.xz", lambda data: tarred({"w.zip": zipped({"small.ipynb": data})}, "w:xz")),
        ("small.ipynb.gz", gzip.compress),
        ("small.ipynb", lambda data: zipped({"small.ipynb": data})),
    ],
)
def test_an_archive_is_read_where_it_holds_a_notebook(
    root: Path, collect: Callable[..., Ran], good: bytes, name: str, pack: Callable[[bytes], bytes]
) -> None:
    ran = collect({f"ada_17_99_{name}": pack(good)})
    assert (
        root / "submitted/ada/small/attempt-1/small.ipynb"
    ).read_bytes() == good and ran.err == ""


OTHERS = {
    "small.pdf": b"%PDF-1.7\n",
    "small.7z": b"7z\xbc\xaf\x27\x1c\x00",
    "small.rar": b"Rar!\x1a\x07\x01\x00",
    "small.tar.gz": b"x",
    "small.tgz": gzip.compress(b"no tar"),
    "small.docx": b"PK\x03\x04[Content_Types].xml",
    "small.html": b"<!DOCTYPE html><p>small",
    "small.json": b'{"answers": 3}',
    "small.py": b"print(3)",
    "empty.zip": zipped({}),
    "cut.zip": zipped({"small.ipynb": b"{}"})[:-30],
    "small": b"",
    "photo.heic": b"\x00\x00\x00\x18ftyp",
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_notebook_is_named_with_what_to_do(
    root: Path, collect: Callable[..., Ran], name: str
) -> None:
    ran = collect({f"Ada Lovelace_9_assignsubmission_file/{name}": OTHERS[name]})
    (line,) = ran.err.splitlines()
    assert line.startswith(f"ada: Ada Lovelace_9_assignsubmission_file/{name}") and (
        "hand" in line or "unpack" in line
    ), line


def test_what_lies_beside_a_notebook_is_one_sentence_and_platforms_records_none(
    root: Path, collect: Callable[..., Ran], good: bytes
) -> None:
    stem = "L_ada_attempt_2026-10-12-18-58-01"
    ran = collect(
        {
            f"{stem}_small.ipynb": good,
            f"{stem}.txt": b"Name: Ada",
            f"{stem}_a.csv": b"1",
            f"{stem}_b.png": b"2",
        }
    )
    assert ran.err.splitlines() == [
        f"ada: handed in beside the notebook and not read: {stem}_a.csv, {stem}_b.png"
    ]


def test_a_notebook_without_answers_is_said(
    root: Path, small: Assignment, collect: Callable[..., Ran]
) -> None:
    assert (
        "ada: ada/small.ipynb was left out: nothing in it is answered"
        in collect({"ada/small.ipynb": release.build(small).notebook}).err
    )


def encrypted(data: bytes) -> bytes:
    """A zip that says its files have a password."""
    out = bytearray(data)
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = out.find(sign)
        while at >= 0:
            out[at + place] |= 1
            at = out.find(sign, at + 4)
    return bytes(out)


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        (
            lambda: {
                "ada/w.zip": zipped({f"{number}.ipynb": b" " * 49_000_000 for number in range(6)})
            },
            "unpacks to more than 200 MB",
        ),
        (lambda: {"ada/w.gz": gzip.compress(bytes(10**9))}, "no notebook"),
        (
            lambda: {
                "ada/w.tar.bz2": bz2.compress(tarred({"a.ipynb": bytes(30_000_000)}, "w") * 12)
            },
            "",
        ),
        (
            lambda: {
                "ada/w.tar.xz": lzma.compress(
                    tarred({"big.bin": bytes(400_000_000)}, "w"), preset=0
                )
            },
            "unpacks to more than 200 MB",
        ),
        (
            lambda: {"ada/w.zip": encrypted(zipped({"small.ipynb": b"{}"}))},
            "it is encrypted; hand it in without a password",
        ),
        (
            lambda: {
                "ada/w.zip": zipped({f"{number:05}.ipynb": b"{}" for number in range(10_000)})
            },
            "and 9796 more were left out",
        ),
        (
            lambda: {f"ada/{number:05}.csv": b"1" for number in range(10_000)},
            "and 9996 more were left out",
        ),
        (
            lambda: {f"who{number}/small.ipynb": b"{}" for number in range(10_000)},
            "names nobody of the roster",
        ),
    ],
)
def test_bombs_passwords_and_ten_thousand_files_cost_a_sentence(
    root: Path,
    collect: Callable[..., Ran],
    good: bytes,
    entries: Callable[[], dict[str, bytes]],
    sentence: str,
) -> None:
    given = {**entries(), "joerg/small.ipynb": good}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    ran = collect(given)
    assert (
        time.monotonic() - started < 10
        and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000
    )
    assert sentence in ran.err and len(times(root, "joerg")) == 1
    if "more were left out" in ran.err:
        listed = (root / "submitted" / "left-out.txt").read_text()
        assert (
            "all files that were left out stand in submitted/left-out.txt" in ran.err
            and max(map(len, ran.err.splitlines())) < 2000
        )
        assert all(
            name in listed
            for name in ("09998", "09999")
            if f"ada/{name}.csv" in given or "w.zip" in str(list(given)[0])
        )


# ---- nothing but what cannot be read -------------------------------------------------------------


def test_who_handed_in_something_else_has_handed_in_and_is_told_what_to_do(
    root: Path, collect: Callable[..., Ran], good: bytes
) -> None:
    """In the report, in the feedback and again after the notebook has come."""
    place = "{}_9_assignsubmission_file/{}"
    entries = {
        place.format("Ada Lovelace", "solution.pdf"): OTHERS["small.pdf"],
        place.format("Jörg Müller", "work.zip"): zipped({"essay.docx": OTHERS["small.docx"]}),
        place.format("Anne-Marie O'Neill", "final.ipynb"): b"<<<<<<< HEAD\n" + good,
        "max1/photo.heic": OTHERS["photo.heic"],
    }
    ran = collect(entries)
    assert ran.code == 0 and ran.out.startswith("submitted/ada/small/attempt-1\n"), ran
    assert collect(entries).out.startswith("0 new")
    receipt = json.loads((root / "submitted/ada/small/attempt-1/receipt.json").read_text())
    assert receipt["file"].endswith("solution.pdf") and receipt["received"]
    assert Ran(root, "grade", "--all", "--unproved").code == 0
    assert marks(root) == {
        "ada": "unreadable",
        "amo": "unreadable",
        "joerg": "unreadable",
        "max1": "unreadable",
        "max2": "–",
    }
    assert Ran(root, "feedback").code == 0
    told = {who: (root / "feedback" / who / "small" / "feedback.md").read_text() for who in OTHER}
    assert all("could not be read" in text and "Nothing was" not in text for text in told.values())
    assert "is a PDF and no notebook" in told["ada"] and "merge conflict" in told["amo"]

    collect({"ada/small.ipynb": good})
    assert Ran(root, "grade", "--all", "--unproved").code == 0
    assert marks(root)["ada"] == "6/8"


#: Who handed in no notebook above.
OTHER = ("ada", "amo", "joerg", "max1")


def marks(root: Path) -> dict[str, str]:
    """What the report says of each student."""
    ran = Ran(root, "report", "small")
    return {row.split()[0]: row.split()[2] for row in ran.out.splitlines()[1:]}


def test_of_several_assignments_folder_file_or_zip_says_of_which_one_something_else_is(
    root: Path, good: bytes, tmp_path: Path
) -> None:
    homework.assignment(root / "source", "other")
    pdf = OTHERS["small.pdf"]
    entries = {
        "ada/other/work.pdf": pdf,
        "ada/small/small.ipynb": good,
        "joerg/Other final.pdf": pdf,
        "amo/work.pdf": pdf,
        # data beside a notebook is no other assignment's
        "max1/small.ipynb": good,
        "max1/other.csv": b"1",
    }
    for name in ("week 3.zip", "small-7.zip"):
        (tmp_path / name).write_bytes(zipped(entries))
    ran = Ran(root, "collect", "--from", str(tmp_path / "week 3.zip"))
    assert there(root) == {"ada/other", "ada/small", "joerg/other", "max1/small"}
    assert "amo: what was handed in is no notebook, and nothing says of which assignment" in ran.err
    Ran(root, "collect", "--from", str(tmp_path / "small-7.zip"))
    assert there(root) == {"ada/other", "ada/small", "joerg/other", "max1/small", "amo/small"}


def there(root: Path) -> set[str]:
    """Who has an attempt at what."""
    found = (root / "submitted").glob("*/*/attempt-*")
    return {path.parent.relative_to(root / "submitted").as_posix() for path in found}


def test_what_nobody_answered_or_worked_on_is_still_nothing(
    root: Path, small: Assignment, collect: Callable[..., Ran]
) -> None:
    collect(
        {
            "ada/small.ipynb": release.build(small).notebook,
            "L_joerg_attempt_2026-10-12-18-58-01.txt": b"Name: Jo",
        }
    )
    assert there(root) == set()


# ---- who it is -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("Ada Lovelace_123457_assignsubmission_file", "ada"),
        ("LOVELACE Ada_123457_assignsubmission_file_", "ada"),
        ("Group 3-Ada Lovelace_5_assignsubmission_file", "ada"),
        (unicodedata.normalize("NFD", "Jörg Müller_1_assignsubmission_file"), "joerg"),
        ("Jorg Muller_1_assignsubmission_file", "joerg"),
        ("O’Neill Anne-Marie_1_assignsubmission_file", "amo"),
        ("Müller, Jörg", "joerg"),
        ("ADA", "ada"),
    ],
)
def test_a_student_is_known_by_name(
    root: Path, collect: Callable[..., Ran], good: bytes, name: str, student: str
) -> None:
    assert collect({f"{name}/small.ipynb": good}).err == ""
    assert [path.name for path in (root / "submitted").iterdir()] == [student]


def test_names_in_canvas_and_ids_with_underscores(
    root: Path, collect: Callable[..., Ran], good: bytes
) -> None:
    (root / "grader_config/roster.csv").write_text(
        "student,name,lms_id\nada,Ada Lovelace,\na_l_1,Alan Turing,\nb,Bo Li,4712\n"
    )
    stem = "attempt_2026-10-12-18-58-01_small.ipynb"
    assert (
        collect(
            {
                "lovelaceada_4711_99_small.ipynb": good,
                f"HW_2_a_l_1_{stem}": good,
                "xyz_LATE_4712_1_small.ipynb": good,
            }
        ).err
        == ""
    )
    assert sorted(path.name for path in (root / "submitted").iterdir()) == ["a_l_1", "ada", "b"]


def test_moodles_number_is_nobodys(root: Path, collect: Callable[..., Ran], good: bytes) -> None:
    (root / "grader_config/roster.csv").write_text(
        "student,name,lms_id\nada,Ada Lovelace,\njoerg,Jörg Müller,123457\n"
    )
    collect({"Ada Lovelace_123457_assignsubmission_file/small.ipynb": good})
    assert [path.name for path in (root / "submitted").iterdir()] == ["ada"]


def test_equal_names_are_told_apart_by_names_csv(
    root: Path, collect: Callable[..., Ran], good: bytes, tmp_path: Path
) -> None:
    entries = {
        "Max Weber_11_assignsubmission_file/small.ipynb": good,
        "Participant 7_7_assignsubmission_file/small.ipynb": good,
    }
    assert (
        "'Max Weber' is the name of max1 and max2; say in grader_config/names.csv who it is"
        in collect(entries).err
    )
    (root / "grader_config/names.csv").write_text(
        "name,student\nMax Weber_11,max2\nparticipant 7,ada\n"
    )
    assert collect(entries).err == "" and sorted(
        path.name for path in (root / "submitted").iterdir()
    ) == ["ada", "max2"]
    (tmp_path / "n.csv").write_text("name,student\nMax Weber,maxx\n")
    assert (
        "n.csv: line 2: nobody on grader_config/roster.csv is called 'maxx'; did you mean 'max"
        in collect(entries, "--names", str(tmp_path / "n.csv")).err
    )


def test_whom_nobody_knows_is_listed_with_the_three_most_similar(
    root: Path, collect: Callable[..., Ran], good: bytes
) -> None:
    ran = collect({"Ada Loveles_1_assignsubmission_file/small.ipynb": good})
    assert "the most similar: ada (Ada Lovelace), " in ran.err and ran.err.count(" (") == 4
    assert collect(
        {"stranger/w.zip": zipped({"L_ada_attempt_2026-10-12-18-58-01_small.ipynb": good})}
    ).out.startswith("0 new")


# ---- times ---------------------------------------------------------------------------------------


def test_a_time_that_cannot_be_told_is_said(root: Path, good: bytes, tmp_path: Path) -> None:
    for student, stamp in (
        ("ada", b"10/11/2026 10:00"),
        ("joerg", b"\xef\xbb\xbf2026-10-11 07:30:00 PM EDT"),
        ("amo", "2026-10-11 10:00:00 UTC".encode("utf-16")),
    ):
        (tmp_path / "in" / student).mkdir(parents=True)
        (tmp_path / "in" / student / "small.ipynb").write_bytes(good)
        (tmp_path / "in" / student / "timestamp.txt").write_bytes(stamp)
    os.utime(tmp_path / "in" / "ada" / "small.ipynb", (10**12, 10**12))
    ran = Ran(root, "collect", "--from", str(tmp_path / "in"))
    assert (
        "ada: ada/timestamp.txt: no time can be told for certain from '10/11/2026 10:00'" in ran.err
    )
    assert (times(root, "ada"), times(root, "joerg"), times(root, "amo")) == (
        [""],
        ["2026-10-11T23:30:00Z"],
        ["2026-10-11T10:00:00Z"],
    )
