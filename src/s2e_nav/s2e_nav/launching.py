"""What the launch files decide, as plain Python: arguments checked, processes listed.

Raising from here ends `ros2 launch` with exit code 1 before anything was started.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from s2e_core.obstacle_veto import SOURCES
from s2e_core.paths import find_config
from s2e_core.robot import RobotProfile, TopicOptions, load_robot
from s2e_nav.errors import StartError
from s2e_nav.folders import check_folder
from s2e_nav.policies import STRAIGHT
from s2e_nav.recorded import topics_of_robot
from s2e_nav.shadow.log import TICK_FILE
from s2e_nav.sim.parameters import SimParameters
from s2e_nav.viewers import Viewer, viewers
from s2e_policy.choice import Choice, choose_policy

BOOLEANS = {'true': True, '1': True, 'yes': True, 'false': False, '0': False, 'no': False}


@dataclass(frozen=True)
class NodeEntry:
    """One process."""

    executable: str
    parameters: dict[str, Any]
    files: list[str] = field(default_factory=list)
    """Parameter files; `parameters` win over them."""
    respawn: bool = False
    """Whether it is started again when it dies; such a gate waits for a goal, so this is safe."""


def flag(values: Mapping[str, str], name: str) -> bool:
    """Read a yes-or-no argument.

    Raises:
        StartError: Neither.
    """
    text = values[name].strip().lower()
    if text not in BOOLEANS:
        raise StartError(f'{name}:= must be true or false, got {values[name]!r}')
    return BOOLEANS[text]


def number(values: Mapping[str, str], name: str) -> int:
    """Read a whole number.

    Raises:
        StartError: Something else.
    """
    try:
        return int(values[name])
    except ValueError:
        raise StartError(f'{name}:= must be a whole number, got {values[name]!r}') from None


def decimal(values: Mapping[str, str], name: str, what: str = 'seconds') -> float:
    """Read a number with a point.

    Args:
        values: Launch arguments by name.
        name: Of the argument.
        what: It counts.

    Raises:
        StartError: Not a number.
    """
    try:
        return float(values[name])
    except ValueError:
        raise StartError(f'{name}:= must be {what}, got {values[name]!r}') from None


def transport(environment: Mapping[str, str], isolated: bool) -> dict[str, str]:
    """Return the environment that lets raw images through and keeps traffic at home.

    Args:
        environment: What the user set already wins.
        isolated: Whether discovery stays on this machine.
    """
    wanted = {'FASTDDS_DEFAULT_PROFILES_FILE': str(find_config('fastdds.xml'))}
    if isolated:
        wanted['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    return {name: value for name, value in wanted.items() if not environment.get(name)}


def with_topics(values: Mapping[str, str], topics: TopicOptions) -> dict[str, str]:
    """Return launch arguments, with the robot's own topics where none was named."""
    own = vars(topics)
    return {name: value or own.get(name, value) for name, value in values.items()}


