"""A runner of GitHub Actions in small: it walks through a workflow's jobs as GitHub would, each on
a machine of its own, and runs the `run:` steps in a shell.

Expressions are evaluated from the workflow itself. Actions are what their pages say, in a folder;
what would change this machine or needs a network (`sudo`, `pip`, `uv`) is noted instead. Whatever a
workflow asks for that is not known here is an error.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

BIN = Path(sys.executable).parent
#: Stand-ins for programs of the machine: {calls} is where they note what they were asked, {bin}
#: where this Python's programs are.
NOTED = '#!/bin/sh\necho "{name} $*" >> {calls}\n'
PYTHON = """#!/bin/sh
case "$1 $2" in
"-m pip") echo "pip $*" >> {calls} ;;
"-m venv") mkdir -p "$3/bin" && ln -s {bin}/python {bin}/autogradient "$3/bin/" ;;
*) exec {bin}/python "$@" ;;
esac
"""


def load(path: Path) -> dict[str, Any]:
    """A workflow. YAML takes its `on` for a truth value."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in data.items()}


# ---- expressions ---------------------------------------------------------------------------------

_TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|(&&|\|\||==|!=|[!(),])|([A-Za-z_][\w.-]*)|(\d+))")
STATUS = ("success", "failure", "cancelled", "always")


class Expression:
    """What stands between ${{ and }}, evaluated with some contexts and functions."""

    def __init__(
        self, text: str, contexts: dict[str, Any], functions: dict[str, Callable[..., Any]]
    ) -> None:
        self.tokens, at = list[tuple[str, Any]](), 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            assert found, f"no expression that is known here: {text[at:]}"
            kinds = (
                ("text", found[1]),
                ("sign", found[2]),
                ("name", found[3]),
                ("number", found[4]),
            )
            self.tokens.append(next((kind, value) for kind, value in kinds if value is not None))
            at = found.end()
        self.contexts, self.functions = contexts, functions

    def value(self) -> Any:
        found = self.either()
        assert not self.tokens, f"left over: {self.tokens}"
        return found

    def next(self, *signs: str) -> str:
        return (
            str(self.tokens.pop(0)[1])
            if self.tokens and self.tokens[0][0] == "sign" and self.tokens[0][1] in signs
            else ""
        )

    def either(self) -> Any:
        found = self.both()
        while self.next("||"):
            other = self.both()
            found = found or other
        return found

    def both(self) -> Any:
        found = self.equal()
        while self.next("&&"):
            other = self.equal()
            found = found and other
        return found

    def equal(self) -> Any:
        found = self.one()
        while sign := self.next("==", "!="):
            same = said(found).lower() == said(self.one()).lower()
            found = same if sign == "==" else not same
        return found

    def one(self) -> Any:
        if self.next("!"):
            return not self.one()
        if self.next("("):
            found = self.either()
            assert self.next(")")
            return found
        kind, token = self.tokens.pop(0)
        if kind == "text":
            return token.replace("''", "'")
        if kind == "number":
            return int(token)
        if self.next("("):
            arguments = []
            while not self.next(")"):
                arguments.append(self.either())
                self.next(",")
            return self.functions[token](*arguments)
        first, *rest = token.split(".")
        found = self.contexts[first]
        for word in rest:
            found = (found or {}).get(word)
        return found


