"""Records labelled drives in generated scenes, with several processes."""

from __future__ import annotations

import multiprocessing
import queue
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from navbench_gs.agents.drives import Caution
from navbench_gs.agents.onlooker import PLANNERS
from navbench_gs.agents.terrain import TerrainConfig
from navbench_gs.scenes.repaint import PaintConfig
from navbench_gs.sensors.jitter import JitterConfig, jitter_light, jitter_mount
from s2e_core.camera import SMALL_CAMERA, SMALL_MOUNT, CameraModel, CameraMount
from s2e_core.config import check, option
from s2e_core.errors import ConfigError
from s2e_training.data.clip import Clip, ClipInfo, save_clip
from s2e_training.data.noise import NoiseConfig
from s2e_training.errors import TrainingError

SHORTEST = 10
"""Clips under 2 s are dropped: their drive began in contact."""
TEST_SEEDS = (range(26), range(200, 210))
"""City seeds that no training may see."""


@dataclass(frozen=True)
class RecordConfig:
    """What is recorded."""

    scene: str = option(
        '', help='Scene bundle or capture to drive in, instead of generated cities.',
    )
    first_seed: int = option(
        1000, low=0, high=10**9, help='First city seed; of routes where a scene is named.'
    )
    scenes: int = option(
        100, low=1, high=10**6, help='Cities, by rising seed; rounds of tasks in a named scene.'
    )
    tasks: tuple[str, ...] = option(
        ('empty', 'empty', 'obstacle', 'obstacle_pedestrian'),
        help='One drive per entry and scene; repeat a task for more of it.',
    )
    robot: str = option('coco', help='Robot profile.')
    protocol: str = option('default', help='Rules of routes and hazards.')
    image_size: int = option(128, unit='px', low=32, high=512, help='Height and width; 90 degrees '
                             'wide whatever the size.')
    workers: int = option(2, low=1, high=64, help='Processes; each renders with one thread.')
    driver: str = option('', help='Bundle that drives (DAgger); the teacher when empty.')
    teacher: str = option(
        'privileged', choices=tuple(PLANNERS),
        help='Who labels: knows everybody, or only people whom a forward camera shows.',
    )
    seed: int = option(0, low=0, high=2**31, help='Seed of everything drawn.')
    terrain: TerrainConfig = TerrainConfig()
    caution: Caution = Caution()
    noise: NoiseConfig = NoiseConfig()
    jitter: JitterConfig = JitterConfig()
    paint: PaintConfig = PaintConfig()

    def __post_init__(self) -> None:
        check(self, source='record')
        if self.scene:
            return
        for seeds in TEST_SEEDS:
            if self.first_seed < seeds.stop and self.first_seed + self.scenes > seeds.start:
                raise ConfigError(
                    f'record: city seeds {seeds.start}-{seeds.stop - 1} are for tests only, got '
                    f'{self.first_seed}-{self.first_seed + self.scenes - 1}'
                )


@dataclass(frozen=True)
class Recorded:
    """One finished drive."""

    name: str
    samples: int
    arrived: bool
    touched: bool
    skipped: str = ''
    """Why there is no clip, if there is none."""


def record(
    config: RecordConfig, out: Path, progress: Callable[[Recorded], None] | None = None
) -> list[Recorded]:
    """Record every drive that is not there yet.

    Args:
        config: What to record.
        out: Folder of the clips; made if absent.
        progress: Called after each drive.

    Raises:
        TrainingError: A worker died.
    """
    out.mkdir(parents=True, exist_ok=True)
    seeds = range(config.first_seed, config.first_seed + config.scenes)
    if config.workers == 1:
        source = (item for seed in seeds for item in record_scene(config, seed, out))
        return list(_watch(source, progress))
    context = multiprocessing.get_context('spawn')
    todo: Any = context.Queue()
    done: Any = context.Queue()
    for seed in seeds:
        todo.put(seed)
    for _ in range(config.workers):
        todo.put(None)
    workers = [
        context.Process(target=_work, args=(config, out, todo, done), daemon=True)
        for _ in range(config.workers)
    ]
    for worker in workers:
        worker.start()
    try:
        return list(_watch(_collect(workers, done), progress))
    finally:
        for worker in workers:
            worker.terminate()


