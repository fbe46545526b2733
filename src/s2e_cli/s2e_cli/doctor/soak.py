"""Drives the robot's nodes for a long time and says whether anything grew or slowed down."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path

from s2e_cli.doctor.check import Check

GROUP = 'soak'
PAGE = 'soak.html'


def soak(
    minutes: float, policy: str, robot: str, out: Path | None, tell: Callable[[str], None]
) -> Iterator[Check]:
    """Drive from goal to goal, watch the processes, judge.

    Args:
        minutes: Length.
        policy: Bundle by name or path.
        robot: Profile by name or path.
        out: Folder for table, page and logs; `runs/soak-<time>` if none is given.
        tell: Shows how it goes.

    Raises:
        S2EError: The folder is not empty, or the nodes do not come up.
    """
    from s2e_cli.doctor.soak_page import render
    from s2e_nav.soak.run import SoakConfig, run_soak

    config = SoakConfig(minutes=minutes, policy=policy, robot=robot)
    stamp = datetime.datetime.now().strftime('%Y%m%d-%H%M%S')
    folder = (out or Path('runs') / f'soak-{stamp}').absolute()
    result = run_soak(config, folder, tell)
    for verdict in result.verdicts:
        yield Check(GROUP, verdict.name, verdict.level, verdict.text, verdict.fix)
    page = folder / PAGE
    page.write_text(render(config, result), encoding='utf-8')
    yield Check(GROUP, 'page', 'ok', str(page))
