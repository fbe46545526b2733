"""Compare autonomy with driving from afar over the same routes; the operators are scripted.

    ros2 launch s2e_nav teleop_compare.launch.py
    ros2 launch s2e_nav teleop_compare.launch.py scenes:='city:100-103' links:='none 4g satellite'

Runs `s2e teleop study` and ends with its report. A launch that is stopped goes on where it was.
"""

import shlex
import sys

from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
)
from launch.event_handlers import OnProcessExit
from launch.substitutions import LaunchConfiguration

from launch import LaunchDescription

ARGUMENTS = (
    ('output', 'runs/teleop_study', 'Folder of the study.'),
    ('policy', 's2e-small', 'The autonomy: a bundle by name or path, or straight.'),
    ('links', 'none good wifi 4g congested satellite', 'Links, separated by blanks.'),
    ('reaction', '0.25', "The scripted operator's reaction, seconds."),
    ('scenes', 'city:100-101', 'Scenes, separated by blanks.'),
    ('tasks', 'obstacle pedestrian', 'Tasks, separated by blanks.'),
    ('episodes', '2', 'Episodes per scene and task.'),
    ('seed', '0', 'Seed of the episodes.'),
    ('robot', 'coco', 'Robot profile by name or path.'),
    ('workers', '2', 'Processes.'),
)
LISTS = ('links', 'scenes', 'tasks')


def launch_setup(context):
    """Describe the one process, whose end is the end."""
    values = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    # By this interpreter: `ros2` may run without its environment's programs on the path.
    words = [sys.executable, '-m', 's2e_cli', 'teleop', 'study', values.pop('output')]
    for name, value in values.items():
        words += [f'--{name}', *(shlex.split(value) if name in LISTS else [value])]
    study = ExecuteProcess(cmd=words, output='screen')

    def on_exit(event, context):
        """Raised here, an error makes `ros2 launch` itself return 1."""
        if context.is_shutdown:
            return None
        if event.returncode == 0:
            return [Shutdown(reason='the study is complete')]
        raise RuntimeError(f'the study ended with exit code {event.returncode}')

    return [RegisterEventHandler(OnProcessExit(target_action=study, on_exit=on_exit)), study]


def generate_launch_description():
    """Declare the arguments; everything else depends on their values."""
    declared = [
        DeclareLaunchArgument(name, default_value=value, description=text)
        for name, value, text in ARGUMENTS
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=launch_setup)])
