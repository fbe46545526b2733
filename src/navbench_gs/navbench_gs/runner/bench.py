"""Runs episodes one after another and keeps the scene between them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from navbench_gs.env.simulation import Simulation
from navbench_gs.errors import DivergedError, TaskError
from navbench_gs.metrics.outcome import Outcome
from navbench_gs.metrics.record import EpisodeLog, read_log
from navbench_gs.metrics.scores import evaluate
from navbench_gs.report.map import save_map
from navbench_gs.runner.deadline import PolicyStalledError, deadline
from navbench_gs.runner.episode import failed_before, run_episode
from navbench_gs.runner.filming import FilmRecorder
from navbench_gs.runner.gate_sense import GateSense
from navbench_gs.runner.goal_picture import goal_picture
from navbench_gs.runner.latency import TimedPolicy
from navbench_gs.runner.link import CommandLink
from navbench_gs.runner.plan import (
    Finished,
    Item,
    PolicyFactory,
    RunConfig,
    RunFolder,
    write_atomically,
)
from navbench_gs.runner.spoiler import Spoiler
from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.scenes.resolve import resolve_scene
from navbench_gs.sensors.odometry import drift_of
from navbench_gs.tasks.sampling import default_name, sample_episode
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.camera import CameraModel
from s2e_core.contract import Policy
from s2e_core.control import ControlConfig, ControlLoop
from s2e_core.errors import S2EError
from s2e_core.range_scan import RangeScan
from s2e_core.records import CameraFrame
from s2e_core.reprojection import Reprojector
from s2e_core.robot import load_robot

TakeDepth = Callable[[int, NDArray[np.floating], CameraModel], None]
"""Hands the depth behind an image to a reference agent: stamp, metres `[H, W]`, lens."""


class Bench:
    """One policy, one robot, one scene at a time."""

    def __init__(
        self, config: RunConfig, factory: PolicyFactory, out: Path, threads: int | None
    ) -> None:
        """Make the policy.

        Args:
            config: Settings of the run.
            factory: Makes the policy.
            out: The run's folder.
            threads: Threads of the renderer.
        """
        self._config, self._out, self._threads = config, RunFolder(out), threads
        self._factory, self._name = factory, factory.name
        self._robot = load_robot(config.robot)
        self._make_policy()
        self._scene = ''
        self._bundle: SceneBundle | None = None
        self._simulation: Simulation | None = None

    def run(self, item: Item) -> Finished:
        """Run an episode unless its file is there already.

        Raises:
            SceneError: the scene cannot be had.
        """
        started = time.monotonic()
        entering = item.scene != self._scene
        bundle = self._load(item.scene)
        if entering:
            save_map(bundle.collision, default_name(bundle), self._out.maps)
        config = self._config
        try:
            spec = sample_episode(
                bundle, item.task, item.index, config.seed, config.protocol, self._robot
            )
        except TaskError as error:
            return Finished(item, None, None, str(error))
        kept = self._kept(spec)
        film = self._out.films / f'{spec.id}.mp4' if item.index < config.films else None
        self._timed.seconds = []
        try:
            log = kept or self._drive(spec, film, self._out.stills)
        except DivergedError as error:
            return Finished(item, spec, None, str(error))
        latency = tuple(self._timed.seconds)
        if log.outcome == Outcome.POLICY_STALLED.value and kept is None:
            # Interrupted anywhere: what it left behind is nothing to go on with.
            self._make_policy()
        if kept is None:
            write_atomically(self._out.episode(spec.id), log.to_json())
        scores = evaluate(log, config.protocol.judge)
        return Finished(
            item, spec, scores, log.detail, time.monotonic() - started, kept is not None, latency,
        )

    def rerun(
        self, spec: EpisodeSpec, scene: str, film: Path | None, stills: Path | None = None
    ) -> EpisodeLog:
        """Drive a given episode again; nothing is written but film and stills.

        Args:
            spec: The episode.
            scene: Its scene, as for `resolve_scene`.
            film: Where a film goes, None for none.
            stills: Where stills of it go, None for none.

        Raises:
            SceneError: the scene cannot be had.
            SimulationError: the scene or robot is not the episode's.
        """
        self._load(scene)
        return self._drive(spec, film, stills)

    def _make_policy(self) -> None:
        policy: Any = self._factory()
        self._policy: Policy = policy
        self._timed = TimedPolicy(policy, self._config.answer_limit)
        if hasattr(policy, 'set_robot'):
            policy.set_robot(self._robot)

    def _kept(self, spec: EpisodeSpec) -> EpisodeLog | None:
        """Return the episode's log if an earlier run finished the very same one."""
        path = self._out.episode(spec.id)
        if not path.is_file():
            return None
        try:
            log = read_log(path)
        except TaskError:
            return None
        same = (log.spec, log.protocol, log.policy) == (
            spec, self._config.protocol.hash, self._name
        )
        return log if same else None

    def _load(self, scene: str) -> SceneBundle:
        if self._bundle is None or scene != self._scene:
            self._simulation = None
            self._bundle, self._scene = resolve_scene(scene), scene
        return self._bundle

    def _world(self, bundle: SceneBundle, images: bool) -> Simulation:
        """Return the simulation of the scene; splats are read only where someone looks."""
        if self._simulation is None or (images and not self._simulation.has_camera):
            self._simulation = Simulation(
                bundle, self._robot, camera=self._camera(), threads=self._threads, render=images,
                mount=self._config.conditions.place(self._robot.camera.mount()),
                backend=self._config.backend, drift=drift_of(self._config.protocol.drift),
                latency=self._config.conditions.latency,
            )
        return self._simulation

    def _camera(self) -> CameraModel:
        return self._config.lens(self._policy.spec.camera, self._robot.camera.model())

    def _drive(self, spec: EpisodeSpec, film: Path | None, stills: Path | None) -> EpisodeLog:
        assert self._bundle is not None
        rules, conditions = self._config.protocol, self._config.conditions
        looks = bool(getattr(self._policy, 'needs_images', True))
        measures = conditions.gate_source == 'depth'
        world = self._world(self._bundle, looks or measures or film is not None)
        world.reset(spec)
        try:
            loop = self._prepared(world, spec)
        except S2EError:
            raise
        except (Exception, SystemExit, PolicyStalledError) as error:
            # As in the drive: whatever a policy raises is its result, not the benchmark's end.
            return failed_before(world, spec, rules, self._name, error)
        mount = conditions.place(self._robot.camera.mount())
        sense = GateSense(conditions.gate_source, world, self._robot, self._camera(), mount)
        eye = Reprojector(
            self._camera(), self._policy.spec.camera,
            self._policy.spec.mounts(self._robot.camera.mount()), self._policy.spec.unseen,
        )
        look = _Eye(world, eye, looks, Spoiler(conditions, spec),
                    getattr(self._policy, 'take_depth', None), sense)
        record = None
        if film is not None:
            record = FilmRecorder(
                film, self._bundle, self._robot, spec, width=self._config.film_width,
                stills=stills,
            )
        try:
            return run_episode(
                world, spec, loop, rules, self._name, look=look, record=record,
                goal=world.goal_odom + conditions.goal_offset(spec),
                send=CommandLink(conditions, spec) if conditions.uneven else None,
                scan=look.scan,
            )
        finally:
            if record is not None:
                record.close()

    def _prepared(self, world: Simulation, spec: EpisodeSpec) -> ControlLoop:
        """Tell the policy what it may know of the episode."""
        policy: Any = self._policy
        if hasattr(policy, 'bind'):
            policy.bind(world, spec)
        if hasattr(policy, 'set_goal_image'):
            rules = self._config.protocol
            picture = goal_picture(spec, world, rules, self._policy.spec.camera)
            with deadline(self._config.answer_limit):
                policy.set_goal_image(picture)
        gate = self._config.conditions.gate()
        return ControlLoop(self._timed, self._robot, ControlConfig(gate=gate))


