"""Who drives, what of it counts, and what stops the robot: one session around one robot."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from s2e_core.config import check, option
from s2e_core.records import Command
from s2e_core.robot import RobotProfile
from s2e_teleop.deadman import DeadMan, DeadManConfig, Hold, Verdict
from s2e_teleop.link import LinkProfile
from s2e_teleop.protocol import Drive
from s2e_teleop.robot_port import RobotPort
from s2e_teleop.seats import Seats
from s2e_teleop.steering import SteeringConfig, command_from_stick

OPERATOR_LOST = 'operator_lost'
"""The gate's name for the stop that the next press ends."""
COMES_TO_REST = 0.7
"""So long after the last velocity of a driver the gate may still find that there is none, seconds:
three zeros of 50 ms, and its watch of 0.3 s."""
PRESS_GRACE = 0.7
"""So long after a press the gate may still report the stop before it, seconds: the status and
the rearm call each take a few milliseconds, on a robot with a busy computer some tenths."""


@dataclass(frozen=True)
class SessionConfig:
    """Rules of a session."""

    dead_man: DeadManConfig = DeadManConfig()
    steering: SteeringConfig = SteeringConfig()
    grant_after: float = option(
        10.0, unit='s', low=1, high=600,
        help='A request for the seat is granted when the driver has not driven for so long.',
    )
    watch_timeout: float = option(
        1.0, unit='s', low=0.3, high=5,
        help='Silence of the driver that stops a drive to a goal of theirs.',
    )

    def __post_init__(self) -> None:
        check(self, source='session')