def said(value: Any) -> str:
    """A value as text, as GitHub writes it."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


# ---- jobs ----------------------------------------------------------------------------------------


@dataclass
class Job:
    """What became of a job: its result, outputs and, by the names of its steps, what they were
    given and what they said; and whether each went well.
    """

    result: str = "skipped"
    outputs: dict[str, str] = field(default_factory=dict)
    environments: dict[str, dict[str, str]] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    #: What stands on the page of the run.
    summary: str = ""


@dataclass
class Actions:
    """A repository on GitHub with its variables and secrets. `checkout` is what actions/checkout
    brings.
    """

    folder: Path
    checkout: Path
    variables: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    caches: set[str] = field(default_factory=set)
    #: What was asked of programs that are not run here.
    calls: list[str] = field(default_factory=list)
    machines: int = 0

    def run(
        self, path: Path, event: dict[str, Any], name: str, inputs: dict[str, Any] | None = None
    ) -> dict[str, Job]:
        """Walk through a workflow. Returns its jobs, those of a matrix as one."""
        workflow = load(path)
        self.machines += 1
        run = _Run(self, event, name, inputs or {}, self.folder / f"artifacts-{self.machines}")
        run.evaluate(workflow.get("concurrency"), {})
        jobs = dict(workflow["jobs"])
        while jobs:
            ready = [
                key
                for key, job in jobs.items()
                if all(need in run.done for need in _list(job.get("needs")))
            ]
            assert ready, "jobs wait for each other"
            run.job(ready[0], jobs.pop(ready[0]), workflow)
        return run.done


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


@dataclass
class _Run:
    actions: Actions
    event: dict[str, Any]
    name: str
    inputs: dict[str, Any]
    artifacts: Path
    done: dict[str, Job] = field(default_factory=dict)

    def contexts(self) -> dict[str, Any]:
        github = {"event": self.event, "event_name": self.name, "ref": "refs/heads/main"}
        return {
            "github": github,
            "inputs": self.inputs,
            "vars": self.actions.variables,
            "runner": {"os": "Linux"},
        }

    def evaluate(
        self,
        value: Any,
        contexts: dict[str, Any],
        functions: dict[str, Callable[..., Any]] | None = None,
    ) -> Any:
        """A value of the workflow with all of its expressions filled in."""
        if isinstance(value, dict):
            return {key: self.evaluate(one, contexts, functions) for key, one in value.items()}
        if isinstance(value, list):
            return [self.evaluate(one, contexts, functions) for one in value]
        if not isinstance(value, str):
            return value

        def one(text: str) -> Any:
            return Expression(
                text, {**self.contexts(), **contexts}, {"fromJSON": json.loads, **(functions or {})}
            ).value()

        whole = re.fullmatch(r"\$\{\{(.*?)\}\}", value)
        return (
            one(whole[1])
            if whole
            else re.sub(r"\$\{\{(.*?)\}\}", lambda found: said(one(found[1])), value)
        )

    def holds(
        self,
        condition: Any,
        contexts: dict[str, Any],
        good: bool,
        functions: dict[str, Callable[..., Any]] | None = None,
    ) -> bool:
        """Whether a job or step is begun: without a function of its own, only where all went well
        before.
        """
        text = (
            str(condition if condition is not None else "success()")
            .removeprefix("${{")
            .removesuffix("}}")
        )
        status = {
            "success": lambda: good,
            "failure": lambda: not good,
            "cancelled": lambda: False,
            "always": lambda: True,
        }
        found = self.evaluate(f"${{{{{text}}}}}", contexts, {**status, **(functions or {})})
        return bool(found) and (good or any(re.search(rf"\b{name}\(", text) for name in STATUS))

    def job(self, key: str, job: dict[str, Any], workflow: dict[str, Any]) -> None:
        needs = {
            need: {"result": self.done[need].result, "outputs": self.done[need].outputs}
            for need in _list(job.get("needs"))
        }
        done = self.done[key] = Job()
        if not self.holds(
            job.get("if"),
            {"needs": needs},
            all(need["result"] == "success" for need in needs.values()),
        ):
            return
        strategy = self.evaluate(job.get("strategy", {}), {"needs": needs})
        self.evaluate(job.get("concurrency"), {"needs": needs})
        matrix = strategy.get("matrix", {})
        assert len(matrix) <= 1 and isinstance(strategy.get("max-parallel", 1), int)
        done.result = "success"
        for index, value in enumerate(next(iter(matrix.values()), [None])):
            here = {
                "needs": needs,
                "matrix": dict.fromkeys(matrix, value),
                "strategy": {"job-index": index},
                "steps": {},
            }
            if not _Machine(self, done, workflow, job, here).work():
                done.result = "failure"
        done.outputs = {
            name: said(value) for name, value in self.evaluate(job.get("outputs", {}), here).items()
        }


class _Machine:
    """A fresh machine for one job."""

    def __init__(
        self,
        run: _Run,
        done: Job,
        workflow: dict[str, Any],
        job: dict[str, Any],
        contexts: dict[str, Any],
    ) -> None:
        self.run, self.done, self.workflow, self.job, self.contexts = (
            run,
            done,
            workflow,
            job,
            contexts,
        )
        run.actions.machines += 1
        self.home = run.actions.folder / f"machine-{run.actions.machines}"
        self.workspace, self.programs, self.temp = (
            self.home / "work",
            self.home / "programs",
            self.home / "temp",
        )
        for folder in (self.workspace, self.programs, self.temp):
            folder.mkdir(parents=True)
        self.calls = self.home / "calls"
        self.calls.write_text("")
        for name, text in {"sudo": NOTED, "uv": NOTED, "python": PYTHON, "python3": PYTHON}.items():
            (self.programs / name).write_text(text.format(name=name, calls=self.calls, bin=BIN))
            (self.programs / name).chmod(0o755)
        self.path: list[str] = []

    def work(self) -> bool:
        good = True
        known = self.contexts["steps"]
        for step in self.job["steps"]:
            name = step["name"]
            if not self.run.holds(step.get("if"), self.contexts, good, self.functions):
                outcome, outputs = "skipped", dict[str, str]()
            elif "uses" in step:
                outcome, outputs = "success", self.action(step)
            else:
                code, outputs = self.shell(name, step)
                outcome = "failure" if code else "success"
            self.done.outcomes[name] = outcome
            if "id" in step:
                known[step["id"]] = {"outcome": outcome, "outputs": outputs}
            good = good and (outcome != "failure" or bool(step.get("continue-on-error")))
        self.run.actions.calls += self.calls.read_text().splitlines()
        return good

    @property
    def functions(self) -> dict[str, Callable[..., Any]]:
        return {
            "hashFiles": lambda *patterns: "+".join(
                sorted(path.name for pattern in patterns for path in self.workspace.glob(pattern))
            )
        }

    def evaluate(self, value: Any, **more: Any) -> Any:
        return self.run.evaluate(value, {**self.contexts, **more}, self.functions)

    def shell(self, name: str, step: dict[str, Any]) -> tuple[int, dict[str, str]]:
        """A `run:` step as GitHub runs it. Returns its exit code and its outputs."""
        files = {
            key: self.temp / key
            for key in (
                "GITHUB_OUTPUT",
                "GITHUB_STEP_SUMMARY",
                "GITHUB_ENV",
                "GITHUB_PATH",
                "GITHUB_EVENT_PATH",
            )
        }
        for key, path in files.items():
            path.write_text(json.dumps(self.run.event) if key == "GITHUB_EVENT_PATH" else "")
        environment = {
            "PATH": ":".join(
                [*self.path, str(self.programs), "/usr/local/bin", "/usr/bin", "/bin"]
            ),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
        }
        environment |= {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
        }
        environment |= {key: str(path) for key, path in files.items()}
        environment |= {
            key: os.environ[key]
            for key in ("OMP_NUM_THREADS", "XDG_CACHE_HOME")
            if key in os.environ
        }
        for place in (self.workflow, self.job, step):
            given = self.evaluate(place.get("env", {}), secrets=self.run.actions.secrets)
            environment |= {key: said(value) for key, value in given.items()}
        assert "${{" not in step["run"], f"{name}: an expression in a script is a hole"
        self.done.environments[name] = environment
        by_name = step.get("shell", self.workflow.get("defaults", {}).get("run", {}).get("shell"))
        assert by_name in (None, "bash")
        shell = [
            "bash",
            *(["--noprofile", "--norc", "-e", "-o", "pipefail"] if by_name else ["-e"]),
            "-c",
            step["run"],
        ]
        done = subprocess.run(
            shell,
            cwd=self.workspace,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=280,
        )
        self.done.logs[name] = self.done.logs.get(name, "") + done.stdout
        self.done.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        self.path = [*files["GITHUB_PATH"].read_text().split(), *self.path]
        assert "Traceback" not in done.stdout, done.stdout
        return done.returncode, dict(
            line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines()
        )

    # ---- actions ---------------------------------------------------------------------------------

    def action(self, step: dict[str, Any]) -> dict[str, str]:
        name, _, commit = step["uses"].partition("@")
        assert re.fullmatch(r"[0-9a-f]{40}", commit)
        given = self.evaluate(step.get("with", {}))
        known: dict[str, Callable[[dict[str, Any]], dict[str, str] | None]] = {
            "actions/checkout": self.check_out,
            "actions/setup-python": lambda given: None,
            "actions/upload-artifact": self.upload,
            "actions/download-artifact": self.download,
            "actions/cache/restore": lambda given: {
                "cache-hit": said(given["key"] in self.run.actions.caches)
            },
            "actions/cache/save": lambda given: self.run.actions.caches.add(given["key"]),
        }
        return known[name](given) or {}

    def check_out(self, given: dict[str, Any]) -> None:
        shutil.copytree(self.run.actions.checkout, self.workspace, dirs_exist_ok=True)

    def upload(self, given: dict[str, Any]) -> None:
        """What is hidden is left out; below the one path, or where there are several, below the
        workspace.
        """
        lines = given["path"].split()
        wanted, unwanted = (
            [line for line in lines if line[0] != "!"],
            {line[1:] for line in lines if line[0] == "!"},
        )
        base = self.workspace / wanted[0] if len(wanted) == 1 else self.workspace
        target = self.run.artifacts / given["name"]
        assert not target.exists(), "artifacts are never changed"
        found = [
            path
            for line in wanted
            for path in [self.workspace / line, *(self.workspace / line).rglob("*")]
            if path.is_file()
        ]
        for path in found:
            name = path.relative_to(self.workspace).as_posix()
            if name not in unwanted and not any(word.startswith(".") for word in Path(name).parts):
                (target / path.relative_to(base)).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target / path.relative_to(base))
        assert target.exists() or given.get("if-no-files-found") != "error"

    def download(self, given: dict[str, Any]) -> None:
        into = self.workspace / given.get("path", ".")
        if "name" in given:
            shutil.copytree(self.run.artifacts / given["name"], into, dirs_exist_ok=True)
            return
        found = list(self.run.artifacts.glob(given["pattern"]))
        # without a folder of its own where they are merged, and where there is but one
        for artifact in found:
            apart = len(found) > 1 and not given.get("merge-multiple")
            shutil.copytree(artifact, into / artifact.name if apart else into, dirs_exist_ok=True)
