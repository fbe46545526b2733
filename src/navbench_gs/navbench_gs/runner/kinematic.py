"""A world without physics or pictures, with the calls of `env.Simulation`.

For tests, for studies of planners and protocols, and for checking that a sampled route can be
driven. Bodies never push each other: touching is reported and the robot drives on.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from navbench_gs.crowd.company import Company
from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.tasks.hazards import PERSON_RADIUS, Patch, obstacle_patch
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.camera import SMALL_CAMERA, CameraModel
from s2e_core.contract import TICK_NS
from s2e_core.records import CameraFrame, Command, Odometry
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2


class KinematicContact:
    """A touch, shaped like `physics.contacts.ContactEvent`."""

    def __init__(self, body: str, kind: str) -> None:
        self.body = body
        self.kind = kind


class KinematicState:
    """What the judge reads, shaped like `env.state.SimState`."""

    def __init__(self, contacts: tuple[KinematicContact, ...] = ()) -> None:
        self.contacts = contacts
        self.tilt = 0.0
        self.stuck = False


class KinematicWorld:
    """A unicycle that does what it is told, people who walk straight, odometry without drift."""

    def __init__(
        self, bundle: SceneBundle, robot: RobotProfile, camera: CameraModel = SMALL_CAMERA
    ) -> None:
        self.bundle = bundle
        self.collision = bundle.collision
        self.robot = robot
        self._rgb = np.random.default_rng(0).integers(
            0, 255, (camera.height, camera.width, 3), np.uint8
        )

    def reset(self, spec: EpisodeSpec) -> None:
        """Begin an episode."""
        self.spec = spec
        self.time_ns = 0
        self._pose = spec.start
        self._command = Command(0)
        self._patches = [obstacle_patch(item) for item in spec.obstacles]
        self._company, self._woken_ns = Company(spec.people), [0] * len(spec.people)
        self._wake()
        self.state = KinematicState(self._touching())

    def tick(self, command: Command) -> None:
        """Advance 50 ms under a command."""
        dt = TICK_NS * 1e-9
        turn = command.w * dt
        step = command.v * dt
        self._pose = self._pose.compose(
            Pose2(step * math.cos(turn / 2), step * math.sin(turn / 2), turn)
        )
        self._command = command
        self.time_ns += TICK_NS
        self._wake()
        self.state = KinematicState(self._touching())

    @property
    def goal_odom(self) -> NDArray[np.float64]:
        """The goal in odom, metres. [2]"""
        return self.spec.start.inverse().transform(np.array(self.spec.goal))

    def true_pose(self) -> Pose2:
        """Return map <- base_link."""
        return self._pose

    def odometry(self) -> Odometry:
        """Return exact odometry."""
        pose = self.spec.start.inverse().compose(self._pose)
        return Odometry(self.time_ns, pose, self._command.v, self._command.w)

    def image(self) -> CameraFrame:
        """Return a fixed pattern, so that checks for blank images pass."""
        return CameraFrame(self.time_ns, self._rgb)

    def true_velocity(self) -> tuple[float, float]:
        """Return forward speed and yaw rate."""
        return self._command.v, self._command.w

    def people_positions(self) -> NDArray[np.float64]:
        """Return x, y, yaw of each person: walking to and fro. [P, 3]"""
        count = range(len(self.spec.people))
        return np.array([self._person(index)[:3] for index in count]).reshape(-1, 3)

    def people_velocities(self) -> NDArray[np.float64]:
        """Return m/s, map. [P, 2]"""
        count = range(len(self.spec.people))
        return np.array([self._person(index)[3:] for index in count]).reshape(-1, 2)

    def obstacle_poses(self) -> NDArray[np.float64]:
        """Return map <- obstacle. [B, 4, 4]"""
        poses = np.tile(np.eye(4), (len(self._patches), 1, 1))
        for pose, patch in zip(poses, self._patches, strict=True):
            c, s = math.cos(patch.yaw), math.sin(patch.yaw)
            pose[:2, :2] = (c, -s), (s, c)
            pose[:2, 3] = patch.x, patch.y
        return poses

    def _wake(self) -> None:
        """Let those walk who waited for the robot."""
        starts = np.array([person.start for person in self.spec.people]).reshape(-1, 2)
        waited = self._company.waits.copy()
        self._company.wake(starts, (self._pose.x, self._pose.y))
        for index in np.flatnonzero(waited & ~self._company.waits):
            self._woken_ns[index] = self.time_ns

    def _person(self, index: int) -> tuple[float, float, float, float, float]:
        """x, y, yaw, vx, vy; NaN for one who is not there."""
        person = self.spec.people[index]
        if person.track:
            return self._played(np.array(person.track))
        ax, ay = person.start
        dx, dy = person.goal[0] - ax, person.goal[1] - ay
        length = math.hypot(dx, dy)
        if person.behaviour == 'stand' or length < 1e-6 or self._company.waits[index]:
            return ax, ay, 0.0, 0.0, 0.0
        walked = (self.time_ns - self._woken_ns[index]) * 1e-9
        phase = (person.speed * walked / length) % 2.0
        share, sign = (phase, 1.0) if phase <= 1.0 else (2.0 - phase, -1.0)
        vx, vy = sign * person.speed * dx / length, sign * person.speed * dy / length
        return ax + share * dx, ay + share * dy, math.atan2(vy, vx), vx, vy

    def _played(
        self, rows: NDArray[np.float64]
    ) -> tuple[float, float, float, float, float]:
        """x, y, yaw, vx, vy on a track [N, 3], straight between its rows."""
        now = self.time_ns * 1e-9
        if not rows[0, 0] <= now <= rows[-1, 0]:
            return math.nan, math.nan, math.nan, math.nan, math.nan
        low = min(int(np.searchsorted(rows[:, 0], now, side='right')), len(rows) - 1) - 1
        (ta, *a), (tb, *b) = rows[low], rows[low + 1]
        vx, vy = (np.array(b) - a) / (tb - ta)
        x, y = np.array(a) + (now - ta) * np.array([vx, vy])
        return float(x), float(y), math.atan2(vy, vx), float(vx), float(vy)

    def _touching(self) -> tuple[KinematicContact, ...]:
        half = np.array([self.robot.length, self.robot.width]) / 2.0
        body = Patch(self._pose.x, self._pose.y, self._pose.yaw, *half)
        axes = [np.linspace(-h, h, 9) for h in half]
        points = self._pose.transform(np.stack(np.meshgrid(*axes), -1).reshape(-1, 2))
        found = []
        if self._occupied(points):
            found.append(KinematicContact('occupied', 'occupied'))
        for index, patch in enumerate(self._patches):
            if (patch.distance(points) < 0.0).any():
                kind = self.spec.obstacles[index].kind
                found.append(KinematicContact(f'obstacle_{index}_{kind}', 'obstacle'))
        for index, (x, y, _) in enumerate(self.people_positions()):
            if float(body.distance(np.array([x, y]))) < PERSON_RADIUS:
                found.append(KinematicContact(f'person_{index}', 'person'))
        return tuple(found)

    def _occupied(self, points: NDArray[np.float64]) -> bool:
        cells = self.collision.cell(points)
        shape = np.array(self.collision.occupancy.shape)
        if ((cells < 0) | (cells >= shape)).any():
            return True
        return bool(self.collision.occupancy[cells[:, 0], cells[:, 1]].any())
