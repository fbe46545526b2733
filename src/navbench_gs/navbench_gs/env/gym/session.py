"""One learner's world: draws episodes, advances them, judges and pays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from navbench_gs.agents.onlooker import PLANNERS
from navbench_gs.env.gym.controls import Controls, VelocityControls, WaypointControls
from navbench_gs.env.gym.options import STEADY
from navbench_gs.env.gym.reward import StepFacts, group_sums, reward_terms
from navbench_gs.env.gym.setting import Setting
from navbench_gs.env.gym.stream import Draw, EpisodeStream
from navbench_gs.env.gym.truth import BEAM_REACH, BEAMS, world_truth
from navbench_gs.env.kit import SceneKit
from navbench_gs.env.simulation import Simulation
from navbench_gs.errors import SimulationError, TaskError
from navbench_gs.metrics.collisions import CollisionTally
from navbench_gs.metrics.outcome import Outcome
from navbench_gs.metrics.record import EpisodeLog
from navbench_gs.metrics.scores import EpisodeScores, evaluate
from navbench_gs.runner.judge import EpisodeJudge
from navbench_gs.sensors.jitter import Light, jitter_mount
from navbench_gs.sensors.odometry import drift_of
from navbench_gs.tasks.sampling import sample_episode
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.contract import POLICY_PERIOD_NS, TICK_NS
from s2e_core.records import Command

TICKS = POLICY_PERIOD_NS // TICK_NS
"""Ticks of 50 ms between two decisions."""
KINDS = ('static', 'obstacle', 'person', 'occupied')
"""Kinds of contact."""
_DRAWS = 50


@dataclass
class Step:
    """What a step was worth."""

    reward: float = 0.0
    terms: dict[str, float] = field(default_factory=dict)
    """Terms and groups of the reward."""
    outcome: Outcome | None = None
    """How the episode ended; running out of time truncates it, all else terminates it."""

    @property
    def terminated(self) -> bool:
        """Whether the episode ended by what happened in it."""
        return self.outcome is not None and not self.truncated

    @property
    def truncated(self) -> bool:
        """Whether the episode was cut off: a learner bootstraps here."""
        return self.outcome is Outcome.TIMED_OUT


class Session:
    """An endless row of episodes for one learner."""

    def __init__(self, setting: Setting) -> None:
        """Prepare; the first reset enters a scene.

        Args:
            setting: Options, rules, robot and the scenes shared with other sessions.
        """
        self._setting = setting
        options = setting.options
        self._stream = EpisodeStream(setting.scenes, setting.tasks, options.episodes_per_scene)
        self._controls: Controls = (
            VelocityControls(setting.robot) if options.action == 'velocity'
            else WaypointControls(setting.robot, setting.protocol.judge.v_max)
        )
        self._world: Simulation | None = None
        self._last = Step()
        planner = PLANNERS.get(options.foresight)
        self._planner = None if planner is None else planner(setting.protocol.judge.v_max)

    @property
    def world(self) -> Simulation:
        """The world of the current episode.

        Raises:
            SimulationError: nothing was reset yet.
        """
        if self._world is None:
            raise SimulationError('call reset before anything else')
        return self._world

    def reset(
        self, rng: np.random.Generator, choice: Mapping[str, Any] | None = None,
        *, restart: bool = False,
    ) -> None:
        """Begin an episode.

        Args:
            rng: Source of randomness.
            choice: `episode` (an `EpisodeSpec`, with `scene` where its name is no path), or any
                of `scene`, `task`, `index` and `seed` in place of what would be drawn.
            restart: Whether the generator was seeded anew: the stream begins anew too.

        Raises:
            SimulationError: an unknown key in `choice`.
            TaskError: no episode can be drawn.
        """
        if restart:
            self._stream.restart()
        kit, spec = self._draw(rng, dict(choice or {}))
        if self._world is None or self._world.bundle is not kit.bundle:
            self._world = self._enter(kit)
        options = self._setting.options
        if options.jitter != STEADY:
            mount = jitter_mount(self._setting.robot.camera.mount(), options.jitter, rng)
            self._world.aim(self._setting.camera, mount)
        self._light = Light.draw(options.jitter, rng) if options.jitter != STEADY else None
        self._goal_hidden = bool(rng.random() < options.goal_hidden)
        self._noise = np.random.default_rng(int(rng.integers(2**62)))
        self._world.reset(spec)
        if self._planner is not None:
            self._planner.bind(self._world, spec)
        self._judge = EpisodeJudge(spec, kit.bundle, self._setting.protocol, self._setting.robot)
        self._controls.begin(self._world.goal_odom)
        self._tally = CollisionTally(self._setting.protocol.judge.debounce)
        self._tick = 0
        self._last = Step(outcome=self._judge.observe(self._world, Command(0)))
        self._scores: EpisodeScores | None = None
        self._left = self._judge.newest['geodesic']
        if self._stream.upcoming is not None:
            self._setting.store.announce(self._stream.upcoming)

    def step(self, action: NDArray[np.floating]) -> Step:
        """Advance until the next decision or the episode's end.

        Args:
            action: In the action space; what lies outside is clipped by the caller.

        Raises:
            SimulationError: the action is not finite, or the episode is over.
        """
        world = self.world
        if self._last.outcome is not None:
            raise SimulationError('the episode is over: call reset')
        if not np.isfinite(action).all():
            raise SimulationError(f'an action must be finite, got {np.asarray(action).tolist()}')
        self._controls.act(action)
        before = self._judge.newest
        rows, collisions, people, outcome = [], 0, 0, None
        for tick in range(TICKS):
            command = self._controls.command(world.time_ns, world.odometry(), tick == 0)
            if tick == 0:
                self._judge.choose(self._controls.mode)
            world.tick(command)
            outcome = self._judge.observe(world, command)
            if outcome is None and world.state.stuck and self._setting.options.end_stuck:
                outcome = Outcome.STUCK
            rows.append(self._judge.newest)
            self._tick += 1
            for event in world.state.contacts:
                new = self._tally.add(self._tick, event.body)
                person = event.kind == 'person'
                people, collisions = people + new * person, collisions + new * (not person)
            if outcome is not None:
                break
        self._last = self._pay(before, rows, collisions, people, outcome)
        if outcome is not None:
            self._scores = evaluate(self.log(), self._setting.protocol.judge)
        return self._last

    def foresee(self, plans: NDArray[np.floating]) -> NDArray[np.float64]:
        """Say what following each of several plans from here would cost.

        Args:
            plans: Waypoints 0.2 s apart, base_link, metres. [K, T, 2]

        Returns:
            Metres of way; see `DriveChooser.foresee`. [K]

        Raises:
            SimulationError: the option `foresight` is empty.
        """
        if self._planner is None:
            raise SimulationError('nobody foresees anything: set the option foresight')
        return self._planner.foresee(plans)

    def log(self) -> EpisodeLog:
        """Return the log of the episode that ended, as the benchmark writes it.

        Raises:
            SimulationError: the episode still goes on.
        """
        if self._last.outcome is None:
            raise SimulationError('the episode still goes on, there is no log of it yet')
        return self._judge.finish(self._last.outcome, 'learner')

    def observe(self, rgb: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """Return the observation that goes with an image of now. `[H, W, 3]` uint8."""
        odometry = self.world.odometry()
        goal = np.zeros(2, np.float32)
        if not self._goal_hidden:
            goal[:] = odometry.pose.inverse().transform(self.world.goal_odom)
        return {
            'image': rgb if self._light is None else self._light(rgb, self._noise),
            'goal': goal,
            'goal_mask': np.array([not self._goal_hidden], np.int8),
            'speed': np.array([odometry.v, odometry.w], np.float32),
        }

    def info(self) -> dict[str, Any]:
        """Return what a learner's input must not hold: the truth about the episode."""
        row, spec, step = self._judge.newest, self._judge.spec, self._last
        touched = {event.kind for event in self.world.state.contacts}
        info: dict[str, Any] = {
            'scene': spec.scene, 'task': spec.task, 'index': spec.index,
            'elapsed': self._judge.elapsed, 'pose': np.array([row['x'], row['y'], row['yaw']]),
            'geodesic': row['geodesic'], 'clearance': row['clearance'],
            'person_gap': row['person_gap'], 'ttc': row['ttc'],
            'contact': {kind: kind in touched for kind in KINDS},
            'collisions': self._tally.count, 'reward': dict(step.terms),
            'success': step.outcome is Outcome.SUCCESS,
            'outcome': '' if step.outcome is None else step.outcome.value, 'cause': '',
        }
        if self._scores is not None:
            scores = self._scores
            info['cause'] = scores.cause.value
            info['collision_free_success'] = scores.collision_free_success
            info['route_completion'], info['spl'] = scores.route_completion, scores.spl
        if self._setting.options.truth:
            info['truth'] = self._truth()
        return info

    def _truth(self) -> NDArray[np.float32]:
        world, row, spec = self.world, self._judge.newest, self._judge.spec
        return world_truth(
            world.true_pose(), spec.goal, row['geodesic'],
            spec.time_limit - self._judge.elapsed, world.scan(BEAMS, BEAM_REACH),
            world.people_positions(), world.people_velocities(),
        )

    def _draw(
        self, rng: np.random.Generator, choice: dict[str, Any]
    ) -> tuple[SceneKit, EpisodeSpec]:
        """Return the episode asked for, or the next one that can be drawn."""
        unknown = sorted(set(choice) - {'episode', 'scene', 'task', 'index', 'seed'})
        if unknown:
            raise SimulationError(
                f'reset options: unknown key {unknown[0]!r}; known: episode, scene, task, index, '
                'seed'
            )
        setting = self._setting
        if 'episode' in choice:
            spec: EpisodeSpec = choice['episode']
            return setting.store.get(choice.get('scene', spec.scene)), spec
        last: TaskError | None = None
        for _ in range(_DRAWS):
            drawn = self._stream.next(rng)
            draw = Draw(
                choice.get('scene', drawn.scene), choice.get('task', drawn.task),
                choice.get('index', drawn.index),
            )
            kit = setting.store.get(draw.scene)
            try:
                return kit, sample_episode(
                    kit.bundle, draw.task, draw.index, choice.get('seed', setting.options.seed),
                    setting.protocol, setting.robot,
                )
            except TaskError as error:
                last = error
                self._stream.leave()
        raise TaskError(f'no episode in {_DRAWS} draws; the last: {last}')

    def _enter(self, kit: SceneKit) -> Simulation:
        return Simulation(
            kit.bundle, self._setting.robot, camera=self._setting.camera, kit=kit,
            drift=drift_of(self._setting.protocol.drift),
        )

    def _pay(
        self, before: dict[str, float], rows: list[dict[str, float]], collisions: int,
        people: int, outcome: Outcome | None,
    ) -> Step:
        now, seconds = rows[-1], len(rows) * TICK_NS * 1e-9
        # Off the map the way is unknown; what was left there is kept until it is known again.
        left = now['geodesic'] if math.isfinite(now['geodesic']) else self._left
        gained, self._left = self._left - left, left
        facts = StepFacts(
            seconds=seconds, gained=gained, collisions=collisions, collisions_people=people,
            clearance=min(row['clearance'] for row in rows),
            person_gap=min(row['person_gap'] for row in rows),
            off_sidewalk=float(np.mean([not self._on_sidewalk(row) for row in rows])),
            acceleration=(now['v'] - before['v']) / seconds,
            turning=(now['w'] - before['w']) / seconds, outcome=outcome,
        )
        rules = self._setting.protocol.judge
        terms = reward_terms(facts, self._setting.options.reward, rules.personal_space)
        return Step(sum(terms.values()), {**terms, **group_sums(terms)}, outcome)

    def _on_sidewalk(self, row: dict[str, float]) -> bool:
        collision = self.world.bundle.collision
        if collision.sidewalk is None:
            return True
        r, c = collision.cell(np.array([row['x'], row['y']]))
        rows, columns = collision.shape
        return 0 <= r < rows and 0 <= c < columns and bool(collision.sidewalk[r, c])