class SimulatedRun:
    """The processes of navbench_sim.launch.py."""

    def __init__(self, values: Mapping[str, str], default_output: Path) -> None:
        """Check the arguments.

        Args:
            values: Launch arguments by name.
            default_output: Folder of the run if none is named.

        Raises:
            S2EError: An argument is wrong; the text says which.
        """
        self._values = values
        self._film, self._record = flag(values, 'film'), flag(values, 'record')
        self._isolated = flag(values, 'isolated')
        self.output = Path(values['output'] or default_output).expanduser().absolute()
        scenes = values['scene'] or values['scenes']
        if values['scene']:
            # One scene may be a path with blanks in it; several are split at blanks.
            scenes = shlex.quote(values['scene'])
        tracks = values['tracks'] and str(Path(values['tracks']).expanduser().absolute())
        self.sim: dict[str, Any] = {
            'scenes': scenes, 'tasks': values['task'] or values['tasks'],
            'episodes': number(values, 'episodes'), 'seed': number(values, 'seed'),
            'robot': values['robot'], 'protocol': values['protocol'], 'tracks': tracks,
            'mode': values['mode'],
            'output': str(self.output), 'camera': values['camera'],
            'image_width': number(values, 'image_width'),
            'image_height': number(values, 'image_height'),
            'camera_every': number(values, 'camera_every'), 'scan': flag(values, 'scan'),
            'goals': values['goals'], 'latency': decimal(values, 'latency'),
            'tracks_fps': decimal(values, 'tracks_fps', 'frames per second'),
            'tracks_scale': decimal(values, 'tracks_scale', 'metres per unit'),
        }
        self.config = SimParameters(**self.sim)
        run = self.config.run_config()
        self.robot = load_robot(values['robot'])
        self.viewers: list[Viewer] = viewers(values['view'], use_sim_time=True)
        through_robot = None if run.drawn == 'policy' else self.robot
        self.choice: Choice = choose_policy(values['policy'], through_robot)
        check_policy(self.choice.policy)
        for scene in run.scenes:
            check_scene(scene)
        if values['incidents'] and values['mode'] != 'realtime':
            # In lock-step nothing is sudden: an episode repeats its stops from the same seed.
            raise StartError('incidents:= needs mode:=realtime')
        for name in ('output', 'incidents'):
            check_folder(values, name)
        if self.output.exists() and any(self.output.iterdir()):
            raise StartError(f'output:= {self.output} is not empty; name a new folder')

    def check_domain(self) -> None:
        """Refuse to start beside another simulator; two would drive one robot.

        Raises:
            StartError: Another one runs on this domain.
        """
        from s2e_nav.sim.presence import check_domain

        check_domain()

    def environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return variables to set."""
        return transport(environment, self._isolated)

    def nodes(self) -> list[NodeEntry]:
        """List the processes."""
        mode, robot = self._values['mode'], self._values['robot']
        # Stamps are the clock of lock-step; /clock would only wake every node at each tick.
        timed = {'use_sim_time': mode == 'realtime'}
        common = {'mode': mode, **timed}
        policy = {
            **common, **named(self.choice), 'robot': robot,
            'v_max': min(self.robot.v_max, self.config.run_config().protocol.judge.v_max),
        }
        # In lock-step the gate steps with the world; on the wall clock it looks as often as on a
        # robot, because the time until its next look counts into the time to zero.
        gate = {'gate.tick_period': 0.02} if mode == 'realtime' else {}
        runner = {
            **{f'sim.{key}': value for key, value in self.sim.items()},
            'film': self._film,
        }
        entries = [
            NodeEntry('sim_bridge', {**self.sim, **timed}),
            NodeEntry('policy', policy, [settings('policy')]),
            NodeEntry('follower', {**common, 'robot': robot}, [settings('follower')]),
            NodeEntry('gate', {**common, 'robot': robot, **gate}, [settings('gate')]),
            NodeEntry('episode_runner', runner),
        ]
        if self._record:
            # Recorded on simulated time, so that a player shows the drive at its own pace.
            recorder = {'output': str(self.output / 'recording'), 'use_sim_time': True}
            entries.append(NodeEntry('recorder', recorder))
        if self._values['incidents']:
            entries.append(incidents(self._values, timed))
        return entries


class RobotGraph:
    """The processes of robot.launch.py."""

    def __init__(
        self, values: Mapping[str, str], default_log: Path = Path('runs/shadow')
    ) -> None:
        """Check the arguments.

        Args:
            values: Launch arguments by name.
            default_log: Folder of a shadow drive's log if none is named.

        Raises:
            S2EError: An argument is wrong; the text says which.
        """
        self.robot: RobotProfile = load_robot(values['robot'])
        values = with_topics(values, self.robot.topics)
        self._values, self._default_log = values, default_log
        self.viewers: list[Viewer] = viewers(values['view'], flag(values, 'use_sim_time'))
        self.choice: Choice = choose_policy(values['policy'], self.robot)
        check_policy(self.choice.policy)
        check_provider(values['require_provider'])
        self._own = own_parameters(values['params'])
        self._obstacles = values['obstacles']
        if self._obstacles not in SOURCES:
            raise StartError(
                f'obstacles:= must be one of {", ".join(SOURCES)}, got {self._obstacles!r}'
            )
        if values['record'] and Path(values['record']).expanduser().exists():
            raise StartError(f'record:= {values["record"]} exists already; name a new folder')
        log = values['shadow_log'] and Path(values['shadow_log']).expanduser()
        if log and (log / TICK_FILE).exists():
            raise StartError(f'shadow_log:= {log} has a log already; name a new folder')
        for name in ('record', 'incidents', 'shadow_log'):
            check_folder(values, name)

    def environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return variables to set; a robot's traffic may leave the machine."""
        return transport(environment, isolated=False)

    def remappings(self, executable: str) -> list[tuple[str, str]]:
        """Return the topic remappings of a process; only the follower's command may turn off."""
        names = {
            'camera/image_raw': 'image', 'camera/image_raw/compressed': 'image_compressed',
            'camera/camera_info': 'camera_info', 'odom': 'odom', 'cmd_vel': 'cmd_vel',
            'goal_pose': 'goal_pose', 'gps/fix': 'gps_fix', 'gps/heading': 'gps_heading',
            'scan': 'scan', 'depth/image_raw': 'depth', 'depth/camera_info': 'depth_info',
            'map': 'map',
        }
        if executable == 'follower':
            names['cmd_vel_nav'] = 'cmd_vel_follower'
        return [
            (topic, self._values[argument]) for topic, argument in names.items()
            if self._values[argument] != topic
        ]

    def nodes(self) -> list[NodeEntry]:
        """List the processes; the user's own parameters are read last."""
        return [replace(entry, files=[*entry.files, *self._own]) for entry in self._nodes()]

    def _nodes(self) -> list[NodeEntry]:
        values = self._values
        stamped = flag(values, 'stamped') if values['stamped'] else self.robot.twist_stamped
        timed = {'use_sim_time': flag(values, 'use_sim_time')}
        policy = {
            **named(self.choice), 'robot': values['robot'],
            'autostart': flag(values, 'autostart'),
            'compressed': flag(values, 'compressed'), 'v_max': self.robot.v_max,
            'require_provider': values['require_provider'], **timed,
        }
        shadow = flag(values, 'shadow')
        policy |= {'obstacles.source': self._obstacles}
        if shadow:
            # A person decides where to and how long; the goal only tells the policy what to want.
            policy |= {
                'mission.outlives_driver': True, 'mission.progress_timeout': 0.0,
                'mission.approach_timeout': 0.0,
            }
        robot = {'robot': values['robot'], **timed}
        entries = [
            NodeEntry('policy', policy, [settings('policy')]),
            NodeEntry('follower', robot, [settings('follower')], respawn=True),
            NodeEntry(
                'gate', {**robot, 'stamped': stamped, 'shadow': shadow,
                         'gate.obstacles.source': self._obstacles},
                [settings('gate_robot')], respawn=True,
            ),
        ]
        if self._obstacles in ('depth', 'occupancy'):
            reader = {**robot, 'source': self._obstacles}
            entries.append(NodeEntry('obstacles', reader, respawn=True))
        topics = topics_of_robot(stamped, flag(values, 'compressed'))
        if values['record']:
            folder = Path(values['record']).expanduser().absolute()
            # Drivers send with the sensor profile, which a reliable listener does not hear.
            recorder = {'output': str(folder), 'reliable': False, 'topics': topics, **timed}
            entries.append(NodeEntry('recorder', recorder))
        if values['incidents']:
            entries.append(incidents(values, {'topics': topics, **timed}, respawn=True))
        if shadow:
            folder = Path(values['shadow_log'] or self._default_log).expanduser().absolute()
            entries.append(NodeEntry('shadow', {'folder': str(folder), **timed}))
        return entries


