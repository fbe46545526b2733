"""Obstacles and people: picture and physical shape agree."""

from __future__ import annotations

import numpy as np
import pytest

from navbench_gs.errors import SceneError
from navbench_gs.scenes.objects import KINDS, make_obstacle, make_person
from navbench_gs.scenes.surfels import cross


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('seed', [0, 1, 2])
def test_obstacle_looks_like_its_body(kind: str, seed: int) -> None:
    """Splats lie inside the body's footprint, reach its sides and stand on the floor."""
    made = make_obstacle(kind, np.random.default_rng(seed))
    means = made.cloud.means.astype(np.float64)
    if made.shape == 'box':
        half = np.array(made.size[:2])
        assert (np.abs(means[:, :2]) <= half + 0.03).all()
        assert (np.abs(means[:, :2]).max(axis=0) > 0.7 * half).all()
        height = 2.0 * made.size[2]
    else:
        reach = np.linalg.norm(means[:, :2], axis=1)
        # A cone's square foot reaches past its cylinder in the corners: 1.42 of its half side.
        limit = 1.45 if kind == 'cone' else 1.05
        assert reach.max() <= limit * made.size[0] + 0.02
        assert reach.max() > 0.8 * made.size[0]
        height = 2.0 * made.size[1]
    assert means[:, 2].min() > -0.03
    assert 0.85 * height < means[:, 2].max() < height + 0.06
    assert 1.0 <= made.mass <= 100.0
    assert made.pushable == (made.mass <= 15.0)


@pytest.mark.parametrize('kind', KINDS)
def test_same_seed_same_obstacle(kind: str) -> None:
    """Equal seeds give equal splats, different seeds do not."""
    first, again, other = (make_obstacle(kind, np.random.default_rng(s)) for s in (5, 5, 6))
    assert np.array_equal(first.cloud.means, again.cloud.means)
    assert np.array_equal(first.cloud.sh, again.cloud.sh)
    assert first.cloud.means.shape != other.cloud.means.shape or not np.array_equal(
        first.cloud.sh, other.cloud.sh
    )


def test_unknown_kind_is_refused() -> None:
    """The message lists the kinds."""
    with pytest.raises(SceneError, match='bollard'):
        make_obstacle('piano', np.random.default_rng(0))


@pytest.mark.parametrize('seed', range(6))
def test_person_walks(seed: int) -> None:
    """Stature, splat count, and feet on the floor in every pose; legs swing, arms too."""
    person = make_person(np.random.default_rng(seed))
    assert 1.6 <= person.height <= 1.9 and person.radius == 0.25
    assert len(person.poses) >= 8
    reach = []
    for pose in (*person.poses, person.standing):
        assert 1000 <= len(pose) <= 3000
        low, high = pose.means[:, 2].min(), pose.means[:, 2].max()
        assert -0.03 < low < 0.08
        assert high == pytest.approx(person.height, abs=0.08)
        assert np.abs(pose.means[:, 1]).max() < 0.40
        ankles = pose.means[pose.means[:, 2] < 0.15]
        reach.append(float(np.ptp(ankles[:, 0])))
    # Stride: both feet 0.3 m apart in passing (shoe length), over 0.5 m at full spread.
    assert max(reach[:-1]) > 0.5
    assert reach[-1] < 0.35


def test_phase_wraps_and_none_stands() -> None:
    """Phase 1.25 is phase 0.25; None is the standing pose; half a cycle mirrors the legs."""
    person = make_person(np.random.default_rng(1))
    assert person.frame(1.25) is person.frame(0.25)
    assert person.frame(None) is person.standing
    assert person.frame(0.0) is not person.frame(0.5)
    mirrored = person.frame(0.5).means * np.array([1.0, -1.0, 1.0])
    centre = person.frame(0.0).means.mean(axis=0), mirrored.mean(axis=0)
    assert centre[0] == pytest.approx(centre[1], abs=0.02)


@pytest.mark.parametrize('shapes', [((3,), (3,)), ((40, 3), (40, 3)), ((40, 3), (3,))])
def test_cross_products_are_numpys_to_the_bit(shapes: tuple[tuple[int, ...], ...]) -> None:
    """Looks must not change with how they are computed: scenes are known by their hash."""
    a, b = (np.random.default_rng(k).normal(size=shape) for k, shape in enumerate(shapes))
    assert cross(a, b).tobytes() == np.cross(a, b).tobytes()
