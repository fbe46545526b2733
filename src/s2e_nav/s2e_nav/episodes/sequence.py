"""The order of a run: wait for the nodes, episode, goal, acknowledgement, start, result."""

from __future__ import annotations

from enum import Enum


class Stage(Enum):
    """What the run waits for."""

    NODES = 'nodes'
    EPISODE = 'episode'
    GOAL = 'goal'
    RESULT = 'result'


class Sequence:
    """Says what to do next; each word is given once."""

    def __init__(self, timeout: float, *, own_goals: bool = True) -> None:
        """Begin by waiting for the nodes.

        Args:
            timeout: Longest wait for bridge, policy and gate, seconds.
            own_goals: Whether each episode's goal is set; else whoever wants to sets one.
        """
        self._timeout, self._own_goals = timeout, own_goals
        self._stage = Stage.NODES
        self._since: float | None = None
        self._stamp, self._sent_at = 0, 0.0
        self._policy_state, self._policy_goal = '', 0
        self._gate_goal: int | None = None
        self._started = False
        self.finished = False
        """Set by the runner once record and report are written."""

    @property
    def waits_for_goal(self) -> bool:
        """Whether an acknowledgement is awaited."""
        return self._stage is Stage.GOAL

    def policy(self, state: str, goal_stamp: int) -> None:
        """Take the policy's status."""
        self._policy_state, self._policy_goal = state, goal_stamp

    def gate(self, goal_stamp: int) -> None:
        """Take the gate's status."""
        self._gate_goal = goal_stamp

    def ready(self, stamp_ns: int) -> None:
        """The bridge has reset to an episode whose goal carries this stamp."""
        self._stage, self._stamp, self._sent_at = Stage.GOAL, stamp_ns, -1e9

    def over(self) -> None:
        """The episode has its result."""
        self._stage = Stage.NODES

    def step(self, *, bridge: bool, now_s: float) -> str:
        """Return next, goal, start, nothing, or why the run cannot go on.

        Args:
            bridge: Whether the bridge's services are there.
            now_s: Wall clock, seconds.
        """
        if self._since is None:
            self._since = now_s
        if self._stage is Stage.NODES:
            return self._await_nodes(bridge, now_s)
        if self._stage is Stage.GOAL:
            acknowledged = self._policy_goal == self._stamp and self._gate_goal == self._stamp
            if acknowledged or not self._own_goals:
                self._stage = Stage.RESULT
                return 'start'
            # A goal may be lost while discovery is still under way: say it again.
            if now_s - self._sent_at > 1.0:
                self._sent_at = now_s
                return 'goal'
        return ''

    def _await_nodes(self, bridge: bool, now_s: float) -> str:
        policy = self._policy_state not in ('', 'inactive')
        if bridge and policy and self._gate_goal is not None:
            self._stage, self._started = Stage.EPISODE, True
            return 'next'
        assert self._since is not None
        if not self._started and now_s - self._since > self._timeout:
            missing = [
                name for name, there in (
                    ('sim_bridge', bridge), ('policy (active)', policy),
                    ('gate', self._gate_goal is not None),
                ) if not there
            ]
            return f'not there after {self._timeout:.0f} s: {", ".join(missing)}'
        return ''
