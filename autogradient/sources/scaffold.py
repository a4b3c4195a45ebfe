"""New instructor notebooks from a template, and one way to write them: `new` and `fmt`.

`fmt` works on the text and touches little: directives (order of keys, spacing), the front matter
(order of keys, no version of Jupytext's, the kernel's plain name), blank lines between cells, white
space at line ends, and the staff cell that loads the authors' extension. What cells say stays as it
is.
"""

from __future__ import annotations

import ast
import copy
import difflib
import re
import shutil
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import yaml

from autogradient import errors
from autogradient.errors import AutogradientError, CourseError, Mistake, SourceErrors
from autogradient.model.assignment import RESERVED_SUFFIXES
from autogradient.model.files import write_atomically
from autogradient.sources import messages, source
from autogradient.sources.directives import ROLES, parse, render
from autogradient.sources.front_matter import FRONT_KEYS

STAFF_CELL = "#| staff\n%load_ext autogradient.authoring"
#: JupyterLab writes into a notebook how the kernel is called on the machine at hand; the course
#: says it in one way.
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_LOADS = re.compile(r"^\s*(# ?)?%(re)?load_ext\s+autogradient\.authoring\b", re.MULTILINE)
_MARKER = re.compile(r"# ?%%(\s|\[|$)")
_HEADER = re.compile(r"\A# ---\n(.*?\n)# ---\n", re.DOTALL)


# ---- new -----------------------------------------------------------------------------------------


def new(course: Path, name: str, title: str | None = None) -> Path:
    """Write `source/NAME/NAME.py` under the course folder: a small notebook, complete and ready to
    be proved. Returns its path.

    Raises CourseError where the name is no id or the folder exists.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise CourseError(messages.BAD_ID.format(id=name))
    for suffix in RESERVED_SUFFIXES:
        if name.endswith(suffix):
            raise CourseError(messages.RESERVED_ID.format(id=name, suffix=suffix))
    folder = course / "source" / name
    if folder.exists():
        raise CourseError(messages.EXISTS.format(path=errors.relative(folder)))
    title = " ".join((title or name.replace("-", " ").capitalize()).split())
    template = (
        resources.files("autogradient")
        .joinpath("templates/source.py.txt")
        .read_text(encoding="utf-8")
    )
    quoted = yaml.safe_dump(title, allow_unicode=True, width=10**9).removesuffix("...\n").strip()
    text = template.replace("@TITLE@", quoted).replace("@HEADING@", title).replace("@NAME@", name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{name}."))
    try:
        (temporary / f"{name}.py").write_text(text, encoding="utf-8")
        temporary.chmod(0o755)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder / f"{name}.py"


# ---- fmt -----------------------------------------------------------------------------------------


def fmt(path: Path, *, check: bool = False) -> str:
    """Normalise an instructor notebook (or the one of a folder) in place. Returns what changed as a
    unified diff, "" where nothing did.

    With `check` nothing is written. Raises CourseError where there is no notebook, SourceErrors
    where it cannot be read.
    """
    path = source.find_source(path)
    before = path.read_text(encoding="utf-8")
    after = normalised(before, path)
    if after == before:
        return ""
    if not check:
        write_atomically(path, after)
    name = errors.relative(path)
    return "\n".join(
        difflib.unified_diff(
            before.splitlines(), after.splitlines(), name, f"{name} (formatted)", lineterm=""
        )
    )


def normalised(text: str, path: Path) -> str:
    """The text of a source as `fmt` writes it. `path` says whether it is a text notebook or an
    .ipynb.

    Formatting it again changes nothing. Raises SourceErrors where it is no notebook,
    AutogradientError if anything of it would be lost.
    """
    before = _read(text, path)
    after = _notebook(text, before) if path.suffix == ".ipynb" else _text(text)
    lost = _lost(before, _read(after, path))
    if lost:
        raise AutogradientError(messages.FMT_LOSES.format(path=errors.relative(path), what=lost))
    return after


def _read(text: str, path: Path) -> Any:
    try:
        return (
            nbformat.reads(text, as_version=4)
            if path.suffix == ".ipynb"
            else jupytext.reads(text, fmt="py:percent")
        )
    except Exception as error:
        raise SourceErrors(
            [
                Mistake(
                    errors.relative(path),
                    1,
                    0,
                    errors.UNREADABLE_NOTEBOOK.format(name=path.name, problem=error),
                )
            ]
        ) from error


def _lost(before: Any, after: Any) -> str:
    """What the second notebook says differently from the first, the added staff cell apart; ""
    where nothing is.
    """
    # Jupytext reads blank lines below the header as an empty cell.
    old, new = (
        [_content(cell) for cell in book.cells if cell.source.strip()] for book in (before, after)
    )
    added = _content(nbformat.v4.new_code_cell(STAFF_CELL))
    if len(new) == len(old) + 1 and added in new:
        new.remove(added)
    if len(old) != len(new):
        return "the number of cells"
    for number, (one, other) in enumerate(zip(old, new, strict=True), start=1):
        if one != other:
            return f"cell {number}"
    return (
        ""
        if before.metadata.get("autogradient") == after.metadata.get("autogradient")
        else "the front matter"
    )


def _content(cell: Any) -> tuple[Any, ...]:
    directive = parse(cell.source, cell.cell_type)
    body = "\n".join(line.rstrip() for line in directive.body.split("\n")).strip("\n")
    metadata = {key: value for key, value in cell.metadata.items() if key != "lines_to_next_cell"}
    return cell.cell_type, directive.role, directive.target, directive.keys, body, metadata


def _notebook(text: str, notebook: Any) -> str:
    """An .ipynb with its cells' texts normalised; the same text where nothing changes."""
    changed = copy.deepcopy(notebook)
    for cell in changed.cells:
        cell.source = (
            _code(cell.source)
            if cell.cell_type == "code"
            else _markdown(cell.source)
            if cell.cell_type == "markdown"
            else cell.source
        )
    if not any(_LOADS.search(cell.source) for cell in changed.cells if cell.cell_type == "code"):
        first = next(
            (i for i, cell in enumerate(changed.cells) if cell.cell_type == "code"),
            len(changed.cells),
        )
        staff = nbformat.v4.new_code_cell(STAFF_CELL, id="authoring")
        if (changed.nbformat, changed.nbformat_minor) < (4, 5):
            del staff["id"]
        changed.cells.insert(first, staff)
    if changed.metadata.get("kernelspec", {}).get("name") == KERNEL["name"]:
        changed.metadata.kernelspec = nbformat.from_dict(KERNEL)
    changed.metadata.get("jupytext", {}).get("text_representation", {}).pop(
        "jupytext_version", None
    )
    return text if changed == notebook else str(nbformat.writes(changed)) + "\n"


