"""What keeps a judge from running what a submission wrote, by way of a library that reads code out
of data.

A test may hand a student's text to `sympy.sympify` or `DataFrame.query`, or bytes to a library that
unpickles them. Python tells of each such attempt (PEP 578), and only libraries that make code of
their own for other ends may go on: see `MAKERS`.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable
from typing import Any

#: Libraries that compile texts of their own making. What they make out of a test's text is checked
#: where the text comes in: `read_texts`.
MAKERS = [
    "numpy",
    "torch",
    "scipy",
    "sklearn",
    "matplotlib",
    "pandas",
    "sympy",
    "mpmath",
    "networkx",
    "pytest",
    "_pytest",
    "IPython",
    "decorator",
    "einops",
    "autogradient",
    "attr",
    "pydantic",
    "typing_extensions",
]
_STDLIB = os.path.realpath(sysconfig.get_path("stdlib")) + "/"

Refuse = Callable[[str], Exception | None]


def watch(refuse: Refuse) -> None:
    """From now on and for good: nothing in this process is unpickled, and code comes from tests and
    from `MAKERS` only. `refuse` gives the error.
    """

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "pickle.find_class" or event == "code.__new__":
            error = refuse(f"'{event}'")
        elif event in ("compile", "exec") and not _may_make(sys._getframe(1).f_code.co_filename):
            error = refuse("code")
        else:
            return
        if error is not None:
            raise error

    sys.addaudithook(hook)


def _may_make(file: str) -> bool:
    """Whether what stands in a file may compile or execute code: tests, Python's own library, and
    libraries that make code of their own.
    """
    if file.startswith("<") or (file.startswith(_STDLIB) and "/site-packages/" not in file):
        return True
    return any(f"/{name}/" in file or file.endswith(f"/{name}.py") for name in MAKERS)


def read_texts(stands_in_test: Callable[[Any], bool], refuse: Refuse) -> None:
    """Have sympy's and pandas' readers of formulas take texts of the test only, where these
    libraries are loaded.
    """

    def guarded(function: Callable[..., Any], name: str, at: int) -> Callable[..., Any]:
        original = getattr(function, "reads", function)

        def read(*arguments: Any, **named: Any) -> Any:
            text = arguments[at] if len(arguments) > at else next(iter(named.values()), None)
            if isinstance(text, (str, bytes)) and not stands_in_test(text):
                error = refuse(f"'{name}'")
                if error is not None:
                    raise error
            return original(*arguments, **named)

        read.reads = original  # type: ignore[attr-defined]
        return read

    if "sympy" in sys.modules:
        import sympy.parsing.sympy_parser

        for room in (sympy, sympy.parsing, sympy.parsing.sympy_parser):
            if hasattr(room, "parse_expr"):
                setattr(room, "parse_expr", guarded(room.parse_expr, "sympy.parse_expr", 0))  # noqa: B010 - it is a library's
    pandas: Any = sys.modules.get("pandas")
    if pandas is not None:
        pandas.eval = guarded(pandas.eval, "pandas.eval", 0)
        pandas.DataFrame.query = guarded(pandas.DataFrame.query, "DataFrame.query", 1)
        pandas.DataFrame.eval = guarded(pandas.DataFrame.eval, "DataFrame.eval", 1)
