"""What pairs of pictures say of a camera that is turned both ways."""

from __future__ import annotations

import pytest

from s2e_core.camera_trial import WITNESSES, CameraTrial
from s2e_core.image_motion import Fit

AGREES, MIRRORED, HELD = (0.8, 0.1, 0.2), (0.1, 0.8, 0.2), (0.1, 0.2, 0.8)
UNCLEAR = ((0.3, 0.2, 0.1), (0.5, 0.55, 0.1))
"""Too weak a match; and one that is not clearly better than odometry's."""


def trial(left=(), right=()) -> CameraTrial:
    """Show pairs of correlations while turning left and right."""
    made = CameraTrial()
    for turn, pairs in ((0.2, left), (-0.2, right)):
        for pair in pairs:
            made.add(Fit(turn, *pair))
    return made


@pytest.mark.parametrize(('pair', 'said'), [
    (AGREES, 'agrees'), (MIRRORED, 'mirrored'), (HELD, 'held'),
    (UNCLEAR[0], 'unclear'), (UNCLEAR[1], 'unclear'),
])
def test_what_fits_best_is_said(pair, said):
    assert Fit(0.2, *pair).says == said


def test_both_directions_are_wanted_and_the_unclear_does_not_count():
    assert trial().missing == 'left'
    assert trial([AGREES] * WITNESSES).missing == 'right'
    assert trial([AGREES] * WITNESSES, [UNCLEAR[0]] * 50).missing == 'right'
    assert trial([AGREES] * WITNESSES, [AGREES] * WITNESSES).missing == ''


@pytest.mark.parametrize(('pairs', 'said'), [
    ([AGREES] * 10, ''), ([AGREES] * 8 + [HELD] * 2, ''),
    ([AGREES] * 7 + [HELD] * 3, 'now with odometry, now not'),
    ([MIRRORED] * 9 + [AGREES], 'mirrored or upside down'), ([HELD] * 10, 'stands still'),
])
def test_four_of_five_decide(pairs, said):
    problem = trial(pairs, pairs).problem
    assert said in problem if said else problem == ''
