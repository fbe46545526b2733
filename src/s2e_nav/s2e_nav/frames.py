"""Goals in other frames: the planar transforms that were seen on /tf and /tf_static."""

from __future__ import annotations

from tf2_msgs.msg import TFMessage

from s2e_core.se2 import Pose2
from s2e_nav.convert.poses import pose2_from_transform
from s2e_nav.errors import ConversionError

MAX_FRAMES = 500
"""A robot has a hundred frames; past this somebody floods /tf."""


class FrameTree:
    """The newest transform of each frame to its parent."""

    def __init__(self) -> None:
        """Start without frames."""
        self._parents: dict[str, tuple[str, Pose2]] = {}

    def update(self, message: TFMessage) -> None:
        """Take transforms; broken ones are skipped."""
        for transform in message.transforms:
            child = transform.child_frame_id.lstrip('/')
            if child not in self._parents and len(self._parents) >= MAX_FRAMES:
                continue
            try:
                pose = pose2_from_transform(transform)
            except ConversionError:
                continue
            self._parents[child] = (transform.header.frame_id.lstrip('/'), pose)

    def lookup(self, target: str, source: str) -> Pose2:
        """Return target <- source.

        Raises:
            ConversionError: No chain of transforms connects them.
        """
        up, down = self._to_root(source.lstrip('/')), self._to_root(target.lstrip('/'))
        for frame in up:
            if frame in down:
                return down[frame].inverse().compose(up[frame])
        known = ', '.join(sorted({*self._parents, *(p for p, _ in self._parents.values())}))
        raise ConversionError(
            f'frame {source!r} cannot be transformed to {target!r}; '
            f'frames seen: {known or "none"}'
        )

    def _to_root(self, frame: str) -> dict[str, Pose2]:
        """Return ancestor <- frame for the frame and each ancestor, nearest first."""
        found = {frame: Pose2()}
        pose = Pose2()
        while frame in self._parents:
            frame, step = self._parents[frame]
            if frame in found:
                break
            pose = step.compose(pose)
            found[frame] = pose
        return found
