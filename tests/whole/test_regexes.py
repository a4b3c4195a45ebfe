"""No regular expression that sees what students hand in goes through it again and again: each one
of these wings is fed with long texts of one kind, in a process that the kernel ends.
"""

from __future__ import annotations

import ast
import importlib
import itertools
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
WINGS = ("grading", "feedback", "coursework", "github", "course", "model/testcode.py", "visible.py")
SIZE = 200_000
#: Seconds of a processor for one expression and all texts: those that go through each text once
#: take hundredths of that, those that begin anew at each character an hour.
CPU_S = 10
WAYS = ("match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer")
PIECES = (
    "a", "Z", "1", "_", " ", "\n", "\t", "-", ".", ",", ":", "=", "/", "\\", "<", ">", "`", "$",
    "[", "(", "!", "#", "*", "'", '"', "{", "é", "李", "\u00a0", "a ", "a, ", "1.", "1 ", "1:",
    "a-", "a_", "a=", "a\n", "\na", " \n", "\n ", "\\\\", "\\a", "<a", "<a ", "<!--", "</", "&lt;",
    "![", "[a](", "a/", "1/", "-1", "a@", "a.", "=\n", "<<<<<<< ", "grader.check(",
    "data:image/png;base64,", "javascript:", "a:1;", "rgb(", "_attempt_", "_assignsubmission_",
    "attempt-1", "2026-10-12 ",
    "12/10/2026 ", "{\n", '{"schema": ', '"\\', "@\n", "def ", "class\t", "\x1b[", "\x00",
)  # fmt: skip


def _files() -> list[Path]:
    return sorted(
        file
        for wing in WINGS
        for file in (
            [ROOT / "autogradient" / wing]
            if wing.endswith(".py")
            else (ROOT / "autogradient" / wing).glob("*.py")
        )
    )


def _patterns_in(thing: Any) -> Iterator[re.Pattern[Any]]:
    if isinstance(thing, re.Pattern):
        yield thing
    elif isinstance(thing, (list, tuple)):
        for each in thing:
            yield from _patterns_in(each)
    elif isinstance(thing, dict):
        yield from _patterns_in(list(thing.values()))


def _written(node: ast.expr) -> str | bytes | None:
    """A pattern as it stands in the text; what is put into it when it is used is a word."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "word" for v in node.values)
    return None


def expressions() -> dict[str, tuple[re.Pattern[Any], frozenset[str]]]:
    """All expressions by where they stand, each with the ways in which it is used."""
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in _files()}
    used: dict[str, set[str]] = {}
    found: dict[str, tuple[re.Pattern[Any], frozenset[str]]] = {}
    for file, tree in trees.items():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner, way = node.func.value, node.func.attr
            name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            if name != "re" and way in WAYS:
                used.setdefault(name, set()).add(way)
            elif name == "re" and way in (*WAYS, "compile") and node.args:
                written = _written(node.args[0])
                flags = next((k.value for k in node.keywords if k.arg == "flags"), None)
                if flags is None and len(node.args) > 2 and way not in ("sub", "subn", "split"):
                    flags = node.args[2]
                if written is not None and way != "compile":
                    bits = eval(ast.unparse(flags), {"re": re}) if flags is not None else 0
                    place = f"{file.relative_to(ROOT)}:{node.lineno}"
                    found[place] = re.compile(written, bits), frozenset({way})
    for file in trees:
        dotted = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        module = importlib.import_module(dotted)
        for name, value in vars(module).items():
            for number, pattern in enumerate(_patterns_in(value)):
                ways = frozenset(used.get(name, {"search"}))
                found[f"{file.relative_to(ROOT)} {name} {number}"] = pattern, ways
    return found


def texts(pattern: re.Pattern[Any]) -> Iterator[str]:
    """Long texts of one kind, also with what does not match at the end, and behind the words that
    the expression itself begins with.
    """
    own = re.findall(r"[A-Za-z0-9:/<>_=-]{2,}", str(pattern.pattern))
    for piece in (*PIECES, *own):
        long = (piece * (SIZE // len(piece) + 1))[:SIZE]
        yield f"{long}\x01"
    for start in own[:3]:
        for piece in ("a", " ", "1", "\n"):
            yield start + piece * SIZE


def try_all() -> None:
    """Use each expression in its ways, after its name is printed: the last name is the one where
    the process was ended.
    """
    for place, (pattern, ways) in sorted(expressions().items()):
        print(place, flush=True)
        spent = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(spent.ru_utime + spent.ru_stime) + CPU_S
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
        for text in texts(pattern):
            given: Any = text
            if isinstance(pattern.pattern, bytes):
                given = given.encode()
            if ways - {"match", "fullmatch"}:
                for _ in itertools.islice(pattern.finditer(given), 20_000):
                    pass
            if "match" in ways:
                pattern.match(given)
            if "fullmatch" in ways:
                pattern.fullmatch(given)
    print("all", flush=True)


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Some of this module in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", f"import test_regexes\n{code}"],
        env={"PYTHONPATH": f"{Path(__file__).parent}:{ROOT}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )


@pytest.mark.promise("P15")
@pytest.mark.timeout(900)
def test_no_expression_takes_more_than_once_through_a_text() -> None:
    ran = run("test_regexes.try_all()")
    places = ran.stdout.split("\n")[:-1]
    assert ran.returncode == 0 and places[-1] == "all", f"{places[-1:]} {ran.stderr[-2000:]}"
    assert len(places) > 60


@pytest.mark.timeout(300)
def test_an_expression_that_does_is_found_out() -> None:
    """Words in a row as they were looked for once."""
    words = r"(?:[^\W\d_]+[ ,;.:!?'’-]+){4}"
    ran = run(
        "import re\n"
        f"test_regexes.expressions = lambda: {{'here': (re.compile({words!r}), {{'search'}})}}\n"
        "test_regexes.CPU_S = 2\n"
        "test_regexes.try_all()"
    )
    assert (ran.returncode, ran.stdout) == (-signal.SIGXCPU, "here\n"), ran.stderr
