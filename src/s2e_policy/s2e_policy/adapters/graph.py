"""A published graph: read, compared with its contract, tried once, and run by roles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from s2e_policy.adapters.files import read_model
from s2e_policy.adapters.ports import Port, match
from s2e_policy.errors import PolicyError
from s2e_policy.session import open_session

_DTYPES = {'float': np.float32, 'int64': np.int64, 'int32': np.int32, 'bool': np.bool_}


class Graph:
    """One ONNX file of a policy."""

    def __init__(
        self, path: Path, kind: str, inputs: Sequence[Port], outputs: Sequence[Port], *,
        provider: str = 'cpu', threads: int = 1, others: bool = False,
    ) -> None:
        """Open a file.

        Args:
            path: The file.
            kind: What it should be, for messages.
            inputs: Its inputs; the first size of a shape that is a text is taken as one.
            outputs: Its outputs.
            provider: Our name of the execution provider.
            threads: Threads within an operator.
            others: Whether outputs that nobody asked for are let pass.

        Raises:
            PolicyError: Unreadable, refused by ONNX Runtime, or not the published graph.
        """
        file = read_model(path)
        self.path, self.digest = path, file.digest
        self._session = open_session(path, file.model, file.weights, provider, threads)
        self._inputs, self._outputs = match(
            str(path), kind, self._session.get_inputs(), self._session.get_outputs(),
            inputs, outputs, others=others,
        )
        self._try(kind, inputs, outputs)

    def width(self, role: str) -> int | None:
        """Return the last size of an input, None where the file leaves it open."""
        size = self._inputs[role].shape[-1] if self._inputs[role].shape else None
        return size if isinstance(size, int) else None

    def rank(self, role: str) -> int:
        """Return the number of dimensions of an input."""
        return len(self._inputs[role].shape)

    def run(self, **feeds: np.ndarray) -> dict[str, np.ndarray]:
        """Run it.

        Args:
            feeds: Arrays by role; they are cast to the types that the file declares.

        Returns:
            Arrays by role.
        """
        named: dict[str, np.ndarray] = {}
        for role, array in feeds.items():
            node = self._inputs[role]
            kind = node.type.removeprefix('tensor(').removesuffix(')')
            named[node.name] = np.ascontiguousarray(array, _DTYPES[kind])
        names = [node.name for node in self._outputs.values()]
        return dict(zip(self._outputs, self._session.run(names, named), strict=True))

    def _try(self, kind: str, inputs: Sequence[Port], outputs: Sequence[Port]) -> None:
        """Run zeros through it: sizes that the file leaves open show here, not on the robot."""
        feeds = {
            port.role: np.zeros([
                size if isinstance(size, int) else 1 for size in self._sizes(port)
            ]) for port in inputs
        }
        try:
            answers = self.run(**feeds)
        except Exception as error:  # ONNX Runtime raises a dozen unrelated types
            raise PolicyError(f'{self.path}: the {kind} graph does not run: {error}') from error
        for port in outputs:
            got = answers[port.role].shape
            if port.shape is not None and (len(got) != len(port.shape) or any(
                isinstance(want, int) and want != size
                for want, size in zip(port.shape, got, strict=True)
            )):
                raise PolicyError(
                    f'{self.path}: {kind} output {self._outputs[port.role].name} must be '
                    f'{list(port.shape)}, got {list(got)}'
                )

    def _sizes(self, port: Port) -> Sequence[int | str | None]:
        """Sizes of an input: the published ones, else those that the file declares."""
        declared = self._inputs[port.role].shape
        if port.shape is None:
            return declared
        return [
            want if isinstance(want, int) else got
            for want, got in zip(port.shape, declared, strict=True)
        ]
