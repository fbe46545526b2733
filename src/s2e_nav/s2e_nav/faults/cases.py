"""Every fault: how it is made, how fast the robot must stop, what may move it again."""

from __future__ import annotations

import dataclasses
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal

from nav2_msgs.action import NavigateToPose
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters

from s2e_nav.convert.poses import goal_message
from s2e_nav.errors import StartError
from s2e_nav.faults.rig import CRUISE, PATIENCE, PATIENT, STEADY, Rig
from s2e_nav.faults.simulated import BRAKING
from s2e_nav.navigation.codes import Code

FAST = 0.3
"""Seconds from the last good stamp to the stop ramp, at most (docs/safety.md)."""
SLOWEST_TURN = 0.1
"""rad/s; slower ones are not compared with pictures, and a policy's straight drive has some."""
After = Literal['goal', 'resume', 'drives', 'press', 'free']
"""What may move the robot again: a new goal, a second of health, nothing where it never stopped,
the dead-man, pressed anew, or a way that is free."""
Inject = Callable[[Rig, ExitStack], float]
"""Makes the fault; returns the steady clock of the last good input, or of the fault, seconds.
Whatever is to be undone goes to the stack."""


@dataclass(frozen=True)
class Bench:
    """What the nodes run in."""

    sim_time: bool = False
    """Whether on the robot's /clock."""
    udp: bool = False
    """Whether they talk over UDP alone: shared memory cannot be cut."""
    chain: bool = False
    """Whether a smoother and a monitor come before the gate."""
    scan: bool = False
    """Whether a range scanner tells the gate what is in the way."""


CLOCKED, CUT = Bench(sim_time=True), Bench(udp=True)
CHAINED, SCANNED = Bench(chain=True), Bench(scan=True)


@dataclass(frozen=True)
class Case:
    """One fault."""

    name: str
    inject: Inject
    reasons: tuple[str, ...]
    """What must be reported, one of them."""
    bound: float = FAST
    """Seconds from the last good stamp to the ramp; to rest where the gate is the victim."""
    after: After = 'goal'
    gate_alive: bool = True
    """Whether there is a gate to begin a ramp."""
    bench: Bench = Bench()
    note: str = ''
    """Why the bound is another."""
    plans: bool = False
    """Whether the last good input is the last plan that moves: one may still come while the word
    of the fault is on its way to the policy."""


def camera(**changes: Any) -> Inject:
    """Break the camera."""
    return _sabotage('camera', changes)


def odometry(**changes: Any) -> Inject:
    """Break odometry."""
    return _sabotage('odometry', changes)


def _sabotage(what: str, changes: dict[str, Any]) -> Inject:
    def inject(rig: Rig, stack: ExitStack) -> float:
        stack.callback(rig.heal)
        for name, value in changes.items():
            setattr(rig.robot.sabotage, name, value)
        return rig.robot.senses.last_good[what]

    return inject


def model(mode: str) -> Inject:
    """Break the model; the last good stamp is the last plan that moved."""

    def inject(rig: Rig, stack: ExitStack) -> float:
        stack.callback(rig.heal)
        rig.break_model(mode)
        return rig.planned

    return inject


def freeze(name: str) -> Inject:
    """Stop a process, and let it go on afterwards."""

    def inject(rig: Rig, stack: ExitStack) -> float:
        stack.callback(rig.processes.send, name, signal.SIGCONT)
        rig.processes.send(name, signal.SIGSTOP)
        return _last_sign(rig, name)

    return inject


def kill(name: str) -> Inject:
    """Kill a process, and start it anew afterwards."""

    def inject(rig: Rig, stack: ExitStack) -> float:
        stack.callback(_start_anew, rig, name)
        rig.processes.kill(name)
        return _last_sign(rig, name)

    return inject


def cut_off(name: str) -> Inject:
    """Cut a process off the network; afterwards it is started anew."""

    def inject(rig: Rig, stack: ExitStack) -> float:
        def replace() -> None:
            rig.processes.kill(name)
            _start_anew(rig, name)

        stack.callback(replace)
        rig.processes.cut_off(name)
        return _last_sign(rig, name)

    return inject


