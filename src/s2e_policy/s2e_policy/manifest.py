"""What ``bundle.yaml`` says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from s2e_core.camera import CameraModel, CameraMount, Unseen
from s2e_core.config import check, from_yaml, option, to_mapping
from s2e_core.contract import CONTRACT_VERSION, POLICY_PERIOD_NS, WAYPOINT_DT, WAYPOINTS
from s2e_core.errors import S2EError
from s2e_policy.errors import PolicyError
from s2e_policy.goal import GOAL_ENCODINGS, GoalEncoding

MANIFEST_FILE = 'bundle.yaml'
WINDOW_FILE = 'policy.onnx'
STREAMING_FILE = 'policy_streaming.onnx'
WEIGHTS_FILE = 'policy.weights'
REFERENCE_FILE = 'reference.npz'
CARD_FILE = 'MODEL_CARD.md'
BUNDLE_FILES = (WINDOW_FILE, STREAMING_FILE, WEIGHTS_FILE, REFERENCE_FILE, CARD_FILE)
Precision = Literal['float32', 'float16', 'int8']
MAX_FILE_BYTES = 2_000_000_000
"""Upper limit for any file of a bundle; the paper's size has 0.4 GB of weights."""


@dataclass(frozen=True)
class FileEntry:
    """One file of the bundle."""

    bytes: int = option(low=0, high=MAX_FILE_BYTES, help='Size.')
    sha256: str = option(help='Hash of the content, hexadecimal.')


@dataclass(frozen=True)
class ImageInput:
    """The images the policy wants."""

    frames: int = option(low=1, high=64, help='Images in the window, oldest first.')
    period: float = option(unit='s', low=0.01, high=10.0, help='Time between two of them.')
    colour: str = option(choices=('rgb',), help='Channel order.')
    width: int = option(low=16, high=2048, unit='px', help='Width.')
    height: int = option(low=16, high=2048, unit='px', help='Height.')
    fx: float = option(low=1.0, high=10000.0, unit='px', help='Focal length along x.')
    fy: float = option(low=1.0, high=10000.0, unit='px', help='Focal length along y.')
    cx: float = option(low=0.0, high=2048.0, unit='px', help='Principal point from the left.')
    cy: float = option(low=0.0, high=2048.0, unit='px', help='Principal point from the top.')
    mount_x: float = option(unit='m', low=-5.0, high=5.0, help='Camera ahead of base_link.')
    mount_z: float = option(unit='m', low=0.0, high=5.0, help='Camera above the floor.')
    mount_pitch: float = option(unit='rad', low=-1.5, high=1.5, help='Positive looks down.')
    low: float = option(0.0, choices=(0.0,), help='Value of black.')
    high: float = option(1.0, choices=(1.0,), help='Value of white.')
    coverage: float = option(
        0.5, low=0.01, high=1.0,
        help='Least share of the image that a camera must see. The policy has not been trained '
        'below it.',
    )
    unseen: Unseen = option(
        'black', choices=('black', 'edge'),
        help='What the rest shows: black, as in training through narrower lenses, or the nearest '
        'pixel that is seen.',
    )

    @property
    def camera(self) -> CameraModel:
        """The policy's virtual camera."""
        return CameraModel(self.width, self.height, self.fx, self.fy, self.cx, self.cy)

    @property
    def mount(self) -> CameraMount:
        """Where that camera sat in training."""
        return CameraMount(self.mount_x, 0.0, self.mount_z, self.mount_pitch)


@dataclass(frozen=True)
class TrajectoryOutput:
    """What the graph answers."""

    modes: int = option(low=1, high=512, help='Trajectories.')
    waypoints: int = option(choices=(WAYPOINTS,), help='Waypoints of a trajectory.')
    dt: float = option(choices=(WAYPOINT_DT,), unit='s', help='Time between waypoints.')
    meaning: str = option(help='Frame and axes of the waypoints.')
    scale: float = option(1.0, low=1e-3, high=1e3, help='Metres per unit of the trajectories.')
    vote: float = option(
        0.0, low=0.0, high=5.0, unit='m',
        help='How far apart modes vote for each other; 0: the highest score is driven.',
    )
    memory: float = option(
        0.0, low=0.0, high=0.95, help='Weight of the answers before in the choice.'
    )


@dataclass(frozen=True)
class Manifest:
    """A policy bundle's description of itself."""

    contract: int = option(help='Version of the policy contract.')
    name: str = option(help='Name of the policy.')
    licence: str = option(help='Licence of the weights.')
    description: str = option(help='What it is, in a sentence.')
    opset: int = option(low=13, high=64, help='ONNX operator set of both graphs.')
    token_dim: int = option(low=1, high=8192, help='Width D of the cached frame tokens.')
    goal_encoding: GoalEncoding = option(choices=GOAL_ENCODINGS, help='See s2e_policy.goal.')
    v_max: float = option(unit='m/s', low=0.01, high=20.0, help='Fastest speed in training.')
    w_max: float = option(unit='rad/s', low=0.01, high=20.0, help='Fastest turn in training.')
    images: ImageInput = option(help='Image input.')
    output: TrajectoryOutput = option(help='Trajectory output.')
    anchors: tuple[tuple[float, float], ...] = option(help='Intent points, m, base_link.')
    files: dict[str, FileEntry] = option(help='Every file with size and hash.')
    provenance: dict[str, Any] = option(help='Data, configuration, seed and commit.')
    metrics: dict[str, Any] = option(help='Measured quality, with its conditions.')
    precision: Precision = option(
        'float32', choices=('float32', 'float16', 'int8'), help='Of weights and arithmetic.'
    )
    free_space: bool = option(
        False, help='Whether the graphs also answer free_space and free_confidence.'
    )

    def __post_init__(self) -> None:
        check(self)


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write ``bundle.yaml`` at once."""
    text = yaml.safe_dump(to_mapping(manifest), sort_keys=False, width=99, allow_unicode=True)
    draft = path.with_name(f'{path.name}.tmp')
    draft.write_text(text, encoding='utf-8')
    draft.replace(path)


def read_manifest(root: Path) -> Manifest:
    """Read and check ``bundle.yaml``.

    Raises:
        PolicyError: Naming the file, the rule and the value.
    """
    path = root / MANIFEST_FILE
    try:
        manifest = from_yaml(Manifest, path)
    except S2EError as error:
        raise PolicyError(str(error)) from error
    rules = (
        (manifest.contract == CONTRACT_VERSION,
         f'contract must be {CONTRACT_VERSION}, got {manifest.contract}'),
        (round(manifest.images.period * 1e9) == POLICY_PERIOD_NS,
         f'images.period must be {POLICY_PERIOD_NS / 1e9} s, got {manifest.images.period}'),
        (len(manifest.anchors) == manifest.output.modes,
         f'anchors must have {manifest.output.modes} entries, got {len(manifest.anchors)}'),
        (set(manifest.files) == set(BUNDLE_FILES),
         f'files must be {sorted(BUNDLE_FILES)}, got {sorted(manifest.files)}'),
    )
    for holds, message in rules:
        if not holds:
            raise PolicyError(f'{path}: {message}')
    return manifest
