"""The attacks: our own corpus and, where it is there, the one that the project was given; each case
in each of its formats.
"""

from __future__ import annotations

import importlib.util
import sys
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from autogradient.model.assignment import Limits

from . import corpus
from .cases import CASES

#: Beside the checkout of those who work on this; users do not have it.
SHARED = Path(__file__).resolve().parents[4] / "shared" / "attacks" / "corpus.py"
LIMITS = Limits(cell_s=1.5, case_s=1.0, memory_mb=512, submission_s=20.0)
#: Seconds that an interrupted cell has to end, and what a submission may take beside its cells and
#: calls.
GRACE_S, BASE_S = 2.0, 5.0

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Attack:
    """A case in one format. `write` puts the submission into an empty folder, where words stand for
    paths and ports.

    Where the format hardly matters, only one of them is tried in `every_run`; the other on request.
    """

    suite: str
    id: str
    format: str
    kind: str
    description: str
    least: float
    most: float
    budget_s: float
    write: Callable[[Path, Mapping[str, str]], None]
    every_run: bool = True

    @property
    def key(self) -> Key:
        """What names it in every process."""
        return (self.suite, self.id, self.format)


def own_attacks() -> list[Attack]:
    """Our own corpus, each case in its formats."""

    def budget(case: corpus.Case) -> float:
        """Each cell and call twice: what takes too long is tried once more. But never longer than a
        submission may take, and a little.
        """
        slow = 2 * (case.cells * (LIMITS.cell_s + GRACE_S) + case.calls * (LIMITS.case_s + GRACE_S))
        return BASE_S + min(slow, LIMITS.submission_s)

    return [
        Attack(
            "own",
            case.id,
            format,
            case.kind,
            case.description,
            case.least,
            case.most,
            budget(case),
            partial(corpus.write_case, case, format),
            turn,
        )
        for case in CASES
        for format in case.formats
        for turn in [
            len(case.formats) == 1 or format == corpus.BOTH[zlib.crc32(case.id.encode()) % 2]
        ]
    ]


@cache
def shared_corpus() -> Any:
    """The corpus that the project was given, as a module; None where it is not there."""
    if not SHARED.is_file():
        return None
    spec = importlib.util.spec_from_file_location("shared_attacks", SHARED)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def shared_attacks() -> list[Attack]:
    """The cases of the shared corpus; none where it is not there."""
    module = shared_corpus()
    if module is None:
        return []

    def write(case: Any, format: str, folder: Path, words: Mapping[str, str]) -> None:
        module.write_case(case, format, folder)
        for file in folder.glob("*.ipynb"):
            if file.is_file() and not file.is_symlink() and case.category == "leak":
                text = file.read_text()
                file.write_text(
                    text.replace(str(module.LISTEN_TCP), words[corpus.TCP]).replace(
                        str(module.LISTEN_UDP), words[corpus.UDP]
                    )
                )

    budget = BASE_S + 2 * (LIMITS.cell_s + GRACE_S + 2 * (LIMITS.case_s + GRACE_S))
    return [
        Attack(
            "shared",
            case.id,
            format,
            case.category,
            case.description,
            case.min_points,
            case.max_points,
            budget,
            partial(write, case, format),
        )
        for case in module.CASES
        for format in case.formats
    ]


@cache
def attacks() -> dict[Key, Attack]:
    """Every attack by its key."""
    return {attack.key: attack for attack in [*own_attacks(), *shared_attacks()]}


def name_of(suite: str) -> str:
    """What the assignment of a suite is called."""
    return str(shared_corpus().ASSIGNMENT) if suite == "shared" else corpus.NAME