def _start_anew(rig: Rig, name: str) -> None:
    rig.forget(name)
    rig.processes.start(name)
    rig.wait_ready()


def driver(fault: str) -> Inject:
    """Let a person drive, and lose them; afterwards their commands come again."""

    def inject(rig: Rig, stack: ExitStack) -> float:
        broken = rig.robot.sabotage
        broken.driver = 'drives'
        rig.wait(lambda: rig.source == 'teleop', PATIENCE, 'a person drives')
        rig.wait(lambda: rig.trace.is_cruising(CRUISE, STEADY), PATIENCE, 'the person drives on')
        stack.callback(setattr, broken, 'driver', 'drives')
        broken.driver = fault
        return rig.robot.senses.last_good['driver']

    return inject


def mirrored_bend(rig: Rig, stack: ExitStack) -> float:
    """Mirror the camera, which a straight drive does not show, and drive a bend to the left."""
    stack.callback(rig.heal)
    rig.robot.sabotage.image = 'mirrored'
    rig.send_goal(bend=True)
    begun = time.monotonic()

    def turned() -> bool:
        return any(sent.w > SLOWEST_TURN for sent in rig.trace.since(begun))

    rig.wait(turned, PATIENCE, 'the robot turns left')
    return next(sent.time for sent in rig.trace.since(begun) if sent.w > SLOWEST_TURN)


def out_of_reach(rig: Rig, stack: ExitStack) -> float:
    """Ask a car for the middle of its tightest circle; returns when it gives up."""
    goal = NavigateToPose.Goal(pose=goal_message(rig.place(0.0, 0.7), 0, 'odom'))
    begun = time.monotonic()
    rig.wait(rig.action.server_is_ready, PATIENCE, 'navigate_to_pose is there')
    sent = rig.action.send_goal_async(goal)
    rig.wait(sent.done, PATIENCE, 'the goal is accepted')
    result = sent.result().get_result_async()
    rig.wait(result.done, 4 * PATIENT, 'it gives up')
    code = int(result.result().result.error_code)
    if code != Code.NO_PROGRESS:
        # In a scene a wall may be in the way of the circle.
        raise StartError(f'the goal ended with error code {code}')
    name = Code.NO_PROGRESS.name
    rig.wait(lambda: name in rig.reasons(begun), PATIENCE, 'the reason is said')
    return next(word.time for word in rig.words if word.time > begun and word.reason == name)


def _last_sign(rig: Rig, name: str) -> float:
    if name == 'policy':
        return rig.planned
    return max((sent.time for sent in rig.trace.since(0.0)), default=time.monotonic())


def e_stop(pressed: bool) -> Inject:
    """Press the button, or let its heartbeat end."""

    def inject(rig: Rig, stack: ExitStack) -> float:
        def release() -> None:
            rig.robot.sabotage.e_stop = False

        stack.callback(release)
        # The heartbeat goes on from here to the end: once seen it must.
        rig.robot.sabotage.e_stop = False
        sent = rig.robot.senses.heartbeats
        # A robot that drives already would die before its first one.
        rig.wait(lambda: rig.robot.senses.heartbeats > sent + 1, PATIENCE, 'the e-stop speaks')
        rig.drive()
        rig.robot.sabotage.e_stop = True if pressed else None
        return time.monotonic()

    return inject


def intruder(rig: Rig, stack: ExitStack) -> float:
    """Open cmd_vel a second time."""
    stack.enter_context(rig.second_publisher())
    return time.monotonic()


def cancelled_action(rig: Rig, stack: ExitStack) -> float:
    """Drive by the action and cancel it."""
    rig.wait(rig.action.server_is_ready, PATIENCE, 'navigate_to_pose is there')
    goal = NavigateToPose.Goal(pose=goal_message(rig.robot.goal(), 0, 'odom'))
    sent = rig.action.send_goal_async(goal)
    rig.wait(sent.done, PATIENCE, 'the goal is accepted')
    rig.wait(lambda: rig.trace.is_cruising(CRUISE, STEADY), PATIENCE, 'the action drives')
    begun = time.monotonic()
    sent.result().cancel_goal_async()
    return begun


