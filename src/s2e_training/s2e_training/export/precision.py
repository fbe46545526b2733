"""Makes a smaller or faster bundle of another: half precision, or weights in eight bits."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.float16 import convert_float_to_float16

from s2e_policy.bundle import Bundle, load_bundle
from s2e_policy.goal import encode_goal
from s2e_policy.graphs import output_names
from s2e_policy.manifest import (
    BUNDLE_FILES,
    CARD_FILE,
    MANIFEST_FILE,
    REFERENCE_FILE,
    STREAMING_FILE,
    WEIGHTS_FILE,
    WINDOW_FILE,
    FileEntry,
    Manifest,
    Precision,
    write_manifest,
)
from s2e_policy.reference import read_reference, replay
from s2e_policy.tensors import image_tensor
from s2e_training.errors import TrainingError
from s2e_training.export.onnx import WeightStore

OPERATORS = ('MatMul', 'Gemm')
"""What is quantised: convolutions in eight bits with ranges found at run time are slower here."""


def convert_bundle(source: Path, out: Path, precision: Precision) -> Bundle:
    """Write a bundle in another precision and load it the way a robot would.

    Args:
        source: A float32 bundle.
        out: Folder; replaced only when the new bundle has passed its own checks.
        precision: `float16` (weights and arithmetic, inputs and outputs stay float32) or `int8`
            (weights of matrix products, activations quantised as they come).

    Raises:
        TrainingError: The source is not float32.
        PolicyError: The source does not load, or the result does not.
    """
    bundle = load_bundle(source)
    if bundle.manifest.precision != 'float32':
        raise TrainingError(
            f'{source}: only float32 bundles are converted, this one is '
            f'{bundle.manifest.precision}'
        )
    staging = out.with_name(out.name + '.tmp')
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    store = WeightStore()
    for name in (WINDOW_FILE, STREAMING_FILE):
        graph = _convert(bundle.root / name, precision)
        store.move(graph)
        (staging / name).write_bytes(graph.SerializeToString(deterministic=True))
    (staging / WEIGHTS_FILE).write_bytes(bytes(store.data))
    stored = read_reference(bundle.root / REFERENCE_FILE)
    answers = _answer(staging, bundle, stored)
    arrays: dict[str, Any] = {'images': stored['images'], 'goal': stored['goal'], **answers}
    np.savez_compressed(staging / REFERENCE_FILE, **arrays)
    parity = {
        f'largest_change_{name}': round(float(np.abs(answers[name] - stored[name]).max()), 5)
        for name in answers
    }
    _describe(staging, bundle.manifest, precision, parity)
    worst = replay(load_bundle(staging, replay_reference=False))
    parity['streaming_against_window'] = round(worst['streaming'], 5)
    _describe(staging, bundle.manifest, precision, parity)
    shutil.rmtree(out, ignore_errors=True)
    staging.rename(out)
    return load_bundle(out)


def _convert(path: Path, precision: Precision) -> onnx.ModelProto:
    """Return the converted graph with all tensors inside."""
    if precision == 'float16':
        return convert_float_to_float16(onnx.load(str(path)), keep_io_types=True)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        target = Path(folder) / 'graph.onnx'
        # Seven bits: products of two full bytes overflow 16 bits on processors without VNNI, and
        # answers would depend on the machine.
        quantize_dynamic(
            str(path), str(target), op_types_to_quantize=list(OPERATORS), per_channel=True,
            reduce_range=True, weight_type=QuantType.QInt8,
        )
        return onnx.load(str(target))


def _answer(
    folder: Path, bundle: Bundle, stored: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Run the new window graph on the stored inputs."""
    encoding = bundle.manifest.goal_encoding
    pairs = [encode_goal(None if np.isnan(g).any() else g, encoding) for g in stored['goal']]
    names = output_names(bundle.manifest.free_space)
    session = ort.InferenceSession(
        str(folder / WINDOW_FILE), providers=['CPUExecutionProvider']
    )
    feed = {
        'images': image_tensor(stored['images']),
        'goal': np.stack([code for code, _ in pairs]),
        'goal_mask': np.stack([mask for _, mask in pairs]),
    }
    return dict(zip(names, session.run(list(names), feed), strict=True))


def _describe(
    folder: Path, source: Manifest, precision: Precision, parity: dict[str, float]
) -> None:
    """Write card and manifest."""
    lines = '\n'.join(f'- {key.replace("_", " ")}: {value}' for key, value in parity.items())
    card = (
        f'# {source.name}-{precision}\n\nThe policy `{source.name}` in {precision}; its card says '
        f'how it was made.\n\n## Against float32, on the stored reference\n{lines}\n'
    )
    (folder / CARD_FILE).write_text(card, encoding='utf-8')
    files = {}
    for name in BUNDLE_FILES:
        data = (folder / name).read_bytes()
        files[name] = FileEntry(len(data), hashlib.sha256(data).hexdigest())
    manifest = replace(
        source, name=f'{source.name}-{precision}', precision=precision, files=files,
        description=f'{source.description} Converted to {precision}.',
        metrics={'against_float32': parity, 'of_float32': source.metrics},
    )
    write_manifest(manifest, folder / MANIFEST_FILE)
