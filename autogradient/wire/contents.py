"""Contents of shared objects: what one holds, written into another that is alike."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def assign(old: Any, new: Any) -> None:
    """Write the content of `new` into `old`, where the two are alike."""
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        if old.shape == new.shape and old.dtype == new.dtype and old.flags.writeable:
            old[...] = new
    elif type(old) is list and type(new) is list:
        old[:] = new
    elif type(old) in (dict, set) and type(new) is type(old):
        old.clear()
        old.update(new)
    elif is_tensor(old) and is_tensor(new) and old.shape == new.shape and old.dtype == new.dtype:
        old.data.copy_(new.data)
        if old.is_leaf:
            if old.requires_grad != new.requires_grad:
                old.requires_grad_(new.requires_grad)
            assign_gradient(old, new)


def assign_gradient(old: Any, new: Any) -> None:
    """Write the gradient of `new` into `old`, where they are leaf tensors that are alike."""
    if not (
        is_tensor(old)
        and is_tensor(new)
        and old.is_leaf
        and old.shape == new.shape
        and old.dtype == new.dtype
    ):
        return
    if old.grad is not None and new.grad is not None:
        old.grad.data.copy_(new.grad)
    else:
        old.grad = None if new.grad is None else new.grad.to(old.device)


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor or a parameter, of exactly these types."""
    torch = sys.modules.get("torch")
    return torch is not None and type(value) in (torch.Tensor, torch.nn.Parameter)
