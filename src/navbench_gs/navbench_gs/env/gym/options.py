"""Everything a learner may choose about its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any, get_args

from navbench_gs.agents.onlooker import PLANNERS
from navbench_gs.env.gym.reward import RewardWeights
from navbench_gs.errors import SimulationError
from navbench_gs.render.factory import Backend, Mode
from navbench_gs.sensors.jitter import JitterConfig
from navbench_gs.tasks.spec import TASKS
from s2e_core.config import check, from_mapping, option, to_mapping

STEADY = JitterConfig(
    height=0.0, pitch=0.0, exposure=0.0, colour=0.0, gamma=0.0, noise=0.0, blur=0.0
)
"""No variation: the camera and the light of the benchmark."""


@dataclass(frozen=True)
class EnvOptions:
    """Options of `NavBenchGS-v0`; rules and time limits come from the protocol."""

    scenes: tuple[str, ...] = option(
        ('city:1000-1169',), help='city:SEED, city:FIRST-LAST, scene bundles or captures.'
    )
    tasks: tuple[str, ...] = option(TASKS, help='Drawn with equal chances.')
    protocol: str = option('default', help='Protocol by name or file.')
    robot: str = option('', help="Robot profile by name or file; empty takes the protocol's.")
    width: int = option(128, unit='px', low=16, high=2048, help='Width of the image.')
    height: int = option(128, unit='px', low=16, high=2048, help='Height of the image.')
    action: str = option(
        'velocity', choices=('velocity', 'waypoints'),
        help='v, w held for 0.2 s, or ten waypoints that follower and gate drive along.',
    )
    renderer: Mode = option('exact', choices=get_args(Mode), help='exact, fast, or coarse.')
    backend: Backend = option('cpu', choices=get_args(Backend), help='Renderer back end.')
    threads: int = option(0, low=0, high=256, help='Threads of the renderer; 0 takes all cores.')
    survey_cache: str = option('', help='Folder in which fast keeps its surveys; empty: nowhere.')
    jitter: JitterConfig = STEADY
    reward: RewardWeights = RewardWeights()
    goal_hidden: float = option(0.0, low=0, high=1, help='Share of episodes without a goal.')
    end_stuck: bool = option(
        False,
        help='Whether an episode ends where the robot has tried to move for 3 s and has not; '
        'the benchmark lets it stand there until its time is over.',
    )
    truth: bool = option(
        False, help='Whether info holds `truth`, the state of the world for a critic in training.'
    )
    foresight: str = option(
        '', choices=('', *PLANNERS),
        help='Whose knowledge foretells what plans would cost (`foresee`); empty: nobody, which '
        'saves solving the way at each reset.',
    )
    seed: int = option(0, low=0, high=2**31 - 1, help='Seed of the run the episodes belong to.')
    episodes_per_scene: int = option(
        8, low=1, high=10000, help='Episodes before the next scene is entered.'
    )
    scenes_kept: int = option(4, low=1, high=1000, help='Scenes kept besides those in use.')

    def __post_init__(self) -> None:
        check(self, source='environment')

    @property
    def survey_folder(self) -> Path | None:
        """The folder of surveys, if there is one."""
        return Path(self.survey_cache) if self.survey_cache else None


def read_options(config: EnvOptions | None, settings: Mapping[str, Any]) -> EnvOptions:
    """Build options from the keywords of `gymnasium.make`.

    Args:
        config: Options as a whole; excludes keywords.
        settings: Options by name; one word may stand for a list of one, and mappings or
            dataclasses for `jitter` and `reward`.

    Raises:
        ConfigError: an unknown key, a wrong type or a value out of bounds.
        SimulationError: both ways were used at once.
    """
    if config is not None:
        if settings:
            raise SimulationError(
                f'give either config or single options, got both: {sorted(settings)}'
            )
        return config
    plain = {}
    for name, value in settings.items():
        if name in ('scenes', 'tasks') and isinstance(value, str):
            value = [value]
        plain[name] = to_mapping(value) if is_dataclass(value) else value
    return from_mapping(EnvOptions, plain, source='environment')
