"""Gradients across the boundary: a result of the other end as the output of a function here whose
backward asks there.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch


class Asks(Protocol):
    """The conversation that a graph belongs to: see `peer.Peer`."""

    dropped: list[int]

    def request(self, operation: str, *arguments: Any) -> Any:
        """Have the other end do something."""

    def end(self, why: str) -> None:
        """End the conversation."""


class _Token:
    """Lives as long as a graph needs the other end's; then that may forget its own."""

    def __init__(self, peer: Asks, graph: int) -> None:
        self.peer, self.graph = peer, graph

    def __del__(self) -> None:
        self.peer.dropped.append(self.graph)


class Bridge(torch.autograd.Function):
    """The identity on a result of the other end, with a backward that is computed there."""

    @staticmethod
    def forward(ctx: Any, token: _Token, value: Any, *leaves: Any) -> Any:
        """`value` as it is; `leaves` are this end's tensors that it depends on."""
        ctx.set_materialize_grads(False)
        ctx.token = token
        ctx.count = len(leaves)
        return value.detach()

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """Gradients of the leaves, differentiable again where a graph is being made."""
        if gradients[0] is None:
            return (None, None) + (None,) * ctx.count
        found = ctx.token.peer.request(
            "back", ctx.token.graph, gradients[0], torch.is_grad_enabled()
        )
        if type(found) is not list or any(
            g is not None and not isinstance(g, torch.Tensor) for g in found
        ):
            ctx.token.peer.end("gradients that are none")
        found = (found + [None] * ctx.count)[: ctx.count]
        return (None, None, *found)


def join(peer: Asks, graph: int, leaves: list[Any], value: Any) -> Any:
    """`value` as a tensor of this end with its gradients going to `graph` of the other."""
    token = _Token(peer, graph)
    wanted = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
    anchor = (
        wanted
        if any(leaf.requires_grad for leaf in wanted)
        else [*wanted, torch.zeros((), requires_grad=True)]
    )
    with torch.enable_grad():
        return Bridge.apply(token, value.detach(), *anchor)
