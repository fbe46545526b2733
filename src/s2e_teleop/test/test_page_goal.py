"""Keys of a real browser drive a robot that moves to a goal, and it stands there."""

from __future__ import annotations

import asyncio
import importlib.util
import math
import sys
from pathlib import Path

import pytest

PATH = Path(__file__).parent / 'driving_page.py'
spec = importlib.util.spec_from_file_location('driving_page', PATH)
driving_page = importlib.util.module_from_spec(spec)
sys.modules['driving_page'] = driving_page
spec.loader.exec_module(driving_page)

pytestmark = pytest.mark.skipif(
    driving_page.browser.find() is None,
    reason='no Chromium here: apt-get install chromium, or name one in S2E_CHROMIUM',
)

GOAL = (0.6, 0.35)
NEAR = 0.2
"""Metres from the goal that count."""


def pose(robot) -> tuple[float, float, float]:
    """Where the robot is: each velocity holds until the next one, or its halt."""
    x = y = heading = v = w = 0.0
    before = None
    for at, kind, value in list(robot.calls):
        if kind not in ('drive', 'halt'):
            continue
        if before is not None:
            # A velocity holds for 0.2 s at most; then the gate would have stopped the robot.
            seconds = min(at - before, 0.2)
            x += v * math.cos(heading) * seconds
            y += v * math.sin(heading) * seconds
            heading += w * seconds
        v, w = value[:2] if kind == 'drive' else (0.0, 0.0)
        before = at
    return x, y, heading


def wanted(robot) -> set[str]:
    """The keys that a person would hold."""
    x, y, heading = pose(robot)
    dx, dy = GOAL[0] - x, GOAL[1] - y
    if math.hypot(dx, dy) < NEAR:
        return set()
    off = math.remainder(math.atan2(dy, dx) - heading, math.tau)
    turn = set() if abs(off) < 0.1 else {'KeyA'} if off > 0 else {'KeyD'}
    return {'KeyW'} | turn


def test_keys_drive_to_a_goal(serve, tmp_path):
    async def test(bench):
        held: set[str] = set()
        while keys := wanted(bench.robot):
            for code in keys - held:
                await bench.tab.key('keyDown', code)
            for code in held - keys:
                await bench.tab.key('keyUp', code)
            held = keys
            await asyncio.sleep(0.02)
        for code in held:
            await bench.tab.key('keyUp', code)
        await bench.stands()

    served = driving_page.in_browser(serve, tmp_path, test)
    x, y, _ = pose(served.robot)
    assert math.hypot(GOAL[0] - x, GOAL[1] - y) < 2 * NEAR