# ---- text notebooks ------------------------------------------------------------------------------


def _text(text: str) -> str:
    """A py:percent notebook: header, then cells with one blank line between them."""
    match = _HEADER.match(text)
    header = f"# ---\n{_front_matter(match.group(1))}# ---\n" if match else ""
    lines = text[match.end() if match else 0 :].rstrip().split("\n")
    starts = [i for i, line in enumerate(lines) if _MARKER.match(line)]
    top = "\n".join(lines[: starts[0] if starts else len(lines)]).strip("\n")
    cells = [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]
    if not any(_LOADS.search("\n".join(cell)) for cell in cells if not _is_text(cell[0])):
        first = next((i for i, cell in enumerate(cells) if not _is_text(cell[0])), len(cells))
        cells.insert(first, ["# %%", "#| staff", "# %load_ext autogradient.authoring"])
    blocks = [block for block in (header.rstrip("\n"), top) if block]
    return "\n\n".join([*blocks, *(_cell(cell) for cell in cells)]) + "\n"


def _is_text(marker: str) -> bool:
    return re.search(r"\[(markdown|md|raw)\]", marker) is not None


def _cell(lines: list[str]) -> str:
    """One cell with its marker, without blank lines at its end."""
    marker, body = lines[0].rstrip(), "\n".join(lines[1:]).rstrip()
    if not body:
        return marker
    if not _is_text(marker):
        return f"{marker}\n{_code(body)}"
    rows = body.split("\n")
    if "[raw]" in marker or not all(row.rstrip() == "#" or row.startswith("# ") for row in rows):
        return f"{marker}\n{body}"
    inner = _markdown("\n".join("" if row.rstrip() == "#" else row[2:] for row in rows))
    return "\n".join([marker, *(f"# {row}" if row else "#" for row in inner.split("\n"))])


