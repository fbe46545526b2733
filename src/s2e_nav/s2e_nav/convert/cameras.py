"""Camera models: sensor_msgs/CameraInfo to intrinsics and back."""

from __future__ import annotations

from sensor_msgs.msg import CameraInfo

from s2e_core.camera import CameraModel
from s2e_core.errors import ContractError
from s2e_nav.convert.stamps import to_time
from s2e_nav.errors import ConversionError


def camera_from_info(message: CameraInfo) -> CameraModel:
    """Read intrinsics; ROS puts pixel centres at integers, the model half a pixel further.

    Raises:
        ConversionError: Uncalibrated, or a distortion model that is not known.
    """
    try:
        return CameraModel.from_calibration(
            int(message.width), int(message.height), message.k, message.distortion_model,
            message.d,
        )
    except ContractError as error:
        raise ConversionError(f'camera_info: {error}') from error


def info_from_camera(camera: CameraModel, stamp_ns: int, frame_id: str) -> CameraInfo:
    """Write intrinsics."""
    message = CameraInfo()
    message.header.stamp = to_time(stamp_ns)
    message.header.frame_id = frame_id
    message.width, message.height = camera.width, camera.height
    message.distortion_model = 'equidistant' if camera.model == 'equidistant' else 'plumb_bob'
    message.d = list(camera.distortion) or [0.0] * 5
    cx, cy = camera.cx - 0.5, camera.cy - 0.5
    message.k = [camera.fx, 0.0, cx, 0.0, camera.fy, cy, 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [camera.fx, 0.0, cx, 0.0, 0.0, camera.fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    return message