def goal_on_mars(rig: Rig, stack: ExitStack) -> float:
    """Ask for a goal in a frame that nothing connects to odom."""
    rig.send_goal('mars')
    return time.monotonic()


def nonsense_parameter(rig: Rig, stack: ExitStack) -> float:
    """Set limits to nonsense at run time."""
    for service, name in (
        ('gate/set_parameters', 'gate.speed_cap'),
        ('policy/set_parameters', 'navigator.goal_tolerance'),
    ):
        client: Any = rig.node.create_client(SetParameters, service)
        rig.wait(client.service_is_ready, PATIENCE, f'{service} is there')
        value = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=-1e9)
        request = SetParameters.Request(parameters=[Parameter(name=name, value=value)])
        future: Any = client.call_async(request)
        rig.wait(future.done, PATIENCE, f'{service} answers')
        answer = future.result().results[0]
        if not answer.successful:
            rig.faults.append(f'parameter refused: {answer.reason}')
    return time.monotonic()


STALE_CAMERA = ('camera_stale', 'plan_stale')
"""Without images no plans, and a policy that is gone neither plans nor hears images."""
STOPPED_CLOCK = ('plan_stale', 'odometry_stale', 'camera_stale', 'command_stale')
TURNS = 'from the first command to turn; picture and odometry must agree within 1 s'
STAND_INS = "stand-ins for Nav2's, set as in docs/robot.md"
BRAKES = "the base's own time-out of 0.5 s, and the way to rest of a body"
GENTLE = "from the first command to turn; a policy's bends are gentle, at 0.1 rad/s it takes 1.6 s"
AGREE = 'command and odometry must agree within 1 s'

