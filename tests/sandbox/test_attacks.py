"""No attack of the corpora earns a point, learns a secret, hangs, or touches anybody else's work;
what is honest in it still counts.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from attacks import corpus, harness
from attacks.cases import CASES
from attacks.corpus import Format
from attacks.harness import Campaign
from attacks.suites import Key, attacks, shared_corpus

from autogradient.wire import channel, codec, frames, peer

BY_ID = {case.id: case for case in CASES}


# ---- every attack --------------------------------------------------------------------------------


def keys(suite: str) -> list[Key]:
    """The attacks of a suite that every run tries."""
    return [key for key, attack in attacks().items() if attack.suite == suite and attack.every_run]


@pytest.fixture(scope="module")
def campaign(request: pytest.FixtureRequest) -> Iterator[Campaign]:
    """Tries all attacks that were selected, side by side, while the tests look at what came of one
    after the other.
    """
    selected = [
        item
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
    ]
    wanted: list[Key] = [
        item.callspec.params["key"]
        for item in selected
        if item.path == request.path and "key" in item.callspec.params
    ]  # type: ignore[misc]
    # tests that run meanwhile want a processor, too
    beside = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) - 1
    with Campaign(wanted, jobs=max(1, len(os.sched_getaffinity(0)) - beside)) as running:
        yield running


@pytest.mark.promise("P1", "P8", "P11", "P15")
@pytest.mark.timeout(900)  # the first test waits for all that stand in the queue before it
@pytest.mark.parametrize("key", keys("own"), ids="/".join)
def test_the_grader_holds(campaign: Campaign, key: Key) -> None:
    assert campaign.reports[key].result().problems == []


@pytest.mark.skipif(
    shared_corpus() is None,
    reason="the corpus that the project was given is not beside the checkout",
)
@pytest.mark.promise("P1", "P11", "P15")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("key", keys("shared"), ids="/".join)
def test_the_grader_holds_against_the_shared_corpus(campaign: Campaign, key: Key) -> None:
    assert campaign.reports[key].result().problems == []


# ---- the command ---------------------------------------------------------------------------------


@pytest.mark.parametrize("format", corpus.BOTH)
def test_the_command_holds(tmp_path: Path, format: Format) -> None:
    assignment = corpus.write_assignment(format, tmp_path / "source" / corpus.NAME)
    cases = [
        BY_ID[id]
        for id in (
            "control-right",
            "control-wrong",
            "patch-allclose",
            "read-course",
            "tell-print",
            "cell-kill-all",
            "talk-garbage",
        )
    ]
    for case in cases:
        folder = tmp_path / "submitted" / case.id
        folder.mkdir(parents=True)
        corpus.write_case(case, format, folder, {corpus.ROOT: str(tmp_path)})
        (folder / f"{corpus.NAME}.ipynb").rename(folder / f"{case.id}.ipynb")
    command = [
        sys.executable,
        "-m",
        "autogradient",
        "grade",
        str(tmp_path / "submitted"),
        "--assignment",
        str(assignment),
        "--out",
        str(tmp_path / "out"),
    ]
    environment = os.environ | {
        "GITHUB_TOKEN": corpus.IN_ENVIRONMENT,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=250)
    assert run.returncode == 0, run.stderr
    results = {
        case.id: json.loads((tmp_path / "out" / f"{case.id}.json").read_text()) for case in cases
    }
    assert all(result["sealed"] for result in results.values())
    assert [
        case.id
        for case in cases
        if not case.least <= results[case.id]["points"]["earned"] <= case.most
    ] == []
    readable = (
        run.stdout
        + run.stderr
        + "".join(
            path.read_text() for path in (tmp_path / "out").iterdir() if ".staff" not in path.name
        )
    )
    assert harness.secrets_in(readable, "own") == set()


# ---- the corpus ----------------------------------------------------------------------------------


def test_the_corpus_is_large_and_its_cases_differ() -> None:
    kinds = Counter(case.kind for case in CASES)
    assert len(CASES) >= 150 and kinds["wire"] + kinds["smuggle"] >= 45
    assert [id for id, count in Counter(case.id for case in CASES).items() if count > 1] == []
    texts = Counter(
        json.dumps(corpus.build(case, "nbgrader"))
        for case in CASES
        if case.raw is None and "nbgrader" in case.formats and not case.files
    )
    assert max(texts.values()) == 1


def test_cases_have_the_same_bytes_each_time_and_spell_no_secret(tmp_path: Path) -> None:
    wrong = []
    for case in CASES:
        written = []
        for name in ("once", "again"):
            folder = tmp_path / case.id / name
            folder.mkdir(parents=True)
            corpus.write_case(case, case.formats[0], folder, {})
            files = sorted(
                path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
            )
            written.append([(path.relative_to(folder), path.read_bytes()) for path in files])
        if written[0] != written[1] or any(corpus.MARK.encode() in data for _, data in written[0]):
            wrong.append(case.id)
        shutil.rmtree(tmp_path / case.id)
    assert wrong == []


def test_attacks_on_the_wire_name_what_is_there() -> None:
    modules = {"codec": codec, "channel": channel, "codes": frames, "peer": peer}
    text = "\n".join(
        source
        for case in CASES
        if case.kind == "wire"
        for source in (*case.before, *case.answers.values())
    )
    used = set(re.findall(r"(?<![\w.])(codec|codes|peer)\.(\w+)", text)) | set(
        re.findall(r"(?<![\w.])(channel)\.([A-Z]\w+)", text)
    )
    assert len(used) > 20
    assert [
        f"{module}.{name}" for module, name in sorted(used) if not hasattr(modules[module], name)
    ] == []


#: Cases that do no harm to the machine that this test runs on.
IN_PLAIN = (
    "control-wrong",
    "patch-allclose",
    "patch-helper",
    "lie-object",
    "lie-float-subclass",
    "lie-mutates-arguments",
    "lie-named-tuple",
    "find-frame-number",
)


@pytest.fixture(scope="module")
def in_plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The hidden tests that pass where they run in the names of the student's cells, case by case;
    each in a fork of its own.
    """
    jobs = {}
    for id in IN_PLAIN:
        book = corpus.build(BY_ID[id], "nbgrader")
        jobs[id] = [
            cell["source"]
            for cell in book["cells"]
            if cell["cell_type"] == "code" and not corpus.is_test(cell, "nbgrader")
        ]
    hidden = {question.id: question.hidden for question in corpus.QUESTIONS}
    program = f"""
import json, os, numpy, torch
for id, cells in {jobs!r}.items():
    if os.fork() == 0:
        space, passed = {{}}, []
        for text in cells: exec(text, space)
        for name, text in {hidden!r}.items():
            try: exec(text, space); passed.append(name)
            except Exception: pass
        print(json.dumps([id, passed]), flush=True)
        os._exit(0)
    os.wait()
"""
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=200,
        cwd=tmp_path_factory.mktemp("plain"),
    )
    return dict(json.loads(line) for line in run.stdout.splitlines())


