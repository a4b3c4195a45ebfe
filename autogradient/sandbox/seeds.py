"""Seeds of all libraries that draw, so that a run can be repeated."""

from __future__ import annotations

import random
import sys


def seed_everything(seed: int) -> None:
    """Seed `random`, NumPy and torch, so that a verdict can be repeated."""
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)
    seed_torch(seed)


def seed_torch(seed: int) -> None:
    """Seed torch, where it is loaded."""
    torch = sys.modules.get("torch")
    if torch is None:
        return
    # `torch.manual_seed` notes the stack for each kind of card that there might be, which takes
    # milliseconds
    set_seed = (
        torch.default_generator.manual_seed
        if torch.accelerator.current_accelerator() is None
        else torch.manual_seed
    )
    set_seed(seed)
