"""Compare autonomy with driving from afar over the same routes, starts and seeds.

    ros2 launch s2e_nav teleop_compare.launch.py participant:=1 output:=runs/study
    ros2 launch s2e_nav teleop_compare.launch.py output:=runs/study

With `participant:=` a person drives, from the page whose address is printed: blocks of autonomy,
of driving and of driving with a gate that vetoes, in an order that is balanced over participants;
with `routes:=` on a robot, else in the simulator. Without a participant, operators are scripted
(`s2e teleop study`), over the same episodes. Either is broken off with Ctrl-C and goes on where it
was when it is launched again.
"""

import os
import shlex
import sys

from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
)
from launch.event_handlers import OnProcessExit
from launch.events import matches_action
from launch.events.process import ShutdownProcess
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription

SHARED = (
    ('output', 'runs/teleop_study', 'Folder of the study.'),
    ('policy', 'auto', 'The autonomy: auto, what suits the lens; a bundle, or straight.'),
    ('links', '', 'Links, separated by blanks; when empty `none 4g` for people, else all six.'),
    ('scenes', 'city:100-101', 'Scenes, separated by blanks.'),
    ('tasks', 'obstacle pedestrian', 'Tasks, separated by blanks.'),
    ('episodes', '2', 'Routes per scene and task.'),
    ('seed', '0', 'Seed of the routes and of the order.'),
    ('robot', 'coco', 'Robot profile by name or path.'),
)
SCRIPTED = (
    ('reaction', '0.25', "The scripted operator's reaction, seconds."),
    ('workers', '2', 'Processes of the scripted drives.'),
)
PEOPLE = (
    ('participant', '', 'Number of the person who drives, from 1; scripted when empty.'),
    ('drivers', 'autonomy person assisted', 'What a participant goes through.'),
    ('practice', '1', 'Runs before each block that do not count.'),
    ('image_width', '0', "Width of the simulated images, pixels; 0 takes the profile's."),
    ('image_height', '0', "Height of the simulated images, pixels; 0 takes the profile's."),
    ('host', '127.0.0.1', 'Address of the page; others than this machine need TLS.'),
    ('port', '8765', 'Port of the page.'),
    ('token', '', 'Password of the page; one is made up and printed when empty.'),
    ('tls_certificate', '', 'TLS certificate, PEM.'),
    ('tls_key', '', 'TLS key, PEM.'),
    ('insecure', 'false', 'Let other machines in without TLS.'),
    ('origins', '', 'Further addresses of the page, as behind a proxy.'),
    ('webrtc', 'auto', 'Video and commands by WebRTC where it can be had; off: by WebSocket.'),
    ('ice_servers', '', 'STUN and TURN servers of WebRTC: turn:user:password@host:3478, or YAML.'),
)
ROBOT = (
    ('routes', '', 'File of the routes of a robot; simulated scenes when empty.'),
    ('compressed', 'false', 'Read compressed images.'),
    ('image', '', "Topic of the raw images; the robot profile's when empty."),
    ('image_compressed', '', "Topic of the compressed images; the robot profile's when empty."),
    ('camera_info', '', "Topic of the intrinsics; the robot profile's when empty."),
    ('odom', '', "Topic of the odometry; the robot profile's when empty."),
    ('cmd_vel', '', "Topic of the velocity to the base; the robot profile's when empty."),
    ('stamped', '', 'true: TwistStamped, false: Twist; empty: as the robot profile says.'),
    ('battery', 'battery_state', 'Topic of the battery.'),
    ('obstacles', 'none',
     'What the gate slows autonomy and assisted people before: none, scan, depth, occupancy.'),
    ('scan', '', "Topic of the range scanner; the robot profile's when empty."),
    ('depth', '', "Topic of the depth image, rectified; the robot profile's when empty."),
    ('depth_info', '', "Topic of its intrinsics; the robot profile's when empty."),
    ('map', 'map', 'Topic of the map.'),
    ('params', '', 'YAML file of node parameters that win over those of config/nodes.'),
)
ARGUMENTS = (*SHARED, *SCRIPTED, *PEOPLE, *ROBOT)
LISTS = ('links', 'scenes', 'tasks')


def scripted(values):
    """Describe the one process of the scripted drives, whose end is the end."""
    values = {**values, 'links': values['links'] or 'none good wifi 4g congested satellite'}
    # By this interpreter: `ros2` may run without its environment's programs on the path.
    words = [sys.executable, '-m', 's2e_cli', 'teleop', 'study', values['output']]
    for name, _, _ in (*SHARED[1:], *SCRIPTED):
        given = shlex.split(values[name]) if name in LISTS else [values[name]]
        words += [f'--{name}', *given]
    study = ExecuteProcess(cmd=words, output='screen')

    def on_exit(event, context):
        """Raised here, an error makes `ros2 launch` itself return 1."""
        if context.is_shutdown:
            return None
        if event.returncode == 0:
            return [Shutdown(reason='the study is complete')]
        raise RuntimeError(f'the study ended with exit code {event.returncode}')

    return [RegisterEventHandler(OnProcessExit(target_action=study, on_exit=on_exit)), study]


def people(values):
    """Describe the first block; the end of each starts the next."""
    from s2e_nav.study.robot_launching import study_of

    run = study_of({**values, 'links': values['links'] or 'none 4g'})
    # Set at once: the look around for another simulator must use the same transport.
    os.environ.update(run.environment(os.environ))
    run.check_domain()
    run.claim()
    return next_block(run, run.left())


def next_block(run, blocks):
    """Describe the processes of the first of these blocks."""
    if not blocks:
        text = f'participant {run.participant} has been through everything'
        return [LogInfo(msg=text), Shutdown(reason=text)]
    block, entries = blocks[0], run.nodes(blocks[0])
    nodes = [
        Node(
            package='s2e_nav', executable=item.executable, name=item.executable,
            parameters=[*item.files, item.parameters], output='screen',
            remappings=run.remappings(item.executable),
        )
        for item in entries
    ]
    alive, over = set(nodes), []

    def on_exit(event, context):
        """The study node's good end is that of its block; anybody else's is a fault."""
        alive.discard(event.action)
        if context.is_shutdown:
            return None
        name = event.process_name
        if not over and (not name.startswith('study') or event.returncode != 0):
            # Raised here, it makes `ros2 launch` itself return 1.
            raise RuntimeError(f'{name} ended with exit code {event.returncode}')
        if not over:
            over.append(block)
            return [
                EmitEvent(event=ShutdownProcess(process_matcher=matches_action(node)))
                for node in alive
            ]
        return None if alive else next_block(run, blocks[1:])

    handlers = [
        RegisterEventHandler(OnProcessExit(target_action=node, on_exit=on_exit)) for node in nodes
    ]
    text = f'participant {run.participant}, block {block.number}: {block.condition.label}'
    lines = [*run.choice.lines, text]
    return [*handlers, *(LogInfo(msg=line) for line in lines), *nodes]


def launch_setup(context):
    """Decide who drives."""
    from s2e_nav.misspelt import misspelt

    values = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    warnings = misspelt(context.launch_configurations, values)
    actions = people(values) if values['participant'] else scripted(values)
    return [*(LogInfo(msg=f'WARNING: {text}') for text in warnings), *actions]


def generate_launch_description():
    """Declare the arguments; everything else depends on their values."""
    declared = [
        DeclareLaunchArgument(name, default_value=value, description=text)
        for name, value, text in ARGUMENTS
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=launch_setup)])
