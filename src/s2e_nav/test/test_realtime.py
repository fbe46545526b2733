"""The world that does not wait: late answers are late, and delays of commands come on top."""

from __future__ import annotations

import dataclasses
import threading

import numpy as np
import pytest
from rosgraph_msgs.msg import Clock
from sim_graph import SPEC, Graph

from navbench_gs.agents.straight import StraightToGoal
from navbench_gs.metrics.outcome import Cause, cause_of
from navbench_gs.tasks.protocol import JudgeRules
from s2e_nav.convert.stamps import to_ns

PATIENCE = 30.0
"""Seconds after which an answer is given all the same, so that a failed test ends."""
SHORT = dataclasses.replace(SPEC, obstacles=(), people=(), time_limit=3.0)


class World:
    """How far the world has come, for policies that answer late by its clock, not by the wall's.

    A machine that is slow lets the world run slowly too; late is what the world did not wait for.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._now = 0
        self.over = False

    def watch(self, graph: Graph) -> None:
        """Follow /clock."""
        graph.driver.create_subscription(Clock, '/clock', self._take, 50)

    def _take(self, message: Clock) -> None:
        with self._changed:
            self._now = to_ns(message.clock)
            self._changed.notify_all()

    def wait(self, stamp_ns: int) -> None:
        """Wait until the world has come so far."""
        with self._changed:
            self._changed.wait_for(lambda: self._now >= stamp_ns or self.over, PATIENCE)

    def end(self) -> None:
        """Let everybody go."""
        with self._changed:
            self.over = True
            self._changed.notify_all()


class Late(StraightToGoal):
    """Answers when the world is `ticks` further than the image."""

    def __init__(self, world: World, ticks: float) -> None:
        super().__init__(1.5)
        self.world, self.ticks, self.begun = world, ticks, False

    def infer(self, observation):
        output = super().infer(observation)
        # The answer at warm-up, for an image of no world, comes at once.
        if observation.stamp_ns > 10**9:
            self.world.wait(observation.stamp_ns + round(self.ticks * 50e6))
        return output


def drive(ros, monkeypatch, tmp_path, policy, world=None, **parameters):
    """Drive an episode in real time and return its log."""
    spec = parameters.pop('spec', SHORT)
    graph = Graph(ros, monkeypatch, tmp_path, policy, mode='realtime', spec=spec, **parameters)
    if world is not None:
        world.watch(graph)
    graph.begin()
    log = graph.log()
    if world is not None:
        world.end()
    graph.close()
    return log


def first(log, column, above=0.0):
    """Row from which on a column is above a value."""
    rows = np.flatnonzero(log.ticks[column] > above)
    assert len(rows), f'{column} never was: the episode must be worth looking at'
    return int(rows[0])


@pytest.mark.parametrize('late', [0, 4])
def test_the_world_goes_on_while_the_policy_thinks(ros, monkeypatch, tmp_path, late):
    """Where the world waits, such a policy would wait for it and it for the policy."""
    world = World()
    log = drive(ros, monkeypatch, tmp_path, Late(world, late), world)
    # Row k + 1 is the world after tick k: what was seen at 0 can move it from row 1 on, and
    # answered when the clock said tick 4, from row 5 on.
    assert first(log, 'command_v') >= 1 + late
    assert (log.ticks['v'][:1 + late] == 0.0).all()
    # Every image of 10 Hz got an answer where it came at once, at most every second one if not.
    images = 1 + (len(log.ticks['x']) - 1) // 2
    assert len(log.modes) <= (images if late == 0 else 1 + images // 2)


def test_delay_of_commands_comes_on_top(ros, monkeypatch, tmp_path):
    log = drive(ros, monkeypatch, tmp_path, StraightToGoal(1.5), latency=0.3)
    told, moved = first(log, 'command_v'), first(log, 'v', 0.01)
    # Six ticks of 50 ms; the ramp takes a tick or two to be seen.
    assert 6 <= moved - told <= 8
    assert np.abs(log.ticks['v'][:told + 6]).max() < 0.005


def test_a_policy_that_hangs_leaves_the_robot_standing(ros, monkeypatch, tmp_path):
    world = World()
    spec = dataclasses.replace(SHORT, time_limit=5.5)
    log = drive(ros, monkeypatch, tmp_path, Late(world, 10_000), world, spec=spec)
    assert log.outcome == 'timed_out'
    assert cause_of(log, JudgeRules()) is Cause.FROZEN
    assert (log.ticks['command_v'] == 0.0).all()
    assert log.modes == ()


class Broken(StraightToGoal):
    """Fails at its third image."""

    count = 0

    def __init__(self, raises: bool) -> None:
        super().__init__(1.5)
        self.raises = raises

    def infer(self, observation):
        output = super().infer(observation)
        self.count += observation.stamp_ns > 10**9
        if self.count < 3:
            return output
        if self.raises:
            raise ValueError('no idea')
        return dataclasses.replace(output, modes=output.modes * np.nan)


@pytest.mark.parametrize(('raises', 'detail'), [
    (True, 'ValueError: no idea'), (False, 'modes hold a value that is not finite'),
])
def test_a_policy_that_fails_ends_the_episode_here_too(
    ros, monkeypatch, tmp_path, raises, detail
):
    log = drive(ros, monkeypatch, tmp_path, Broken(raises))
    assert (log.outcome, log.detail) == ('policy_error', detail)
    assert cause_of(log, JudgeRules()) is Cause.POLICY_ERROR
