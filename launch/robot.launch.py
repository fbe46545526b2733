"""The same graph without the simulator: camera and odometry in, cmd_vel out.

    ros2 launch s2e_nav robot.launch.py robot:=turtlebot4
    ros2 launch s2e_nav robot.launch.py robot:=my_robot.yaml image:=/front/image_raw
"""

import datetime
import os
from pathlib import Path

from launch.actions import (
    DeclareLaunchArgument,
    LogInfo,
    OpaqueFunction,
    SetEnvironmentVariable,
)
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription

ARGUMENTS = (
    ('robot', 'coco', 'Robot profile by name (config/robots) or path.'),
    ('policy', 'auto', "auto: what suits the robot's lens; a bundle by name or path; straight."),
    ('namespace', '', 'Namespace of the nodes.'),
    ('autostart', 'true', 'Configure and activate the policy without being asked.'),
    ('compressed', 'false', 'Read compressed images.'),
    ('image', '', "Topic of the raw images; the robot profile's when empty."),
    ('image_compressed', '', "Topic of the compressed images; the profile's when empty."),
    ('camera_info', '', "Topic of the intrinsics; the profile's when empty."),
    ('odom', '', "Topic of the odometry; the profile's when empty."),
    ('cmd_vel', '', "Topic of the velocity to the base; the profile's when empty."),
    ('cmd_vel_follower', 'cmd_vel_nav',
     "Topic of the follower's velocity, where a smoother or monitor comes before the gate."),
    ('goal_pose', 'goal_pose', 'Topic of the goals.'),
    ('gps_fix', 'gps/fix', 'Topic of the GPS receiver, for GPS goals.'),
    ('gps_heading', 'gps/heading', 'Topic of the absolute heading (Imu), for GPS goals.'),
    ('obstacles', 'none',
     'What the gate slows before: none, scan, depth, occupancy (a map), or free_space.'),
    ('scan', '', "Topic of the range scanner; the profile's when empty."),
    ('depth', '', "Topic of the depth image, rectified; the profile's when empty."),
    ('depth_info', '', "Topic of its intrinsics; the profile's when empty."),
    ('map', 'map', 'Topic of the map.'),
    ('stamped', '', 'true: TwistStamped, false: Twist; empty: as the robot profile says.'),
    ('require_provider', '', 'ONNX execution provider without which nothing starts.'),
    ('use_sim_time', 'false', 'Take time from /clock.'),
    ('record', '', 'Folder of an MCAP recording; nothing is recorded when empty.'),
    ('incidents', '', 'Folder for an MCAP file of each safety stop and the 30 s before it.'),
    ('shadow', 'false', 'A person drives; the policy plans, and where they differ is logged.'),
    ('shadow_log', '', 'Folder of that log; runs/shadow-<time> when empty.'),
    ('params', '', 'YAML file of node parameters that win over those of config/nodes.'),
    ('view', '', 'Opened beside the nodes: rviz, foxglove, or rviz,foxglove.'),
)


def launch_setup(context):
    """Check what the user named, then describe the processes."""
    from s2e_nav.launching import RobotGraph
    from s2e_nav.misspelt import misspelt

    values = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    stamp = datetime.datetime.now().strftime('%Y%m%d-%H%M%S')
    graph = RobotGraph(values, default_log=Path('runs') / f'shadow-{stamp}')
    actions = [LogInfo(msg=f'WARNING: {text}') for text in misspelt(
        context.launch_configurations, values)]
    actions += [LogInfo(msg=text) for text in graph.choice.lines]
    actions += [
        SetEnvironmentVariable(name, value)
        for name, value in graph.environment(os.environ).items()
    ]
    return actions + [
        Node(
            package='s2e_nav', executable=item.executable, name=item.executable,
            namespace=values['namespace'], parameters=[*item.files, item.parameters],
            remappings=graph.remappings(item.executable), output='screen',
            respawn=item.respawn, respawn_delay=1.0,
        )
        for item in graph.nodes()
    ] + [
        action for item in graph.viewers for action in (
            Node(package=item.package, executable=item.executable, arguments=item.arguments,
                 namespace=values['namespace'], output='screen'),
            LogInfo(msg=item.hint or f'{item.executable} is starting'),
        )
    ]


def generate_launch_description():
    """Declare the arguments; everything else depends on their values."""
    declared = [
        DeclareLaunchArgument(name, default_value=value, description=text)
        for name, value, text in ARGUMENTS
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=launch_setup)])
