"""What is wrong with a picture for the policy, looked at before the policy sees it."""

from __future__ import annotations

from s2e_core.camera import CameraModel
from s2e_core.image_motion import TurnWatch
from s2e_core.image_watch import blank
from s2e_nav.policy.intake import Sample


class PictureCheck:
    """Finds blank pictures, and those that do not turn as odometry says."""

    def __init__(self, camera: CameraModel, pitch: float, watch_turns: bool) -> None:
        """Begin.

        Args:
            camera: The policy's, in whose view pictures come.
            pitch: It looks down by, radians.
            watch_turns: Whether pictures must turn with the robot.
        """
        self._turns = TurnWatch(camera, pitch) if watch_turns and not camera.distortion else None

    def __call__(self, sample: Sample) -> str:
        """Return the fault, or nothing."""
        problem = blank(sample.frame.rgb)
        if problem or self._turns is None:
            return problem
        frame = sample.frame
        return self._turns.add(frame.stamp_ns, frame.rgb, sample.odometry.pose.yaw)