CASES = (
    Case('camera killed', camera(image='off', info=False), STALE_CAMERA),
    Case('camera paused 0.5 s', camera(image='off', info=False), STALE_CAMERA, after='resume'),
    Case('images end, camera_info goes on', camera(image='off'), STALE_CAMERA),
    Case('camera frozen, new stamps', camera(image='frozen'), ('CAMERA_FAILED',)),
    Case('camera black', camera(image='black'), ('CAMERA_FAILED',)),
    Case('camera mirrored, in a bend', mirrored_bend, ('CAMERA_FAILED',), 1.3, note=TURNS),
    Case('encoding changed to 16UC1', camera(image='encoding'), ('CAMERA_FAILED',)),
    Case('image size changed', camera(image='size'), ('CAMERA_FAILED',)),
    Case('image stamps 5 s in the past', camera(camera_shift=-5.0), STALE_CAMERA),
    Case('image stamps 5 s in the future', camera(camera_shift=5.0), ('future_stamp',)),
    Case('camera at half its rate', camera(camera_every=2), ('camera_slow',), 0.7,
         note='a rate shows after three images; each gap alone is allowed'),
    Case('odometry killed', odometry(odometry='off'), ('odometry_stale',), 0.2),
    Case('odometry paused 0.5 s', odometry(odometry='off'), ('odometry_stale',), 0.2,
         after='resume'),
    Case('odometry frozen, new stamps', odometry(odometry='frozen'), ('odometry_frozen',),
         1.1, note=AGREE),
    Case('odometry jumps by 3 m', odometry(odometry='jump'), ('odometry_jump',), 0.2),
    Case('odometry not a number', odometry(odometry='nan'), ('odometry_invalid',), 0.2),
    Case('odometry stamps 5 s in the past', odometry(odometry_shift=-5.0),
         ('odometry_stale', 'odometry_invalid'), 0.2),
    Case('odometry stamps 5 s in the future', odometry(odometry_shift=5.0),
         ('future_stamp',), 0.2),
    Case('model raises', model('raise'), ('POLICY_FAILED',), plans=True),
    Case('model answers NaN', model('nan'), ('POLICY_FAILED',), plans=True),
    Case('model answers 100 times too far', model('nonsense'), ('POLICY_FAILED',), plans=True),
    Case('model sleeps 2.5 s', model('sleep'), ('plan_stale',), plans=True),
    Case('policy frozen (SIGSTOP)', freeze('policy'), STALE_CAMERA, plans=True),
    Case('follower frozen (SIGSTOP)', freeze('follower'), ('command_stale',), 0.2),
    Case('follower frozen behind a smoother and a monitor', freeze('follower'),
         ('command_stale', 'no_command'), 0.2, bench=CHAINED, note=STAND_INS),
    Case('policy killed (SIGKILL)', kill('policy'), STALE_CAMERA, plans=True),
    Case('gate frozen (SIGSTOP)', freeze('gate'), ('gate_frozen',), 0.6, gate_alive=False,
         note="the base's own time-out of 0.5 s is the proof"),
    Case('gate killed (SIGKILL)', kill('gate'), ('no_goal',), 0.6, gate_alive=False,
         note="the base's own time-out of 0.5 s is the proof"),
    Case('scanner killed', _sabotage('scan', {'scan': 'off'}), ('obstacles_stale',),
         bench=SCANNED),
    Case('something steps before the nose', _sabotage('scan', {'scan': 'near'}), ('obstacle',),
         after='free', bench=SCANNED),
    Case('policy cut off the network', cut_off('policy'), STALE_CAMERA, plans=True,
         bench=CUT),
    Case('follower cut off the network', cut_off('follower'), ('command_stale',), 0.2,
         bench=CUT),
    Case('gate cut off the network', cut_off('gate'), ('no_goal',), 0.6, gate_alive=False,
         bench=CUT, note="the base's own time-out of 0.5 s is the proof"),
    Case('driver lost', driver('lost'), ('operator_lost',), 0.2, after='press'),
    Case("driver's commands held back, then all at once", driver('held'), ('operator_lost',),
         0.2, after='press'),
    Case('action cancelled', cancelled_action, ('CANCELED',)),
    Case('goal out of reach', out_of_reach, ('NO_PROGRESS',), note='from the end of the goal'),
    Case('goal in an unknown frame', goal_on_mars, ('goal refused',), after='drives'),
    Case('parameters set to nonsense', nonsense_parameter, ('parameter refused',),
         after='drives'),
    Case('a second publisher on cmd_vel', intruder, ('second_publisher',)),
    Case('e-stop pressed', e_stop(True), ('e_stop',)),
    Case('e-stop publisher dies', e_stop(False), ('e_stop_lost',)),
    Case('/clock stops', _sabotage('odometry', {'clock': False}), STOPPED_CLOCK,
         bench=CLOCKED),
    Case('/clock set back by 5 s', _sabotage('odometry', {'clock_shift': -5.0}),
         ('clock_jump',), bench=CLOCKED),
)

IN_SIMULATOR: dict[str, dict[str, Any]] = {
    'camera mirrored, in a bend': {'bound': 2.0, 'note': GENTLE},
}
"""What differs where the simulator is the robot, by the name of the case."""


def in_simulator(case: Case) -> Case:
    """Return a case as it is tried with the simulator as the robot, whose clock is /clock."""
    bench = dataclasses.replace(case.bench, sim_time=True)
    changes = dict(IN_SIMULATOR.get(case.name, {}))
    if not case.gate_alive:
        # What it takes the base to rest is the world's: a body brakes, numbers do not.
        changes = {'bound': round(case.bound + BRAKING, 3), 'note': BRAKES}
    return dataclasses.replace(case, bench=bench, **changes)


def selected(words: list[str]) -> Iterator[Case]:
    """Return the cases whose name holds one of some words, or all."""
    for case in CASES:
        if not words or any(word.lower() in case.name.lower() for word in words):
            yield case
