"""Drive a simulated robot through a splat scene with the nodes that run on a robot.

    ros2 launch s2e_nav navbench_sim.launch.py scene:=city:7 episodes:=4
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
    ('scene', '', 'One scene: city:SEED, a scene bundle, or a capture (folder, .ply, .sog).'),
    ('scenes', 'city:0', 'Several scenes, separated by blanks; city:0-3 is a range.'),
    ('task', '', 'One task: empty, obstacle, pedestrian or obstacle_pedestrian.'),
    ('tasks', 'empty', 'Several tasks, separated by blanks, or all.'),
    ('episodes', '3', 'Episodes per scene and task.'),
    ('seed', '0', 'Seed of the run.'),
    ('robot', 'coco', 'Robot profile by name (config/robots) or path.'),
    ('policy', 'auto',
     'auto: what suits the lens; bundle, straight, adapter:..., python:FILE.py:NAME.'),
    ('mode', 'lockstep', 'lockstep: the world waits, reproducible; realtime: it does not.'),
    ('latency', '0.0', 'Delay of commands on their way to the base, seconds, in either mode.'),
    ('goals', 'episode', 'user: no episodes; the world runs and waits for your own goals.'),
    ('output', '', 'Folder of the run; runs/<time> when empty.'),
    ('protocol', 'default', 'Benchmark protocol by name (config/navbench) or path.'),
    ('tracks', '', 'File of recorded people for the tasks with people, such as obsmat.txt.'),
    ('tracks_fps', '0.0', 'Frames per second of that file; 0 where it tells itself.'),
    ('tracks_scale', '1.0', 'Metres per unit of that file.'),
    ('camera', 'robot', "robot: the profile's camera; policy: 128x128 as in the benchmark."),
    ('image_width', '0', "Width of the robot's images, pixels; 0 takes the profile's."),
    ('image_height', '0', "Height of the robot's images, pixels; 0 takes the profile's."),
    ('camera_every', '2', 'Real time: an image every so many ticks of 50 ms.'),
    ('scan', 'true', 'Publish the virtual laser scan.'),
    ('film', 'true', 'Make a film of each episode.'),
    ('record', 'true', 'Record the topics as MCAP.'),
    ('incidents', '', 'Folder for MCAP files of safety stops; needs mode:=realtime.'),
    ('view', '', 'Opened beside the nodes: rviz, foxglove, or rviz,foxglove.'),
    ('isolated', 'true', 'Keep ROS traffic on this machine.'),
)


def launch_setup(context):
    """Check what the user named, then describe the processes."""
    from s2e_nav.launching import SimulatedRun
    from s2e_nav.misspelt import misspelt

    values = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    stamp = datetime.datetime.now().strftime('%Y%m%d-%H%M%S')
    run = SimulatedRun(values, default_output=Path('runs') / stamp)
    # Set at once: the look around for another simulator must use the same transport.
    os.environ.update(run.environment(os.environ))
    run.check_domain()
    nodes = {
        item.executable: Node(
            package='s2e_nav', executable=item.executable, name=item.executable,
            parameters=[*item.files, item.parameters], output='screen',
        )
        for item in run.nodes()
    }

    def on_exit(event, context):
        """The runner's end is the end; anybody else's is a fault."""
        if context.is_shutdown:
            return None
        name = event.process_name
        if event.action is nodes['episode_runner'] and event.returncode == 0:
            return [Shutdown(reason='the run is complete')]
        # Raised here, it makes `ros2 launch` itself return 1.
        raise RuntimeError(f'{name} ended with exit code {event.returncode}')

    handlers = [
        RegisterEventHandler(OnProcessExit(target_action=node, on_exit=on_exit))
        for node in nodes.values()
    ]
    shown = [
        action for item in run.viewers for action in (
            Node(package=item.package, executable=item.executable, arguments=item.arguments,
                 output='screen'),
            LogInfo(msg=item.hint or f'{item.executable} is starting'),
        )
    ]
    warnings = [LogInfo(msg=f'WARNING: {text}') for text in misspelt(
        context.launch_configurations, values)]
    notes = [LogInfo(msg=text) for text in run.choice.lines]
    return [*warnings, *notes, *handlers, *nodes.values(), *shown]


def generate_launch_description():
    """Declare the arguments; everything else depends on their values."""
    declared = [
        DeclareLaunchArgument(name, default_value=value, description=text)
        for name, value, text in ARGUMENTS
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=launch_setup)])
