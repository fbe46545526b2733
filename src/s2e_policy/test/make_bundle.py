"""Builds a tiny bundle from ONNX nodes, so that these tests need no torch."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import yaml
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from s2e_policy.manifest import (
    BUNDLE_FILES,
    CARD_FILE,
    MANIFEST_FILE,
    REFERENCE_FILE,
    STREAMING_FILE,
    WEIGHTS_FILE,
    WINDOW_FILE,
)

FRAMES, SIZE, MODES = 3, 16, 2
WEIGHT = (np.arange(MODES * 20, dtype=np.float32).reshape(1, MODES * 20) + 1.0) * 0.05
"""Trajectory = weight x (sum of frame means, oldest counts most) x goal code + mask."""
ORDER = np.array([3.0, 2.0, 1.0], np.float32)


def write_bundle(folder: Path, **changes: object) -> Path:
    """Write a valid bundle: token of a frame = mean of its pixels."""
    folder.mkdir(parents=True)
    (folder / WINDOW_FILE).write_bytes(graph('window').SerializeToString())
    (folder / STREAMING_FILE).write_bytes(graph('streaming').SerializeToString())
    (folder / WEIGHTS_FILE).write_bytes(WEIGHT.tobytes())
    (folder / CARD_FILE).write_text('# tiny\n')
    np.savez(folder / REFERENCE_FILE, **reference())
    write_manifest(folder, **changes)
    return folder


def expected(images: np.ndarray, code: np.ndarray, mask: float) -> np.ndarray:
    """What the tiny policy answers. [M, 10, 2]"""
    tokens = images.reshape(FRAMES, -1).mean(axis=1) / 255.0
    value = float(tokens @ ORDER) * float(code[0]) + mask
    return (value * WEIGHT).reshape(MODES, 10, 2)


def reference() -> dict[str, np.ndarray]:
    """Two windows, the second goal-free."""
    images = np.random.default_rng(1).integers(0, 256, (2, FRAMES, SIZE, SIZE, 3), np.uint8)
    code = np.log1p(5.0) / np.log1p(200.0)
    trajectories = np.stack([
        expected(images[0], np.array([code]), 1.0), expected(images[1], np.zeros(1), 0.0),
    ])
    return {
        'images': images, 'goal': np.array([[3.0, 4.0], [np.nan, np.nan]]),
        'trajectories': trajectories, 'scores': np.full((2, MODES), 0.5, np.float32),
        'sigmas': np.ones((2, MODES, 10, 2), np.float32), 'rho': np.zeros((2, MODES, 10), 'f4'),
    }


def write_manifest(folder: Path, **changes: object) -> None:
    """Write bundle.yaml with the hashes of the files as they are."""
    files = {
        name: {
            'bytes': len(data := (folder / name).read_bytes()),
            'sha256': hashlib.sha256(data).hexdigest(),
        }
        for name in BUNDLE_FILES
    }
    manifest: dict[str, object] = {
        'contract': 1, 'name': 'tiny', 'licence': 'Apache-2.0', 'description': 'For tests.',
        'opset': 17, 'token_dim': 1, 'goal_encoding': 'log', 'v_max': 1.5, 'w_max': 1.5,
        'images': {
            'frames': FRAMES, 'period': 0.2, 'colour': 'rgb', 'width': SIZE, 'height': SIZE,
            'fx': 8.0, 'fy': 8.0, 'cx': 8.0, 'cy': 8.0, 'mount_x': 0.3, 'mount_z': 0.6,
            'mount_pitch': 0.1,
        },
        'output': {'modes': MODES, 'waypoints': 10, 'dt': 0.2, 'meaning': 'base_link metres'},
        'anchors': [[0.0, 0.0], [2.0, 0.0]], 'files': files, 'provenance': {}, 'metrics': {},
    }
    manifest.update(changes)
    (folder / MANIFEST_FILE).write_text(yaml.safe_dump(manifest))


def graph(mode: str, weights: str = WEIGHTS_FILE, modes: int = MODES) -> onnx.ModelProto:
    """Make one of the two graphs."""
    make = helper.make_node
    nodes = []
    inputs = [_value('goal', [3]), _value('goal_mask', [1])]
    if mode == 'window':
        inputs.append(_value('images', [FRAMES, 3, SIZE, SIZE]))
        nodes.append(make('ReduceMean', ['images'], ['tokens'], axes=[2, 3, 4], keepdims=0))
    else:
        inputs += [_value('image', [3, SIZE, SIZE]), _value('cache', [FRAMES - 1, 1])]
        nodes += [
            make('ReduceMean', ['image'], ['mean'], axes=[1, 2, 3], keepdims=0),
            make('Unsqueeze', ['mean', 'one'], ['newest']),
            make('Squeeze', ['cache', 'two'], ['older']),
            make('Concat', ['older', 'newest'], ['tokens'], axis=1),
            make('Slice', ['tokens', 'one', 'end', 'one'], ['kept']),
            make('Unsqueeze', ['kept', 'two'], ['cache_out']),
        ]
    nodes += [
        make('MatMul', ['tokens', 'order'], ['sum']),
        make('Slice', ['goal', 'zero', 'one', 'one'], ['range']),
        make('Mul', ['sum', 'range'], ['product']),
        make('Add', ['product', 'goal_mask'], ['value']),
        make('MatMul', ['value', 'weight'], ['flat']),
        make('Reshape', ['flat', 'shape'], ['trajectories']),
        make('Mul', ['trajectories', 'none'], ['nothing']),
        make('Add', ['nothing', 'unit'], ['sigmas']),
        make('ReduceMean', ['nothing'], ['rho'], axes=[3], keepdims=0),
        make('ReduceMean', ['nothing'], ['nil'], axes=[2, 3], keepdims=0),
        make('Add', ['nil', 'half'], ['scores']),
    ]
    constants = {
        'order': ORDER[:, None], 'shape': np.array([-1, modes, 10, 2]), 'zero': np.array([0]),
        'one': np.array([1]), 'two': np.array([2]), 'end': np.array([FRAMES]),
        'none': np.zeros(1, np.float32), 'unit': np.ones(1, np.float32),
        'half': np.full(1, 0.5, np.float32),
    }
    initializers = [numpy_helper.from_array(v, k) for k, v in constants.items()]
    weight = numpy_helper.from_array(WEIGHT, 'weight')
    external_data_helper.set_external_data(weight, weights, offset=0, length=WEIGHT.nbytes)
    weight.ClearField('raw_data')
    weight.data_location = TensorProto.EXTERNAL
    outputs = [
        _value('trajectories', [modes, 10, 2]), _value('scores', [modes]),
        _value('sigmas', [modes, 10, 2]), _value('rho', [modes, 10]),
    ]
    if mode == 'streaming':
        outputs.append(_value('cache_out', [FRAMES - 1, 1]))
    body = helper.make_graph(nodes, mode, inputs, outputs, [*initializers, weight])
    opset = [helper.make_opsetid('', 17)]
    return helper.make_model(body, opset_imports=opset, ir_version=8)


def _value(name: str, shape: list[int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ['batch', *shape])