@pytest.mark.parametrize("id", IN_PLAIN)
def test_attacks_work_where_tests_run_beside_the_student(
    in_plain: dict[str, list[str]], id: str
) -> None:
    assert bool(in_plain[id]) == (id != "control-wrong")


# ---- the harness ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"x {corpus.IN_PEER} y",
        corpus.IN_HOME[::-1],
        corpus.IN_TEST.encode().hex(),
        "LEAK&#77;ARK_PEER",
        f"[{corpus.SECRET_NUMBER}, 4.0]",
        *(base64.b64encode(b"x" * shift + corpus.IN_TEST.encode()).decode() for shift in range(4)),
    ],
)
def test_secrets_are_found(text: str) -> None:
    assert harness.secrets_in(text, "own")


def test_no_secrets_are_found_where_there_are_none() -> None:
    assert (
        harness.secrets_in("LEAK MARK 867.53 " + base64.b64encode(b"leakmark").decode(), "own")
        == set()
    )


def test_what_is_left_behind_is_found(tmp_path: Path) -> None:
    place = harness.Place(tmp_path)
    before, files = harness.descendants(), place.files()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in harness.left_over(before, 0.0)
        assert child.stdin is not None
        child.stdin.close()
    assert child.pid not in harness.descendants()
    (tmp_path / "course" / "results" / "x.json").write_text("{}")
    assert set(place.files()) - set(files) == {"course/results/x.json"}


def test_who_gets_through_to_the_listener_is_heard() -> None:
    listener = harness.Listener()
    with socket.create_connection(listener.tcp.getsockname()):
        assert "connection" in listener.heard.get(timeout=10)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"\0{listener.name}")
        assert "connection" in listener.heard.get(timeout=10)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"hidden", listener.udp.getsockname())
        assert "hidden" in listener.heard.get(timeout=10)
    assert listener.take() == []