def incidents(
    values: Mapping[str, str], parameters: dict[str, Any], respawn: bool = False
) -> NodeEntry:
    """Return the process that dumps incidents into the folder that was asked for."""
    folder = str(Path(values['incidents']).expanduser().absolute())
    return NodeEntry(
        'incidents', {'folder': folder, **parameters}, [settings('incidents')], respawn
    )


def named(choice: Choice) -> dict[str, Any]:
    """Return the parameters that tell the policy node what to load, and why."""
    return {'policy': choice.policy, 'policy_choice': choice.text}


def settings(name: str) -> str:
    """Return the parameter file of a node."""
    return str(find_config(f'nodes/{name}.yaml'))


def own_parameters(name: str) -> list[str]:
    """Return the user's parameter file, or none.

    Raises:
        StartError: It is missing or no YAML; which keys it may hold, the nodes say.
    """
    if not name:
        return []
    path = Path(name).expanduser().absolute()
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StartError(f'params:= {path}: {error}') from error
    nodes = content.values() if isinstance(content, dict) else ()
    if not any('ros__parameters' in str(node) for node in nodes):
        raise StartError(f'params:= {path} must hold NODE: {{ros__parameters: ...}}')
    return [str(path)]


def check_policy(name: str) -> None:
    """Refuse a policy that is not there or was changed.

    Raises:
        S2EError: With the reason.
    """
    if name == STRAIGHT:
        return
    from s2e_policy.named import check_policy as check_named

    check_named(name)


def check_provider(name: str) -> None:
    """Refuse an execution provider that ONNX Runtime was built without.

    Whether it starts shows when the policy is configured.

    Raises:
        S2EError: With those that are there.
    """
    if name:
        from s2e_policy.session import choose_provider

        choose_provider(None, name)


def check_scene(scene: str) -> None:
    """Refuse a scene that cannot be: a wrong path is told before anything starts.

    Raises:
        S2EError: Neither a generated scene nor something on disk.
    """
    from navbench_gs.scenes.part import split_part
    from navbench_gs.scenes.resolve import ALLOWED

    scene = split_part(scene)[0]
    if scene.startswith('city:') and scene[5:].isdigit():
        return
    if not Path(scene).expanduser().exists():
        raise StartError(f'scene {scene!r} does not exist; allowed: {ALLOWED}')


