"""The two graphs of a bundle, opened over bytes that have been verified."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import onnxruntime as ort

from s2e_core.contract import FREE_SPACE_BEARINGS, WAYPOINTS
from s2e_policy.errors import PolicyError
from s2e_policy.manifest import WEIGHTS_FILE, Manifest
from s2e_policy.session import open_session
from s2e_policy.wire import external_locations

if TYPE_CHECKING:
    from s2e_policy.bundle import Bundle

OUTPUTS = ('trajectories', 'scores', 'sigmas', 'rho')
"""What every graph answers."""
FREE_OUTPUTS = ('free_space', 'free_confidence')
"""What some answer besides, `[B, 48]` each."""
Shape = tuple[int | str, ...]
BATCH = 'batch'


def output_names(free_space: bool) -> tuple[str, ...]:
    """Return the graph's outputs, in order and without the cache."""
    return (*OUTPUTS, *FREE_OUTPUTS) if free_space else OUTPUTS


def interface(manifest: Manifest, mode: str) -> tuple[dict[str, Shape], dict[str, Shape]]:
    """Return names and shapes of the graph's inputs and outputs.

    Args:
        manifest: The bundle's description.
        mode: `window` or `streaming`.
    """
    image = (3, manifest.images.height, manifest.images.width)
    frames, modes = manifest.images.frames, manifest.output.modes
    inputs: dict[str, Shape] = {'goal': (BATCH, 3), 'goal_mask': (BATCH, 1)}
    outputs: dict[str, Shape] = {
        'trajectories': (BATCH, modes, WAYPOINTS, 2), 'scores': (BATCH, modes),
        'sigmas': (BATCH, modes, WAYPOINTS, 2), 'rho': (BATCH, modes, WAYPOINTS),
    }
    if manifest.free_space:
        outputs.update(dict.fromkeys(FREE_OUTPUTS, (BATCH, FREE_SPACE_BEARINGS)))
    if mode == 'window':
        inputs['images'] = (BATCH, frames, *image)
    else:
        cache = (BATCH, frames - 1, manifest.token_dim)
        inputs.update(image=(BATCH, *image), cache=cache)
        outputs['cache_out'] = cache
    return inputs, outputs


def open_graph(
    bundle: Bundle, mode: str, provider: str = 'cpu', threads: int = 1
) -> ort.InferenceSession:
    """Open one of the two graphs.

    Args:
        bundle: A bundle whose hashes hold.
        mode: `window` or `streaming`.
        provider: Our name of the execution provider.
        threads: Threads within an operator.

    Raises:
        PolicyError: The graph reads other files, cannot be opened, or has another interface.
    """
    path, model = bundle.graph(mode)
    foreign = external_locations(model) - {WEIGHTS_FILE}
    if foreign:
        raise PolicyError(
            f'{path}: tensors may lie only in {WEIGHTS_FILE}, got {sorted(foreign)[0]!r}'
        )
    weights = {WEIGHTS_FILE: bundle.weights}
    session = open_session(path, model, weights, provider, threads)
    inputs, outputs = interface(bundle.manifest, mode)
    _compare(str(path), 'input', session.get_inputs(), inputs)
    _compare(str(path), 'output', session.get_outputs(), outputs)
    return session


def _compare(
    path: str, kind: str, found: Sequence[ort.NodeArg], expected: dict[str, Shape]
) -> None:
    shapes = {node.name: tuple(node.shape) for node in found}
    if set(shapes) != set(expected):
        raise PolicyError(f'{path}: {kind}s must be {sorted(expected)}, got {sorted(shapes)}')
    for name, shape in expected.items():
        got = shapes[name]
        same = len(got) == len(shape) and all(
            isinstance(a, str) if b == BATCH else a == b for a, b in zip(got, shape, strict=True)
        )
        if not same:
            raise PolicyError(f'{path}: {kind} {name} must be {shape}, got {got}')
    wrong = [node.name for node in found if node.type != 'tensor(float)']
    if wrong:
        raise PolicyError(f'{path}: {kind} {wrong[0]} must be float32')
