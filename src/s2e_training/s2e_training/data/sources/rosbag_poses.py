"""Poses from a bag: odometry messages, or a chain of transforms."""

from __future__ import annotations

from typing import Any

import numpy as np
from rosbags.highlevel import AnyReader
from transforms3d.quaternions import quat2mat

from s2e_core.camera import CameraMount
from s2e_training.data.sources.options import SourceOptions
from s2e_training.data.sources.poses import planar_track
from s2e_training.data.sources.recording import Track
from s2e_training.errors import TrainingError

WORLDS = ('odom', 'map')


class TransformTree:
    """All transforms of a bag by child frame."""

    def __init__(self) -> None:
        """Start empty."""
        self._parents: dict[str, str] = {}
        self._edges: dict[str, list[tuple[int, np.ndarray]]] = {}

    def add(self, message: Any) -> None:
        """Take a TFMessage."""
        for entry in message.transforms:
            child = entry.child_frame_id.lstrip('/')
            self._parents[child] = entry.header.frame_id.lstrip('/')
            t = entry.transform
            pose = matrix(t.translation, t.rotation)
            if pose is not None:
                self._edges.setdefault(child, []).append((stamp_of(entry.header), pose))

    def track(self, world: str, base: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Chain world <- base at the stamps of the transform that moves most often.

        The other transforms hold their latest earlier value: map <- odom is a step function.

        Returns:
            Stamps [P] and poses [P, 4, 4]; None without such a chain.
        """
        chain = self.chain(world, base)
        if not chain:
            return None
        edges = [sorted(self._edges[child], key=lambda e: e[0]) for child in chain]
        stamps = np.array([s for s, _ in max(edges, key=len)], np.int64)
        poses = np.tile(np.eye(4), (len(stamps), 1, 1))
        for edge in edges:
            times = np.array([s for s, _ in edge], np.int64)
            latest = np.maximum(np.searchsorted(times, stamps, side='right') - 1, 0)
            poses = poses @ np.stack([pose for _, pose in edge])[latest]
        return stamps, poses

    def chain(self, world: str, base: str) -> list[str]:
        """Return the children from below `world` down to `base`; empty when unconnected."""
        found, at = [], base
        while at != world:
            if at not in self._parents or at not in self._edges or at in found:
                return []
            found.append(at)
            at = self._parents[at]
        return found[::-1]

    def mount(self, base: str, optical: str) -> CameraMount | None:
        """Return where the camera sits, by the first transforms of the chain; None if unknown."""
        chain = self.chain(base, optical.lstrip('/'))
        if not chain:
            return None
        pose = np.eye(4)
        for child in chain:
            pose = pose @ self._edges[child][0][1]
        forward = pose[:3, 2]
        # Sideways and rear cameras are no view of where the robot goes: 15 degrees.
        if forward[0] <= 0 or abs(np.arctan2(forward[1], forward[0])) > 0.26:
            raise TrainingError(
                f'camera {optical} does not look forward from {base}: its axis is '
                f'{forward.round(2).tolist()}'
            )
        x, y, z = (float(v) for v in pose[:3, 3])
        return CameraMount(x, y, z, float(-np.arcsin(np.clip(forward[2], -1, 1))))

    @property
    def frames(self) -> list[str]:
        """Names of all frames."""
        return sorted({*self._parents, *self._parents.values()})


def odometry_track(
    reader: AnyReader, topic: str, tree: TransformTree, options: SourceOptions
) -> tuple[Track | None, list[str]]:
    """Read the poses of a bag from odometry, or from TF when there is none.

    Raises:
        TrainingError: TF was asked for and lacks the chain.
    """
    if topic:
        stamps, poses = [], []
        for connection, logged, data in reader.messages(
            [c for c in reader.connections if c.topic == topic]
        ):
            message: Any = reader.deserialize(data, connection.msgtype)
            pose = matrix(message.pose.pose.position, message.pose.pose.orientation)
            if pose is not None:
                stamps.append(stamp_of(message.header) or logged)
                poses.append(pose)
        found = (np.array(stamps, np.int64), np.array(poses).reshape(-1, 4, 4))
        note = f'poses from {topic}'
    else:
        worlds = (options.world_frame,) if options.world_frame else WORLDS
        chains = ((world, tree.track(world, options.base_frame)) for world in worlds)
        world, chain = next(((w, c) for w, c in chains if c is not None), ('', None))
        if chain is None:
            if options.pose_source == 'tf':
                raise TrainingError(
                    f'TF has no chain from {" or ".join(worlds)} to {options.base_frame}; '
                    f'frames: {", ".join(tree.frames) or "none"}'
                )
            return None, []
        found, note = chain, f'poses from TF, {world} to {options.base_frame}'
    if len(np.unique(found[0])) < 2:
        return None, [f'{note}: fewer than two']
    track, levelled = planar_track(*found, None)
    return track, [note] + ([levelled] if levelled else [])


def stamp_of(header: Any) -> int:
    """Return a header's stamp, nanoseconds."""
    return int(header.stamp.sec) * 1_000_000_000 + int(header.stamp.nanosec)


def matrix(position: Any, rotation: Any) -> np.ndarray | None:
    """Return the pose of a message, or None where it is not finite or no rotation. [4, 4]"""
    quaternion = np.array([rotation.w, rotation.x, rotation.y, rotation.z])
    place = np.array([position.x, position.y, position.z])
    if not np.isfinite(place).all() or not abs(np.linalg.norm(quaternion) - 1.0) < 0.05:
        return None
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = quat2mat(quaternion), place
    return pose
