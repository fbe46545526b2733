"""ONNX Runtime sessions over bytes that have been verified."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import onnxruntime as ort

from s2e_core.contract import FREE_SPACE_BEARINGS, WAYPOINTS
from s2e_policy.errors import PolicyError
from s2e_policy.manifest import WEIGHTS_FILE, Manifest
from s2e_policy.wire import external_locations

if TYPE_CHECKING:
    from s2e_policy.bundle import Bundle

PROVIDERS = {
    'cpu': 'CPUExecutionProvider',
    'cuda': 'CUDAExecutionProvider',
    'tensorrt': 'TensorrtExecutionProvider',
    'openvino': 'OpenVINOExecutionProvider',
}
"""Our names of the execution providers."""
BEST_FIRST = ('cuda', 'cpu')
"""Tried in this order when no provider is named; TensorRT builds engines for minutes first."""

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


def available() -> list[str]:
    """Our names of the providers that this ONNX Runtime was built with."""
    built = ort.get_available_providers()
    return [name for name, full in PROVIDERS.items() if full in built]


def choose_provider(provider: str | None, require: str | None) -> str:
    """Pick the execution provider.

    Args:
        provider: The wish, or None for the best there is.
        require: If given, anything else is refused.

    Raises:
        PolicyError: The provider is unknown, absent or not the required one.
    """
    present = available()
    wish = require or provider
    if wish is None:
        return next(name for name in BEST_FIRST if name in present)
    if wish not in PROVIDERS:
        raise PolicyError(f'provider must be one of {list(PROVIDERS)}, got {wish!r}')
    if wish not in present:
        raise PolicyError(
            f'provider {wish!r} is not in this ONNX Runtime, which has {present}; '
            'install the onnxruntime build for it or name another'
        )
    return wish


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
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Spinning threads would take a whole core from camera and controllers between two images.
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    _give_weights(options, bundle)
    names = [PROVIDERS[provider]] if provider == 'cpu' else [PROVIDERS[provider], PROVIDERS['cpu']]
    try:
        session = ort.InferenceSession(model, options, providers=names)
    except Exception as error:  # ONNX Runtime raises a dozen unrelated types
        raise PolicyError(f'{path}: ONNX Runtime refuses the graph: {error}') from error
    if session.get_providers()[0] != PROVIDERS[provider]:
        raise PolicyError(
            f'{path}: provider {provider!r} did not start; ONNX Runtime fell back to '
            f'{session.get_providers()[0]}'
        )
    inputs, outputs = interface(bundle.manifest, mode)
    _compare(str(path), 'input', session.get_inputs(), inputs)
    _compare(str(path), 'output', session.get_outputs(), outputs)
    return session


def _give_weights(options: ort.SessionOptions, bundle: Bundle) -> None:
    """Hand over the bytes that were hashed, so that the runtime opens no file of its own.

    ONNX Runtime 1.23, the last one for Python 3.10, cannot take them from memory; there it reads
    the file that was verified a moment ago.
    """
    if hasattr(options, 'add_external_initializers_from_files_in_memory'):
        options.add_external_initializers_from_files_in_memory(
            [WEIGHTS_FILE], [bundle.weights], [len(bundle.weights)]
        )
    else:
        options.add_session_config_entry(
            'session.model_external_initializers_file_folder_path', str(bundle.root)
        )


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
