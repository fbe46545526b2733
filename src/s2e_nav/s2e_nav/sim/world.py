"""The world of the run: episode after episode, scene after scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from navbench_gs.env.simulation import Simulation
from navbench_gs.errors import TaskError
from navbench_gs.report.map import save_map
from navbench_gs.runner.judge import EpisodeJudge
from navbench_gs.runner.plan import Item, RunFolder
from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.scenes.resolve import resolve_scene
from navbench_gs.sensors.odometry import drift_of
from navbench_gs.tasks.sampling import default_name, sample_episode
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.camera import SMALL_CAMERA, CameraModel
from s2e_core.robot import load_robot
from s2e_nav.sim.parameters import SimParameters


@dataclass(frozen=True)
class Skipped:
    """An episode that could not be drawn."""

    item: Item
    reason: str


class World:
    """Owns simulation and judge of the current episode."""

    def __init__(self, config: SimParameters) -> None:
        """Read robot and protocol; scenes are read when they are reached.

        Raises:
            S2EError: Robot, protocol, scene or task names are wrong.
        """
        self._config = config
        self.run = config.run_config()
        self.robot = load_robot(config.robot)
        self.camera = _camera(config, self.robot.camera.model())
        self.items = config.route_items()
        self.number = 0
        """Episodes handed out, skipped ones included."""
        self.skipped: list[Skipped] = []
        self._scene = ''
        self._bundle: SceneBundle | None = None
        self._simulation: Simulation | None = None
        self._judge: EpisodeJudge | None = None

    @property
    def simulation(self) -> Simulation:
        """The simulation of the current scene."""
        assert self._simulation is not None
        return self._simulation

    @property
    def judge(self) -> EpisodeJudge:
        """The judge of the current episode."""
        assert self._judge is not None
        return self._judge

    def next(self, say: Callable[[str], object]) -> EpisodeSpec | None:
        """Reset to the next episode; None after the last one.

        Args:
            say: Called with a line whenever something takes long.

        Raises:
            S2EError: The scene cannot be had.
        """
        while self.number < len(self.items):
            item = self.items[self.number]
            self.number += 1
            entered = self._enter(item.scene, say)
            assert self._bundle is not None
            try:
                spec = sample_episode(
                    self._bundle, item.task, item.index, self.run.seed, self.run.protocol,
                    self.robot,
                )
            except TaskError as error:
                self.skipped.append(Skipped(item, str(error)))
                say(f'skipped {item.scene} {item.task} {item.index}: {error}')
                continue
            self.simulation.reset(spec)
            if entered:
                # Compiles the renderer for this camera now, not in the robot's first second.
                self.simulation.image()
            self._judge = EpisodeJudge(spec, self._bundle, self.run.protocol, self.robot)
            return spec
        return None

    def _enter(self, scene: str, say: Callable[[str], object]) -> bool:
        """Build the world of a scene unless it is there; return whether it was built."""
        if self._simulation is not None and scene == self._scene:
            return False
        say(f'scene {scene}')
        shown = -1.0

        def progress(what: str, share: float) -> None:
            nonlocal shown
            if share >= shown + 0.2 or share < shown:
                shown = share
                say(f'scene {scene}: {what} {share:.0%}')

        # The old scene is let go first: two captures at once need twice the memory.
        self._simulation = self._bundle = None
        self._bundle, self._scene = resolve_scene(scene, progress=progress), scene
        if self._config.output:
            # For the report's maps; it opens without the scene.
            maps = RunFolder(Path(self._config.output)).maps
            save_map(self._bundle.collision, default_name(self._bundle), maps)
        self._simulation = Simulation(
            self._bundle, self.robot, camera=self.camera, threads=self._config.threads or None,
            backend=self._config.backend,
            drift=drift_of(self.run.protocol.drift), latency=self.run.conditions.latency,
        )
        return True


def _camera(config: SimParameters, robot: CameraModel) -> CameraModel:
    if config.camera == 'policy':
        return SMALL_CAMERA
    width, height = config.image_width or robot.width, config.image_height or robot.height
    return robot if (width, height) == (robot.width, robot.height) else robot.scaled(width, height)