def record_scene(config: RecordConfig, seed: int, out: Path) -> Iterator[Recorded]:
    """Record the drives of one scene."""
    from navbench_gs.env.kit import SceneKit
    from navbench_gs.env.simulation import Simulation
    from navbench_gs.scenes.repaint import repaint
    from navbench_gs.scenes.resolve import resolve_scene
    from s2e_core.robot import load_robot

    names = [clip_name(config, seed, i) for i in range(len(config.tasks))]
    if all((out / name).is_dir() for name in names):
        return
    rng = np.random.default_rng([config.seed, seed])
    mount = jitter_mount(SMALL_MOUNT, config.jitter, rng)
    bundle = resolve_scene(config.scene or f'city:{seed}')
    robot = load_robot(config.robot)
    paint = partial(repaint, config=config.paint, rng=rng) if config.paint.active else None
    kit = SceneKit(bundle, robot, threads=1, paint=paint)
    world = Simulation(bundle, robot, camera=_camera(config), mount=mount, kit=kit)
    # A city has routes of its own; rounds in one scene go on counting its routes.
    first = len(names) * (seed - config.first_seed) if config.scene else 0
    for index, name in enumerate(names):
        if not (out / name).is_dir():
            task = config.tasks[index]
            yield _record_drive(config, world, (task, first + index), mount, out / name)


def clip_name(config: RecordConfig, seed: int, index: int) -> str:
    """Name the clip of one drive."""
    driver = 'dagger' if config.driver else 'teacher'
    place = re.sub(r'[^a-z0-9]+', '-', Path(config.scene).name.lower()) if config.scene else 'city'
    return f'{place}-{seed}_{index}_{config.tasks[index]}_{driver}_{config.seed}'


def _record_drive(
    config: RecordConfig, world: Any, route: tuple[Any, int], mount: CameraMount, folder: Path
) -> Recorded:
    from navbench_gs.errors import TaskError
    from navbench_gs.tasks.protocol import load_protocol
    from navbench_gs.tasks.sampling import sample_episode
    from s2e_training.data.drive import drive
    from s2e_training.data.noise import CommandNoise

    task, index = route
    protocol = load_protocol(config.protocol)
    try:
        spec = sample_episode(world.bundle, task, index, config.seed, protocol, world.robot)
    except TaskError as error:
        return Recorded(folder.name, 0, False, False, str(error))
    rng = np.random.default_rng([config.seed, zlib.crc32(folder.name.encode())])
    planner = PLANNERS[config.teacher](config=config.terrain, caution=config.caution)
    noise = CommandNoise(config.noise, rng)
    result = drive(world, spec, planner, _driver(config.driver), noise)
    count = len(result.images)
    if count < SHORTEST:
        return Recorded(folder.name, 0, result.arrived, result.touched, 'shorter than 2 s')
    rgb = jitter_light(np.stack(result.images), config.jitter, rng)
    camera = _camera(config)
    info = ClipInfo(
        source=spec.scene, licence=world.bundle.licence, frames=count, width=camera.width,
        height=camera.height, fx=camera.fx, fy=camera.fy, cx=camera.cx, cy=camera.cy,
        mount_x=mount.x, mount_z=mount.z, mount_pitch=mount.pitch, robot=config.robot,
        provenance={
            'episode': spec.id, 'task': task, 'seed': config.seed,
            'driver': config.driver or 'teacher', 'teacher': config.teacher,
            'scene_hash': spec.scene_hash,
            'arrived': result.arrived, 'touched': result.touched,
            'corner_blocked': bool(spec.corner_blocked),
        },
    )
    save_clip(
        Clip(
            info, rgb, np.array(result.stamps, np.int64), np.array(result.odometry),
            np.asarray(world.goal_odom, np.float64), np.stack(result.plans).astype(np.float32),
            np.stack(result.free_space),
        ),
        folder,
    )
    return Recorded(folder.name, count, result.arrived, result.touched)


def _camera(config: RecordConfig) -> CameraModel:
    return SMALL_CAMERA.scaled(config.image_size, config.image_size)


_DRIVERS: dict[str, Any] = {}


def _driver(path: str) -> Any:
    """Load the driving bundle once per process."""
    if not path:
        return None
    if path not in _DRIVERS:
        from s2e_core.paths import find_model
        from s2e_policy.bundle import load_bundle
        from s2e_policy.runtime import OnnxPolicy

        _DRIVERS[path] = OnnxPolicy(load_bundle(find_model(path)), threads=1)
    return _DRIVERS[path]


def _work(config: RecordConfig, out: Path, todo: Any, done: Any) -> None:
    parent = multiprocessing.parent_process()
    while (seed := todo.get()) is not None:
        for item in record_scene(config, seed, out):
            done.put(item)
            # A killed parent cannot stop its workers.
            if parent is None or not parent.is_alive():
                return
    done.put(None)


def _collect(workers: list[Any], done: Any) -> Iterator[Recorded]:
    finished = 0
    while finished < len(workers):
        try:
            item = done.get(timeout=1.0)
        except queue.Empty:
            failed = [w.exitcode for w in workers if w.exitcode not in (None, 0)]
            if failed:
                raise TrainingError(f'a recording process ended with code {failed[0]}') from None
            continue
        if item is None:
            finished += 1
        else:
            yield item


def _watch(
    source: Iterator[Recorded], progress: Callable[[Recorded], None] | None
) -> Iterator[Recorded]:
    for item in source:
        if progress is not None:
            progress(item)
        yield item
