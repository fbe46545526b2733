"""What a run consists of: its settings, its episodes and the files it leaves."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, get_args

from navbench_gs.errors import RunError
from navbench_gs.metrics.scores import EpisodeScores
from navbench_gs.render.factory import Backend
from navbench_gs.runner.conditions import Conditions
from navbench_gs.tasks.protocol import Protocol as Rules
from navbench_gs.tasks.spec import TASKS, EpisodeSpec, Task
from s2e_core.camera import CameraModel
from s2e_core.config import check, option
from s2e_core.contract import Policy


@dataclass(frozen=True)
class RunConfig:
    """One run of the benchmark; equal settings give equal episode files."""

    scenes: tuple[str, ...]
    """As for `scenes.resolve.resolve_scene`."""
    tasks: tuple[Task, ...]
    protocol: Rules
    robot: str
    """Name of the robot profile."""
    episodes: int = option(5, low=1, high=100000, help='Episodes per scene and task.')
    seed: int = option(0, low=0, high=2**31 - 1, help='Seed of the run.')
    workers: int = option(1, low=1, high=512, help='Processes.')
    films: int = option(0, low=0, high=100000, help='Films per scene and task.')
    film_width: int = option(640, unit='px', low=160, high=3840, help='Width of films.')
    backend: Backend = option('cpu', choices=get_args(Backend), help='Renderer back end.')
    answer_limit: float = option(
        60.0, unit='s', low=0, high=86400, help='Wall time an answer may take; 0: any.'
    )
    conditions: Conditions = Conditions()
    camera: str = ''
    """Whose camera is drawn: policy or robot, or 'robot WIDTHxHEIGHT'; the protocol's if empty."""

    @property
    def drawn(self) -> str:
        """Whose camera is drawn."""
        return self.camera or self.protocol.camera

    def lens(self, policy: CameraModel, robot: CameraModel) -> CameraModel:
        """Return the camera that is drawn.

        Args:
            policy: The camera the policy was made for.
            robot: The robot's.

        Raises:
            RunError: it is neither.
        """
        match = re.fullmatch(r'(policy|robot)(?: (\d{1,4})x(\d{1,4}))?', self.drawn)
        if match is None:
            raise RunError(f'camera: must be policy or robot, got {self.drawn!r}')
        camera = robot if match[1] == 'robot' else policy
        if match[2]:
            camera = camera.scaled(int(match[2]) or camera.width, int(match[3]) or camera.height)
        return self.conditions.lens(camera)

    def __post_init__(self) -> None:
        check(self, source='run')
        if not self.scenes or not self.tasks:
            raise RunError(
                f'a run needs scenes and tasks, got {list(self.scenes)} and {list(self.tasks)}'
            )

    def items(self) -> list[Item]:
        """Return the episodes to run, scene by scene."""
        return [
            Item(scene, task, index)
            for scene in self.scenes for task in self.tasks for index in range(self.episodes)
        ]


@dataclass(frozen=True)
class Item:
    """One episode to run."""

    scene: str
    task: Task
    index: int


@dataclass(frozen=True)
class Finished:
    """What a worker tells about an episode."""

    item: Item
    spec: EpisodeSpec | None
    """None if no such episode could be drawn."""
    scores: EpisodeScores | None
    detail: str = ''
    """Why there is none, or how the policy failed."""
    seconds: float = 0.0
    """Wall time."""
    kept: bool = False
    """Whether the episode was there from an earlier run."""
    latency: tuple[float, ...] = ()
    """Wall seconds of each of the policy's answers."""


class PolicyFactory(Protocol):
    """Makes the policy in each worker; instances are pickled, so they hold settings only."""

    @property
    def name(self) -> str:
        """Name and hash of the policy, for logs."""

    def __call__(self) -> Policy:
        """Make the policy."""


@dataclass(frozen=True)
class RunFolder:
    """The files of a run."""

    root: Path

    @property
    def episodes(self) -> Path:
        """Folder of the episode logs."""
        return self.root / 'episodes'

    @property
    def films(self) -> Path:
        """Folder of the films."""
        return self.root / 'films'

    @property
    def stills(self) -> Path:
        """Folder of the camera strips."""
        return self.root / 'stills'

    @property
    def maps(self) -> Path:
        """Folder of the scenes' maps."""
        return self.root / 'maps'

    @property
    def record(self) -> Path:
        """Settings and versions of the run."""
        return self.root / 'run.json'

    @property
    def report(self) -> Path:
        """The report."""
        return self.root / 'report.html'

    def episode(self, identity: str) -> Path:
        """Return the file of an episode."""
        return self.episodes / f'{identity}.json'


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file, text as UTF-8, so that it is whole or absent, never half.

    Raises:
        RunError: the folder cannot be written.
    """
    # Made by open, not by tempfile: others may read what the umask lets them.
    draft = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_bytes(content.encode() if isinstance(content, str) else content)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f'{path}: cannot be written: {error.strerror or error}') from error


def parse_scenes(words: Iterable[str]) -> tuple[str, ...]:
    """Expand what a user names: 'city:100-105', 'city:3', folders, files; @PART stays behind each.

    Raises:
        RunError: a range runs backwards or is absurdly long.
    """
    scenes: list[str] = []
    for word in words:
        match = re.fullmatch(r'city:(\d{1,9})-(\d{1,9})(@[a-z-]+)?', word)
        if match is None:
            scenes.append(word)
            continue
        first, last = int(match[1]), int(match[2])
        if not first <= last <= first + 9999:
            raise RunError(f'scenes: a range must run upwards over at most 10000, got {word!r}')
        scenes += [f'city:{seed}{match[3] or ""}' for seed in range(first, last + 1)]
    return tuple(dict.fromkeys(scenes))


def parse_tasks(words: Sequence[str]) -> tuple[Task, ...]:
    """Check task names; 'all' stands for every task.

    Raises:
        RunError: a word names no task.
    """
    if 'all' in words:
        return TASKS
    for word in words:
        if word not in TASKS:
            raise RunError(f'tasks: must be among {list(TASKS)} or "all", got {word!r}')
    return tuple(task for task in TASKS if task in words)
