"""Simulator bridge: the splat world behind the topics of a robot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import Twist, TwistStamped
from rclpy.node import Node
from std_msgs.msg import String
from std_srvs.srv import Trigger

from navbench_gs.metrics.outcome import Outcome
from navbench_gs.metrics.record import EpisodeLog
from navbench_gs.metrics.scores import evaluate
from navbench_gs.runner.plan import RunFolder, write_atomically
from s2e_core.config import to_mapping
from s2e_core.errors import S2EError
from s2e_nav.convert.commands import command_from_stamped, command_from_twist
from s2e_nav.convert.diagnostics import status_values
from s2e_nav.convert.stamps import SECOND
from s2e_nav.parameters import declare
from s2e_nav.qos import LATCHED, RELIABLE
from s2e_nav.runtime.process import main_program
from s2e_nav.runtime.timers import steady_timer
from s2e_nav.sim.episode import Episode, Phase
from s2e_nav.sim.parameters import SimParameters
from s2e_nav.sim.presence import refuse_second_simulator
from s2e_nav.sim.senses import Senses
from s2e_nav.sim.world import World

EPISODE_GAP_NS = 2 * SECOND
"""Past a second, image histories and the gate begin anew."""


class SimBridge:
    """Hands out episodes by service and runs them by topic."""

    def __init__(self, node: Node) -> None:
        """Check that the domain has no other clock, then open the topics.

        Raises:
            StartError: Another simulator runs on this domain.
        """
        self.node = node
        self.exit_code: int | None = None
        self._config = declare(node, SimParameters)
        self._world = World(self._config)
        refuse_second_simulator(node)
        mount = self._world.robot.camera.mount()
        self._senses = Senses(node, self._world.camera, mount, self._config.scan)
        self._result = node.create_publisher(String, '~/result', LATCHED)
        self._folder = RunFolder(Path(self._config.output or '.'))
        self._episode: Episode | None = None
        self._clock_ns = 10 * SECOND
        self._policy = 'unknown'
        self._open_inputs()
        steady_timer(node, 0.25, self._watch)
        if self._config.mode == 'realtime':
            steady_timer(node, 0.05, self._pace)

    def close(self) -> None:
        """Nothing moves without this process."""

    def _open_inputs(self) -> None:
        node = self.node
        if self._config.stamped:
            node.create_subscription(TwistStamped, 'cmd_vel', self._on_stamped, RELIABLE)
        else:
            node.create_subscription(Twist, 'cmd_vel', self._on_twist, RELIABLE)
        node.create_subscription(DiagnosticStatus, 's2e/status', self._on_status, RELIABLE)
        for name, call in (('next_episode', self._next), ('start', self._start)):
            node.create_service(Trigger, f'~/{name}', call)

    def _next(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Reset to the next episode and describe it in JSON; one that runs is dropped."""
        if self._episode is not None:
            # Its time is over; the clock must not go back to its beginning.
            self._clock_ns = max(self._clock_ns, self._episode.stamp_ns)
            self._episode = None
        try:
            spec = self._world.next(lambda line: self.node.get_logger().info(line))
        except S2EError as error:
            self.node.get_logger().fatal(str(error))
            response.success, response.message = False, str(error)
            self.exit_code = 1
            return response
        response.success = True
        progress: dict[str, Any] = {
            'total': len(self._world.items), 'number': self._world.number,
            'skipped': [
                {'scene': s.item.scene, 'task': s.item.task, 'index': s.item.index,
                 'reason': s.reason} for s in self._world.skipped
            ],
        }
        if spec is None:
            response.message = json.dumps({**progress, 'done': True})
            return response
        # Each episode begins at a whole second, so that stamps say which ticks carry images.
        self._clock_ns = -(-self._clock_ns // SECOND) * SECOND + EPISODE_GAP_NS
        self._episode = Episode(
            self._world, self._senses, self._clock_ns,
            lockstep=self._config.mode == 'lockstep', camera_every=self._config.camera_every,
            judged=self._config.goals == 'episode', on_end=self._on_end,
        )
        if self._config.mode == 'realtime':
            # Odometry that overtakes the clock's leap over the gap would come from the future.
            self._senses.tell_time(self._clock_ns)
        if self._config.preview:
            self._episode.preview()
        goal = [float(value) for value in self._world.simulation.goal_odom]
        response.message = json.dumps({
            **progress, 'done': False, 'id': spec.id, 'scene': spec.scene, 'task': spec.task,
            'index': spec.index, 'goal': goal, 'stamp_ns': self._clock_ns,
            'geodesic': spec.geodesic, 'time_limit': spec.time_limit,
        })
        return response

    def _start(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        episode = self._episode
        if episode is None or episode.phase is not Phase.READY:
            response.success, response.message = False, 'no episode is ready: call next_episode'
            return response
        episode.policy = self._config.driver or self._policy
        response.success = True
        episode.start()
        return response

    def _on_stamped(self, message: TwistStamped) -> None:
        if self._episode is not None:
            self._episode.command(command_from_stamped(message))

    def _on_twist(self, message: Twist) -> None:
        """A velocity without a stamp counts for the tick in which it came."""
        if self._episode is not None:
            self._episode.command(command_from_twist(message, self._episode.stamp_ns))

    def _on_status(self, message: DiagnosticStatus) -> None:
        values = status_values(message)
        self._policy = values.get('policy', self._policy)
        if self._episode is not None:
            self._episode.answered(
                int(values.get('image_stamp', -1)), int(values.get('mode', -1)),
                values.get('failure', ''),
            )

    def _watch(self) -> None:
        """End an episode whose world waited too long."""
        episode = self._episode
        if episode is None or episode.phase is not Phase.RUNNING:
            return
        waits = self._config.mode == 'lockstep' and self._config.goals == 'episode'
        if waits and episode.waited > self._config.stall_time:
            episode.end(Outcome.POLICY_STALLED, f'no answer for {self._config.stall_time:g} s')

    def _pace(self) -> None:
        if self._episode is not None and self._episode.phase is Phase.RUNNING:
            self._episode.advance()

    def _on_end(self, log: EpisodeLog) -> None:
        assert self._episode is not None
        self._clock_ns = self._episode.stamp_ns
        practised = self._world.number <= self._config.practice
        folder = RunFolder(self._folder.root / 'practice') if practised else self._folder
        path = folder.episode(log.spec.id)
        if self._config.output:
            write_atomically(path, log.to_json())
        scores = evaluate(log, self._world.run.protocol.judge)
        self._result.publish(String(data=json.dumps({
            'id': log.spec.id, 'outcome': log.outcome, 'detail': log.detail,
            'path': str(path) if self._config.output else '',
            'image_ns': self._episode.image_ns, 'scores': to_mapping(scores),
        })))


def main(args: list[str] | None = None) -> None:
    """Run the bridge."""
    main_program(lambda: SimBridge(Node('sim_bridge')), args)


if __name__ == '__main__':
    main()
