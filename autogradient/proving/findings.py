"""What the proof of an assignment found, counted, and whether that proves it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from autogradient.model.result import decimal

KILLED_SHARE = Fraction(95, 100)


@dataclass
class Tally:
    """How many of how many, and a sentence for each that is not."""

    done: int = 0
    of: int = 0
    missed: list[str] = field(default_factory=list)

    def count(self, fine: bool, sentence: str) -> None:
        """Count one."""
        self.of += 1
        self.done += fine
        if not fine:
            self.missed.append(sentence)


@dataclass
class Proof:
    """What the proof of one assignment found. Holds no times and no host, so that the same
    assignment gives the same file.
    """

    assignment: str
    digest: str
    reference: tuple[Fraction, Fraction] = (Fraction(0), Fraction(0))
    blank: tuple[Fraction, Fraction] = (Fraction(0), Fraction(0))
    right: Tally = field(default_factory=Tally)
    wrong: Tally = field(default_factory=Tally)
    mutants: Tally = field(default_factory=Tally)
    equivalent: int = 0
    hostile: Tally = field(default_factory=Tally)
    boundary: Tally = field(default_factory=Tally)
    remarks: list[str] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)  # parts that need a card, where there is none

    @property
    def proved(self) -> bool:
        """Whether everything that is asked holds."""
        return (
            self.reference[0] == self.reference[1]
            and self.blank[0] == 0
            and self.right.done == self.right.of
            and self.wrong.done == self.wrong.of
            and self.mutants.done >= KILLED_SHARE * self.mutants.of
            and self.hostile.done == self.hostile.of
            and self.boundary.done == self.boundary.of
            and not self.remarks
        )

    def to_dict(self) -> dict[str, Any]:
        """The proof as `prove --json` prints it."""
        return {
            "assignment": self.assignment,
            "proved": self.proved,
            "reference": {
                "earned": decimal(self.reference[0]),
                "possible": decimal(self.reference[1]),
            },
            "blank": {"earned": decimal(self.blank[0]), "possible": decimal(self.blank[1])},
            "right": {
                "full": self.right.done,
                "of": self.right.of,
                "missed": sorted(self.right.missed),
            },
            "wrong": {
                "caught": self.wrong.done,
                "of": self.wrong.of,
                "missed": sorted(self.wrong.missed),
            },
            "mutants": {
                "killed": self.mutants.done,
                "of": self.mutants.of,
                "equivalent": self.equivalent,
                "survived": sorted(self.mutants.missed),
            },
            "hostile": {
                "refused": self.hostile.done,
                "of": self.hostile.of,
                "accepted": sorted(self.hostile.missed),
            },
            "boundary": {
                "alike": self.boundary.done,
                "of": self.boundary.of,
                "differ": sorted(self.boundary.missed),
            },
            "remarks": sorted(self.remarks),
            "not_run": self.not_run,
        }
