"""Writes small bags: a camera, odometry and TF of a robot that drives a circle."""

import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

TYPES = get_typestore(Stores.ROS2_HUMBLE)
START = 1_700_000_000
SPEED, TURN = 1.0, 0.2


def kind(name):
    return TYPES.types[name]


def header(ns, frame):
    stamp = kind('builtin_interfaces/msg/Time')(ns // 10**9, ns % 10**9)
    return kind('std_msgs/msg/Header')(stamp=stamp, frame_id=frame)


def pose_at(t):
    """The robot drives a circle to the left: radius v / w = 5 m."""
    return SPEED / TURN * np.sin(TURN * t), SPEED / TURN * (1 - np.cos(TURN * t)), TURN * t


def quaternion(yaw):
    return kind('geometry_msgs/msg/Quaternion')(0.0, 0.0, np.sin(yaw / 2), np.cos(yaw / 2))


def picture(index, height=48, width=64):
    """A red picture whose brightness tells its index."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 0] = 60 + index
    rgb[..., 2] = 20
    rgb[: height // 2, :, 1] = 90
    return rgb


def image(ns, pixels, encoding, height=48, width=64):
    flat = np.ascontiguousarray(pixels).reshape(-1)
    return kind('sensor_msgs/msg/Image')(
        header(ns, 'camera_optical'), height, width, encoding, 0, len(flat) // height, flat
    )


def camera_info(ns):
    k = np.array([40.0, 0, 31.5, 0, 40.0, 23.5, 0, 0, 1])
    return kind('sensor_msgs/msg/CameraInfo')(
        header(ns, 'camera_optical'), 48, 64, 'plumb_bob', np.zeros(5), k, np.eye(3).ravel(),
        np.zeros(12), 0, 0, kind('sensor_msgs/msg/RegionOfInterest')(0, 0, 0, 0, False),
    )


def odometry(ns, t):
    x, y, yaw = pose_at(t)
    pose = kind('geometry_msgs/msg/Pose')(
        kind('geometry_msgs/msg/Point')(x, y, 0.0), quaternion(yaw)
    )
    zero = kind('geometry_msgs/msg/Vector3')(0.0, 0.0, 0.0)
    return kind('nav_msgs/msg/Odometry')(
        header(ns, 'odom'), 'base_link',
        kind('geometry_msgs/msg/PoseWithCovariance')(pose, np.zeros(36)),
        kind('geometry_msgs/msg/TwistWithCovariance')(
            kind('geometry_msgs/msg/Twist')(zero, zero), np.zeros(36)
        ),
    )


def transform(ns, parent, child, place, rotation):
    stamped = kind('geometry_msgs/msg/TransformStamped')(
        header(ns, parent), child, kind('geometry_msgs/msg/Transform')(
            kind('geometry_msgs/msg/Vector3')(*place), rotation
        ),
    )
    return kind('tf2_msgs/msg/TFMessage')([stamped])


def write_bag(path, frames, *, mcap=True, poses='odom', topics=('/camera/image_raw',), times=None,
              more=None):
    """Write a bag.

    frames: function of (index, stamp) to an Image or CompressedImage; times: seconds of each;
    more: called with `channel`, `write` and the start, to add topics.
    """
    times = np.arange(60) * 0.1 if times is None else times
    plugin = StoragePlugin.MCAP if mcap else StoragePlugin.SQLITE3
    with Writer(path, version=9, storage_plugin=plugin) as writer:
        def channel(topic, name):
            return writer.add_connection(topic, name, typestore=TYPES)

        def write(connection, ns, message):
            writer.write(connection, ns, TYPES.serialize_cdr(message, connection.msgtype))

        start = START * 10**9
        first = frames(0, start)
        images = [channel(topic, first.__msgtype__) for topic in topics]
        info = channel('/camera/camera_info', 'sensor_msgs/msg/CameraInfo')
        write(info, start, camera_info(start))
        # Optical axes seen from base_link: x right = -y, y down = -z, z forward = x.
        optical = kind('geometry_msgs/msg/Quaternion')(-0.5, 0.5, -0.5, 0.5)
        tf = channel('/tf', 'tf2_msgs/msg/TFMessage')
        write(tf, start, transform(start, 'base_link', 'camera_optical', (0.2, 0.0, 0.5), optical))
        odom = channel('/odom', 'nav_msgs/msg/Odometry') if poses == 'odom' else None
        for step in range(int(max(times) / 0.05) + 60):
            ns = start + step * 50_000_000
            if odom:
                write(odom, ns, odometry(ns, step * 0.05))
            elif poses == 'tf':
                x, y, yaw = pose_at(step * 0.05)
                write(tf, ns, transform(ns, 'odom', 'base_link', (x, y, 0.0), quaternion(yaw)))
        if more:
            more(channel, write, start)
        for index, t in enumerate(times):
            ns = start + round(t * 1e9)
            for connection in images:
                write(connection, start + index * 1000, frames(index, ns))
    return path


def drive_command(ns, v, w):
    zero = kind('geometry_msgs/msg/Vector3')(0.0, 0.0, 0.0)
    twist = kind('geometry_msgs/msg/Twist')(
        kind('geometry_msgs/msg/Vector3')(v, 0.0, 0.0),
        kind('geometry_msgs/msg/Vector3')(0.0, 0.0, w),
    ) if (v, w) != (0.0, 0.0) else kind('geometry_msgs/msg/Twist')(zero, zero)
    return kind('geometry_msgs/msg/TwistStamped')(header(ns, 'base_link'), twist)


def gate_status(**values):
    pair = kind('diagnostic_msgs/msg/KeyValue')
    return kind('diagnostic_msgs/msg/DiagnosticStatus')(
        0, 'gate', '', 's2e_nav', [pair(key, str(value)) for key, value in values.items()]
    )