def _front_matter(header: str) -> str:
    """The YAML header in the order of the format, without what Jupytext adds. One with comments
    keeps its order: they belong to lines.
    """
    text = re.sub(r"^# ?", "", header, flags=re.MULTILINE)
    if re.search(r"(^|\s)#", text):
        return "".join(
            line + "\n"
            for line in header.rstrip("\n").split("\n")
            if not re.match(r"#\s+jupytext_version:", line)
        )
    try:
        front = yaml.safe_load(text)
        assert isinstance(front["jupyter"], dict)
    except (yaml.YAMLError, AssertionError, KeyError, TypeError):
        return header
    jupyter = front["jupyter"]
    if isinstance(jupyter.get("jupytext"), dict):
        jupyter["jupytext"].pop("text_representation", None)
        if set(jupyter["jupytext"]) <= {"notebook_metadata_filter"}:
            del jupyter["jupytext"]
    if (
        isinstance(jupyter.get("kernelspec"), dict)
        and jupyter["kernelspec"].get("name") == KERNEL["name"]
    ):
        jupyter["kernelspec"] = KERNEL
    if isinstance(jupyter.get("autogradient"), dict):
        ours = jupyter["autogradient"]
        jupyter["autogradient"] = {
            key: ours[key]
            for key in [
                *(k for k in FRONT_KEYS if k in ours),
                *(k for k in ours if k not in FRONT_KEYS),
            ]
        }
    out: list[str] = []
    for key, value in front.items():
        if key != "jupyter":
            out += (
                yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True, width=10**9)
                .rstrip()
                .split("\n")
            )
            continue
        out.append("jupyter:")
        for name in sorted(value):
            section = value[name]
            if not isinstance(section, dict):
                out += _indented(
                    yaml.safe_dump(
                        {name: section}, sort_keys=False, allow_unicode=True, width=10**9
                    ),
                    2,
                )
                continue
            out.append(f"  {name}:")
            for inner, item in section.items():
                # short lists stay on their line
                flow = None if isinstance(item, (list, dict)) else False
                out += _indented(
                    yaml.safe_dump(
                        {inner: item},
                        sort_keys=False,
                        allow_unicode=True,
                        default_flow_style=flow,
                        width=10**9,
                    ),
                    4,
                )
    return "".join(f"# {line}\n" for line in out)


def _indented(text: str, depth: int) -> list[str]:
    return [" " * depth + line for line in text.rstrip().split("\n")]


# ---- cells ---------------------------------------------------------------------------------------


def _code(text: str) -> str:
    """A code cell with its directive in order; white space at line ends goes where Python doesn't
    mind.
    """
    lines = text.split("\n")
    count = next((i for i, line in enumerate(lines) if not line.startswith("#|")), len(lines))
    directive = parse(text, "code")
    head = [line.rstrip() for line in lines[:count]]
    if count and not directive.problems:
        entries: dict[str, list[str]] = {}
        key = ""
        for line in head:
            inner = line[2:].removeprefix(" ")
            if key and (inner[:1].isspace() or not inner):
                entries[key].append(f"#| {inner}".rstrip())
                continue
            name, colon, value = inner.partition(":")
            key = name.strip()
            entries[key] = [f"#| {key}{colon} {value.strip()}".rstrip()]
        order = [directive.role, *ROLES[directive.role].keys]
        head = [line for key in order for line in entries.get(key, [])]
    body = lines[count:]
    for i, line in enumerate(body):
        shorter = [*body[:i], line.rstrip(), *body[i + 1 :]]
        if shorter[i] != line and _same_code("\n".join(body), "\n".join(shorter)):
            body = shorter
    return "\n".join([*head, *body])


def _same_code(one: str, other: str) -> bool:
    """Whether two cells are the same to Python. Cells with magics are not parsed, so they are left
    as they are.
    """
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except SyntaxError:
        return False


def _markdown(text: str) -> str:
    """A Markdown cell with its directive in order. Two spaces at a line's end are a line break and
    stay.
    """
    text = "\n".join(
        "" if not line.strip() else line[:-1] if re.search(r"\S[ \t]$", line) else line
        for line in text.split("\n")
    )
    match = re.match(r"\n*<!--\|(.*?)-->", text, re.DOTALL)
    directive = parse(text, "markdown")
    if match is None or directive.problems:
        return text
    inner = "{" + match.group(1).strip() + "}"
    node = yaml.compose(inner, Loader=yaml.SafeLoader)
    assert isinstance(node, yaml.MappingNode)
    values = {
        key.value: inner[value.start_mark.index : value.end_mark.index].strip()
        for key, value in node.value
    }
    order = [directive.role, *ROLES[directive.role].keys]
    if list(values) == [key for key in order if key in values] and "\n" in match.group(1):
        return text
    target = " ".join(values[directive.role].split())
    keys = {key: re.sub(r"\s*\n\s*", " ", values[key]) for key in order[1:] if key in values}
    return render(directive.role, target, keys, "markdown") + text[match.end() :]
