"""Writes a policy bundle."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from s2e_core.camera import SMALL_CAMERA, SMALL_MOUNT
from s2e_core.contract import CONTRACT_VERSION, POLICY_PERIOD_NS, WAYPOINT_DT, WAYPOINTS
from s2e_policy.bundle import Bundle, load_bundle
from s2e_policy.goal import encode_goal
from s2e_policy.graphs import output_names
from s2e_policy.manifest import (
    BUNDLE_FILES,
    CARD_FILE,
    MANIFEST_FILE,
    REFERENCE_FILE,
    FileEntry,
    ImageInput,
    Manifest,
    TrajectoryOutput,
    write_manifest,
)
from s2e_policy.reference import replay
from s2e_policy.tensors import image_tensor
from s2e_training.errors import TrainingError
from s2e_training.export.card import model_card
from s2e_training.export.graphs import WindowGraph
from s2e_training.export.margins import Margins
from s2e_training.export.onnx import OPSET, write_graphs
from s2e_training.models.policy import S2EModel


@dataclass(frozen=True)
class ExportInfo:
    """What the bundle says about itself beyond the network."""

    name: str
    description: str
    margins: Margins
    """Those it was trained with, or gains over its parent would be gains of margins."""
    licence: str = 'Apache-2.0'
    v_max: float = 1.5
    w_max: float = 1.5
    provenance: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)


def export_bundle(
    model: S2EModel, folder: Path, info: ExportInfo, examples: np.ndarray | None = None
) -> Bundle:
    """Write a bundle and load it the way a robot would.

    Args:
        model: The trained network.
        folder: Target; replaced only when the new bundle has passed its own checks.
        info: Names, limits, provenance and metrics.
        examples: Windows for the reference, [R, K, H, W, 3] uint8; noise when left out.

    Returns:
        The verified bundle.

    Raises:
        TrainingError: PyTorch and the exported graphs disagree by more than 1e-4.
        PolicyError: The written bundle does not load.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = folder.with_name(folder.name + '.tmp')
    if staging.exists():
        shutil.rmtree(staging)
    staging.mkdir()
    write_graphs(model, staging)
    reference: dict[str, Any] = dict(make_reference(model, examples))
    np.savez_compressed(staging / REFERENCE_FILE, **reference)
    manifest = _manifest(model, info, {})
    (staging / CARD_FILE).write_text(model_card(manifest, model), encoding='utf-8')
    files = {name: entry_of(staging / name) for name in BUNDLE_FILES}
    manifest = _manifest(model, info, files)
    write_manifest(manifest, staging / MANIFEST_FILE)
    _check_parity(load_bundle(staging))
    if folder.exists():
        shutil.rmtree(folder)
    staging.rename(folder)
    return load_bundle(folder)


def make_reference(model: S2EModel, examples: np.ndarray | None) -> dict[str, np.ndarray]:
    """Run the network in PyTorch on two windows, one of them goal-free."""
    c = model.config
    shape = (2, c.frames, c.image_size, c.image_size, 3)
    if examples is None:
        examples = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    images = examples[:2]
    goal = np.array([[8.0, 2.0], [np.nan, np.nan]])
    codes = [encode_goal(None if np.isnan(g).any() else g, c.goal_encoding) for g in goal]
    with torch.no_grad():
        answers = WindowGraph(model.eval())(
            torch.from_numpy(image_tensor(images)),
            torch.from_numpy(np.stack([code for code, _ in codes])),
            torch.from_numpy(np.stack([mask for _, mask in codes])),
        )
    names = output_names(model.free is not None)
    outputs = {name: answer.numpy() for name, answer in zip(names, answers, strict=True)}
    return {'images': images, 'goal': goal, **outputs}


def _check_parity(bundle: Bundle) -> None:
    for mode, error in replay(bundle).items():
        if error > 1e-4:
            raise TrainingError(
                f'{bundle.root}: PyTorch and the {mode} graph may differ by 1e-4, got {error:.3g}'
            )


def entry_of(path: Path) -> FileEntry:
    """Return size and hash of a file."""
    data = path.read_bytes()
    return FileEntry(len(data), hashlib.sha256(data).hexdigest())


def _manifest(model: S2EModel, info: ExportInfo, files: dict[str, FileEntry]) -> Manifest:
    c = model.config
    camera = SMALL_CAMERA.scaled(c.image_size, c.image_size)
    images = ImageInput(
        frames=c.frames, period=POLICY_PERIOD_NS / 1e9, colour='rgb', width=camera.width,
        height=camera.height, fx=camera.fx, fy=camera.fy, cx=camera.cx, cy=camera.cy,
        mount_x=SMALL_MOUNT.x, mount_z=SMALL_MOUNT.z, mount_pitch=SMALL_MOUNT.pitch,
        coverage=info.margins.coverage, unseen=info.margins.unseen,
    )
    output = TrajectoryOutput(
        modes=c.anchors, waypoints=WAYPOINTS, dt=WAYPOINT_DT,
        meaning='metres in base_link at the newest image; x forward, y left',
    )
    anchors = tuple((round(float(x), 4), round(float(y), 4)) for x, y in model.anchors.tolist())
    return Manifest(
        contract=CONTRACT_VERSION, name=info.name, licence=info.licence,
        description=info.description, opset=OPSET, token_dim=c.dim,
        goal_encoding=c.goal_encoding, v_max=info.v_max, w_max=info.w_max, images=images,
        output=output, anchors=anchors, files=files, provenance=info.provenance,
        metrics=info.metrics, free_space=model.free is not None,
    )
