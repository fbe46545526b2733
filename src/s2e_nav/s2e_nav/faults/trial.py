"""One fault from drive to verdict."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from dataclasses import dataclass

from s2e_nav.errors import StartError
from s2e_nav.faults.cases import Case
from s2e_nav.faults.rig import Rig
from s2e_nav.faults.trace import moved_again, ramp_begins, rest_begins

REST = 4.0
"""Longest wait for the robot to rest, seconds."""
REPORT = 4.0
"""Longest wait for the reason, and for the goal to be dropped, seconds."""
QUIET = 1.2
"""How long nothing may move once the fault is mended: health resumes after 1 s."""
PAUSE = 0.5
"""Length of a fault that ends by itself, seconds."""
HEALTHY = 0.95
"""Seconds of health that a resumed drive must have waited for: 1 s, less a camera period's
quantisation."""
GOES_ON = 0.6
"""How long a refused wish must leave the drive alone, seconds."""
LATE = 0.01
"""Delay of the robot's own loop, seconds, past which the machine was too busy to measure on: the
tightest watchdogs begin their ramp 8 ms before the bound."""
ATTEMPTS = 4
AGAIN = {
    'goal': 'a new goal', 'resume': '1 s of healthy input', 'drives': 'was not stopped',
    'press': 'the dead-man, pressed anew', 'free': 'the way is free',
}
"""What moves the robot again, in words."""
CREEP = 0.2
"""m/s that the gate allows within its margin of an obstacle, 0.05 m before the footprint meets it
(`swept_path`): a body that has come so near while it braked may speed up to that once more."""
STILL_GOOD = 0.25
"""Longest time for which good plans may follow a fault of the policy, seconds: a camera's period,
in which its word travels, and an answer's way. Later ones mean that the fault did not work."""


@dataclass(frozen=True)
class Finding:
    """What one fault led to."""

    case: Case
    reasons: list[str]
    ramp: float | None
    """Seconds from the last good stamp to the first command of the stop ramp."""
    rest: float | None
    """The same to rest."""
    problem: str
    """What is wrong, or nothing."""
    late: float
    """Longest delay of the robot's own loop meanwhile, seconds: the machine's share."""
    attempts: int = 1
    untried: bool = False
    """Whether there was no drive to break."""
    note: str = ''
    """What the bench has to say about it."""

    def after_new_bench(self, problem: str) -> Finding:
        """Return this finding with why the bench before it was given up."""
        return dataclasses.replace(self, note=f'the bench began anew: {problem}')

    @property
    def held(self) -> bool:
        """Whether everything was as it must be."""
        return not self.problem


def run_case(rig: Rig, case: Case) -> Finding:
    """Drive, break, measure, mend, watch; a busy machine gets another attempt.

    Raises:
        StartError: The robot has never driven: nothing can be tried on it.
    """
    attempt = 0
    while attempt < ATTEMPTS:
        attempt += 1
        try:
            rig.drive()
        except StartError as error:
            if not rig.has_driven:
                raise
            # The findings of before are worth more than an end here.
            finding = _not_tried(case, error)
            break
        rig.robot.late = 0.0
        try:
            finding = _drives_on(rig, case) if case.after == 'drives' else _stops(rig, case)
        except StartError as error:
            # The next drive begins elsewhere, where nothing may be in the way.
            finding = _not_tried(case, error)
            continue
        if finding.held or rig.robot.late <= LATE:
            break
    return dataclasses.replace(finding, late=rig.robot.late, attempts=attempt)


def _not_tried(case: Case, error: StartError) -> Finding:
    problem = f'could not be tried: {error}'
    return Finding(case, [], None, None, problem, 0.0, untried=True)


