"""Replays a bundle's stored inputs, so that a runtime that computes otherwise is found out."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from s2e_policy.errors import PolicyError
from s2e_policy.goal import encode_goal
from s2e_policy.graphs import OUTPUTS, open_graph, output_names
from s2e_policy.manifest import REFERENCE_FILE
from s2e_policy.tensors import image_tensor

if TYPE_CHECKING:
    from s2e_policy.bundle import Bundle

TOLERANCE = {'float32': 1e-3, 'float16': 0.02, 'int8': 0.1}
"""Metres, and share of probability: other CPUs order sums differently; 1 mm is no matter. In less
than float32 the two graphs differ among themselves, since they quantise one frame or all."""
MAX_BYTES = 64_000_000


def read_reference(path: Path) -> dict[str, np.ndarray]:
    """Read ``reference.npz``: images [R, K, H, W, 3] uint8, goal [R, 2] (NaN: none), outputs.

    Raises:
        PolicyError: The file is damaged, too large, or lacks an array.
    """
    try:
        data = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_BYTES:
            raise PolicyError(f'{path}: may unpack to {MAX_BYTES} bytes, got {size}')
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            content = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise PolicyError(f'{path}: cannot be read: {error}') from error
    missing = {'images', 'goal', *OUTPUTS} - set(content)
    if missing:
        raise PolicyError(f'{path}: lacks the array {sorted(missing)[0]!r}')
    return content


def replay(bundle: Bundle, provider: str = 'cpu') -> dict[str, float]:
    """Run both graphs on the stored inputs.

    Returns:
        Largest deviation per graph.

    Raises:
        PolicyError: A graph answers otherwise than stored.
    """
    path = bundle.root / REFERENCE_FILE
    stored = read_reference(path)
    spec = bundle.spec
    shape = (spec.frames, spec.height, spec.width, 3)
    if stored['images'].shape[1:] != shape or stored['images'].dtype != np.uint8:
        raise PolicyError(f'{path}: images must be [R, {shape}] uint8, got '
                          f'{stored["images"].shape} {stored["images"].dtype}')
    worst = {}
    for mode in ('window', 'streaming'):
        answers = (_run_window if mode == 'window' else _run_streaming)(bundle, stored, provider)
        worst[mode] = 0.0
        for name in output_names(bundle.manifest.free_space):
            if name not in stored:
                raise PolicyError(f'{path}: lacks the array {name!r}')
            if answers[name].shape != stored[name].shape:
                raise PolicyError(f'{path}: {name} must be {answers[name].shape}, got '
                                  f'{stored[name].shape}')
            error = float(np.abs(answers[name] - stored[name]).max())
            limit = TOLERANCE[bundle.manifest.precision]
            if not error <= limit:
                raise PolicyError(
                    f'{path}: the {mode} graph answers {name} otherwise than stored: '
                    f'deviation must be at most {limit}, got {error:.3g}'
                )
            worst[mode] = max(worst[mode], error)
    return worst


def _goals(bundle: Bundle, goal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pairs = [
        encode_goal(None if np.isnan(g).any() else g, bundle.manifest.goal_encoding) for g in goal
    ]
    return np.stack([code for code, _ in pairs]), np.stack([mask for _, mask in pairs])


def _run_window(
    bundle: Bundle, stored: dict[str, np.ndarray], provider: str
) -> dict[str, np.ndarray]:
    session = open_graph(bundle, 'window', provider)
    goal, mask = _goals(bundle, stored['goal'])
    feed = {'images': image_tensor(stored['images']), 'goal': goal, 'goal_mask': mask}
    names = output_names(bundle.manifest.free_space)
    return dict(zip(names, session.run(list(names), feed), strict=True))


def _run_streaming(
    bundle: Bundle, stored: dict[str, np.ndarray], provider: str
) -> dict[str, np.ndarray]:
    session = open_graph(bundle, 'streaming', provider)
    goal, mask = _goals(bundle, stored['goal'])
    manifest = bundle.manifest
    frames = image_tensor(stored['images'])
    shape = (len(frames), manifest.images.frames - 1, manifest.token_dim)
    cache = np.zeros(shape, np.float32)
    outputs = output_names(manifest.free_space)
    names = [*outputs, 'cache_out']
    answers: list[np.ndarray] = []
    for k in range(frames.shape[1]):
        feed = {'image': frames[:, k], 'cache': cache, 'goal': goal, 'goal_mask': mask}
        *answers, cache = session.run(names, feed)
    return dict(zip(outputs, answers, strict=True))
