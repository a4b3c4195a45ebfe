"""The sample submissions are what their script makes of the release as it stands."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.ipynb"))
    }


def test_the_sample_submissions_fit_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "examples")
    importlib.import_module("write_submissions").main(tmp_path)
    made, kept = files(tmp_path), files(ROOT / "examples" / "submissions")
    stale = [name for name in sorted(made.keys() | kept.keys()) if made.get(name) != kept.get(name)]
    assert not stale, "run: python examples/write_submissions.py"
    assert len(made) == 25
