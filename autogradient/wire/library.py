"""Objects of well-known libraries that a test passes to student code: sent as what they are made
of, and made again on the other side.

Only the trusted side describes and only the untrusted side builds. Models, optimizers and data keep
their tensors shared, so that what a student's training loop does to them comes back.
"""

from __future__ import annotations

import collections
import importlib
import sys
from typing import Any

import numpy as np

from autogradient.wire.allowed import DRAWS, GENERATORS, look_up, reference
from autogradient.wire.codec import NotPlain
from autogradient.wire.peer import Peer


def describe(value: Any, peer: Peer) -> Any:
    """An object of a library as plain data, or None where it is not one that can be sent. Raises
    NotPlain where something in it cannot.
    """
    torch = sys.modules.get("torch")
    if isinstance(value, np.random.Generator):
        return _describe_numpy_generator(value)
    if torch is None:
        return None
    if isinstance(value, torch.Generator):
        fresh = torch.Generator().manual_seed(value.initial_seed())
        if not torch.equal(fresh.get_state(), value.get_state()):
            raise NotPlain(
                "a torch.Generator that was used already cannot be passed to the "
                "submission: pass one that was just seeded, or draw in a @probe function"
            )
        return ("torch generator", value.initial_seed())
    if isinstance(value, torch.nn.Module):
        return _describe_module(value)
    if isinstance(value, torch.optim.Optimizer):
        if reference(type(value)) is None or value.state:
            raise NotPlain(
                f"an optimizer of type {type(value).__name__} that has taken steps cannot "
                "be passed to the submission; make it in a @probe function that returns it"
            )
        return (
            "optimizer",
            *(reference(type(value)) or ()),
            tuple(tuple(group.items()) for group in value.param_groups),
        )
    data = torch.utils.data
    if isinstance(value, data.TensorDataset):
        return ("tensors", tuple(value.tensors))
    if isinstance(value, data.DataLoader):
        shuffled = isinstance(value.sampler, data.RandomSampler)
        return ("loader", value.dataset, value.batch_size, shuffled, value.drop_last)
    if isinstance(value, data.Dataset) and hasattr(value, "__len__"):
        return ("items", tuple(value[i] for i in range(len(value))))
    return None


def modules(value: Any) -> list[Any]:
    """A model and all models in it, in torch's order; none for anything else."""
    torch = sys.modules.get("torch")
    return list(value.modules()) if torch is not None and isinstance(value, torch.nn.Module) else []


def _describe_numpy_generator(value: np.random.Generator) -> Any:
    """A generator that nothing was drawn from yet, by its seed; never by its state, from which
    earlier draws can be had.
    """
    bits = value.bit_generator
    source = getattr(bits, "seed_seq", None)
    if not isinstance(source, np.random.SeedSequence) or type(bits).__name__ not in (
        "PCG64",
        "MT19937",
        "Philox",
        "SFC64",
        "PCG64DXSM",
    ):
        return None
    fresh = type(bits)(
        np.random.SeedSequence(
            source.entropy, spawn_key=source.spawn_key, pool_size=source.pool_size
        )
    )
    if repr(fresh.state) != repr(bits.state) or source.spawn_key:  # a child's seed is its parent's
        return None
    return ("numpy generator", type(bits).__name__, source.entropy, tuple(source.spawn_key))


def _describe_module(value: Any) -> Any:
    path = reference(type(value))
    if path is None:
        raise NotPlain(
            f"a model of type {type(value).__name__}, a class of the test's own, cannot be "
            "passed to the submission; make it in a @probe function that returns it"
        )
    state: dict[str, Any] = {}
    children: tuple[Any, ...] = ()
    for key, item in vars(value).items():
        if key == "_modules":
            children = tuple(item.items())
        elif "hook" in key:
            if item:
                raise NotPlain(
                    "a model with hooks cannot be passed to the submission; make it in a "
                    "@probe function that returns it"
                )
        else:
            state[key] = tuple(item.items()) if key in ("_parameters", "_buffers") else item
    return ("model", *path, tuple(state.items()), children)