class _Eye:
    """The image in the policy camera's view, as far as it arrives, and the gate's scan with it."""

    def __init__(
        self, world: Simulation, reproject: Reprojector, looks: bool, spoil: Spoiler,
        take_depth: TakeDepth | None, sense: GateSense,
    ) -> None:
        self._world, self._reproject, self._looks, self._spoil = world, reproject, looks, spoil
        self._take_depth, self._sense = take_depth, sense
        self._depth: NDArray[np.floating] | None = None
        target = reproject.target
        # For a policy without eyes: a pattern, so that checks for blank images pass.
        self._pattern = np.indices((target.height, target.width)).sum(axis=0)[..., None]
        self._pattern = np.repeat(self._pattern % 256, 3, axis=2).astype(np.uint8)

    def __call__(self) -> CameraFrame | None:
        stamp = self._world.time_ns
        if not self._looks and not self._sense.needs_depth:
            return self._spoil(CameraFrame(stamp, self._pattern))
        frame = self._world.frame()
        self._depth = frame.depth
        if not self._looks:
            return self._spoil(CameraFrame(stamp, self._pattern))
        if self._take_depth is not None:
            self._take_depth(stamp, frame.depth, self._reproject.source)
        return self._spoil(CameraFrame(stamp, self._reproject(frame.rgb)))

    def scan(self) -> RangeScan | None:
        """Return what the gate's source sees at the image that was drawn last."""
        return self._sense(self._depth)
