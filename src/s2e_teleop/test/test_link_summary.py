"""A run's link from its samples, by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from s2e_teleop.journal import LinkSample
from s2e_teleop.study.link_summary import summarise_link


def sample(**values: Any) -> LinkSample:
    zero = dict.fromkeys(LinkSample.__dataclass_fields__, 0)
    return LinkSample(**{**zero, 'driver': True, 'client': 1, **values})


def test_medians_and_growth_of_whoever_drove() -> None:
    """A watcher's sample is left out; page 2 replaces page 1 and counts from its own start."""
    found = summarise_link([
        sample(round_trip=0.1, command_age=0.05, glass_to_glass=0.1, frame_rate=10.0,
               commands=100, refused=10, lost_up=3),
        sample(driver=False, client=9, round_trip=9.0, commands=5000),
        sample(round_trip=0.3, command_age=math.nan, glass_to_glass=0.3, frame_rate=20.0,
               commands=160, refused=30, lost_up=5, lost_down=1),
        sample(client=2, round_trip=0.2, command_age=0.07, glass_to_glass=0.2, frame_rate=10.0,
               commands=7, refused=0),
        sample(client=2, round_trip=0.2, command_age=0.09, glass_to_glass=0.2, frame_rate=10.0,
               commands=27, refused=0),
    ])
    assert found.round_trip == pytest.approx(0.2) and found.command_age == pytest.approx(0.07)
    assert found.refused == pytest.approx(20 / (60 + 20 + 20)) and found.lost == 3
    # 0.5 / 10 Hz + 0.2 + 0.07
    assert found.delay == pytest.approx(0.32)


def test_of_nobody_nothing_is_known() -> None:
    nobody = summarise_link([sample(driver=False, round_trip=0.1)])
    assert math.isnan(nobody.round_trip) and math.isnan(nobody.refused)
    assert nobody.lost == 0 and math.isnan(nobody.delay)
