"""A student's notebook of an earlier release → the same work in the notebook of the present one.
Pure, and nothing that the student wrote is lost.

The course's cells become those of the release, answers stay by their ids, and the student's own
cells stay where they stand. What the student wrote where the release has no place for it any more
stands as a cell of the student's own, below a sentence that says so.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autogradient import errors
from autogradient.github.past_releases import (
    SCRATCH,
    Past,
    Released,
    metadata_of,
    present_notebook,
    released_cells_of,
    source_of,
)
from autogradient.github.write_notebook import written
from autogradient.grading.claims import claims
from autogradient.grading.essays import plain
from autogradient.grading.read_notebook import StudentCell, read_notebook
from autogradient.grading.submission import plan_submission
from autogradient.model.assignment import Assignment
from autogradient.sources.release import (
    ReleasedCell,
    former_ids,
    released_cells,
)

#: Keys of a cell's metadata that are the course's to set.
OURS = ("nbgrader", "deletable", "editable")


@dataclass(frozen=True)
class Carried:
    """A notebook after a correction: the file (the very same where nothing was to be done), and
    what there is to say about it.

    `corrected` are the ids of the course's cells that are other ones now, `new` of those that were
    not there, `gone` of those that are no more, `answers` the parts whose answers were carried
    over, `outdated` those of them that began from another stub, `aside` the ids of cells whose text
    now stands in a cell of the student's own.
    """

    data: bytes
    changed: bool
    corrected: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()


def carry(
    assignment: Assignment,
    data: bytes,
    name: str,
    earlier: Sequence[Mapping[str, Any]] = (),
    stale: Iterable[str] = (),
    present: Mapping[str, Any] | None = None,
) -> Carried | None:
    """Carry a student's notebook over to the present release; None where no cell of it is one of
    the assignment's.

    `present` is that release's notebook as it was published, where that is another than `release`
    writes. `earlier` are the notebooks of former releases, oldest first: by them a text of the
    course's is known from one of the student's. `stale` are the parts whose public tests are other
    ones than the student has: what their checks said is dropped. Raises SubmissionError where the
    file cannot be read.
    """
    return _Carrier(
        assignment,
        data,
        name,
        earlier,
        frozenset(stale),
        present_notebook(assignment) if present is None else present,
    ).carry()


@dataclass
class _Group:
    """A cell of the release with the student's own cells below it; `id` is "" for those that stand
    above all.
    """

    id: str
    cells: list[dict[str, Any]] = field(default_factory=list)


class _Carrier:
    def __init__(
        self,
        assignment: Assignment,
        data: bytes,
        name: str,
        earlier: Sequence[Mapping[str, Any]],
        stale: frozenset[str],
        present: Mapping[str, Any],
    ) -> None:
        self.assignment, self.data, self.stale = assignment, data, stale
        self.notebook = read_notebook(data, name)
        self.raw: list[dict[str, Any]] = self.notebook.data["cells"]
        self.cells: list[StudentCell] = self.notebook.cells
        self.present = present
        self.release = {cell.id: cell for cell in released_cells_of(self.present)}
        self.order = {name: number for number, name in enumerate(self.release)}
        self.renamed = {
            old: new for old, new in former_ids(assignment).items() if old not in self.release
        }
        self.past = Past(
            [*(released_cells_of(notebook) for notebook in earlier), list(self.release.values())],
            self.renamed,
        )
        self.given = {cell.grade_id: cell for cell in released_cells(assignment)}
        self.found = plan_submission(assignment, self.notebook)
        self.claims = claims(assignment, self.notebook)
        self.ran = {step.cell for step in self.found.steps if step.do == "run"}
        #: Which of the student's cells stands for which cell of the release, and what becomes of
        #: the others: nothing, or a cell of the student's own.
        self.slots: dict[str, int] = {}
        self.dropped: set[int] = set()
        self.aside: dict[int, str] = {}
        self.merged: dict[str, str] = {}
        self.lists = any(isinstance(cell.get("source"), list) for cell in self.raw)

    def carry(self) -> Carried | None:
        names = [self.name_of(cell) for cell in self.cells]
        for name in self.release:
            self.place(name, [i for i, found in enumerate(names) if found == name])
        for i, found in enumerate(names):
            if i not in self.slots.values() and i not in self.dropped and i not in self.aside:
                self.sort_out(i, found)
        self.find_answers(names)
        return self.write() if self.slots else None

    # ---- which cell is which ---------------------------------------------------------------------

    def known_as(self, i: int) -> str:
        """The id that a cell has or had, as it would be now; "" where it has none of ours."""
        key = self.cells[i].grade_id
        name = self.past.by_cell_id.get(key.removeprefix("#"), "") if key.startswith("#") else key
        return self.renamed.get(name, name)

    def name_of(self, cell: StudentCell) -> str:
        """The id of the cell of the release that a cell is, "" for none."""
        claim: ReleasedCell | None = self.claims[cell.index]
        if claim is not None:
            return claim.grade_id
        name = self.known_as(cell.index)
        if name in self.release:
            # An answer in a cell of another kind, or a cell that may be used freely; but an answer
            # that was typed into a check is the student's own.
            return name if self.release[name].role != "locked" else ""
        if not name:
            return self.past.by_text.get((cell.kind, plain(cell.source)), "")
        return ""

    def place(self, name: str, candidates: list[int]) -> None:
        """Choose which of several cells stands for a cell of the release, and what becomes of the
        others.
        """
        role = self.release[name].role
        kind = str(self.release[name].cell["cell_type"])
        for i in list(candidates):
            # The release has made another kind of question of it: what was written belongs to the
            # old one.
            if (
                role == "answer"
                and self.cells[i].kind != kind
                and self.cells[i].kind in self.past.kinds[name]
            ):
                candidates.remove(i)
                self.set_aside(i, name)
        if role == "locked":
            mine = [i for i in candidates if self.known_as(i) == name] or candidates[:1]
            for i in mine[1:]:
                self.set_aside(i, name)
            chosen = mine[:1]
            if (
                chosen
                and not self.past.has(name, self.cells[chosen[0]].source)
                and self.cells[chosen[0]].source.strip()
            ):
                self.aside[chosen[0]] = name
        else:
            chosen = self.choose_answer(name, candidates)
        if chosen:
            self.slots[name] = chosen[0]

    def choose_answer(self, name: str, candidates: list[int]) -> list[int]:
        """Of several cells with the id of one answer, the one that is graded; an essay is all of
        them.
        """
        touched = [i for i in candidates if not self.past.has(name, self.cells[i].source)]
        if not touched:
            self.dropped |= set(candidates[1:])
            return candidates[:1]
        self.dropped |= set(candidates) - set(touched)
        part = self.given[name].target if name in self.given else ""
        graded = [i for i in self.found.answers.get(part, []) if i in touched]
        chosen = graded[0] if graded else touched[-1]
        if self.release[name].cell["cell_type"] == "markdown" and len(touched) > 1:
            self.merged[name] = "\n\n".join(self.cells[i].source for i in touched)
            self.dropped |= set(touched) - {chosen}
        for i in touched:
            if i != chosen and i not in self.dropped and i not in self.ran:
                self.set_aside(i, name)
        return [chosen]

    def set_aside(self, i: int, name: str) -> None:
        """What is not the student's goes; what is stays, as a cell of the student's own."""
        if self.past.has(name, self.cells[i].source) or not self.cells[i].source.strip():
            self.dropped.add(i)
        else:
            self.aside[i] = name

    def sort_out(self, i: int, found: str) -> None:
        """What becomes of a cell that stands for none of the release."""
        name = self.known_as(i)
        if found in self.release or name in self.release:
            return  # a copy, or an answer where none belongs
        if found:  # a text of the course's that is gone and has lost its id
            self.dropped.add(i)
        elif name in self.past.roles or isinstance(metadata_of(self.raw[i]).get("nbgrader"), dict):
            self.set_aside(i, name)

    def find_answers(self, names: list[str]) -> None:
        """Where the cell of an answer is gone and one of the student's own holds it, that one
        becomes the answer's cell.
        """
        uses = Counter(i for found in self.found.answers.values() for i in found)
        for name, cell in self.release.items():
            if cell.role == "answer" and name not in self.slots and name in self.given:
                found = self.found.answers.get(self.given[name].target, [])
                free = [
                    i
                    for i in found
                    if not names[i]
                    and i not in self.aside
                    and i not in self.dropped
                    and uses[i] == 1
                ]
                if (
                    len(found) == len(free) == 1
                    and self.cells[free[0]].kind == cell.cell["cell_type"]
                ):
                    self.slots[name] = free[0]

    # ---- the new notebook ------------------------------------------------------------------------

    def write(self) -> Carried:
        groups, corrected = self.groups()
        here = {
            i: name for i in range(len(self.cells)) if (name := self.known_as(i)) in self.past.roles
        } | {i: name for name, i in self.slots.items()}
        begun = self.past.begun({here[i]: plain(self.cells[i].source) for i in sorted(here)})
        if self.is_reordered(begun):
            groups.sort(key=lambda group: self.order.get(group.id, -1))
        fresh = [name for name in self.release if name not in self.slots]
        deleted = {name for release in self.past.releases[:-1] for name in release} | set(begun)
        wanted = [
            name for name in fresh if self.release[name].role != SCRATCH or name not in deleted
        ]
        for name in self.release:  # in order, so that what comes before is there already
            if name in wanted:
                before = [each for each in self.release if self.order[each] < self.order[name]]
                places = {group.id: number for number, group in enumerate(groups)}
                after = next((places[each] for each in reversed(before) if each in places), -1)
                groups.insert(after + 1, _Group(name, [self.cell_for(name, None)]))
        cells = [cell for group in groups for cell in group.cells]
        answered = [
            name
            for name, i in self.slots.items()
            if self.release[name].role == "answer" and not self.past.has(name, self.cells[i].source)
        ]
        changed = not self.is_same(cells)
        parts = tuple(self.given[name].target for name in answered)
        outdated = tuple(
            self.given[name].target
            for name in answered
            if name in begun and plain(begun[name].text) != plain(self.release[name].text)
        )
        gone = tuple(name for name in begun if name not in self.release)
        said = (
            tuple(name for name in self.release if name in corrected),
            tuple(wanted),
            gone,
            parts,
            outdated,
            tuple(self.aside[i] for i in sorted(self.aside)),
        )
        file = (
            written(
                cells,
                self.notebook.data,
                self.data,
                self.present["metadata"],
                self.past.by_cell_id,
            )
            if changed
            else self.data
        )
        return Carried(file, changed, *said)

    def is_reordered(self, begun: Mapping[str, Released]) -> bool:
        """Whether the course, not the student, has put cells into another order."""
        shared = [name for name in begun if name in self.slots]
        return shared != sorted(shared, key=self.order.__getitem__)

    def groups(self) -> tuple[list[_Group], list[str]]:
        """The student's notebook with each of the course's cells replaced, and the ids of those
        that are other ones now.
        """
        by_index = {i: name for name, i in self.slots.items()}
        groups, corrected = [_Group("")], []
        for i, cell in enumerate(self.cells):
            if i in by_index:
                name = by_index[i]
                groups.append(_Group(name, [self.cell_for(name, i)]))
                if plain(source_of(groups[-1].cells[0])) != plain(
                    self.merged.get(name, cell.source)
                ):
                    corrected.append(name)
            if i in self.aside:
                groups[-1].cells += self.set_aside_cells(i)
            elif i not in by_index and i not in self.dropped:
                groups[-1].cells.append(self.own(self.raw[i]))
        return groups, corrected

    def cell_for(self, name: str, i: int | None) -> dict[str, Any]:
        """A cell of the release, with what the student wrote into it where that is
        theirs to write.
        """
        released = self.release[name]
        if i is None:
            return self.styled(copy.deepcopy(released.cell))
        raw = copy.deepcopy(self.raw[i])
        text = self.cells[i].source
        theirs = released.role != "locked" and not self.past.has(name, text)
        if (
            theirs
            and released.role == "answer"
            and released.cell["cell_type"] == "code"
            and self.cells[i].kind != "code"
        ):
            return raw  # the grader says what is wrong with it
        new = copy.deepcopy(released.cell)
        # In the student's order of keys, so that the difference is no longer than it has to be.
        meta = {
            key: value
            for key, value in metadata_of(raw).items()
            if key not in OURS or key in new["metadata"]
        } | new["metadata"]
        if theirs:
            kept = self.merged.get(name)
            made = raw | {"cell_type": new["cell_type"], "id": new["id"], "metadata": meta}
            if kept is not None:
                made = self.styled(made | {"source": kept})
        else:
            made = raw | new | {"metadata": meta}
            made = made | {"source": raw["source"]} if text == released.text else self.styled(made)
            made.pop("attachments", None)
            made |= {"attachments": new["attachments"]} if "attachments" in new else {}
        if new["cell_type"] == "code":
            check = self.given[name].role == "check" if name in self.given else False
            kept_output = (
                source_of(made) == text
                and self.cells[i].kind == "code"
                and not (check and self.given[name].target in self.stale)
            )
            made |= {
                key: raw[key] if kept_output and key in raw else empty
                for key, empty in (("outputs", []), ("execution_count", None))
            }
        return made

    def own(self, raw: dict[str, Any]) -> dict[str, Any]:
        """A cell of the student's own; what would make it one of the course's goes."""
        made = copy.deepcopy(raw)
        if isinstance(metadata_of(made).get("nbgrader"), dict):
            made["metadata"] = {
                key: value for key, value in metadata_of(made).items() if key not in OURS
            }
        if str(made.get("id", "")) in self.past.by_cell_id:
            del made["id"]
        return made

    def set_aside_cells(self, i: int) -> list[dict[str, Any]]:
        """A sentence, and what the student wrote. Code that was not run is not run now either."""
        name = self.aside[i]
        answer = self.past.roles.get(name) == "answer" or bool(
            (metadata_of(self.raw[i]).get("nbgrader") or {}).get("solution")
        )
        gone = answer and (
            name not in self.release or self.release[name].cell["cell_type"] != self.cells[i].kind
        )
        cell = self.own(self.raw[i])
        if self.cells[i].kind == "code" and not gone:
            cell = {"cell_type": "raw", "metadata": {}, "source": cell["source"]}
        sentence = errors.CARRIED_ANSWER if gone else errors.CARRIED_NOTE
        if i in self.slots.values():
            cell.pop("id", None)
        return [self.styled({"cell_type": "markdown", "metadata": {}, "source": sentence}), cell]

    def styled(self, cell: dict[str, Any]) -> dict[str, Any]:
        """A cell of ours as the student's editor would write it."""
        return cell | {
            "source": source_of(cell).splitlines(keepends=True) if self.lists else source_of(cell)
        }

    def is_same(self, cells: list[dict[str, Any]]) -> bool:
        """Whether nothing has changed that a person or a grader would notice."""

        def told(cell: dict[str, Any]) -> list[Any]:
            ours = {key: metadata_of(cell).get(key) for key in OURS}
            attachments = cell.get("attachments") or None
            return [
                source_of(cell),
                str(cell.get("cell_type", "code")),
                ours,
                attachments,
                cell.get("outputs") or [],
            ]

        return [told(cell) for cell in cells] == [
            told(cell) for cell in self.raw
        ] and self.notebook.claims == self.assignment.name
