"""Feeds the film of an episode from the runner."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from navbench_gs.report.film import EpisodeFilm
from navbench_gs.report.inset import Inset
from navbench_gs.runner.judge import EpisodeJudge
from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.tasks.hazards import Patch, obstacle_size
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.camera import CameraModel
from s2e_core.navigator import NavigatorResult
from s2e_core.records import CameraFrame
from s2e_core.robot import RobotProfile

if TYPE_CHECKING:
    from navbench_gs.runner.episode import World


class FilmRecorder:
    """Draws a sharper view than the policy's, so that people see more than 128 pixels."""

    def __init__(
        self, path: Path, bundle: SceneBundle, robot: RobotProfile, spec: EpisodeSpec,
        *, width: int, stills: Path | None,
    ) -> None:
        """Open the film.

        Args:
            path: The film.
            bundle: Scene.
            robot: Footprint and camera place.
            spec: The episode.
            width: Width of the film, pixels.
            stills: Folder of the stills, None to keep none.
        """
        self._robot, self._spec = robot, spec
        self._camera = CameraModel.from_fov(
            width - width % 2, 2 * round(width * 3 / 8), math.radians(90.0)
        )
        self._film = EpisodeFilm(
            path, self._camera, robot.camera.mount(), width=width, robot_width=robot.width,
            stills=stills,
        )
        self._inset = Inset(bundle.collision, robot, size=round(width * 0.25))
        self._sizes = [obstacle_size(item.kind, item.seed) for item in spec.obstacles]
        self._driven: list[tuple[float, float]] = []

    def __call__(
        self, world: World, frame: CameraFrame, result: NavigatorResult, judge: EpisodeJudge
    ) -> None:
        """Add one image."""
        pose = world.true_pose()
        self._driven.append((pose.x, pose.y))
        goal = pose.inverse().transform(np.array(self._spec.goal))
        poses = np.asarray(world.obstacle_poses()).reshape(-1, 4, 4)
        patches = [
            Patch(float(m[0, 3]), float(m[1, 3]), math.atan2(m[1, 0], m[0, 0]), *size)
            for m, size in zip(poses, self._sizes, strict=True)
        ]
        people = np.asarray(world.people_positions()).reshape(-1, 3)[:, :2]
        people = people[np.isfinite(people[:, 0])]
        touched = sorted({event.body for event in world.state.contacts})
        view = getattr(world, 'view', None)
        seen = frame if view is None else CameraFrame(frame.stamp_ns, view(self._camera).rgb)
        self._film.add(seen, result.output, result.plan.mode, {
            'title': f'{self._spec.scene}  {self._spec.task}  {self._spec.index}',
            'status': f'contact: {touched[0]}' if touched else result.status.value,
            'time': judge.elapsed, 'speed': world.true_velocity()[0],
            'distance': float(np.hypot(*goal)), 'bearing': math.atan2(goal[1], goal[0]),
            'goal': goal, 'contact': bool(touched),
            'inset': self._inset.draw(pose, self._spec.goal, judge.route,
                                      np.array(self._driven), people, patches),
        })

    def close(self) -> None:
        """Finish the film."""
        self._film.close()