def _drives_on(rig: Rig, case: Case) -> Finding:
    """A wish that is refused changes nothing."""
    known = len(rig.faults)
    begun = time.monotonic()
    with contextlib.ExitStack() as stack:
        case.inject(rig, stack)
        said = rig.trace.wait(
            lambda: any(case.reasons[0] in fault for fault in rig.faults[known:]), REPORT
        )
        stopped = rig.trace.wait(
            lambda: rest_begins(rig.trace.since(begun)) is not None, GOES_ON
        )
    reasons = [fault.partition(':')[0] for fault in dict.fromkeys(rig.faults[known:])]
    problem = 'the drive was stopped' if stopped else '' if said else 'nothing was reported'
    return Finding(case, reasons, None, None, problem, 0.0)


def _stops(rig: Rig, case: Case) -> Finding:
    with contextlib.ExitStack() as stack:
        good = case.inject(rig, stack)
        begun, before = time.monotonic(), 0.0
        cruise = rig.trace.since(begun - 0.2)
        before = min((sent.v for sent in cruise if sent.moves), default=0.5)
        since = good - 0.001
        rested = rig.trace.wait(lambda: _rest(rig, case, since) is not None, REST)
        last = max(good, rig.planned) if case.plans else good
        if case.after == 'resume':
            # The fault's length is the fault: it ends half a second after it began.
            rig.trace.wait(lambda: time.monotonic() - good >= PAUSE, PAUSE)
        elif case.gate_alive:
            holds = case.after == 'free'
            rig.trace.wait(
                lambda: (holds or rig.is_latched(since)) and _is_told(rig, case, since), REPORT
            )
    mended = time.monotonic()
    problem = '' if rested else 'the robot did not come to rest'
    problem = problem or _watch(rig, case, mended)
    sent, rest = rig.trace.since(since), _rest(rig, case, since)
    creep = CREEP if case.after == 'free' else 0.0
    ramp = ramp_begins(sent, before, creep) if case.gate_alive else None
    rig.trace.wait(lambda: _is_told(rig, case, since), REPORT)
    if last - good > STILL_GOOD:
        problem = problem or f'good plans came for another {last - good:.2f} s'
    return _judge(case, last, ramp, rest, problem, rig.reasons(since))


def _rest(rig: Rig, case: Case, since: float) -> float | None:
    """When the robot came to rest: by command, or by the base's own time-out."""
    if case.gate_alive:
        return rest_begins(rig.trace.since(since))
    return rig.robot.rested_at if rig.robot.rested_at > since and not rig.robot.moves else None


def _is_told(rig: Rig, case: Case, since: float) -> bool:
    return any(reason in case.reasons for reason in rig.reasons(since))


def _watch(rig: Rig, case: Case, mended: float) -> str:
    """Hold the robot to what may move it again."""
    def motion() -> float | None:
        return moved_again(rig.trace.since(mended), mended)

    if case.after in ('goal', 'press'):
        if rig.trace.wait(lambda: motion() is not None, QUIET):
            return f'it moved again without {AGAIN[case.after]}'
        if case.after == 'goal':
            return ''
        rig.admit_driver()
        return '' if rig.trace.wait(lambda: motion() is not None, REPORT) else 'it did not resume'
    if not rig.trace.wait(lambda: motion() is not None, REPORT):
        return 'it did not resume'
    if case.after == 'free':
        return ''
    waited = (motion() or mended) - mended
    return '' if waited >= HEALTHY else f'it resumed after {waited:.2f} s of health'


def _judge(
    case: Case, good: float, ramp: float | None, rest: float | None, problem: str,
    reasons: list[str],
) -> Finding:
    measured = ramp if case.gate_alive else rest
    if not problem and not any(reason in case.reasons for reason in reasons):
        problem = f'reported {", ".join(reasons) or "nothing"}, not {" or ".join(case.reasons)}'
    if not problem and measured is None:
        problem = 'no stop was found among the commands'
    if not problem and measured is not None and measured - good > case.bound:
        problem = f'{(measured - good) * 1e3:.0f} ms, bound {case.bound * 1e3:.0f}'
    return Finding(
        case, reasons, None if ramp is None else ramp - good,
        None if rest is None else rest - good, problem, 0.0,
    )
