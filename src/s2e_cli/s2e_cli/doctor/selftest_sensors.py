"""The drivers that run on this ROS domain: cameras, odometry, scanners, depth, GPS receivers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from s2e_cli.doctor.check import Check

if TYPE_CHECKING:
    from s2e_nav.nodes.sensor_check import Heard

GROUP = 'selftest'
SECONDS = 6.0
"""How long drivers are listened to; discovery takes up to 3."""


def checks() -> Iterator[Check]:
    """Listen and say of each topic whether the nodes could use it."""
    from s2e_nav.nodes.sensor_check import listen

    for heard in listen(SECONDS):
        yield judge(heard)


def judge(heard: Heard) -> Check:
    """Say what came of one topic."""
    name = f'driver of {heard.topic}'
    if not heard.came:
        return Check(GROUP, name, 'skip', 'nobody publishes it on this ROS domain')
    if heard.usable:
        return Check(GROUP, name, 'ok', f'{heard.usable} of {heard.came} messages can be used')
    why = heard.problem or 'no static transform from its frame to base_link, or it is upside down'
    return Check(GROUP, name, 'fail', f'{heard.came} messages, none can be used: {why}',
                 'docs/robot.md, "What it needs"')
