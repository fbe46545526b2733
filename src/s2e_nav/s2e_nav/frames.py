"""Frames without tf2: a tree of the newest transforms from /tf and /tf_static."""

from __future__ import annotations

from dataclasses import dataclass

from tf2_msgs.msg import TFMessage

from s2e_core.se2 import Pose2
from s2e_nav.convert.poses import pose2_from_transform
from s2e_nav.errors import ConversionError

MAX_FRAMES = 500
"""A robot has a hundred frames; past this somebody floods /tf."""
MAX_AGE = 5.0
"""Seconds after which a transform of /tf no longer counts: localisation at 0.5 Hz may miss one;
one that died must not send a robot anywhere."""


@dataclass(frozen=True)
class _Edge:
    parent: str
    pose: Pose2
    """parent <- child."""
    heard: float | None
    """Steady clock, seconds; None for a static transform."""


class FrameTree:
    """The newest transform of each frame to its parent."""

    def __init__(self) -> None:
        """Start without frames."""
        self._edges: dict[str, _Edge] = {}

    def update(self, message: TFMessage, now: float | None = None) -> None:
        """Take transforms; broken ones are skipped.

        Args:
            message: From /tf or /tf_static.
            now: Steady clock, seconds, or None for transforms that never age.
        """
        for transform in message.transforms:
            child = transform.child_frame_id.lstrip('/')
            if child not in self._edges and len(self._edges) >= MAX_FRAMES:
                continue
            try:
                pose = pose2_from_transform(transform)
            except ConversionError:
                continue
            self._edges[child] = _Edge(transform.header.frame_id.lstrip('/'), pose, now)

    def lookup(self, target: str, source: str, now: float = 0.0) -> Pose2:
        """Return target <- source.

        Args:
            target: Name of a frame.
            source: Name of a frame.
            now: Steady clock, seconds.

        Raises:
            ConversionError: No chain of transforms connects them, or one in it is too old.
        """
        up, down = self._to_root(source.lstrip('/')), self._to_root(target.lstrip('/'))
        for frame in up:
            if frame in down:
                self._refuse_old(source.lstrip('/'), frame, now)
                self._refuse_old(target.lstrip('/'), frame, now)
                return down[frame].inverse().compose(up[frame])
        known = ', '.join(sorted({*self._edges, *(e.parent for e in self._edges.values())}))
        raise ConversionError(
            f'frame {source!r} cannot be transformed to {target!r}; '
            f'frames seen: {known or "none"}'
        )

    def is_above(self, frame: str, other: str) -> bool:
        """Whether a frame is an ancestor of the other: map is above odom, base_link is not."""
        return frame.lstrip('/') in list(self._to_root(other.lstrip('/')))[1:]

    def _to_root(self, frame: str) -> dict[str, Pose2]:
        """Return ancestor <- frame for the frame and each ancestor, nearest first."""
        found = {frame: Pose2()}
        pose = Pose2()
        while frame in self._edges:
            edge = self._edges[frame]
            frame = edge.parent
            if frame in found:
                break
            pose = edge.pose.compose(pose)
            found[frame] = pose
        return found

    def _refuse_old(self, frame: str, ancestor: str, now: float) -> None:
        while frame != ancestor:
            edge = self._edges[frame]
            if edge.heard is not None and now - edge.heard > MAX_AGE:
                raise ConversionError(
                    f'the transform from {frame!r} to {edge.parent!r} is '
                    f'{now - edge.heard:.1f} s old'
                )
            frame = edge.parent