def build(data: Any, peer: Peer) -> Any:
    """What `describe` described."""
    import torch

    what, *rest = data
    if what == "reference":
        module, name = rest
        importlib.import_module(module)
        return look_up(module, name)
    if what == "numpy generator":
        name, entropy, spawn_key = rest
        return np.random.Generator(
            getattr(np.random, name)(np.random.SeedSequence(entropy, spawn_key=spawn_key))
        )
    if what == "torch generator":
        return torch.Generator().manual_seed(rest[0])
    if what == "model":
        module, name, state, children = rest
        importlib.import_module(module)
        model = look_up(module, name).__new__(look_up(module, name))
        torch.nn.Module.__init__(model)
        vars(model).update(
            {key: dict(item) if key in ("_parameters", "_buffers") else item for key, item in state}
        )
        vars(model)["_modules"] = dict(children)
        return model
    if what == "optimizer":
        module, name, groups = rest
        importlib.import_module(module)
        return look_up(module, name)([dict(group) for group in groups])
    if what == "tensors":
        return torch.utils.data.TensorDataset(*rest[0])
    if what == "loader":
        dataset, size, shuffled, drop_last = rest
        return torch.utils.data.DataLoader(
            dataset, batch_size=size, shuffle=shuffled, drop_last=drop_last
        )
    if what == "items":
        return _Items(rest[0])
    raise ValueError(f"unknown kind of object {what!r}")


class _Items:
    """A dataset that is a list."""

    def __init__(self, items: tuple[Any, ...]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Any:
        return self.items[index]


def draw(generator: Any, name: Any, positional: Any, named: dict[str, Any]) -> Any:
    """A draw from a generator of the test's, from copies: `shuffle` writes into what it is given,
    and that may be an object of the test's.
    """
    if (
        type(name) is not str
        or name not in DRAWS
        or "out" in named
        or type(positional) is not tuple
        or not isinstance(generator, GENERATORS)
    ):
        raise ValueError("no such draw")
    copies = tuple(map(_copied, positional))
    result = getattr(generator, name)(
        *copies, **{key: _copied(value) for key, value in named.items()}
    )
    return copies[0] if name == "shuffle" else result


#: What a draw may be made from and with, beside what is copied: nobody can write into these.
_FIXED = (type(None), bool, int, float, complex, str, bytes, tuple, range, frozenset, slice)


def _copied(value: Any) -> Any:
    """An argument of a draw, as a copy of exactly its type. Raises ValueError for what is not
    listed: an object of the student's would be asked to write into itself.
    """
    kind, torch, pandas = type(value), sys.modules.get("torch"), sys.modules.get("pandas")
    if kind in _FIXED or isinstance(value, (np.generic, np.dtype)) or kind is type:
        return value
    if kind in (list, dict, set, collections.deque, np.ndarray):
        return value.copy()
    if torch is not None and kind in (torch.Tensor, torch.nn.Parameter):
        return value.detach().clone()
    if torch is not None and kind in (torch.Size, torch.dtype):
        return value
    if pandas is not None and kind in (pandas.Series, pandas.DataFrame, pandas.Index):
        return value.copy(deep=True)
    raise ValueError(f"a draw from an object of type {kind.__name__}")


class RemoteGenerator:
    """A random generator of the test's that stays with the test: every draw asks for it."""

    def __init__(self, peer: Peer, number: int) -> None:
        self._peer, self._number = peer, number

    def __getattr__(self, name: str) -> Any:
        if name not in DRAWS:
            raise AttributeError(f"the check's random generator has no '{name}' for a submission")

        def draw(*arguments: Any, **named: Any) -> Any:
            answer = self._peer.request("draw", self._number, name, arguments, tuple(named.items()))
            if name == "shuffle":
                arguments[0][:] = answer
                return None
            return answer

        return draw
