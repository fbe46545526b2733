"""ONNX Runtime sessions over bytes in memory, on the provider that was asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import onnxruntime as ort

from s2e_policy.errors import PolicyError

PROVIDERS = {
    'cpu': 'CPUExecutionProvider',
    'cuda': 'CUDAExecutionProvider',
    'tensorrt': 'TensorrtExecutionProvider',
    'openvino': 'OpenVINOExecutionProvider',
}
"""Our names of the execution providers."""
BEST_FIRST = ('cuda', 'cpu')
"""Tried in this order when no provider is named; TensorRT builds engines for minutes first."""


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


def open_session(
    path: Path, model: bytes, weights: Mapping[str, bytes], provider: str, threads: int
) -> ort.InferenceSession:
    """Open a graph; it computes where asked or not at all.

    Args:
        path: Where the graph was read, for messages and for runtimes that must read there again.
        model: Its bytes.
        weights: Content of its external files by name; what else it names must be refused before.
        provider: Our name of the execution provider.
        threads: Threads within an operator.

    Raises:
        PolicyError: ONNX Runtime refuses the graph, or fell back to another provider.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Spinning threads would take a whole core from camera and controllers between two images.
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    _give_weights(options, path.parent, weights)
    try:
        session = ort.InferenceSession(model, options, providers=_providers(provider))
    except Exception as error:  # ONNX Runtime raises a dozen unrelated types
        raise PolicyError(f'{path}: ONNX Runtime refuses the graph: {error}') from error
    if session.get_providers()[0] != PROVIDERS[provider]:
        raise PolicyError(
            f'{path}: provider {provider!r} did not start; ONNX Runtime fell back to '
            f'{session.get_providers()[0]}'
        )
    return session


def _providers(provider: str) -> list[str | tuple[str, dict[str, str]]]:
    """Return what ONNX Runtime is asked for, best first; the CPU takes what a GPU cannot.

    TensorRT keeps the engines that it has built, which takes minutes, for the next start.
    """
    wanted: str | tuple[str, dict[str, str]] = PROVIDERS[provider]
    if provider == 'cpu':
        return [wanted]
    if provider == 'tensorrt':
        base = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
        folder = base / 's2e' / 'tensorrt'
        folder.mkdir(parents=True, exist_ok=True)
        wanted = PROVIDERS[provider], {
            'trt_engine_cache_enable': 'True', 'trt_engine_cache_path': str(folder),
        }
    return [wanted, PROVIDERS['cpu']]


def _give_weights(
    options: ort.SessionOptions, folder: Path, weights: Mapping[str, bytes]
) -> None:
    """Hand over the bytes that were checked, so that the runtime opens no file of its own.

    ONNX Runtime 1.23, the last one for Python 3.10, cannot take them from memory; there it reads
    the files that were checked a moment ago.
    """
    if hasattr(options, 'add_external_initializers_from_files_in_memory'):
        options.add_external_initializers_from_files_in_memory(
            list(weights), list(weights.values()), [len(data) for data in weights.values()]
        )
    else:
        options.add_session_config_entry(
            'session.model_external_initializers_file_folder_path', str(folder)
        )
