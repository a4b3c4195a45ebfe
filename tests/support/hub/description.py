"""GitHub's own OpenAPI description, as the npm package @octokit/openapi ships it, and a check of
requests and answers against it.

`python -m hub.description`, in tests/, downloads it into the user's cache; tests do so themselves
where it is missing.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jsonschema import ValidationError
from openapi_schema_validator import OAS30Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from autogradient.model.files import cached, write_atomically

PACKAGE, VERSION = "@octokit/openapi", "23.0.2"
MEMBER = "package/generated/api.github.com.json"
DIGEST = "829b4bebb19a53133289f7b0bc819f4f1118115821db2ca9f25e9ee995a7da2a"


class NotToBeHad(Exception):
    """The description is not on this machine and cannot be downloaded."""


def path() -> Path:
    """Where the description is kept."""
    path = cached(f"github-openapi-{VERSION}.json")
    assert path is not None
    return path


def download() -> Path:
    """Make sure that the description is there. Raises NotToBeHad."""
    if path().is_file() and hashlib.sha256(path().read_bytes()).hexdigest() == DIGEST:
        return path()
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(
                [
                    "npm",
                    "pack",
                    "--silent",
                    "--ignore-scripts",
                    "--pack-destination",
                    folder,
                    f"{PACKAGE}@{VERSION}",
                ],
                cwd=folder,
                check=True,
                capture_output=True,
                timeout=180,
            )
        except FileNotFoundError:
            raise NotToBeHad(f"npm, which brings {PACKAGE}, is not installed") from None
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise NotToBeHad(
                f"npm could not download {PACKAGE}@{VERSION} ({type(error).__name__})"
            ) from None
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as opened:
            file = opened.extractfile(MEMBER)
            assert file is not None
            data = file.read()
    assert hashlib.sha256(data).hexdigest() == DIGEST, f"{PACKAGE}@{VERSION} is not what it was"
    write_atomically(path(), data)
    return path()


class Description:
    """What GitHub says its API takes and gives."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.registry: Registry[Any] = Registry().with_resource(
            "github:", Resource.from_contents(document, default_specification=DRAFT4)
        )
        self.templates = []
        for template, operations in document["paths"].items():
            # Of a path's parameters only the last few may hold slashes, as GitHub reads them.
            pattern = re.sub(r"\\\{(path|ref|basehead)\\\}", r"(?P<\1>.+)", re.escape(template))
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", pattern)
            self.templates.append((template.count("{"), re.compile(pattern), template, operations))
        # of two that fit, the one that says more
        self.templates.sort(key=lambda entry: (entry[0], -entry[2].count("/")))

    def resolve(self, thing: Any) -> Any:
        """What a reference stands for."""
        while isinstance(thing, dict) and "$ref" in thing:
            found = self.document
            for word in thing["$ref"].removeprefix("#/").split("/"):
                found = found[word.replace("~1", "/").replace("~0", "~")]
            thing = found
        return thing

    def operation(
        self, method: str, path: str
    ) -> tuple[str, str, dict[str, Any], dict[str, str]] | None:
        """The operation that a request asks for: its id, its template, what is said of it, and the
        path's parameters.
        """
        for _, pattern, template, operations in self.templates:
            match = pattern.fullmatch(path)
            if match and method.lower() in operations:
                operation = operations[method.lower()]
                return (
                    operation["operationId"],
                    template,
                    operation,
                    {key: unquote(value) for key, value in match.groupdict().items()},
                )
        return None

    @functools.cache  # noqa: B019 - there is one of them
    def validator(self, pointer: str) -> Any:
        """A validator of the schema that stands at a place in the document."""
        return OAS30Validator({"$ref": f"github:#{pointer}"}, registry=self.registry)

    def wrong(self, pointer: str, value: Any) -> str:
        """Why a value does not fit the schema at a place; "" where it does."""
        try:
            self.validator(pointer).validate(value)
        except ValidationError as error:
            return f"{'/'.join(map(str, error.absolute_path)) or 'it'}: {error.message[:300]}"
        return ""

    def check(
        self,
        method: str,
        template: str,
        operation: dict[str, Any],
        path: dict[str, str],
        query: dict[str, str],
        body: Any,
    ) -> list[str]:
        """What is wrong with a request."""
        problems = []
        parameters = {
            (p["in"], p["name"]): p for p in map(self.resolve, operation.get("parameters", []))
        }
        places = {
            (self.resolve(p)["in"], self.resolve(p)["name"]): number
            for number, p in enumerate(operation.get("parameters", []))
        }
        given = {("path", name): value for name, value in path.items()} | {
            ("query", name): value for name, value in query.items()
        }
        for key, value in given.items():
            if key not in parameters:
                problems.append(f"there is no {key[0]} parameter '{key[1]}'")
                continue
            kind = self.resolve(parameters[key]["schema"]).get("type")
            plain: Any = (
                int(value)
                if kind == "integer" and re.fullmatch(r"-?\d+", value)
                else value == "true"
                if kind == "boolean"
                else value
            )
            reference = operation["parameters"][places[key]].get("$ref")
            pointer = (
                reference.removeprefix("#")
                if reference
                else self._pointer(template, method, "parameters", str(places[key]))
            )
            wrong = self.wrong(f"{pointer}/schema", plain)
            problems += [f"{key[0]} parameter '{key[1]}': {wrong}"] if wrong else []
        problems += [
            f"the {where} parameter '{name}' is missing"
            for (where, name), p in parameters.items()
            if p.get("required") and (where, name) not in given
        ]
        takes = self.resolve(operation.get("requestBody"))
        if body is None:
            return [
                *problems,
                *(["the body is missing"] if takes and takes.get("required") else []),
            ]
        if not takes:
            return [*problems, "no body is expected"]
        pointer = self._pointer(
            template, method, "requestBody", "content", "application/json", "schema"
        )
        wrong = self.wrong(pointer, body)
        problems += [f"body: {wrong}"] if wrong else []
        schema = self.resolve(takes["content"]["application/json"]["schema"])
        known = set(schema.get("properties", {})).union(
            *(
                self.resolve(s).get("properties", {})
                for key in ("oneOf", "anyOf", "allOf")
                for s in schema.get(key, [])
            )
        )
        if isinstance(body, dict) and known and not schema.get("additionalProperties"):
            problems += [
                f"body: there is no property '{name}'" for name in body if name not in known
            ]
        return problems

    def check_answer(
        self, method: str, template: str, operation: dict[str, Any], status: int, body: Any
    ) -> str:
        """What is wrong with an answer of ours; "" where it is one that GitHub could give."""
        if str(status) not in operation["responses"]:
            return f"GitHub does not answer {status} here"
        response = self.resolve(operation["responses"][str(status)])
        if "application/json" not in response.get("content", {}):
            return "" if body is None else "GitHub answers without a body here"
        reference = operation["responses"][str(status)].get("$ref")
        pointer = (
            reference.removeprefix("#")
            if reference
            else self._pointer(template, method, "responses", str(status))
        )
        return self.wrong(f"{pointer}/content/application~1json/schema", body)

    def example(self, operation_id: str, status: int = 200) -> Any:
        """A copy of the answer that the description gives as an example."""
        for operations in self.document["paths"].values():
            for operation in operations.values():
                if operation["operationId"] == operation_id:
                    content = self.resolve(operation["responses"][str(status)])["content"][
                        "application/json"
                    ]
                    first = (
                        content.get("example")
                        or self.resolve(next(iter(content["examples"].values())))["value"]
                    )
                    return copy.deepcopy(first)
        raise KeyError(operation_id)

    @staticmethod
    def _pointer(template: str, method: str, *words: str) -> str:
        return "/" + "/".join(
            word.replace("~", "~0").replace("/", "~1")
            for word in ("paths", template, method.lower(), *words)
        )


@functools.cache
def description() -> Description:
    """The description; downloaded once. Raises NotToBeHad."""
    return Description(json.loads(download().read_text(encoding="utf-8")))


if __name__ == "__main__":
    try:
        print(download())
    except NotToBeHad as reason:
        print(reason)
