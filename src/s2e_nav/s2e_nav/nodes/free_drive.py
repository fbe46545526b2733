"""Free drive: lets the simulated world run for a person, episode after episode."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from std_msgs.msg import String
from std_srvs.srv import Trigger

from s2e_core.config import check, option
from s2e_nav.convert.poses import goal_message
from s2e_nav.parameters import declare
from s2e_nav.qos import LATCHED
from s2e_nav.runtime.process import main_program
from s2e_nav.runtime.timers import steady_timer


@dataclass(frozen=True)
class FreeDriveParameters:
    """Parameters of the free drive."""

    start_timeout: float = option(
        120.0, unit='s', low=1, high=3600, help='Longest wait for the simulator.'
    )

    def __post_init__(self) -> None:
        check(self, source='free_drive parameters')


class FreeDrive:
    """Asks the bridge for episodes and starts them; where to go is shown, nobody is sent there."""

    def __init__(self, node: Node) -> None:
        """Wait for the bridge."""
        self.node = node
        self.exit_code: int | None = None
        self._timeout = declare(node, FreeDriveParameters).start_timeout
        self._next: Any = node.create_client(Trigger, 'sim_bridge/next_episode')
        self._start: Any = node.create_client(Trigger, 'sim_bridge/start')
        self._target = node.create_publisher(PoseStamped, 'teleop/target', LATCHED)
        self._waited, self._asked = 0.0, False
        self._id = ''
        node.create_subscription(String, 'sim_bridge/result', self._on_result, LATCHED)
        steady_timer(node, 0.25, self._each_tick)

    def close(self) -> None:
        """Nothing moves by this node."""

    def _each_tick(self) -> None:
        """Ask for an episode once the bridge is there and the last one is over."""
        if self._asked:
            return
        if self._next.service_is_ready() and self._start.service_is_ready():
            self._asked = True
            self._next.call_async(Trigger.Request()).add_done_callback(self._on_next)
            return
        self._waited += 0.25
        if self._waited > self._timeout:
            print(f'error: no simulator after {self._timeout:.0f} s', flush=True)
            self.exit_code = 1

    def _on_next(self, future: Any) -> None:
        answer = future.result()
        if not answer.success:
            print(f'error: {answer.message}', flush=True)
            self.exit_code = 1
            return
        episode = json.loads(answer.message)
        if episode['done']:
            print('every episode was driven', flush=True)
            self.exit_code = 0
            return
        self._id = episode['id']
        self._target.publish(goal_message(np.array(episode['goal']), episode['stamp_ns']))
        print(
            f'{self._id}: {episode["geodesic"]:.0f} m to the ring in the picture, '
            f'{episode["time_limit"]:.0f} s', flush=True,
        )
        self._start.call_async(Trigger.Request())

    def _on_result(self, message: String) -> None:
        result = json.loads(message.data)
        if result['id'] == self._id:
            print(f'{self._id}: {result["outcome"]} {result["detail"]}'.rstrip(), flush=True)
            self._asked = False


def main(args: list[str] | None = None) -> None:
    """Run the free drive."""
    main_program(lambda: FreeDrive(Node('free_drive')), args)


if __name__ == '__main__':
    main()
