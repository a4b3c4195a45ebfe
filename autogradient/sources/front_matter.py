"""The front matter of an instructor notebook: its metadata `autogradient`, and every
mistake in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autogradient.errors import nearest
from autogradient.model.assignment import Limits
from autogradient.sources import messages

FRONT_KEYS = ("format", "title", "minutes", "prerequisites", "runner", "limits", "allow")
LIMIT_KEYS = ("cell_s", "case_s", "memory_mb", "submission_s")
_VALUES = {
    "prerequisites": "a list of assignments: [one, two]",
    "allow": "a list of what the leak check may pass, each with 'text' and 'because'",
    "limits": "a mapping: {cell_s: 30, case_s: 10, memory_mb: 4096, submission_s: 900}",
}


def front_mistakes(front: Any) -> Iterator[tuple[str, str]]:
    """What is wrong with the front matter, each with the key it stands at ("" where
    there is none).
    """
    if not isinstance(front, dict):
        yield "", messages.NO_FRONT_MATTER
        return
    if front.get("format") != 1:
        yield "format", messages.BAD_FORMAT.format(format=front.get("format", "(none)"))
    if not front.get("title"):
        yield "", messages.NO_TITLE
    for key in front:
        if key not in FRONT_KEYS:
            yield key, messages.BAD_FRONT_KEY.format(key=key, nearest=nearest(key, FRONT_KEYS))
    minutes = front.get("minutes", 1)
    if isinstance(minutes, bool) or not isinstance(minutes, (int, float)) or not minutes > 0:
        yield "minutes", messages.BAD_MINUTES.format(minutes=minutes)
    prerequisites, allow, limits = (
        front.get(key) or kind()
        for key, kind in (("prerequisites", list), ("allow", list), ("limits", dict))
    )
    if not isinstance(prerequisites, (list, str)):
        yield (
            "prerequisites",
            messages.BAD_FRONT_VALUE.format(key="prerequisites", expected=_VALUES["prerequisites"]),
        )
    if not isinstance(allow, list) or not all(
        isinstance(item, dict) and set(item) == {"text", "because"} and all(item.values())
        for item in allow
    ):
        yield "allow", messages.BAD_FRONT_VALUE.format(key="allow", expected=_VALUES["allow"])
    if not isinstance(limits, dict):
        yield "limits", messages.BAD_FRONT_VALUE.format(key="limits", expected=_VALUES["limits"])
        return
    for key, value in limits.items():
        if key not in LIMIT_KEYS:
            yield "limits", messages.BAD_FRONT_KEY.format(key=key, nearest=nearest(key, LIMIT_KEYS))
        elif not _is_positive(value):
            yield "limits", messages.BAD_LIMIT.format(key=key, value=value)


def limits_of(front: dict[str, Any]) -> Limits:
    """The limits that the front matter sets; those that are none are left as they are
    by default.
    """
    limits = front.get("limits")
    return Limits(
        **{
            key: float(value)
            for key, value in (limits if isinstance(limits, dict) else {}).items()
            if key in LIMIT_KEYS and _is_positive(value)
        }
    )


def _is_positive(value: Any) -> bool:
    return (
        isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < float("inf")
    )
