"""One episode's physics: build it, step it, read it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray
from transforms3d.quaternions import qmult

from navbench_gs.errors import DivergedError
from navbench_gs.physics import chassis, legs
from navbench_gs.physics.base import BaseController
from navbench_gs.physics.contacts import ContactTracker
from navbench_gs.physics.gait import Gait
from navbench_gs.physics.solids import PersonBody, Solid
from navbench_gs.physics.template import STEP_NS, SUBSTEPS, WorldTemplate
from navbench_gs.scenes.collision import CollisionMap
from s2e_core.records import Command
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2

SETTLE_STEPS = 30
"""Physics steps before time 0 in which everything comes to rest on the floor."""


class PhysicsWorld:
    """Robot, floor, walls, obstacles and people of one episode.

    Equal arguments and commands give equal states to the byte on one CPU model.
    """

    def __init__(
        self,
        template: WorldTemplate,
        start: Pose2,
        solids: Sequence[Solid] = (),
        people: Sequence[PersonBody] = (),
        people_at: NDArray[np.floating] | None = None,
        *,
        latency: float = 0.0,
    ) -> None:
        """Build the world and let everything settle.

        Args:
            template: Floor, walls and robot.
            start: map <- base_link at time 0.
            solids: Obstacles with unique names that start with ``obstacle_``.
            people: Bodies with unique names that start with ``person_``.
            people_at: Places of the people at time 0, `[P, 4]` x y z yaw, map.
            latency: Delay of commands, seconds.
        """
        self.model = template.build(solids, people)
        self.data = mujoco.MjData(self.model)
        self.solids = tuple(solids)
        self.base = BaseController(template.robot, latency=latency)
        # Views into MuJoCo's memory: looking them up again costs as much as a third of a step.
        self._control, self._motors = self.data.ctrl, int(self.model.nu)
        robot = int(self.model.body(chassis.ROBOT).id)
        self._turned = self.data.xmat[robot].reshape(3, 3)
        self._solid_bodies = np.array([self.model.body(s.name).id for s in solids], dtype=np.int64)
        self._halves = np.array([solid.half_height for solid in solids])[:, None]
        place = int(self.model.joint('root').qposadr[0])
        self._root = self.data.qpos[place : place + 7]
        speed = int(self.model.joint('root').dofadr[0])
        self._speed = self.data.qvel[speed : speed + 6]
        # People come last: boards under feet are moved by the gait.
        first = self.model.nmocap - len(people)
        self._bodies_at = self.data.mocap_pos[first:]
        self._bodies_turn = self.data.mocap_quat[first:]
        legged = template.robot.kinematics == 'legged'
        self._gait = (
            Gait(self.model, self.data, template.collision) if legged else None
        )
        # base_link lies on the floor below a trunk.
        self._below = legs.STAND if legged else 0.0
        hull, feet = legs.hull(self.model) if legged else ([int(self.model.geom('hull').id)], [])
        self.contacts = ContactTracker(self.model, hull, feet)
        self._people = np.zeros((len(people), 4)) if people_at is None else np.array(people_at)
        self._place(template.robot, template.collision, start)

    def step(self, now_ns: int, steps: int, people_to: NDArray[np.floating] | None = None) -> None:
        """Advance physics; people glide in a straight line.

        Args:
            now_ns: Time before the first step.
            steps: Physics steps of 10 ms.
            people_to: `[P, 4]` x y z yaw after the last step, map; None leaves them.

        Raises:
            DivergedError: the state is no longer finite.
        """
        places = None
        if people_to is not None:
            start, self._people = self._people[:, :3], np.array(people_to, dtype=np.float64)
            shares = np.arange(1, steps + 1) / steps
            places = start + (self._people[:, :3] - start) * shares[:, None, None]
            self._turn_people()
        for index in range(steps):
            if places is not None:
                self._bodies_at[:] = places[index]
            self._advance(now_ns + index * STEP_NS)
            self.contacts.observe(self.data)
        if not np.isfinite(self.data.qpos).all():
            raise DivergedError(f'physics diverged at {now_ns} ns: a position is not finite')

    def command(self, command: Command, now_ns: int) -> None:
        """Hand a command to the base."""
        self.base.accept(command, now_ns)

    def pose(self) -> NDArray[np.float64]:
        """Return `[4, 4]` map <- base_link, with roll and pitch."""
        matrix = np.eye(4)
        matrix[:3, :3] = self._turned
        place = self._root[:3]
        matrix[:3, 3] = place - self._below * matrix[:3, 2] if self._below else place
        return matrix

    def pose2(self) -> Pose2:
        """Return map <- base_link in the plane."""
        x, y = self._root[:2].tolist()
        return Pose2(x, y, float(np.arctan2(self._turned[1, 0], self._turned[0, 0])))

    def tilt(self) -> float:
        """Return the angle between the robot's z axis and the vertical, radians.

        A legged robot that lies on its belly has fallen as much as one on its side: 90 degrees.
        """
        if self._gait is not None and self._gait.lies():
            return math.pi / 2.0
        return float(np.arccos(min(max(self._turned[2, 2], -1.0), 1.0)))

    def velocity(self) -> tuple[float, float]:
        """Return forward speed (m/s, base_link x) and yaw rate (rad/s); on legs, of a stride."""
        if self._gait is not None:
            return float(self._gait.velocity[0]), float(self._gait.velocity[2])
        return float(self._turned[:, 0] @ self._speed[:3]), float(self._speed[5])

    def solid_poses(self) -> NDArray[np.float64]:
        """Return `[S, 4, 4]` map <- obstacle, origin at the middle of the underside."""
        poses = np.tile(np.eye(4), (len(self.solids), 1, 1))
        if self.solids:
            poses[:, :3, :3] = self.data.xmat[self._solid_bodies].reshape(-1, 3, 3)
            poses[:, :3, 3] = self.data.xpos[self._solid_bodies] - poses[:, :3, 2] * self._halves
        return poses

    def _advance(self, now_ns: int) -> None:
        if self._gait is not None:
            self.base.ramp(now_ns, STEP_NS * 1e-9)
            self._gait.advance(self.base.v, self.base.w, SUBSTEPS)
            return
        self._control[:] = self.base.step(now_ns, STEP_NS * 1e-9)[: self._motors]
        mujoco.mj_step(self.model, self.data, nstep=SUBSTEPS)

    def _turn_people(self) -> None:
        """Turn everybody's body to where its person heads."""
        half = self._people[:, 3] / 2.0
        self._bodies_turn[:, 0], self._bodies_turn[:, 3] = np.cos(half), np.sin(half)

    def _turn_back(self, start: Pose2) -> None:
        """Put a robot that shuffled while it came to rest exactly where the episode starts."""
        mujoco.mj_forward(self.model, self.data)
        here = self.pose2()
        turn = start.compose(here.inverse())
        half = 0.5 * (start.yaw - here.yaw)
        root, speed = self._root, self._speed[:2]
        root[:2] = turn.transform(root[:2])
        root[3:] = qmult([np.cos(half), 0.0, 0.0, np.sin(half)], root[3:])
        speed[:] = Pose2(0.0, 0.0, turn.yaw).transform(speed)
        mujoco.mj_forward(self.model, self.data)

    def _place(self, robot: RobotProfile, collision: CollisionMap, start: Pose2) -> None:
        """Put the robot on the highest floor under its wheels and let all come to rest."""
        x, y = robot.length / 2.0, robot.width / 2.0
        corners = np.array([[0, 0], [x, y], [x, -y], [-x, y], [-x, -y]], dtype=np.float64)
        height = float(collision.floor(start.transform(corners)).max())
        root = self._root
        root[:] = start.x, start.y, height, np.cos(start.yaw / 2), 0.0, 0.0, np.sin(start.yaw / 2)
        if len(self._people):
            self._bodies_at[:] = self._people[:, :3]
            self._turn_people()
        mujoco.mj_forward(self.model, self.data)
        if self._gait is not None:
            self._gait.reset()
            mujoco.mj_forward(self.model, self.data)
            root[2] += height - legs.lowest(self.model, self.data)
        for _ in range(SETTLE_STEPS):
            self._advance(0)
        if self._gait is not None:
            self._turn_back(start)
        self.contacts.observe(self.data)
        self.contacts.collect()
