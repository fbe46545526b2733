"""Commands over a bad link."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from navbench_gs.runner.conditions import Conditions
from navbench_gs.runner.link import CommandLink
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.records import Command
from s2e_core.se2 import Pose2

TICK = 50_000_000
SPEC = EpisodeSpec(
    'yard', 'yard', 'coco', 'empty', 0, 3, Pose2(0.0, 0.0, 0.0), (6.0, 0.0), 6.0, 6.0, False, 40.0,
)


def ages(conditions: Conditions, ticks: int = 2000) -> list[int]:
    """Ticks by which the newest arrived command is old, at each tick from the first arrival."""
    link = CommandLink(conditions, SPEC)
    found = []
    for tick in range(ticks):
        arrived = link(tick * TICK, Command(tick * TICK, 1.0, 0.0))
        if arrived.stamp_ns >= 0:
            found.append(tick - arrived.stamp_ns // TICK)
    return found


def test_nothing_uneven_arrives_at_once() -> None:
    assert not Conditions(latency=0.4).uneven
    assert set(ages(Conditions())) == {0}


def test_lost_commands_leave_the_last_one() -> None:
    """With half of them lost the age is geometric: P(age >= k) = 0.5^k, mean 1."""
    found = np.array(ages(Conditions(command_loss=0.5)))
    assert found.mean() == pytest.approx(1.0, abs=0.15)
    assert (found >= 3).mean() == pytest.approx(0.125, abs=0.04)


def test_what_is_sent_again_holds_up_what_follows() -> None:
    """A loss is 0.2 s late: four ticks in which nothing arrives, then all at once."""
    found = ages(Conditions(command_loss=0.02, retransmit=0.2))
    assert max(found) == 4
    assert 0 in found
    # From 4 it falls to 0, as the queue behind comes with it, unless one of those is lost too:
    # 0.98^5 = 0.90.
    after = [b for a, b in pairwise(found) if a == 4]
    assert np.mean(np.array(after) == 0) > 0.75


def test_jitter_by_its_distribution() -> None:
    """|N(0, 0.1 s)|: half of the single delays are under 0.067 s; order makes it no less."""
    found = np.array(ages(Conditions(jitter=0.1)))
    assert 0.5 < found.mean() < 4.0
    # In order: the age rises by one a tick at most.
    assert np.diff(found).max() <= 1


def test_the_same_fate_in_each_run() -> None:
    bad = Conditions(jitter=0.05, command_loss=0.1)
    assert ages(bad) == ages(bad)
