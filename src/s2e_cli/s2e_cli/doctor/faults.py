"""Injects faults into the real nodes and measures how fast the robot stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from s2e_cli.doctor.check import Check

if TYPE_CHECKING:
    from s2e_nav.faults.trial import Finding

GROUP = 'faults'
BUSY = 0.04
"""Delay of the robot's own loop, seconds, past which a miss says more about the machine."""


def inject(
    names: Sequence[str], csv: Path | None, tell: Callable[[str], None],
    scene: str | None = None, policy: str = 's2e-small',
) -> Iterator[Check]:
    """Inject faults and judge each.

    Args:
        names: Parts of the names of faults; all when empty.
        csv: File for the measured times, or None.
        tell: Shows what has been found so far.
        scene: Scene of the simulator that is the robot, or None for the robot of numbers.
        policy: What drives in a scene.

    Raises:
        S2EError: No such fault, scene or policy, or the nodes do not come up.
    """
    from s2e_nav.faults.run import run_faults, summary, write_csv
    from s2e_nav.faults.simulated import SimulatedWorld

    def on_finding(finding: Finding) -> None:
        tell(f'{finding.case.name}: {finding.problem or "held"}')

    world = SimulatedWorld(scene, policy) if scene is not None else None
    findings = run_faults(names, on_finding, world)
    for finding in findings:
        yield _check(finding)
    if csv is not None:
        write_csv(csv, findings)
    held = all(finding.held for finding in findings)
    yield Check(GROUP, 'summary', 'ok' if held else 'fail', summary(findings))


def _check(finding: Finding) -> Check:
    case, measured = finding.case, finding.ramp if finding.case.gate_alive else finding.rest
    what = 'stop ramp' if case.gate_alive else 'at rest'
    if case.after == 'drives':
        text = 'refused, the drive went on'
    elif measured is None:
        text = 'no stop'
    else:
        text = f'{what} after {measured * 1e3:.0f} ms (bound {case.bound * 1e3:.0f})'
    text += f'; {" ".join(finding.reasons)}' + (f'; {finding.note}' if finding.note else '')
    if finding.held:
        return Check(GROUP, case.name, 'ok', text)
    fix = 'do not drive this robot'
    if finding.late > BUSY:
        fix = f'the machine was busy ({finding.late * 1e3:.0f} ms late): try again when it is idle'
    return Check(GROUP, case.name, 'fail', f'{finding.problem}; {text}', fix)
