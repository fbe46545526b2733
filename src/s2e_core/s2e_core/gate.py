"""The safety gate: the last thing between any source of velocity and the base.

The model proposes, this disposes: arbitration (e-stop > teleop > autonomy), watchdogs on
odometry, camera, plan and command, speed and acceleration limits, a stop ramp, and a named
reason for every stop. Time is an argument, so the same code runs on ticks of the simulator and
on a steady clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from s2e_core.fault_hold import FaultHold
from s2e_core.gate_config import GateConfig
from s2e_core.limits import limit_acceleration, limit_velocity, ramp_down
from s2e_core.obstacle_veto import CAMERA_ONLY_CAP, ObstacleVeto
from s2e_core.range_scan import RangeScan
from s2e_core.records import Command, Odometry
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2, wrap_angle
from s2e_core.stops import DRIVING, IMMEDIATE, Reason, Source
from s2e_core.unseen_veto import UnseenVeto
from s2e_core.watchdogs import MotionAgreement, RateWatch, fault_limit_ns

SLOWED = 0.9
"""Share of the speed asked for below which what is left of it counts as slowed."""

RELAY = 0.04
"""Least share of the time to zero that is left for an image's stamp on its way through the policy
node and for the next tick, seconds. With the tick's 0.02 alone images that ended on busy cores
were noticed after up to 299 of 300 ms in 12 tries, with this after up to 279."""

__all__ = ['Gate', 'GateConfig', 'GateOutput', 'Reason', 'Source', 'fault_limit_ns']


@dataclass(frozen=True)
class GateOutput:
    """What goes to the base."""

    command: Command
    """The velocity."""
    reason: Reason
    """Why it is a stop, or NONE."""
    detail: str
    """The number behind the reason, for logs."""
    publish: bool
    """False once a second of zeros went out after a stop."""
    source: Source | None
    """Whose command passed."""
    slowed: bool = False
    """Whether it drives, by a tenth or more slower than asked, before what is in the way."""


class Gate:
    """Decides, once a tick, what the base may do."""

    def __init__(self, robot: RobotProfile, config: GateConfig | None = None) -> None:
        """Start stopped; the first healthy command passes.

        Args:
            robot: Limits and stop deceleration.
            config: Watchdog periods and caps.
        """
        self._robot = robot
        self._config = config or GateConfig()
        self._commands: dict[Source, Command] = {}
        self._odometry: Odometry | None = None
        self._odometry_sent = 0
        self._camera_ns: int | None = None
        self._image_ns: int | None = None
        self._plan_ns: int | None = None
        self._plan_moves = False
        self._has_goal = not self._config.needs_goal
        self._rates = {
            Reason.ODOMETRY_SLOW: RateWatch(
                self._config.odometry_period, self._config.rate_slack
            ),
            Reason.CAMERA_SLOW: RateWatch(self._config.camera_period, self._config.rate_slack),
        }
        self._agreement = MotionAgreement(self._config.agreement)
        self._obstacles = ObstacleVeto(robot, self._config.obstacles)
        self._unseen = UnseenVeto(
            robot, self._config.unseen, self._config.obstacles.reaction
        )
        self._e_stop: tuple[bool, int] | None = None
        self._last = Command(0)
        self._latched: tuple[Reason, str] | None = None
        self._hold = FaultHold(self._config.resume_after, self._config.flapping)
        self._zero_since: int | None = None
        self._teleop_active = False

    @property
    def latched(self) -> Reason:
        """The stop that waits for a rearm, or NONE."""
        return Reason.NONE if self._latched is None else self._latched[0]

    def update_command(self, source: Source, command: Command) -> None:
        """Take a command of a source; one that a link delivers late does not replace a newer."""
        if not command.finite:
            self._latch(
                Reason.COMMAND_INVALID,
                f'{source.value}: v {command.v}, vy {command.vy}, w {command.w}',
            )
            return
        known = self._commands.get(source)
        if known is None or command.stamp_ns >= known.stamp_ns:
            self._commands[source] = command

    def release_teleop(self) -> None:
        """The operator let go of the dead-man: stop, and never hand over to autonomy."""
        if self._teleop_active:
            self._latch(Reason.OPERATOR_LOST, 'dead-man released')
        self._teleop_active = False
        self._commands.pop(Source.TELEOP, None)

    def update_odometry(self, odometry: Odometry, sent_ns: int | None = None) -> None:
        """Take the newest odometry; a jump or a number that is not finite latches a stop.

        Args:
            odometry: Stamped on the gate's clock.
            sent_ns: Its stamp on the sender's clock, nanoseconds, where that is another. A
                simulator that begins anew is seconds ahead by it and a moment by the gate's.
        """
        if not odometry.finite:
            self._latch(Reason.ODOMETRY_INVALID, f'{odometry}')
            return
        sent = odometry.stamp_ns if sent_ns is None else sent_ns
        self._unseen.stand(odometry.stamp_ns, odometry.pose)
        last, self._odometry = self._odometry, odometry
        before, self._odometry_sent = self._odometry_sent, sent
        self._rates[Reason.ODOMETRY_SLOW].add(odometry.stamp_ns)
        if last is None:
            return
        elapsed = (sent - before) * 1e-9
        # Past a second the robot may have been carried or the simulator reset: no jump to judge.
        if not 0.0 <= elapsed <= 1.0:
            return
        moved = last.pose.distance_to((odometry.pose.x, odometry.pose.y))
        turned = abs(wrap_angle(odometry.pose.yaw - last.pose.yaw))
        far = moved > self._config.jump_distance + self._robot.v_max * elapsed
        if far or turned > self._config.jump_angle + self._robot.w_max * elapsed:
            self._latch(
                Reason.ODOMETRY_JUMP, f'{moved:.2f} m, {turned:.2f} rad in {elapsed:.2f} s'
            )

    def update_camera(self, stamp_ns: int) -> None:
        """Take the stamp of the newest image."""
        self._camera_ns = stamp_ns
        self._rates[Reason.CAMERA_SLOW].add(stamp_ns)

    def update_image(self, stamp_ns: int) -> None:
        """Take the stamp of the newest image that the policy got.

        `update_camera` hears a camera say that it works, this that its pictures arrive. Once
        heard, it must go on while plans move, as often as they do.
        """
        self._image_ns = stamp_ns

    def update_plan(self, now_ns: int, moves: bool) -> None:
        """Take the news that a plan came; while the newest one moves, the next must follow.

        Args:
            now_ns: Time at which it came: its own stamp is older by the policy's latency, which
                the follower's time-out judges.
            moves: Whether it asks the robot to move.
        """
        self._plan_ns, self._plan_moves = now_ns, moves

    def update_obstacles(self, scan: RangeScan, pose: Pose2) -> None:
        """Take what the configured source sees, from a pose odom <- base_link."""
        self._obstacles.add(scan, pose)
        self._unseen.look(scan, pose)

    def update_e_stop(self, pressed: bool, now_ns: int) -> None:
        """Take an e-stop heartbeat; once seen it must go on."""
        self._e_stop = (pressed, now_ns)
        if pressed:
            self._latch(Reason.E_STOP, 'pressed', force=True)

    def stop(self, reason: Reason, detail: str = '') -> None:
        """Stop from outside, such as on shutdown or a second publisher."""
        self._latch(reason, detail)

    def rearm(self) -> None:
        """Allow motion again; a new goal does this. A pressed or lost e-stop stays."""
        if self._latched is not None and self._e_stop is not None and self._e_stop[0]:
            return
        if self.latched is Reason.FUTURE_STAMP:
            # A command from the future would outrank all that come before its time.
            self._commands.clear()
        self._clear()
        self._has_goal = True

    def admit_driver(self) -> None:
        """A driver pressed the dead-man anew: end the stop for want of one, and no other.

        Autonomy needs a new goal or a rearm all the same: should the driver be lost again before
        the first command comes, nothing moves.
        """
        if self.latched is Reason.OPERATOR_LOST:
            self._clear()
            self._has_goal = False

    def step(self, now_ns: int) -> GateOutput:
        """Decide for now.

        Args:
            now_ns: Time of this tick, nanoseconds, on the clock of the stamps.
        """
        elapsed = (now_ns - self._last.stamp_ns) * 1e-9
        if elapsed < 0:
            self._latch(Reason.CLOCK_JUMP, f'{elapsed:.2f} s')
            self._commands.clear()
        if not 0.0 <= elapsed <= 1.0:
            # First tick, or the clock stood still or went back: no ramp to continue.
            self._last = Command(now_ns)
            elapsed = 0.0
        source, asked = self._arbitrate(now_ns)
        reason, detail = self._judge(now_ns, source)
        slowed = False
        if reason is Reason.NONE and asked is not None and source is not None:
            cap = self._cap(source)
            wanted = limit_velocity(asked, self._robot, cap, reverse=source is Source.TELEOP)
            if self._heeds_obstacles(source):
                wanted, reason, detail, slowed = self._heed_obstacles(wanted, source, now_ns)
            command = limit_acceleration(self._last, wanted, self._robot, elapsed, now_ns)
        elif reason in IMMEDIATE:
            command = Command(now_ns)
        else:
            command = ramp_down(self._last, self._robot.stop_deceleration, elapsed, now_ns)
        self._last = command
        self._compare(now_ns, command, source if reason in DRIVING else None)
        speaks = self._speaks(command, reason, now_ns)
        return GateOutput(command, reason, detail, speaks, source, slowed)

    def _heeds_obstacles(self, source: Source) -> bool:
        """Autonomy always; a person may drive where they like, unless they want to be helped."""
        return source is Source.AUTONOMY or self._config.obstacles.assist

    def _heed_obstacles(
        self, wanted: Command, source: Source, now_ns: int
    ) -> tuple[Command, Reason, str, bool]:
        """Slow down before what is in the way; a way that is closed is a reason to stand."""
        if self._odometry is None:
            return wanted, Reason.NONE, '', False
        pose, asked, unseen = self._odometry.pose, wanted, ''
        # A person sees what is beside the robot, or answers for it.
        if source is Source.AUTONOMY:
            wanted, unseen = self._unseen.slow(wanted, pose, now_ns)
            if asked.moves and not wanted.moves:
                return wanted, Reason.UNSEEN_SPACE, unseen, False
        slower, detail = self._obstacles.slow(wanted, pose)
        if wanted.moves and not slower.moves:
            return slower, Reason.OBSTACLE, detail, False
        share = slower.speed / asked.speed if asked.speed else 1.0
        if not asked.v and not asked.vy and asked.w:
            share = slower.w / asked.w
        return slower, Reason.NONE, detail or unseen, share < SLOWED

    def _compare(self, now_ns: int, command: Command, source: Source | None) -> None:
        """Latch a stop when autonomy drives and odometry does not show it."""
        if source is not Source.AUTONOMY or self._odometry is None:
            self._agreement.clear()
            return
        disagreement = self._agreement.step(now_ns, command, self._odometry)
        if disagreement:
            self._latch(Reason.ODOMETRY_FROZEN, disagreement)

    def _arbitrate(self, now_ns: int) -> tuple[Source | None, Command | None]:
        """Teleop while it is fresh; autonomy only if no operator was lost."""
        teleop = self._commands.get(Source.TELEOP)
        period = self._config.command_period
        if teleop is not None and now_ns - teleop.stamp_ns <= self._limit_ns(period):
            self._teleop_active = True
            return Source.TELEOP, teleop
        if self._teleop_active:
            self._teleop_active = False
            self._latch(Reason.OPERATOR_LOST, 'teleop commands ended')
        autonomy = self._commands.get(Source.AUTONOMY)
        return (Source.AUTONOMY, autonomy) if autonomy is not None else (None, None)

    def _judge(self, now_ns: int, source: Source | None) -> tuple[Reason, str]:
        """Return the reason to stop now, after the rules for resuming."""
        config = self._config
        if self._e_stop is not None and not self._e_stop[0]:
            age = now_ns - self._e_stop[1]
            if age > self._limit_ns(config.e_stop_period):
                self._latch(Reason.E_STOP_LOST, f'{age / 1e6:.0f} ms old', force=True)
        if self._latched is not None:
            return self._latched
        if source is None:
            return Reason.NO_COMMAND, ''
        if source is Source.AUTONOMY and not self._has_goal:
            return Reason.NO_GOAL, ''
        fault = self._stale(now_ns, source) or self._slow(source)
        if fault is None:
            return self._hold.healthy(now_ns)
        if self._hold.fault(now_ns, fault[0]):
            self._latch(*fault)
        return fault

    def _stale(self, now_ns: int, source: Source) -> tuple[Reason, str] | None:
        """Find the first input that is too old or from the future."""
        for reason, what, stamp_ns, limit_ns in self._watched(source):
            if stamp_ns is None:
                return reason, 'never received'
            age = now_ns - stamp_ns
            if age < -self._config.future_limit * 1e9:
                return Reason.FUTURE_STAMP, f'{reason.value}: {-age / 1e6:.0f} ms ahead'
            if age > limit_ns:
                return reason, f'{what}{age / 1e6:.0f} ms old'
        return None

    def _watched(self, source: Source) -> Iterator[tuple[Reason, str, int | None, int]]:
        """Yield what must go on while a source drives: reason, name, newest stamp, oldest age."""
        config, limit = self._config, self._limit_ns
        odometry_ns = None if self._odometry is None else self._odometry.stamp_ns
        yield Reason.ODOMETRY_STALE, '', odometry_ns, limit(config.odometry_period)
        command = self._commands[source]
        yield Reason.COMMAND_STALE, '', command.stamp_ns, limit(config.command_period)
        if source is Source.AUTONOMY:
            yield Reason.CAMERA_STALE, '', self._camera_ns, limit(config.camera_period)
        if source is Source.AUTONOMY and self._plan_moves:
            yield Reason.PLAN_STALE, '', self._plan_ns, limit(config.plan_period)
            if self._image_ns is not None:
                # The plan of the last image comes after it by the policy's latency. Watching
                # plans alone, images that ended were noticed up to 308 ms after the last.
                limit_ns = limit(config.plan_period, RELAY)
                yield Reason.CAMERA_STALE, 'newest at the policy ', self._image_ns, limit_ns
        # Whoever stands needs no free way: a policy that waits for a goal shows none.
        if self._obstacles.active and self._heeds_obstacles(source) and command.moves:
            seen_ns = self._obstacles.stamp_ns
            yield Reason.OBSTACLES_STALE, '', seen_ns, limit(config.obstacles.period)

    def _slow(self, source: Source) -> tuple[Reason, str] | None:
        """Find the first input that keeps coming, but not as often as promised."""
        for reason, watch in self._rates.items():
            text = watch.slow() if source is Source.AUTONOMY else ''
            if text:
                return reason, text
        return None

    def _limit_ns(self, period: float, slack: float = 0.0) -> int:
        """Return the age beyond which waiting for the next tick would break the time to zero."""
        return fault_limit_ns(period) - round(max(self._config.tick_period, slack) * 1e9)

    def _cap(self, source: Source) -> float:
        caps = [self._robot.v_max]
        if source is Source.AUTONOMY:
            caps.append(self._config.speed_cap)
            if self._obstacles.config.source == 'free_space':
                caps.append(CAMERA_ONLY_CAP)
        if self._robot.base_timeout is None:
            caps.append(self._config.unmeasured_cap)
        return min(caps)

    def _clear(self) -> None:
        self._latched = None
        self._plan_moves = False
        self._hold.clear()
        self._teleop_active = False
        self._agreement.clear()

    def _latch(self, reason: Reason, detail: str, *, force: bool = False) -> None:
        if self._latched is None or force:
            self._latched = (reason, detail)

    def _speaks(self, command: Command, reason: Reason, now_ns: int) -> bool:
        """Zeros for a while after a stop, then silence, so that other sources are heard."""
        if reason is Reason.NONE or command.moves:
            self._zero_since = None
            return True
        if self._zero_since is None:
            self._zero_since = now_ns
        return (now_ns - self._zero_since) * 1e-9 <= self._config.silence_after
