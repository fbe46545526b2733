"""Keys of a real browser drive a robot that moves to a goal, and it stands there."""

from __future__ import annotations

import asyncio
import importlib.util
import math
import sys
import time
from pathlib import Path

import pytest

from s2e_core.robot import load_robot

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
    """The keys that a person would hold: turn towards the goal, then ahead."""
    x, y, heading = pose(robot)
    dx, dy = GOAL[0] - x, GOAL[1] - y
    if math.hypot(dx, dy) < NEAR:
        return set()
    off = math.remainder(math.atan2(dy, dx) - heading, math.tau)
    return {'KeyW'} if abs(off) < 0.3 else {'KeyA'} if off > 0 else {'KeyD'}


def test_keys_drive_to_a_goal(serve, tmp_path):
    async def test(bench):
        held: set[str] = set()
        deadline = time.monotonic() + driving_page.PATIENCE
        while keys := wanted(bench.robot):
            assert time.monotonic() < deadline, pose(bench.robot)
            if held and not await bench.tab.run(driving_page.HELD):
                # A busy machine has lost the driver: let go, and press anew.
                keys = set()
            for code in held - keys:
                await bench.tab.key('keyUp', code)
            for code in keys - held:
                await bench.tab.key('keyDown', code)
            held = keys
            await asyncio.sleep(0.02)
        for code in held:
            await bench.tab.key('keyUp', code)
        await bench.stands()

    # It turns on the spot: a car that missed the goal would drive round it.
    served = driving_page.in_browser(serve, tmp_path, test, robot=load_robot('turtlebot4'))
    x, y, _ = pose(served.robot)
    assert math.hypot(GOAL[0] - x, GOAL[1] - y) < 2 * NEAR
