"""Writes the two graphs with one weights file between them."""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from pathlib import Path

import onnx
import torch
from onnx import external_data_helper, numpy_helper
from torch import nn

from s2e_core.contract import FREE_SPACE_BEARINGS
from s2e_policy.graphs import output_names
from s2e_policy.manifest import STREAMING_FILE, WEIGHTS_FILE, WINDOW_FILE
from s2e_training.export.graphs import StreamingGraph, WindowGraph
from s2e_training.models.policy import S2EModel

OPSET = 17
"""Operator set: the first with LayerNormalization, readable by ONNX Runtime since 1.12 (2022)."""
SHARED_BYTES = 1024
"""Tensors from this size on lie in the weights file; smaller ones stay readable in the graph."""
ALIGNMENT = 64


def write_graphs(model: S2EModel, folder: Path) -> None:
    """Export window and streaming graph and their weights.

    Args:
        model: The network; put into evaluation mode.
        folder: Existing folder of the bundle.
    """
    model.eval()
    c = model.config
    goal, mask = torch.zeros(2, 3), torch.ones(2, 1)
    image = torch.zeros(2, 3, c.image_size, c.image_size)
    window = _export(
        WindowGraph(model), (image[:, None].repeat(1, c.frames, 1, 1, 1), goal, mask),
        ['images', 'goal', 'goal_mask'], [],
    )
    cache = torch.zeros(2, c.frames - 1, c.dim)
    streaming = _export(
        StreamingGraph(model), (image, cache, goal, mask),
        ['image', 'cache', 'goal', 'goal_mask'], ['cache_out'],
    )
    store = WeightStore()
    for graph, name in ((window, WINDOW_FILE), (streaming, STREAMING_FILE)):
        store.move(graph)
        (folder / name).write_bytes(graph.SerializeToString(deterministic=True))
    (folder / WEIGHTS_FILE).write_bytes(bytes(store.data))


class WeightStore:
    """Collects tensors, each content once, at aligned offsets."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._places: dict[bytes, int] = {}

    def move(self, graph: onnx.ModelProto) -> None:
        """Replace the graph's large tensors by references into the store."""
        for tensor in graph.graph.initializer:
            raw = numpy_helper.to_array(tensor).tobytes()
            if len(raw) < SHARED_BYTES:
                continue
            tensor.raw_data = raw
            external_data_helper.set_external_data(
                tensor, WEIGHTS_FILE, offset=self._place(raw), length=len(raw)
            )
            tensor.ClearField('raw_data')
            tensor.data_location = onnx.TensorProto.EXTERNAL

    def _place(self, raw: bytes) -> int:
        key = hashlib.sha256(raw).digest()
        if key not in self._places:
            self.data.extend(bytes(-len(self.data) % ALIGNMENT))
            self._places[key] = len(self.data)
            self.data.extend(raw)
        return self._places[key]


def _export(
    module: nn.Module, example: tuple[torch.Tensor, ...], inputs: list[str], extra: list[str]
) -> onnx.ModelProto:
    model = module.model
    assert isinstance(model, S2EModel)
    outputs = [*output_names(model.free is not None), *extra]
    axes = {name: {0: 'batch'} for name in (*inputs, *outputs)}
    module.eval()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # The exporter over traces keeps the graph plain; torch warns that it is the older one.
        warnings.simplefilter('ignore')
        path = Path(folder) / 'graph.onnx'
        torch.onnx.export(
            module, example, str(path), input_names=inputs, output_names=outputs,
            dynamic_axes=axes, opset_version=OPSET, dynamo=False,
        )
        graph = onnx.load(str(path))
    # Names that the tracer invents for nodes carry source paths; none are needed to run.
    for node in graph.graph.node:
        node.doc_string = ''
    for value, name in zip(graph.graph.output, outputs, strict=True):
        _restate_shape(value, name, module)
    onnx.checker.check_model(graph)
    return graph


def _restate_shape(value: onnx.ValueInfoProto, name: str, module: nn.Module) -> None:
    """State an output's shape; the tracer gives up on it behind the batch axis."""
    model = module.model
    assert isinstance(model, S2EModel)
    c = model.config
    shape = {
        'trajectories': (c.anchors, 10, 2), 'scores': (c.anchors,), 'sigmas': (c.anchors, 10, 2),
        'rho': (c.anchors, 10), 'cache_out': (c.frames - 1, c.dim),
        'free_space': (FREE_SPACE_BEARINGS,), 'free_confidence': (FREE_SPACE_BEARINGS,),
    }[name]
    value.CopyFrom(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ['batch', *shape])
    )
