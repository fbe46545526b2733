"""How often samples are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from s2e_core.errors import ConfigError
from s2e_training.data.draws import DrawWeights
from s2e_training.pretrain.config import PretrainConfig


def straight(speed: float, bearing: float = 0.0) -> np.ndarray:
    """Waypoints on a ray. [10, 2]"""
    along = speed * 0.2 * np.arange(1, 11)
    return np.stack([np.cos(bearing) * along, np.sin(bearing) * along], axis=1)


def test_turning_and_slow_labels_weigh_more() -> None:
    plans = np.stack([
        straight(1.2), straight(1.2, 0.25), straight(1.2, -2.0), straight(0.0), straight(0.5),
        straight(0.5, 0.5),
    ])
    weight = DrawWeights(turn=2.0, brake=3.0).of(plans, np.zeros(6, int))
    # 1; 1 + 2 * 0.25 / 0.5; 1 + 2; 1 + 3; 1 + 3 * (1 - 0.5); 1 + 2 + 3 * 0.5
    np.testing.assert_allclose(weight, [1.0, 2.0, 3.0, 4.0, 2.5, 4.5])


def test_the_default_draws_all_alike() -> None:
    plans = np.stack([straight(1.2, 1.0), straight(0.0)])
    np.testing.assert_array_equal(DrawWeights().of(plans, np.zeros(2, int)), [1.0, 1.0])


def test_shares_hold_whatever_the_folders_hold() -> None:
    # Clips 0 and 1 are rendered, clip 2 is real; the real sample turns and weighs 3.
    plans = np.stack([straight(1.2), straight(1.2, 0.25), straight(1.2, 0.6)])
    weights = DrawWeights(turn=2.0, folders=(0, 0, 1), shares=(0.75, 0.25))
    # Rendered: (1, 2) of 3 share 0.75; real: alone with 0.25.
    np.testing.assert_allclose(weights.of(plans, np.array([0, 1, 2])), [0.25, 0.5, 0.25])


@pytest.mark.parametrize('mix', [(0.5,), (0.5, 0.0), (0.5, -1.0), (0.2, 0.3, 0.5)])
def test_a_mix_needs_one_positive_share_a_folder(mix: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match='mix must be 2 positive shares'):
        PretrainConfig(name='x', clips=('a', 'b'), validation=('c',), mix=mix)
    PretrainConfig(name='x', clips=('a', 'b'), validation=('c',), mix=(0.5, 0.5))
