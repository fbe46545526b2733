"""Reads the network back out of a bundle, so that a shipped policy can be trained further.

The exported graphs keep the names of parameters, except that a linear layer over tokens became a
transposed matrix without a name; the bias that is added behind it tells which layer it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from s2e_core.config import from_mapping
from s2e_policy.bundle import Bundle
from s2e_training.errors import TrainingError
from s2e_training.models.policy import S2EModel
from s2e_training.pretrain.config import PretrainConfig

PREFIX = 'model.'
FINEST = 100.0
"""Radians a metre of the finest wave of the anchors' code; see `embed_anchor`."""


def read_network(bundle: Bundle) -> tuple[S2EModel, PretrainConfig]:
    """Rebuild the PyTorch network of a bundle.

    Args:
        bundle: A verified bundle that this package exported, in float32.

    Returns:
        The network and the settings it was trained with.

    Raises:
        TrainingError: The bundle does not say how it was made, or lacks a tensor.
        ConfigError: Its settings are not ours.
    """
    manifest = bundle.manifest
    if manifest.precision != 'float32':
        raise TrainingError(f'{bundle.root}: must be float32 to train, got {manifest.precision}')
    config = _settings(bundle)
    graph = onnx.load_from_string(bundle.streaming).graph
    found = {name: torch.from_numpy(array) for name, array in _tensors(graph, bundle.weights)}
    model = S2EModel(config.model, torch.from_numpy(_anchors(graph, manifest.anchors)))
    if any(name.startswith('residual.') for name in found):
        model.add_residual()
    # Constants of the code are folded into the graph.
    constants = {'anchors', 'encoder.mean', 'encoder.std'}
    state = model.state_dict()
    for name, value in state.items():
        if name in constants:
            continue
        if name not in found or found[name].shape != value.shape:
            raise TrainingError(f'{bundle.root}: the graph holds no {name} {tuple(value.shape)}')
        state[name] = found[name]
    model.load_state_dict(state)
    return model.eval(), config


def _settings(bundle: Bundle) -> PretrainConfig:
    training = bundle.manifest.provenance.get('training')
    values = training.get('config') if isinstance(training, dict) else None
    if not isinstance(values, dict) or not isinstance(values.get('model'), dict):
        raise TrainingError(f'{bundle.root}: provenance.training.config does not say how to build '
                            'the network; only bundles of `s2e policy export` can be trained')
    # Bundles older than the head have no such key.
    model = {**values['model'], 'free_space': bundle.manifest.free_space}
    return from_mapping(
        PretrainConfig, {**values, 'model': model}, source=f'{bundle.root}: training.config'
    )


def _tensors(graph: onnx.GraphProto, weights: bytes) -> Iterator[tuple[str, np.ndarray]]:
    """Yield parameters under the network's own names."""
    arrays = {t.name: _array(t, weights) for t in graph.initializer}
    consumers = {name: node for node in graph.node for name in node.input}
    for node in graph.node:
        if node.op_type != 'MatMul' or node.input[1] not in arrays:
            continue
        behind = consumers.get(node.output[0])
        biases = [] if behind is None else [n for n in behind.input if n.endswith('.bias')]
        if biases:
            name = biases[0].removesuffix('bias') + 'weight'
            yield name.removeprefix(PREFIX), np.ascontiguousarray(arrays[node.input[1]].T)
    for name, array in arrays.items():
        if name.startswith(PREFIX):
            yield name.removeprefix(PREFIX), array


def _array(tensor: onnx.TensorProto, weights: bytes) -> np.ndarray:
    """Read a tensor from the graph or from the verified weights. A copy, writable."""
    if tensor.data_location != onnx.TensorProto.EXTERNAL:
        return np.array(numpy_helper.to_array(tensor))
    place = {entry.key: entry.value for entry in tensor.external_data}
    start, length = int(place['offset']), int(place['length'])
    kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    if start < 0 or length != math.prod(tensor.dims) * kind.itemsize:
        raise TrainingError(f'{tensor.name}: the graph places it wrongly in the weights')
    return np.frombuffer(weights[start:start + length], kind).reshape(tuple(tensor.dims)).copy()


def _anchors(
    graph: onnx.GraphProto, rounded: tuple[tuple[float, float], ...]
) -> np.ndarray:
    """Recover the anchors, which the manifest rounds, from their code in the graph. [M, 2]

    The finest wave is 63 mm long, the rounding 0.05 mm: its phase gives the rest.
    """
    query = next((n for n in graph.node if f'{PREFIX}query.0.weight' in n.input), None)
    made = {node.output[0]: node for node in graph.node if node.op_type == 'Constant'}
    if query is None or query.input[0] not in made:
        raise TrainingError('the graph holds no code of its anchors')
    code = numpy_helper.to_array(made[query.input[0]].attribute[0].t).astype(np.float64)
    # [M, axis, (sin, cos) of every wave], the finest first.
    waves = code.reshape(len(code), 2, 2, -1)[..., 0]
    coarse = np.array(rounded) * FINEST
    phase = np.arctan2(waves[..., 0], waves[..., 1])
    rest = np.remainder(phase - coarse + math.pi, 2 * math.pi) - math.pi
    return ((coarse + rest) / FINEST).astype(np.float32)
