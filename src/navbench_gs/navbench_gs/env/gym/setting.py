"""What the sessions of one environment share: options, rules, robot and scenes."""

from __future__ import annotations

from dataclasses import dataclass

from navbench_gs.env.gym.options import EnvOptions
from navbench_gs.env.gym.store import SceneStore
from navbench_gs.env.kit import SceneKit
from navbench_gs.runner.plan import parse_scenes, parse_tasks
from navbench_gs.scenes import resolve
from navbench_gs.tasks.protocol import Protocol, load_protocol
from navbench_gs.tasks.spec import Task
from s2e_core.camera import SMALL_CAMERA, CameraModel
from s2e_core.robot import RobotProfile, load_robot


@dataclass(frozen=True)
class Setting:
    """What every session of an environment shares."""

    options: EnvOptions
    protocol: Protocol
    robot: RobotProfile
    camera: CameraModel
    scenes: tuple[str, ...]
    tasks: tuple[Task, ...]
    store: SceneStore

    @classmethod
    def open(cls, options: EnvOptions) -> Setting:
        """Read protocol and robot; scenes are read when they are entered.

        Raises:
            S2EError: protocol, robot, scenes or tasks are wrong.
        """
        protocol = load_protocol(options.protocol)
        robot = load_robot(options.robot or protocol.robot)
        camera = SMALL_CAMERA.scaled(options.width, options.height)
        scenes, tasks = parse_scenes(options.scenes), parse_tasks(options.tasks)

        def make(scene: str) -> SceneKit:
            return SceneKit(
                resolve.resolve_scene(scene), robot, backend=options.backend,
                mode=options.renderer, threads=options.threads or None,
                cache=options.survey_folder,
            )

        store = SceneStore(make, options.scenes_kept)
        return cls(options, protocol, robot, camera, scenes, tasks, store)

    @property
    def v_max(self) -> float:
        """Top speed: the lower of robot and protocol, m/s."""
        return min(self.robot.v_max, self.protocol.judge.v_max)
