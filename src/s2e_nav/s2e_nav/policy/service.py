"""The navigation server: one goal at a time between its clients, the model and the gate."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from visualization_msgs.msg import MarkerArray

from s2e_core.camera import CameraMount
from s2e_core.contract import WAYPOINT_DT
from s2e_core.geodesy import Geodetic
from s2e_core.navigator import NavigatorResult, NavigatorStatus
from s2e_core.obstacle_veto import ObstacleVeto
from s2e_core.range_scan import RangeScan
from s2e_core.records import Plan
from s2e_core.stops import WAITING
from s2e_nav.convert.diagnostics import status_values
from s2e_nav.convert.modes import markers_from_output
from s2e_nav.convert.plans import path_from_plan
from s2e_nav.convert.poses import goal_message, pose_stamped
from s2e_nav.convert.stamps import to_ns
from s2e_nav.frames import FrameTree
from s2e_nav.navigation.codes import Code, GoalRefusedError
from s2e_nav.navigation.goals import FrameTarget, Target
from s2e_nav.navigation.gps import GpsLocaliser, GpsTarget
from s2e_nav.navigation.mission import Ending, Kind, Mission, MissionControl, Outcome
from s2e_nav.obstacles.intake import ScanIntake
from s2e_nav.obstacles.publisher import ScanPublisher
from s2e_nav.policies import LoadedPolicy
from s2e_nav.policy.board import StatusBoard
from s2e_nav.policy.inputs import Inputs, pose_or_origin
from s2e_nav.policy.intake import Intake
from s2e_nav.policy.picture_check import PictureCheck
from s2e_nav.policy.requests import Requests
from s2e_nav.policy.worker import Answer, Worker
from s2e_nav.qos import LATCHED, RELIABLE, input_qos
from s2e_nav.runtime.timers import steady_timer

if TYPE_CHECKING:
    from s2e_nav.nodes.policy import PolicyParameters

QUIET = frozenset(reason.value for reason in WAITING)
LOOK_SECONDS = 0.2
"""Between two looks at the gate's silence and at where the goal's frame lies."""


class PolicyService:
    """What the policy node does from configure to cleanup."""

    def __init__(
        self, node: Node, config: PolicyParameters, loaded: LoadedPolicy, board: StatusBoard,
        obstacles: ObstacleVeto, mounts: tuple[CameraMount, CameraMount] | None = None,
        choice: str = '',
    ) -> None:
        """Open topics, services and actions; nothing is answered yet."""
        self._choice = choice
        self._node, self._config, self._loaded, self._board = node, config, loaded, board
        self._lockstep = config.mode == 'lockstep'
        self._lock = threading.RLock()
        self._active = False
        self._control = MissionControl(config.mission, lockstep=self._lockstep)
        self._target: Target | None = None
        self._frames, self._gps = FrameTree(), GpsLocaliser(config.gps)
        spec = loaded.policy.spec
        self._intake = Intake(spec.camera, self._lockstep, mounts, spec.coverage, spec.unseen)
        self._obstacles = obstacles
        self._worker = Worker(
            loaded.policy, config.navigator, self._intake, self,
            (lambda sample: '') if self._lockstep else self._picture_check(mounts), self._lock,
            self._obstacles,
        )
        self._trajectory = node.create_publisher(Path, 's2e/trajectory', RELIABLE)
        self._modes = node.create_publisher(MarkerArray, 's2e/modes', RELIABLE)
        self._goals = node.create_publisher(PoseStamped, 's2e/goal', LATCHED)
        self._inputs = Inputs(
            node, self._intake, self._frames, self._gps, compressed=config.compressed,
            lockstep=self._lockstep, on_frozen=lambda text: self.on_fault(
                Code.CAMERA_FAILED, text, 0
            ),
        )
        own_eyes = obstacles.config.source == 'free_space'
        self._free_space = (
            ScanPublisher(node, 's2e_free_space', config.base_frame) if own_eyes else None
        )
        self._scans = ScanIntake(
            node, 'none' if own_eyes else obstacles.config.source, input_qos(self._lockstep),
            self._on_scan, config.base_frame,
        )
        self._gate = node.create_subscription(
            DiagnosticStatus, 's2e/gate', self._on_gate, LATCHED
        )
        self._requests = Requests(node, self)
        self._timer = steady_timer(node, LOOK_SECONDS, self._look)
        self._set_state('inactive')

    def _picture_check(self, mounts: tuple[CameraMount, CameraMount] | None) -> PictureCheck:
        spec = self._loaded.policy.spec
        # Pictures are moved to the policy's place where that is known, else left where they are.
        place = spec.mount or (mounts[0] if mounts is not None else None)
        pitch = 0.0 if place is None else place.pitch
        return PictureCheck(spec.camera, pitch, self._config.watch_turns)

    @property
    def is_active(self) -> bool:
        """Whether goals are taken."""
        return self._active

    def activate(self) -> None:
        """Begin to answer images.

        Raises:
            StartError: The model of before still has not come back.
        """
        self._worker.start()
        self._active = True
        self._board.fault = self._board.failure = ''
        self._set_state('idle')

    def deactivate(self) -> None:
        """Drop the goal, end the thread, leave a plan that stands still."""
        self._active = False
        if not self._drop(Code.INACTIVE, 'the policy node was deactivated'):
            self._stand_still()
        self._worker.stop()
        self._intake.clear()
        self._set_state('inactive')

    def close(self) -> None:
        """End for good."""
        self._intake.close()
        try:
            self.deactivate()
            self._requests.close()
        except InvalidHandle:
            self._worker.stop()
        self._node.destroy_timer(self._timer)
        self._node.destroy_subscription(self._gate)
        self._inputs.close()
        self._scans.close()
        if self._free_space is not None:
            self._free_space.close()
        for publisher in (self._trajectory, self._modes, self._goals):
            self._node.destroy_publisher(publisher)

    def _on_scan(self, scan: RangeScan) -> None:
        """Take what may reject a mode."""
        odometry = self._intake.odometry_at(scan.stamp_ns)
        if odometry is not None:
            self._obstacles.add(scan, odometry.pose)

    # --- goals, asked for in the executor's thread -------------------------------------------

    def begin(
        self, poses: Sequence[PoseStamped], frame: str, kind: Kind, ticket: object = None
    ) -> None:
        """Drive through poses.

        Raises:
            GoalRefusedError: With the reason; the goal before goes on.
        """
        self._refuse_inactive()
        target = FrameTarget(
            poses, self._frames, self._config.odom_frame, time.monotonic(), frame
        )
        stamp = to_ns(poses[0].header.stamp)
        self._begin(target, Mission(stamp or self._now(), kind, len(poses), ticket))

    def begin_gps(self, place: Geodetic, stamp_ns: int) -> None:
        """Drive to a place on the globe.

        Raises:
            GoalRefusedError: With the reason; the goal before goes on.
        """
        self._refuse_inactive()
        target = GpsTarget(
            self._gps, place, self._config.gps.correction, time.monotonic(),
            pose_or_origin(self._intake),
        )
        self._begin(target, Mission(stamp_ns or self._now(), Kind.POSE))

    def begin_roaming(self) -> None:
        """Drive without a goal.

        Raises:
            GoalRefusedError: With the reason; the goal before goes on.
        """
        self._refuse_inactive()
        spec = self._loaded.policy.spec
        if spec.goal == 'required':
            raise GoalRefusedError(
                Code.INVALID_GOAL, f'{spec.name}: this policy cannot drive without a goal'
            )
        self._begin(None, Mission(self._now(), Kind.ROAM, 0))

    def cancel(self, ticket: object = None) -> bool:
        """End the goal of a ticket, or any; the robot begins to stop before this returns."""
        with self._lock:
            ending = self._control.cancel(ticket)
            if ending is None:
                return False
            self._halt()
        self._finish(ending)
        return True

    def refused(self, error: GoalRefusedError) -> None:
        """Report a goal that was refused and that nobody waits for."""
        self._board.fault = f'goal refused: {error}'
        self._node.get_logger().error(f'{self._board.fault} ({error.code.name})')
        self._board.publish()

    def _begin(self, target: Target | None, mission: Mission) -> None:
        pose = pose_or_origin(self._intake)
        points = None if target is None else target.points(time.monotonic(), pose)
        with self._lock:
            ended = self._control.begin(mission, time.monotonic())
            self._target = target
            if points is None:
                self._worker.roam(mission.stamp_ns)
            else:
                self._worker.set_route(points, mission.stamp_ns)
            self._board.fault = self._board.failure = ''
        if ended is not None:
            self._announce(ended)
        # A drive without a goal is announced at the robot itself: the gate needs its stamp.
        frame = self._config.base_frame if points is None else self._config.odom_frame
        point = np.zeros(2) if points is None else points[-1]
        self._set_state('roaming' if points is None else 'navigating')
        self._goals.publish(goal_message(point, mission.stamp_ns, frame))

    def _refuse_inactive(self) -> None:
        if not self.is_active:
            raise GoalRefusedError(Code.INACTIVE, 'the policy node is not active')

    # --- what ends a goal --------------------------------------------------------------------

    def _on_gate(self, message: DiagnosticStatus) -> None:
        """A stop that waits for a rearm drops the goal that was set before it."""
        values = status_values(message)
        stamp, reason = values.get('goal_stamp', '0'), values.get('reason', '')
        held = '' if reason in QUIET else f'{reason}, {values.get("detail", "")}'
        with self._lock:
            ending = self._control.on_gate(
                int(stamp) if stamp.isdigit() else 0, values.get('latched', 'none'), held
            )
            if ending is not None:
                self._halt()
        self._finish(ending)

    def _look(self) -> None:
        """Look at the gate's silence, and move a goal whose frame moved against odometry."""
        now = time.monotonic()
        with self._lock:
            ending = self._control.on_time(now)
            target = self._target
            if ending is not None:
                self._halt()
        self._finish(ending)
        if target is None or self._lockstep:
            return
        try:
            points = target.points(now, pose_or_origin(self._intake))
        except GoalRefusedError as error:
            self._drop(error.code, str(error))
            return
        with self._lock:
            if self._target is target:
                self._worker.move_route(points)

    def _drop(self, code: Code, text: str, stamp_ns: int = 0) -> bool:
        """Give the goal up and stand still; returns whether there was one."""
        with self._lock:
            ending = self._control.fail(code, text)
            if ending is not None:
                self._halt(stamp_ns)
        self._finish(ending)
        return ending is not None

    def _halt(self, stamp_ns: int = 0) -> None:
        """Stop now: no older plan is published after the one that stands still."""
        self._target = None
        self._worker.cancel()
        self._stand_still(stamp_ns)

    def _finish(self, ending: Ending | None) -> None:
        """Report the end of a goal and wait for the next."""
        if ending is None:
            return
        if ending.outcome is Outcome.ABORTED:
            self._board.fault = f'goal dropped: {ending.text}'
        self._set_state('arrived' if ending.outcome is Outcome.SUCCEEDED else 'idle')
        self._announce(ending)

    def _announce(self, ending: Ending) -> None:
        self._board.end(ending)
        if self._requests.actions is not None:
            self._requests.actions.end(ending)

    # --- answers, in the inference thread ----------------------------------------------------

    def on_answer(self, answer: Answer) -> None:
        """Publish what one image led to."""
        result, stamp = answer.result, answer.sample.frame.stamp_ns
        failure = result.rejected.get(-1, '')
        if failure:
            self.on_fault(Code.POLICY_FAILED, failure, stamp)
            return
        if self._free_space is not None and result.free_space is not None:
            # Before the plan: who moves by it must know what is in the way.
            self._free_space.publish(result.free_space)
        self._trajectory.publish(path_from_plan(result.plan, self._config.odom_frame))
        # The stamp last: a status that another thread sends in between still fits together.
        self._board.failure, self._board.mode = '', result.plan.mode
        self._board.image_ns = stamp
        self._publish_modes(result)
        self._advance(answer)

    def on_standstill(self, stamp_ns: int) -> None:
        """Answer an image whose goal was dropped while the model looked at it."""
        self._board.mode, self._board.image_ns = -1, stamp_ns
        self._stand_still(stamp_ns)
        self._board.publish()

    def on_fault(self, code: Code | None, text: str, stamp_ns: int) -> None:
        """Stand still and say why; a fault with a code also drops the goal."""
        self._board.failure, self._board.mode = text, -1
        self._board.image_ns = stamp_ns or self._board.image_ns
        self._node.get_logger().error(text, throttle_duration_sec=2.0)
        if code is None or not self._drop(code, text, stamp_ns):
            self._stand_still(stamp_ns)
        self._board.publish()

    def _advance(self, answer: Answer) -> None:
        """Tell the goal's clients how it goes, and whether it is over."""
        result, odometry = answer.result, answer.sample.odometry
        with self._lock:
            current = self._control.current
            ending = None
            if current is not None and current.stamp_ns == answer.goal_ns:
                ending = self._control.on_image(
                    result.status, result.distance, result.remaining, odometry.pose,
                    odometry.v, time.monotonic(),
                )
            if ending is not None and ending.outcome is not Outcome.SUCCEEDED:
                self._halt()
            self._board.progress = self._control.progress
        self._finish(ending)
        if current is not None and ending is None and self._requests.actions is not None:
            pose = pose_stamped(odometry, self._config.odom_frame)
            self._requests.actions.feedback(current.ticket, pose, self._board.progress)
        if result.status is NavigatorStatus.REJECTED:
            reason = next(iter(result.rejected.values()), '')
            self._board.fault = f'every mode was rejected: {reason}'
        self._set_state(result.status.value if ending is None else self._board.state)

    def _publish_modes(self, result: NavigatorResult) -> None:
        if result.output is None or self._modes.get_subscription_count() == 0:
            return
        chosen = result.plan.mode if result.plan.mode >= 0 else None
        self._modes.publish(
            markers_from_output(result.output, chosen, result.rejected, self._config.base_frame)
        )

    def _stand_still(self, stamp_ns: int = 0) -> None:
        odometry = self._intake.odometry_now()
        stamp = stamp_ns or (0 if odometry is None else odometry.stamp_ns)
        plan = Plan(stamp, np.zeros((0, 2)), WAYPOINT_DT)
        self._trajectory.publish(path_from_plan(plan, self._config.odom_frame))

    def _set_state(self, state: str) -> None:
        self._board.state, self._board.goal_ns = state, self._control.stamp_ns
        self._board.set_facts({
            'policy': self._loaded.identity, 'policy_choice': self._choice,
            'provider': self._loaded.provider,
            'images_skipped': self._intake.dropped, **self._worker.times.facts(time.monotonic()),
        })
        self._board.publish()

    def _now(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)
