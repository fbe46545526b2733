"""Every fault, one after the other, with a table and a CSV of the measured times."""

from __future__ import annotations

import csv
import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from s2e_nav.errors import StartError
from s2e_nav.faults.cases import Bench, Case, in_simulator, selected
from s2e_nav.faults.domains import own_domain
from s2e_nav.faults.processes import PEERS, ask_for_priority, isolated_environment
from s2e_nav.faults.rig import Rig
from s2e_nav.faults.simulated import SimulatedWorld
from s2e_nav.faults.trial import AGAIN, Finding, run_case

COLUMNS = (
    'fault', 'reasons', 'ramp_ms', 'bound_ms', 'rest_ms', 'moves_again_after', 'verdict',
    'late_ms', 'attempts', 'note',
)


def run_faults(
    words: Sequence[str], tell: Callable[[Finding], None], world: SimulatedWorld | None = None
) -> list[Finding]:
    """Inject every fault whose name holds one of some words, or all of them.

    Args:
        words: Parts of names.
        tell: Called with each finding.
        world: What is simulated, or None for the robot of numbers.

    Raises:
        S2EError: No such fault, scene or policy, or the nodes do not come up.
    """
    cases = list(selected(list(words)))
    if not cases:
        raise StartError(f'no fault is called {" or ".join(words)}')
    if world is not None:
        world.check()
        cases = [in_simulator(case) for case in cases]
    ask_for_priority()
    findings = []
    for bench in dict.fromkeys(case.bench for case in cases):
        for finding in _run([case for case in cases if case.bench == bench], bench, world):
            tell(finding)
            findings.append(finding)
    return findings


def _run(
    cases: list[Case], bench: Bench, world: SimulatedWorld | None
) -> Iterator[Finding]:
    with own_domain() as domain:
        _isolate(domain)
        rig = _rig(domain, bench, world)
        try:
            for case in cases:
                finding = run_case(rig, case)
                if finding.untried:
                    # Seen once in some hundred runs on a starved machine, after a killed gate was
                    # started anew: whole nodes that no longer reach each other. That is told, and
                    # the fault is tried where they do.
                    rig.close()
                    rig = _rig(domain, bench, world)
                    finding = run_case(rig, case).after_new_bench(finding.problem)
                yield finding
        finally:
            rig.close()


def _isolate(domain: int) -> None:
    """Keep this process's own participants, from the first on, to themselves."""
    isolated = isolated_environment(domain)
    for name in ('FASTDDS_DEFAULT_PROFILES_FILE', *PEERS):
        os.environ.pop(name, None)
    os.environ.update(isolated)


def _rig(domain: int, bench: Bench, world: SimulatedWorld | None) -> Rig:
    return Rig(
        domain, sim_time=bench.sim_time, udp=bench.udp, chain=bench.chain, scan=bench.scan,
        world=world,
    )


def row(finding: Finding) -> dict[str, str]:
    """Return a finding as text by column."""
    case = finding.case
    return {
        'fault': case.name, 'reasons': ' '.join(finding.reasons),
        'ramp_ms': _ms(finding.ramp), 'bound_ms': _bound(case), 'rest_ms': _ms(finding.rest),
        'moves_again_after': AGAIN[case.after], 'verdict': finding.problem or 'held',
        'late_ms': _ms(finding.late), 'attempts': str(finding.attempts),
        'note': '; '.join(filter(None, (case.note, finding.note))),
    }


def write_csv(path: Path, findings: Sequence[Finding]) -> None:
    """Write the measured times."""
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(row(finding) for finding in findings)


def summary(findings: Sequence[Finding]) -> str:
    """Say in a line what held and how fast."""
    held = sum(finding.held for finding in findings)
    ramps = [f.ramp for f in findings if f.ramp is not None]
    middle = f'; stop ramp after {statistics.median(ramps) * 1e3:.0f} ms (median)' if ramps else ''
    return f'{held} of {len(findings)} faults held{middle}'


def _ms(seconds: float | None) -> str:
    return '' if seconds is None else f'{seconds * 1e3:.0f}'


def _bound(case: Case) -> str:
    return '' if case.after == 'drives' else f'{case.bound * 1e3:.0f}'
