"""Drive a robot, or a simulated one, from a browser.

    ros2 launch s2e_nav teleop.launch.py scene:=city:7
    ros2 launch s2e_nav teleop.launch.py robot:=turtlebot4 gate:=true host:=0.0.0.0 \
        tls_certificate:=robot.pem tls_key:=robot.key
"""

import datetime
import os
from pathlib import Path

from launch.actions import (
    DeclareLaunchArgument,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
)
from launch.event_handlers import OnProcessExit
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription

ARGUMENTS = (
    ('robot', 'coco', 'Robot profile by name (config/robots) or path.'),
    ('host', '127.0.0.1', 'Address of the page; others than this machine need TLS.'),
    ('port', '8765', 'Port of the page; 0 takes a free one.'),
    ('token', '', 'Password of the page; one is made up and printed when empty.'),
    ('tls_certificate', '', 'TLS certificate, PEM.'),
    ('tls_key', '', 'TLS key, PEM.'),
    ('insecure', 'false', 'Let other machines in without TLS.'),
    ('origins', '', 'Further addresses of the page, as behind a proxy: https://robot.lan.'),
    ('link', 'none', 'Worse link put between: good, wifi, 4g, congested, satellite or a path.'),
    ('webrtc', 'auto', 'Video and commands by WebRTC where it can be had; off: by WebSocket.'),
    ('ice_servers', '', 'STUN and TURN servers of WebRTC: turn:user:password@host:3478, or YAML.'),
    ('log', '', "Folder for the driver's inputs and the link, as CSV; none when empty."),
    ('namespace', '', 'Namespace of the nodes.'),
    ('stamped', 'true', 'Send cmd_vel_teleop as TwistStamped, which the gate takes; Twist else.'),
    ('compressed', 'true', 'Read compressed images; raw ones otherwise.'),
    ('image', '', "Topic of the raw images; the robot profile's when empty."),
    ('image_compressed', '', "Topic of the compressed images; the profile's when empty."),
    ('camera_info', '', "Topic of the intrinsics; the profile's when empty."),
    ('odom', '', "Topic of the odometry; the profile's when empty."),
    ('cmd_vel', '', "Topic of the velocity to the base; the profile's when empty."),
    ('battery', 'battery_state', 'Topic of the battery.'),
    ('use_sim_time', 'false', 'Take time from /clock: true beside a running simulator.'),
    ('gate', 'false', 'Start a gate too, where no robot.launch.py runs.'),
    ('scene', '', 'Start a simulator too: city:SEED, a scene bundle or a capture.'),
    ('task', 'empty', 'Of the simulator: empty, obstacle, pedestrian, obstacle_pedestrian.'),
    ('seed', '0', 'Of the simulator.'),
    ('policy', 'auto', 'Of the simulator, for modes and click-to-go: auto, a bundle, straight.'),
    ('record', 'false', 'Record the topics of the simulated run as MCAP.'),
    ('output', '', 'Folder of the simulated run; runs/<time> when empty.'),
    ('image_width', '0', "Width of the simulated images, pixels; 0 takes the profile's."),
    ('image_height', '0', "Height of the simulated images, pixels; 0 takes the profile's."),
)


def launch_setup(context):
    """Check what the user named, then describe the processes."""
    from s2e_nav.teleop.launching import TeleopRun

    values = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    stamp = datetime.datetime.now().strftime('%Y%m%d-%H%M%S')
    run = TeleopRun(values, default_output=Path('runs') / stamp)
    # Set at once: the look around for another simulator must use the same transport.
    os.environ.update(run.environment(os.environ))
    run.check_domain()
    entries = run.nodes()
    nodes = [
        Node(
            package='s2e_nav', executable=item.executable, name=item.executable,
            namespace=values['namespace'], parameters=[*item.files, item.parameters],
            remappings=run.remappings(), output='screen', respawn=item.respawn, respawn_delay=1.0,
        )
        for item in entries
    ]

    def on_exit(event, context):
        """Without one of its parts nobody can drive; only the end of a simulated run is none."""
        if context.is_shutdown:
            return None
        if event.process_name.startswith('episode_runner') and event.returncode == 0:
            return [Shutdown(reason='the run is complete')]
        # Raised here, it makes `ros2 launch` itself return 1.
        raise RuntimeError(f'{event.process_name} ended with exit code {event.returncode}')

    handlers = [
        RegisterEventHandler(OnProcessExit(target_action=node, on_exit=on_exit))
        for item, node in zip(entries, nodes, strict=True) if not item.respawn
    ]
    return [*(LogInfo(msg=text) for text in run.notes), *handlers, *nodes]


def generate_launch_description():
    """Declare the arguments; everything else depends on their values."""
    declared = [
        DeclareLaunchArgument(name, default_value=value, description=text)
        for name, value, text in ARGUMENTS
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=launch_setup)])
