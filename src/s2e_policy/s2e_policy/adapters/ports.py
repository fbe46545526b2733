"""What a published graph's inputs and outputs must be, and how a file differs from that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from s2e_policy.errors import PolicyError

Dimension = int | str
BATCH = 'batch'


class Node(Protocol):
    """An input or output as ONNX Runtime describes it."""

    name: str
    shape: Sequence[int | str | None]
    type: str


@dataclass(frozen=True)
class Port:
    """One input or output of a published graph."""

    role: str
    """What our code calls it."""
    shape: tuple[Dimension, ...] | None
    """A text fits any size; None where the shape is not known."""
    name: str | None = None
    """Published name; None where only the shape is known."""
    types: tuple[str, ...] = ('float',)
    """Element types that are accepted."""

    def fits(self, node: Node) -> bool:
        """Whether type and shape agree; a size that the file leaves open agrees."""
        if _type(node) not in self.types or self.name not in (None, node.name):
            return False
        if self.shape is None:
            return True
        return len(node.shape) == len(self.shape) and all(
            isinstance(want, str) or not isinstance(got, int) or got in (want, 0)
            for want, got in zip(self.shape, node.shape, strict=True)
        )

    def __str__(self) -> str:
        shape = 'of any shape' if self.shape is None else _shape(self.shape)
        return f'{self.name or f"(any name: {self.role})"} {"|".join(self.types)} {shape}'


def match(
    path: str, kind: str, inputs: Sequence[Node], outputs: Sequence[Node],
    wanted_inputs: Sequence[Port], wanted_outputs: Sequence[Port], *, others: bool = False,
) -> tuple[dict[str, Node], dict[str, Node]]:
    """Find every port in a file.

    Args:
        path: The file, for the message.
        kind: What the graph should be, for the message.
        inputs: Of the file.
        outputs: Of the file.
        wanted_inputs: Of the published graph.
        wanted_outputs: Of the published graph.
        others: Whether outputs that nobody asked for are let pass.

    Returns:
        Nodes by role, for inputs and outputs.

    Raises:
        PolicyError: With every difference, expected against found.
    """
    found_in, lines = _assign('input', inputs, wanted_inputs, others=False)
    found_out, more = _assign('output', outputs, wanted_outputs, others=others)
    if lines or more:
        listing = '\n'.join(f'  {line}' for line in [*lines, *more])
        raise PolicyError(
            f'{path}: this is not the published {kind} graph (- expected, + found)\n{listing}'
        )
    return found_in, found_out


def _assign(
    side: str, nodes: Sequence[Node], ports: Sequence[Port], *, others: bool
) -> tuple[dict[str, Node], list[str]]:
    left = list(nodes)
    found: dict[str, Node] = {}
    missing = []
    # Named ports first, so that none is taken by a port that knows only its shape.
    for port in sorted(ports, key=lambda port: port.name is None):
        node = _pick(port, left)
        if node is None:
            missing.append(port)
        else:
            found[port.role] = node
            left.remove(node)
    if not missing and (others or not left):
        return found, []
    lines = [f'- {side} {port}' for port in missing]
    return found, lines + [f'+ {side} {node.name} {_type(node)} {_shape(node.shape)}'
                           for node in left]


def _pick(port: Port, nodes: Sequence[Node]) -> Node | None:
    """Return the node that fits; of several, one whose sizes are all stated."""
    fitting = [node for node in nodes if port.fits(node)]
    if len(fitting) > 1:
        stated = [n for n in fitting if all(isinstance(size, int) for size in n.shape[1:])]
        fitting = stated or fitting
    return fitting[0] if fitting else None


def _type(node: Node) -> str:
    return node.type.removeprefix('tensor(').removesuffix(')')


def _shape(shape: Sequence[int | str | None]) -> str:
    return '[' + ', '.join('?' if size is None else str(size) for size in shape) + ']'
