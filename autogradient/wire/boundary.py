"""The boundary between two sides of a conversation: what it adds to plain data, for `codec`."""

from __future__ import annotations

from typing import Any

from autogradient.wire.frames import BadFrame, NotPlain


class Boundary:
    """What one side of a conversation adds to plain values: objects that stay where they are, and
    objects that both sides hold.
    """

    def share(self, value: Any) -> int | None:
        """The number under which both sides know a list, dict, set, array or tensor; None where it
        is sent as a copy.
        """
        return None

    def shared(self, number: int) -> Any:
        """This side's object of that number."""
        raise BadFrame("nothing is shared here")

    def graph(self, tensor: Any) -> list[Any] | None:
        """Where gradients of `tensor` go: [graph, numbers of shared leaves]; None for a tensor
        without history.
        """
        return None

    def joined(self, graph: Any, numbers: Any, tensor: Any) -> Any:
        """`tensor` with its gradients going to the other side's graph."""
        raise BadFrame("no gradients cross here")

    def handle(self, value: Any) -> int | None:
        """The number under which the other side keeps `value`, where it is one of the other side's
        objects.
        """
        return None

    def handled(self, number: int) -> Any:
        """This side's object that the other side knows by a handle of that number."""
        raise BadFrame("a handle where none can be")

    def named_tuple(self, value: Any) -> None:
        """Look at a named tuple that has come."""

    def table(self, value: Any) -> None:
        """Look at a frame, series or index of pandas that has come."""

    def lower(self, value: Any) -> Any:
        """Plain data that stands for `value`. Raises NotPlain."""
        raise NotPlain(f"an object of type {type(value).__name__}")

    def lift(self, data: Any) -> Any:
        """What the plain data of `lower` stands for."""
        raise BadFrame("a handle where none can be")
