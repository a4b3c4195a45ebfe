"""Points as they are typed and as they are shown."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any


def points_of(text: Any) -> Fraction | None:
    """`text` as an exact number of points: not negative, at most two decimals. None where it is
    none.
    """
    try:
        value = Decimal(str(text).strip())
    except InvalidOperation:
        return None
    if (
        isinstance(text, bool)
        or not value.is_finite()
        or value < 0
        or value * 100 != (value * 100).to_integral_value()
    ):
        return None
    return Fraction(value)


def show_points(points: Fraction | float) -> str:
    """Points as people write them: 3, 2.5, 0.25."""
    value = round(float(points), 2)
    return f"{value:g}" if value < 1e6 else str(value)