class Session:
    """Arbitrates pages and watches the driver; time is an argument."""

    def __init__(
        self, config: SessionConfig, robot: RobotProfile, link: LinkProfile, port: RobotPort,
        say: Callable[[str], None],
    ) -> None:
        """Start without a driver.

        Args:
            config: Rules.
            robot: Limits.
            link: Its age limit and speed cap hold.
            port: The robot.
            say: Called with what every page should read.
        """
        self._config, self._robot, self._port, self._say = config, robot, port, say
        self.speed_cap = min(robot.v_max, link.speed_cap)
        """Top speed that the limit may be set to, m/s."""
        self.sideways = robot.vy_max > 0
        """Whether the robot goes aside without turning."""
        self.limit = min(config.steering.v_start, self.speed_cap)
        """Top speed of the stick, m/s."""
        self.seats = Seats(config.grant_after)
        self.e_stop = False
        self._dead_man = DeadMan(config.dead_man)
        self._command = Command(0)
        self._sent = float('-inf')
        self._heard = 0.0
        self._goal = False

    @property
    def hold(self) -> Hold:
        """State of the driver's dead-man."""
        return self._dead_man.state

    @property
    def to_goal(self) -> bool:
        """Whether the robot drives to a goal of the driver's."""
        return self._goal

    def join(self, client: int, name: str) -> None:
        """A page was let in; it watches."""
        self.seats.join(client, name)

    def leave(self, client: int) -> None:
        """A page is gone; with the driver's page goes the drive."""
        before = self.seats.driver
        if client == before:
            self._stop(Hold.LOST, 'the driver is gone')
        self.seats.leave(client)
        self._after_seat(before)

    def heard(self, client: int, now: float) -> None:
        """A page gave a sign of life."""
        if client == self.seats.driver:
            self._heard = now

    def seat(self, client: int, action: str, now: float) -> str:
        """Take, ask for, grant, deny or leave the seat.

        Returns:
            Why not, or nothing.
        """
        before = self.seats.driver
        if before is not None and client == before and action in ('grant', 'leave'):
            self._stop(Hold.IDLE, 'the seat changes hands')
        refusal = self.seats.act(client, action, now)
        self._after_seat(before)
        return refusal

    def drive(
        self, client: int, message: Drive, age: float, now: float
    ) -> tuple[Verdict, Command]:
        """Judge a command and pass it on.

        Args:
            client: Number of the page.
            message: The command.
            age: How long ago it was sent, seconds; NaN while the clocks are not compared.
            now: Robot's clock, seconds.

        Returns:
            **verdict**: What became of it.
            **command**: What was sent, zero if nothing was.
        """
        nothing = Command(0)
        if client != self.seats.driver:
            return Verdict.NOT_DRIVER, nothing
        if message.held and self.e_stop:
            return Verdict.E_STOP, nothing
        if message.held and math.isnan(age):
            return Verdict.NO_CLOCK, nothing
        before = self._dead_man.state, self._dead_man.pressed_at
        verdict = self._dead_man.offer(now, message.seq, message.press, message.held, age)
        if verdict is Verdict.RELEASED:
            if before[0] is Hold.DRIVING and self.hold is not Hold.DRIVING:
                self._port.halt('the dead-man was released')
            return verdict, nothing
        if before[0] is Hold.DRIVING and self.hold is Hold.LOST:
            self._say('The link to the driver was lost: let go, then press again.')
            self._port.halt('commands of the driver ended')
        if verdict is not Verdict.ACCEPTED:
            return verdict, nothing
        self._command = command_from_stick(
            message.x, message.y, self.limit, self._robot, self._config.steering, 0, message.side
        )
        self._send(now, 0.0)
        if self._dead_man.pressed_at != before[1]:
            # After the first command: once rearmed the gate must find the driver, nobody else.
            self._goal = False
            self._port.press()
        self.seats.drove(now)
        return verdict, self._command

    def tick(self, now: float) -> None:
        """Find out whether the driver is lost; bridge a command that is late."""
        if self._dead_man.lost_at(now):
            self._say('The link to the driver was lost: let go, then press again.')
            self._port.halt('commands of the driver ended')
        elif self.hold is Hold.DRIVING and now - self._sent >= self._config.dead_man.period:
            self._send(now, now - self._dead_man.heard_at)
        if self._goal and now - self._heard > self._config.watch_timeout:
            self._stop(Hold.IDLE, 'the driver was not heard on the way to a goal')
        before = self.seats.driver
        self.seats.tick(now, busy=self.hold is Hold.DRIVING)
        self._after_seat(before)

    def press_e_stop(self, pressed: bool, client: int) -> str:
        """Press or release the emergency stop; anyone may press, the driver releases.

        Returns:
            Why not, or nothing.
        """
        if not pressed and client != self.seats.driver:
            return 'only the driver may release the emergency stop'
        if pressed != self.e_stop:
            name = self.seats.name(client)
            self._say(f'Emergency stop {"pressed" if pressed else "released"} by {name}.')
        self.e_stop = pressed
        self._dead_man.spend()
        self._goal = False
        self._port.e_stop(pressed)
        return ''

    def rearm(self, client: int) -> str:
        """Allow motion after a stop that waits for a person.

        Returns:
            Why not, or nothing.
        """
        if client != self.seats.driver:
            return 'only the driver may rearm'
        # What is held now was held before the robot could move: press again to drive.
        self._dead_man.spend()
        self._port.rearm()
        return ''

    def halt(self, client: int) -> str:
        """Stop a drive to a goal; anyone may."""
        self._stop(Hold.IDLE, f'stopped by {self.seats.name(client)}')
        return ''

    def set_limit(self, client: int, value: float) -> str:
        """Set the top speed of the stick.

        Returns:
            Why not, or nothing.
        """
        if client != self.seats.driver:
            return 'only the driver may set the speed limit'
        self.limit = min(value, self.speed_cap)
        return ''

    def go_to(self, client: int, u: float, v: float, now: float) -> str:
        """Let the policy drive to a point of the picture.

        Returns:
            Why not, or nothing.
        """
        if client != self.seats.driver:
            return 'only the driver may set a goal'
        if self.e_stop:
            return 'the emergency stop is pressed'
        if self.hold is Hold.DRIVING:
            return 'let go of the stick first'
        if now - self._sent < COMES_TO_REST:
            # The gate has yet to miss the driver, and would drop the goal with it.
            return 'the robot is coming to rest: click again'
        refusal = self._port.go_to(u, v)
        self._goal, self._heard = not refusal, now
        return refusal

    def goal_ended(self) -> None:
        """The policy has arrived or given up."""
        self._goal = False

    def gate_latched(self, latched: str, now: float) -> None:
        """The gate waits for a person; if it does not hear the driver, the press is spent."""
        late = now - self._dead_man.pressed_at > PRESS_GRACE
        if latched == OPERATOR_LOST and self.hold is Hold.DRIVING and late:
            self._dead_man.spend(Hold.LOST)
            self._say('The gate lost the driver: let go, then press again.')

    def _send(self, now: float, age: float) -> None:
        """Publish; a bridged command claims at most `repeat` of age, so that the gate sees it."""
        self._sent = now
        # Past `repeat` the stamp stands still and the gate's own watchdog runs out by itself.
        self._port.drive(self._command, max(0.0, age - self._config.dead_man.repeat))

    def _stop(self, state: Hold, why: str) -> None:
        moving = self.hold is Hold.DRIVING or self._goal
        self._dead_man.spend(state)
        self._goal = False
        if moving:
            self._port.halt(why)

    def _after_seat(self, before: int | None) -> None:
        """A new driver starts with a dead-man of their own."""
        driver = self.seats.driver
        if driver == before:
            return
        if before is not None:
            self._stop(Hold.IDLE, 'the seat changed hands')
        self._dead_man = DeadMan(self._config.dead_man)
        if driver is not None:
            self._say(f'{self.seats.name(driver)} has the seat.')
