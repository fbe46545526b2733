"""The world of one scene and robot: reset it to an episode, tick it, sense in it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from navbench_gs.crowd import Crowd, CrowdConfig, RecordedCrowd
from navbench_gs.env.kit import SceneKit
from navbench_gs.env.state import SimState, StuckDetector
from navbench_gs.errors import SimulationError
from navbench_gs.physics import PhysicsWorld
from navbench_gs.physics.contacts import OCCUPIED
from navbench_gs.physics.solids import PersonBody, Solid, footprints
from navbench_gs.physics.template import STEP_NS
from navbench_gs.render import DynamicGroup, Frame, Renderer, View
from navbench_gs.render.factory import Backend
from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.sensors import Drift, DriftingOdometry, SceneCamera
from navbench_gs.sensors.free_space import REACH, from_depth, from_scan
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.camera import CameraModel, CameraMount
from s2e_core.contract import TICK_NS
from s2e_core.records import CameraFrame, Command, Odometry
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2

STEPS_PER_TICK = TICK_NS // STEP_NS
FREE_SPACE_BEAMS = 768
"""Of a whole turn: four in each of 48 bearings over 90 degrees."""


class Simulation:
    """Closed-loop world; what belongs to the scene is built once and kept between episodes.

    Frames: `map` is the scene frame; `odom` is base_link's pose at reset; time starts at 0.
    """

    def __init__(
        self,
        bundle: SceneBundle,
        robot: RobotProfile,
        *,
        camera: CameraModel,
        mount: CameraMount | None = None,
        threads: int | None = None,
        render: bool = True,
        backend: Backend = 'cpu',
        drift: Drift | None = None,
        crowd: CrowdConfig | None = None,
        latency: float = 0.0,
        kit: SceneKit | None = None,
    ) -> None:
        """Prepare a scene.

        Args:
            bundle: The scene.
            robot: What drives in it.
            camera: Intrinsics of the robot's camera.
            mount: Its place; the profile's when left out.
            threads: Threads of the renderer; all when left out.
            render: Without it `image` and `frame` are refused and no splats are read.
            backend: Renderer back end.
            drift: Errors of odometry; the protocol's when left out.
            crowd: How people avoid.
            latency: Delay of commands at the base, seconds.
            kit: What worlds of this scene and robot share; `threads` and `backend` are its own.
        """
        self.bundle, self.robot = bundle, robot
        self.time_ns = 0
        self.goal_odom: NDArray[np.float64] = np.zeros(2)
        self.state = SimState()
        self.spec: EpisodeSpec | None = None
        self._drift, self._latency = drift or Drift(), latency
        self._crowd_config = crowd or CrowdConfig()
        self._kit = kit or SceneKit(bundle, robot, backend=backend, threads=threads)
        self._camera: SceneCamera | None = None
        if render:
            place = mount or robot.camera.mount()
            self._camera = SceneCamera(self._kit.renderer, camera, place)

    def reset(self, spec: EpisodeSpec) -> None:
        """Set the world to an episode's beginning.

        Raises:
            SimulationError: the episode belongs to another scene or robot.
        """
        if spec.robot != self.robot.name:
            raise SimulationError(
                f'episode {spec.id} is for robot {spec.robot!r}, this world has '
                f'{self.robot.name!r}'
            )
        if spec.scene_hash != self.bundle.hash:
            raise SimulationError(
                f'episode {spec.id} was drawn on scene {spec.scene!r} with hash '
                f'{spec.scene_hash!r}, this scene has {self.bundle.hash!r}'
            )
        props = self._kit.props
        solids, bodies = props.solids(spec.obstacles), props.bodies(spec.people)
        self._crowd = self._make_crowd(spec, bodies, solids)
        self._standing = self._standing_places()
        self._world = PhysicsWorld(
            self._kit.template, spec.start, solids, bodies, _parked(self._standing),
            latency=self._latency,
        )
        self._odometry = DriftingOdometry(
            self._drift, spec.seed, spec.geodesic, self._world.pose2()
        )
        self._stuck = StuckDetector()
        self.spec, self.state, self.time_ns = spec, SimState(), 0
        self.goal_odom = spec.start.inverse().transform(np.array(spec.goal))

    def tick(self, command: Command) -> None:
        """Advance 50 ms under a command that is held; the base applies its own limits.

        A command with a stamp no newer than the last one is not fresh: it is ignored and the
        base's time-out runs on.
        """
        world = self._world
        world.command(command, self.time_ns)
        people_to = None
        if self.spec is not None and self.spec.people:
            pose, (v, _) = world.pose2(), world.velocity()
            heading = (v * math.cos(pose.yaw), v * math.sin(pose.yaw))
            self._crowd.step(TICK_NS * 1e-9, pose, heading, world.solid_poses()[:, :2, 3])
            self._standing = self._standing_places()
            people_to = _parked(self._standing)
        world.step(self.time_ns, STEPS_PER_TICK, people_to)
        self.time_ns += TICK_NS
        pose = world.pose2()
        self._odometry.update(pose)
        self._observe(pose)

    def odometry(self) -> Odometry:
        """Return drifting odometry, odom <- base_link."""
        return self._odometry.read(self.time_ns, *self._world.velocity())

    def true_pose(self) -> Pose2:
        """Return map <- base_link."""
        return self._world.pose2()

    def true_velocity(self) -> tuple[float, float]:
        """Return true forward speed (m/s) and yaw rate (rad/s)."""
        return self._world.velocity()

    def image(self) -> CameraFrame:
        """Draw what the camera sees now."""
        return CameraFrame(self.time_ns, self.frame().rgb)

    def frame(self) -> Frame:
        """Draw colour, depth and alpha.

        Raises:
            SimulationError: the simulation was made without rendering.
        """
        return self._require_camera().render(self._world.pose(), self._dynamic())

    @property
    def has_camera(self) -> bool:
        """Whether images can be drawn."""
        return self._camera is not None

    @property
    def camera(self) -> CameraModel:
        """The camera's lens.

        Raises:
            SimulationError: the simulation was made without rendering.
        """
        return self._require_camera().camera

    def aim(self, camera: CameraModel, mount: CameraMount) -> None:
        """Change the camera's lens and place.

        Raises:
            SimulationError: the simulation was made without rendering.
        """
        self._require_camera().aim(camera, mount)

    def shot(self) -> tuple[Renderer, View]:
        """Return what `frame` would draw, for drawing the views of many worlds in one call.

        Raises:
            SimulationError: the simulation was made without rendering.
            RenderError: the camera is distorted.
        """
        return self._require_camera().shot(self._world.pose(), self._dynamic())

    def view(self, camera: CameraModel) -> Frame:
        """Draw another lens in the camera's place, such as a sharper one for films.

        Raises:
            SimulationError: the simulation was made without rendering.
        """
        return self._require_camera().render(self._world.pose(), self._dynamic(), camera)

    def picture(self, place: Pose2, camera: CameraModel) -> Frame:
        """Draw the scene alone, without people and obstacles, as seen from another place.

        Args:
            place: map <- base_link, upright on the floor there.
            camera: A pinhole in the robot's mount.

        Raises:
            SimulationError: the simulation was made without rendering.
        """
        camera_there = self._require_camera()
        base = np.eye(4)
        base[:2, :2] = [[math.cos(place.yaw), -math.sin(place.yaw)],
                        [math.sin(place.yaw), math.cos(place.yaw)]]
        base[:2, 3] = place.x, place.y
        base[2, 3] = self.bundle.collision.floor(base[None, :2, 3])[0]
        return camera_there.render(base, [], camera)

    def scan(self, beams: int = 360, max_range: float = 10.0) -> NDArray[np.float32]:
        """Return `[beams]` distances from base_link, -pi to pi; inf where nothing is near."""
        return self._cast(self.true_pose(), beams, max_range)

    def free_space(self, frame: Frame) -> NDArray[np.float64]:
        """Return how far the robot could drive along each bearing. `[48]` metres, at most 10.

        Args:
            frame: What the camera sees now.

        Raises:
            SimulationError: the simulation was made without rendering, or its lens is distorted.
        """
        if self._camera is None:
            raise SimulationError('this simulation was made with render=False, it has no camera')
        camera = self._camera.camera
        if camera.distortion:
            raise SimulationError('free space is measured through a pinhole, this lens is not one')
        optical, pose = self._camera.pose(self._world.pose()), self.true_pose()
        seen = from_depth(frame.depth, camera, optical, self.bundle.collision, pose.yaw)
        foot = Pose2(float(optical[0, 3]), float(optical[1, 3]), pose.yaw)
        return np.minimum(seen, from_scan(self._cast(foot, FREE_SPACE_BEAMS, REACH), camera))

    def people_positions(self) -> NDArray[np.float64]:
        """Return `[P, 3]` x, y, yaw in map; NaN for who is not there."""
        return self._crowd.places

    def people_velocities(self) -> NDArray[np.float64]:
        """Return `[P, 2]` m/s in map; NaN for who is not there."""
        return self._crowd.velocities

    def obstacle_poses(self) -> NDArray[np.float64]:
        """Return `[S, 4, 4]` map <- obstacle, origin at the middle of the underside."""
        return self._world.solid_poses()

    def _cast(self, pose: Pose2, beams: int, max_range: float) -> NDArray[np.float32]:
        """Cast beams from a pose against map, obstacles and people."""
        discs, rectangles = footprints(self._world.solids, self._world.solid_poses())
        people = np.column_stack([self._crowd.places[:, :2], self._crowd.radii])
        discs = np.concatenate([people[np.isfinite(people[:, 0])], discs])
        return self._kit.scanner.cast(pose, discs, rectangles, beams, max_range)

    def _require_camera(self) -> SceneCamera:
        if self._camera is None:
            raise SimulationError('this simulation was made with render=False, it has no camera')
        return self._camera

    def _observe(self, pose: Pose2) -> None:
        """Collect what happened in the tick."""
        if self._kit.probe.occupied(pose):
            self._world.contacts.note(OCCUPIED)
        base = self._world.base
        self.state = SimState(
            contacts=tuple(self._world.contacts.collect()),
            tilt=self._world.tilt(),
            stuck=self._stuck.update(self.time_ns, pose, base.v),
            base_timed_out=base.timed_out(self.time_ns),
        )

    def _make_crowd(
        self, spec: EpisodeSpec, bodies: list[PersonBody], solids: list[Solid]
    ) -> Crowd | RecordedCrowd:
        """Return those who walk by themselves, or those who were recorded."""
        recorded = {person.behaviour == 'recorded' for person in spec.people}
        if len(recorded) > 1:
            raise SimulationError(
                f'episode {spec.id}: either all people must be recorded or none, got both'
            )
        if recorded == {True}:
            return RecordedCrowd(self.robot, spec.people, bodies, spec.seed)
        return Crowd(self._kit.ground, self.robot, spec.people, bodies, solids, spec.seed,
                     self._crowd_config)

    def _standing_places(self) -> NDArray[np.float64]:
        """Return `[P, 4]` x, y, floor, yaw of the people; NaN for who is not there."""
        places = self._crowd.places
        standing = np.empty((len(places), 4))
        standing[:, :2], standing[:, 3] = places[:, :2], places[:, 2]
        here = np.isfinite(places[:, 0])
        if here.all():
            standing[:, 2] = self.bundle.collision.floor(places[:, :2])
        else:
            standing[:, 2] = np.nan
            standing[here, 2] = self.bundle.collision.floor(places[here, :2])
        return standing

    def _dynamic(self) -> list[DynamicGroup]:
        """Return the groups to draw: people in their gait, obstacles where physics has them."""
        if self.spec is None:
            return []
        return self._kit.props.groups(
            self.spec, self._world.solid_poses(), self._standing, self._crowd.phases,
            self._world.pose()[:2, 3],
        )


def _parked(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put the bodies of those who are not there where nothing is. [P, 4]

    So far down that on its way there, which physics takes in steps, a body is out of reach after
    the first of them.
    """
    absent = np.isnan(places)
    return np.where(absent, (0.0, 0.0, -1000.0, 0.0), places) if absent.any() else places
