"""Stand-in for `launch_ros.events.lifecycle`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.event import Event
from s2e_bare.unsupported import refuse_unknown

if TYPE_CHECKING:
    from s2e_bare.launch_ros.actions.lifecycle_node import LifecycleNode

__all__ = ['ChangeState', 'StateTransition']

# lifecycle_msgs/msg/Transition, which is not imported so that launching needs no messages.
TRANSITIONS = {
    0: 'create',
    1: 'configure',
    2: 'cleanup',
    3: 'activate',
    4: 'deactivate',
    5: 'shutdown',
    6: 'shutdown',
    7: 'shutdown',
}


class ChangeState(Event):
    """A request to the managed nodes that a function picks."""

    name = 'launch_ros.events.lifecycle.ChangeState'

    def __init__(
        self, *, lifecycle_node_matcher: Callable[[Any], bool], transition_id: int
    ) -> None:
        """Hold the function and the transition, a constant of lifecycle_msgs/msg/Transition.

        Raises:
            ValueError: There is no such transition.
        """
        if transition_id not in TRANSITIONS:
            raise ValueError(
                f'ChangeState: transition_id must be one of {TRANSITIONS}, got {transition_id!r}'
            )
        self.lifecycle_node_matcher = lifecycle_node_matcher
        self.transition_id = transition_id


class StateTransition(Event):
    """A managed node changed its state."""

    name = 'launch_ros.events.lifecycle.StateTransition'

    def __init__(self, *, action: LifecycleNode, msg: Any) -> None:
        """Hold the action and the lifecycle_msgs/msg/TransitionEvent."""
        self.action = action
        self.msg = msg
        self.timestamp = msg.timestamp
        self.transition = msg.transition.label
        self.start_state = msg.start_state.label
        self.goal_state = msg.goal_state.label


__getattr__ = refuse_unknown('launch_ros.events.lifecycle')
