"""Stand-ins for the published ONNX files: same names and shapes, arithmetic one can follow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from s2e_policy.adapters.diffusion import cosine_betas

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
Spec = tuple[str, list[int | str], int]


def write(
    path: Path, inputs: Sequence[Spec], outputs: Sequence[Spec],
    nodes: Sequence[onnx.NodeProto], constants: dict[str, np.ndarray], external: str = '',
) -> Path:
    """Write a graph; `external` puts the constant of that name into `<file>.data`."""
    tensors = [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
    for tensor in tensors:
        if tensor.name == external:
            data = bytes(tensor.raw_data)
            (path.parent / f'{path.name}.data').write_bytes(data)
            point_to(tensor, f'{path.name}.data', len(data))
    graph = helper.make_graph(
        list(nodes), path.stem, [_value(*spec) for spec in inputs],
        [_value(*spec) for spec in outputs], tensors,
    )
    opset = [helper.make_opsetid('', 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def point_to(tensor: onnx.TensorProto, location: str, length: int) -> None:
    """Let a tensor lie in another file."""
    external_data_helper.set_external_data(tensor, location, offset=0, length=length)
    tensor.ClearField('raw_data')
    tensor.data_location = TensorProto.EXTERNAL


def s2e(path: Path, size: int = 256) -> Path:
    """Waypoint k = ((k + 1) x code of the distance, cosine, sine)."""
    make = helper.make_node
    nodes = [
        make('ReduceMean', ['obs_images'], ['grey'], axes=[1, 2, 3, 4], keepdims=0),
        make('Unsqueeze', ['goal', 'one'], ['row']), make('Mul', ['row', 'ramp'], ['wp_pred']),
        make('Unsqueeze', ['grey', 'one'], ['wp_pred_score']),
    ]
    ramp = np.ones((1, 10, 3), np.float32)
    ramp[0, :, 0] = np.arange(1, 11)
    return write(
        path, [('obs_images', [1, 11, 3, size, size], FLOAT), ('goal', [1, 3], FLOAT)],
        [('wp_pred', [1, 10, 3], FLOAT), ('wp_pred_score', [1, 1], FLOAT)], nodes,
        {'one': np.array([1]), 'ramp': ramp},
    )


def image_goal(path: Path, names: tuple[str, str] = ('obs_img', 'goal_img')) -> Path:
    """Waypoint k = (k + 1) x (mean of the newest red plane, mean of the goal's blue plane)."""
    make = helper.make_node
    nodes = [
        make('ReduceMean', [names[0]], ['planes'], axes=[2, 3], keepdims=0),
        make('ReduceMean', [names[1]], ['goal'], axes=[2, 3], keepdims=0),
        make('Gather', ['planes', 'newest_red'], ['red'], axis=1),
        make('Gather', ['goal', 'blue_index'], ['blue'], axis=1),
        make('Concat', ['red', 'blue', 'red', 'red'], ['flat'], axis=1),
        make('Unsqueeze', ['flat', 'one'], ['row']),
        make('Mul', ['row', 'ramp'], ['action_pred']), make('Abs', ['blue'], ['dist_pred']),
    ]
    ramp = np.arange(1, 6, dtype=np.float32).reshape(1, 5, 1)
    return write(
        path, [(names[0], ['batch', 18, 64, 85], FLOAT), (names[1], ['batch', 3, 64, 85], FLOAT)],
        [('dist_pred', ['batch', 1], FLOAT), ('action_pred', ['batch', 5, 4], FLOAT)], nodes,
        {'newest_red': np.array([15]), 'blue_index': np.array([2]), 'one': np.array([1]),
         'ramp': ramp}, external='ramp',
    )


def nomad(folder: Path, clean: tuple[float, float] = (0.0, 0.0)) -> Path:
    """Encoder: mask and goal's red mean. Denoiser: the noise whose clean sample is `clean`."""
    folder.mkdir(parents=True, exist_ok=True)
    make = helper.make_node
    nodes = [
        make('ReduceMean', ['goal_img'], ['planes'], axes=[2, 3], keepdims=0),
        make('Gather', ['planes', 'zero'], ['red'], axis=1),
        make('ReduceMean', ['obs_img'], ['grey'], axes=[1, 2, 3], keepdims=0),
        make('Cast', ['goal_mask'], ['masked'], to=FLOAT),
        make('Add', ['masked', 'grey'], ['said']),
        make('Unsqueeze', ['said', 'one'], ['column']),
        make('Concat', ['column', 'red', 'rest'], ['cond'], axis=1),
    ]
    write(
        folder / 'nomad_vision_encoder.onnx',
        [('obs_img', ['batch', 12, 96, 96], FLOAT), ('goal_img', ['batch', 3, 96, 96], FLOAT),
         ('goal_mask', ['batch'], INT64)],
        [('cond', ['batch', 256], FLOAT)], nodes,
        {'zero': np.array([0]), 'one': np.array([1]), 'rest': np.zeros((1, 254), np.float32)},
    )
    kept = np.cumprod(1.0 - cosine_betas(10))
    nodes = [
        make('Gather', ['roots', 'timestep'], ['root'], axis=0),
        make('Gather', ['rests', 'timestep'], ['other'], axis=0),
        make('Mul', ['clean', 'root'], ['part']), make('Sub', ['sample', 'part'], ['noisy']),
        make('Div', ['noisy', 'other'], ['noise_pred']),
        make('ReduceMean', ['global_cond'], ['unused'], axes=[0, 1], keepdims=0),
    ]
    write(
        folder / 'nomad_noise_pred.onnx',
        [('sample', [8, 8, 2], FLOAT), ('timestep', [], INT64), ('global_cond', [8, 256], FLOAT)],
        [('noise_pred', [8, 8, 2], FLOAT)], nodes,
        {'roots': np.sqrt(kept).astype(np.float32), 'rests': np.sqrt(1 - kept).astype(np.float32),
         'clean': np.tile(np.array(clean, np.float32), (8, 8, 1))},
    )
    write(
        folder / 'nomad_dist_pred.onnx', [('obsgoal_cond', ['batch', 256], FLOAT)],
        [('dist', ['batch', 1], FLOAT)],
        [make('Slice', ['obsgoal_cond', 'one', 'two', 'one'], ['dist'])],
        {'one': np.array([1]), 'two': np.array([2])},
    )
    return folder


def citywalker(path: Path) -> Path:
    """Waypoint k = (k + 1)/5 of the last row; the arrival logit is the oldest row's sum."""
    make = helper.make_node
    nodes = [
        make('Gather', ['cords', 'last'], ['goal'], axis=1),
        make('Mul', ['goal', 'ramp'], ['wp_pred']),
        make('Gather', ['cords', 'first'], ['oldest'], axis=1),
        make('ReduceSum', ['oldest', 'one'], ['flat'], keepdims=0),
        make('ReduceSum', ['flat', 'one'], ['arrive_pred'], keepdims=1),
        make('ReduceMean', ['obs'], ['unused'], axes=[1, 2, 3, 4], keepdims=0),
    ]
    ramp = (np.arange(1, 6, dtype=np.float32) / 5).reshape(1, 5, 1)
    return write(
        path, [('obs', [1, 5, 3, 350, 630], FLOAT), ('cords', [1, 6, 2], FLOAT)],
        [('wp_pred', [1, 5, 2], FLOAT), ('arrive_pred', [1, 1], FLOAT)], nodes,
        {'last': np.array([5]), 'first': np.array([0]), 'one': np.array([1]), 'ramp': ramp},
    )


def mbra(path: Path, columns: int = 2) -> Path:
    """Waypoint k = (k + 1)/8 of the first two numbers of the goal."""
    make = helper.make_node
    nodes = [
        make('Slice', ['goal', 'zero', 'two', 'one'], ['xy']),
        make('Unsqueeze', ['xy', 'one'], ['row']), make('Mul', ['row', 'ramp'], ['waypoints']),
        make('ReduceMean', ['obs'], ['unused'], axes=[1, 2, 3, 4], keepdims=0),
    ]
    ramp = (np.arange(1, 9, dtype=np.float32) / 8).reshape(1, 8, 1)
    return write(
        path, [('obs', [1, 6, 3, 96, 96], FLOAT), ('goal', [1, columns], FLOAT)],
        [('waypoints', [1, 8, 2], FLOAT)], nodes,
        {'zero': np.array([0]), 'one': np.array([1]), 'two': np.array([2]), 'ramp': ramp},
    )


def _value(name: str, shape: list[int | str], kind: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)
