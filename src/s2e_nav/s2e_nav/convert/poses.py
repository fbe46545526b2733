"""Poses: geometry_msgs, nav_msgs/Odometry and tf2_msgs to SE(2) records and back."""

from __future__ import annotations

import math

import numpy as np
from geometry_msgs.msg import Pose, PoseStamped, Quaternion, TransformStamped
from nav_msgs.msg import Odometry as OdometryMessage
from transforms3d.quaternions import mat2quat

from s2e_core.records import Odometry
from s2e_core.se2 import Pose2
from s2e_nav.convert.stamps import to_ns, to_time
from s2e_nav.errors import ConversionError

YAW_DECIMALS = 9
"""Yaw is read to a nanoradian: what the simulator rounds alike survives the quaternion whole."""


def yaw_of(q: Quaternion) -> float:
    """Return the heading of a quaternion, radians.

    Raises:
        ConversionError: It is not of unit length (1 %) or not finite.
    """
    norm = q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z
    if not 0.98 <= norm <= 1.02:
        raise ConversionError(
            f'quaternion must have unit length, got x {q.x}, y {q.y}, z {q.z}, w {q.w}'
        )
    yaw = math.atan2(2.0 * (q.w * q.z + q.x * q.y), q.w * q.w + q.x * q.x - q.y * q.y - q.z * q.z)
    return round(yaw, YAW_DECIMALS)


def quaternion_of(yaw: float) -> Quaternion:
    """Return the rotation about z."""
    return Quaternion(x=0.0, y=0.0, z=math.sin(yaw / 2), w=math.cos(yaw / 2))


def pose2_from_pose(pose: Pose) -> Pose2:
    """Project a pose to the plane.

    Raises:
        ConversionError: Not finite, or not a rotation.
    """
    x, y = float(pose.position.x), float(pose.position.y)
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ConversionError(f'position must be finite, got x {x}, y {y}')
    return Pose2(x, y, yaw_of(pose.orientation))


def pose_from_pose2(pose: Pose2) -> Pose:
    """Lift a planar pose."""
    message = Pose()
    message.position.x, message.position.y = pose.x, pose.y
    message.orientation = quaternion_of(pose.yaw)
    return message


def odometry_from_message(message: OdometryMessage) -> Odometry:
    """Read odometry; numbers that are not finite pass, so that the gate can name them.

    Raises:
        ConversionError: The quaternion is finite but no rotation.
    """
    p, q, twist = message.pose.pose.position, message.pose.pose.orientation, message.twist.twist
    if all(math.isfinite(value) for value in (q.x, q.y, q.z, q.w)):
        yaw = yaw_of(q)
    else:
        yaw = math.nan
    pose = Pose2(float(p.x), float(p.y), yaw)
    stamp = to_ns(message.header.stamp)
    return Odometry(stamp, pose, float(twist.linear.x), float(twist.angular.z))


def message_from_odometry(
    odometry: Odometry, frame_id: str = 'odom', child: str = 'base_link'
) -> OdometryMessage:
    """Write odometry."""
    message = OdometryMessage()
    message.header.stamp = to_time(odometry.stamp_ns)
    message.header.frame_id, message.child_frame_id = frame_id, child
    message.pose.pose = pose_from_pose2(odometry.pose)
    message.twist.twist.linear.x = odometry.v
    message.twist.twist.angular.z = odometry.w
    return message


def goal_from_message(message: PoseStamped) -> np.ndarray:
    """Read the point of a goal; its heading is not used. [2]

    Raises:
        ConversionError: Not finite.
    """
    point = np.array([message.pose.position.x, message.pose.position.y], np.float64)
    if not np.isfinite(point).all():
        raise ConversionError(f'goal must be finite, got {point.tolist()}')
    return point


def goal_message(point: np.ndarray, stamp_ns: int, frame_id: str = 'odom') -> PoseStamped:
    """Write a goal. [2]"""
    message = PoseStamped()
    message.header.stamp, message.header.frame_id = to_time(stamp_ns), frame_id
    message.pose.position.x, message.pose.position.y = float(point[0]), float(point[1])
    message.pose.orientation.w = 1.0
    return message


def pose_stamped(odometry: Odometry, frame_id: str = 'odom') -> PoseStamped:
    """Write where odometry has the robot."""
    message = PoseStamped()
    message.header.stamp, message.header.frame_id = to_time(odometry.stamp_ns), frame_id
    message.pose = pose_from_pose2(odometry.pose)
    return message


def transform_from_pose2(
    pose: Pose2, stamp_ns: int, parent: str, child: str
) -> TransformStamped:
    """Write a planar transform parent <- child."""
    message = _transform(stamp_ns, parent, child)
    message.transform.translation.x, message.transform.translation.y = pose.x, pose.y
    message.transform.rotation = quaternion_of(pose.yaw)
    return message


def pose2_from_transform(message: TransformStamped) -> Pose2:
    """Project a transform to the plane.

    Raises:
        ConversionError: Not finite, or not a rotation.
    """
    pose = Pose()
    pose.position.x = message.transform.translation.x
    pose.position.y = message.transform.translation.y
    pose.orientation = message.transform.rotation
    return pose2_from_pose(pose)


def transform_from_matrix(
    matrix: np.ndarray, stamp_ns: int, parent: str, child: str
) -> TransformStamped:
    """Write a transform parent <- child. [4, 4]"""
    message = _transform(stamp_ns, parent, child)
    t, r = message.transform.translation, message.transform.rotation
    t.x, t.y, t.z = (float(value) for value in matrix[:3, 3])
    r.w, r.x, r.y, r.z = (float(value) for value in mat2quat(matrix[:3, :3]))
    return message


def _transform(stamp_ns: int, parent: str, child: str) -> TransformStamped:
    message = TransformStamped()
    message.header.stamp = to_time(stamp_ns)
    message.header.frame_id, message.child_frame_id = parent, child
    return message
