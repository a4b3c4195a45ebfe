"""Tables that people really have: what spreadsheets write, and ids that they spoil."""

from __future__ import annotations

from pathlib import Path

import pytest

from autogradient.course import config, ledger, roster
from autogradient.course.roster import Member
from autogradient.errors import CourseError

ROWS = [["student", "section", "name"], ["ada", "a", "Ada Lovelace"], ["s-7", "b", "Bo, Bob"]]
MEMBERS = [Member("ada", "a", name="Ada Lovelace"), Member("s-7", "b", name="Bo, Bob")]


def text(separator: str) -> str:
    return "".join(separator.join(f'"{cell}"' for cell in row) + "\r\n" for row in ROWS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("head", ["", "sep={}\r\n", "SEP={}\n"])
def test_a_roster_is_read_however_a_spreadsheet_wrote_it(
    tmp_path: Path, encoding: str, separator: str, head: str
) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes((head.format(separator) + text(separator)).encode(encoding))
    assert roster.read(path) == MEMBERS


@pytest.mark.parametrize(
    ("rows", "line", "sentence"),
    [
        ("ada\n../x\n", 3, "cannot be a student's id"),
        ("=CMD()\n", 2, "cannot be a student's id"),
        ("ada\n1.23E+05\n", 3, "a spreadsheet has shortened"),
        ("1,23e+05\n", 2, "a spreadsheet has shortened"),
        ("s0000\nada\nS0000\n", 4, "'S0000' and 's0000' differ in capital letters alone"),
        ("ada\nada\n", 3, "stands twice"),
        ('ada\n"bo\n', 3, ""),
    ],
)
def test_an_id_that_cannot_be_one_is_refused_with_its_line(
    tmp_path: Path, rows: str, line: int, sentence: str
) -> None:
    path = tmp_path / "roster.csv"
    for head in ("", "sep=;\n"):
        path.write_text(f"{head}student;name\n{rows}".replace("1,23", '"1,23'))
        if "1,23" in rows:
            path.write_text(f'{head}student;name\n"1,23e+05"\n')
        with pytest.raises(CourseError) as caught:
            roster.read(path)
        assert f"line {line + bool(head)}" in str(caught.value) and sentence in str(caught.value)


@pytest.mark.parametrize("student", ["1E5", "12e3", "ada@uni.example", "élan", "0042", "a+b"])
def test_other_ids_are_ids(tmp_path: Path, student: str) -> None:
    (tmp_path / "roster.csv").write_text(f"student\n{student}\n", encoding="utf-8")
    assert [member.student for member in roster.read(tmp_path / "roster.csv")] == [student]


def test_a_mark_of_the_byte_order_in_settings_and_ledger_is_none(tmp_path: Path) -> None:
    (tmp_path / "grader_config").mkdir()
    settings = tmp_path / "grader_config" / "course.toml"
    settings.write_bytes("format = 1\nname = 'Würfel'\n".encode("utf-8-sig"))
    here = config.load(tmp_path)
    assert here.name == "Würfel"
    entry = ledger.Mark(student="ada", assignment="small", part="why", who="tia")
    ledger.append(here.ledger, entry)
    here.ledger.write_bytes(b"\xef\xbb\xbf" + here.ledger.read_bytes())
    assert ledger.read(here.ledger) == [entry]


def test_what_cannot_be_written_whole_is_not_in_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    path, write = tmp_path / "ledger.jsonl", os.write
    entries = [
        ledger.Mark(student=f"s{number}", assignment="small", part="why", who="tia")
        for number in range(5)
    ]
    ledger.append(path, entries[0])
    before = path.read_bytes()
    left = [200]

    def full(handle: int, data: bytes) -> int:
        if not left[0]:
            raise OSError(28, "No space left on device")
        count, left[0] = write(handle, data[: left[0]]), 0
        return count

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(ledger.LedgerError, match="No space left"):
            ledger.append(path, *entries[1:])
    assert path.read_bytes() == before
    ledger.append(path, *entries[1:])
    assert ledger.read(path) == entries


def test_half_a_line_is_said_and_kept_beside(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    entry = ledger.Mark(student="ada", assignment="small", part="why", who="tia")
    ledger.append(path, entry)
    assert ledger.torn(path) == ""
    path.write_bytes(path.read_bytes() + b'{"kind":"mark","stu')
    assert ledger.read(path) == [entry] and '{"kind":"mark","stu…' in ledger.torn(path)
    ledger.append(path, entry)
    assert ledger.read(path) == [entry, entry] and ledger.torn(path) == ""
    assert (tmp_path / "ledger.jsonl.torn").read_bytes() == b'{"kind":"mark","stu\n'
