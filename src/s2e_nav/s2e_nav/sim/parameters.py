"""Parameters of a simulated run, shared by the bridge and the episode runner."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import get_args

from navbench_gs.errors import RunError
from navbench_gs.render.factory import Backend
from navbench_gs.runner.conditions import Conditions
from navbench_gs.runner.plan import Item, RunConfig, parse_scenes, parse_tasks
from navbench_gs.tasks.protocol import Protocol, load_protocol
from s2e_core.config import check, option


@dataclass(frozen=True)
class SimParameters:
    """What is driven, in which world, and how it is shown to the robot."""

    scenes: str = option('city:0', help='Scenes, separated by blanks: city:7, city:0-3, PATH.')
    tasks: str = option('empty', help='Tasks, separated by blanks, or `all`.')
    episodes: int = option(3, low=1, high=100000, help='Episodes per scene and task.')
    seed: int = option(0, low=0, high=2**31 - 1, help='Seed of the run.')
    robot: str = option('coco', help='Robot profile by name or path.')
    protocol: str = option('default', help='Benchmark protocol by name or path.')
    tracks: str = option(
        '', help='File of recorded people; takes the protocol `recorded` for `default`.'
    )
    tracks_fps: float = option(
        0.0, unit='Hz', low=0, high=1000, help='Frames per second of it; 0: told from the file.'
    )
    tracks_scale: float = option(
        1.0, unit='m', low=1e-4, high=1e4, help='Metres per unit of it.'
    )
    mode: str = option(
        'lockstep', choices=('lockstep', 'realtime'), help='Whether the world waits.'
    )
    goals: str = option(
        'episode', choices=('episode', 'user'),
        help="user: the first episode's world without its goal, judge and end.",
    )
    items: tuple[str, ...] = option(
        (), help='Episodes in this order instead: task, index and scene, separated by blanks.'
    )
    practice: int = option(
        0, low=0, high=100, help='So many of the first are kept in practice/, where none counts.'
    )
    driver: str = option('', help='Name of who drives, for the logs; the policy when empty.')
    preview: bool = option(False, help='Show the beginning of an episode before it is started.')
    output: str = option('', help='Folder of the run.')
    camera: str = option(
        'robot', choices=('robot', 'policy'), help='Camera that is drawn; policy: 128x128.'
    )
    image_width: int = option(0, unit='px', low=0, high=4096, help='0: as the robot has it.')
    image_height: int = option(0, unit='px', low=0, high=4096, help='0: as the robot has it.')
    camera_every: int = option(
        2, low=1, high=20, help='Real time: an image every so many ticks of 50 ms.'
    )
    scan: bool = option(True, help='Publish the virtual laser scan with each image.')
    stamped: bool = option(True, help='Take TwistStamped; Twist otherwise.')
    threads: int = option(0, low=0, high=256, help='Threads of the renderer; 0 takes all.')
    backend: Backend = option('cpu', choices=get_args(Backend), help='Renderer back end.')
    latency: float = option(
        0.0, unit='s', low=0, high=2, help='Delay of commands on their way to the base.'
    )
    stall_time: float = option(
        5.0, unit='s', low=0.5, high=600, help='Wall time without an answer that ends an episode.'
    )

    def __post_init__(self) -> None:
        check(self, source='sim parameters')

    def route_items(self) -> list[Item]:
        """Return the episodes to drive, in their order.

        Raises:
            RunError: A line of `items` is not task, index and scene.
        """
        if not self.items:
            return self.run_config().items()
        found = []
        for line in self.items:
            task, _, rest = line.partition(' ')
            index, _, scene = rest.partition(' ')
            if not scene or not index.isdecimal():
                raise RunError(f'items: each is task, index and scene, got {line!r}')
            found += [Item(scene, name, int(index)) for name in parse_tasks([task])]
        return found

    def run_config(self) -> RunConfig:
        """Return the run these parameters describe.

        Raises:
            RunError: No scene or task, or one that does not exist.
        """
        scenes, tasks = parse_scenes(shlex.split(self.scenes)), parse_tasks(self.tasks.split())
        if not scenes or not tasks:
            raise RunError(f'scenes and tasks must be named, got {self.scenes!r}, {self.tasks!r}')
        return RunConfig(
            scenes, tasks, self._rules(), self.robot, episodes=self.episodes,
            seed=self.seed, backend=self.backend, conditions=Conditions(latency=self.latency),
            camera=self.shown,
        )

    def _rules(self) -> Protocol:
        # What is left as it is does not overrule the protocol.
        rules = {'fps': self.tracks_fps} if self.tracks_fps else {}
        if self.tracks_scale != 1.0:
            rules['scale'] = self.tracks_scale
        if not self.tracks:
            if rules:
                raise RunError('tracks_fps and tracks_scale need tracks, a recording of people')
            return load_protocol(self.protocol)
        name = 'recorded' if self.protocol == 'default' else self.protocol
        return load_protocol(name, self.tracks, rules)

    @property
    def shown(self) -> str:
        """Whose camera is drawn, with the size of its images where that was changed."""
        if self.camera == 'policy' or not (self.image_width or self.image_height):
            return self.camera
        return f'{self.camera} {self.image_width}x{self.image_height}'
