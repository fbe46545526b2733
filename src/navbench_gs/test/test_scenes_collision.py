"""Rules and geometry of the collision map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from navbench_gs.errors import SceneError
from navbench_gs.scenes import rectangles
from navbench_gs.scenes.collision import CollisionMap

MASKS = hnp.arrays(np.bool_, st.tuples(st.integers(1, 24), st.integers(1, 24)))


def make_map(occupancy: np.ndarray, **changes: object) -> CollisionMap:
    """Build a map at 0.1 m whose corner lies at (-1, 2)."""
    values: dict[str, object] = {
        'resolution': 0.1,
        'origin': np.array([-1.0, 2.0]),
        'occupancy': occupancy,
        'height': np.zeros(occupancy.shape, np.float32),
        'walkable': ~occupancy,
        'boxes': np.zeros((0, 7), np.float32),
    }
    return CollisionMap(**{**values, **changes})  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(MASKS)
def test_cell_and_centre_are_inverse(mask: np.ndarray) -> None:
    """The centre of every cell lies in that cell."""
    grid = make_map(mask)
    cells = np.argwhere(np.ones_like(mask))
    assert np.array_equal(grid.cell(grid.centre(cells)), cells)
    assert grid.inside(grid.centre(cells)).all()


def test_centre_by_hand() -> None:
    """Row 2, column 3: x = -1 + 3.5 * 0.1 = -0.65, y = 2 + 2.5 * 0.1 = 2.25."""
    grid = make_map(np.zeros((5, 6), bool))
    assert grid.centre(np.array([2, 3])) == pytest.approx([-0.65, 2.25])
    assert grid.bounds == pytest.approx((-1.0, 2.0, -0.4, 2.5))


def test_distance_by_hand() -> None:
    """One obstacle in the middle of 41 x 41: four cells away the gap is 0.4 - 0.05 m."""
    mask = np.zeros((41, 41), bool)
    mask[20, 20] = True
    grid = make_map(mask)
    assert grid.distance[20, 24] == pytest.approx(0.35)
    # 3 and 4 cells away along the axes: 5 cells in a straight line.
    assert grid.distance[23, 24] == pytest.approx(0.45)
    assert grid.distance[20, 20] == 0.0
    # Outside counts as occupied: the first column is half a cell from the edge.
    assert grid.distance[20, 0] == pytest.approx(0.05)


@settings(max_examples=60, deadline=None)
@given(MASKS, st.floats(0.0, 0.5), st.floats(0.0, 0.5))
def test_free_shrinks_with_radius(mask: np.ndarray, first: float, second: float) -> None:
    """A larger disc never fits where a smaller one does not, and none fits on an obstacle."""
    grid = make_map(mask)
    small, large = sorted((first, second))
    assert not (grid.free(large) & ~grid.free(small)).any()
    assert not (grid.free(small) & mask).any()


def test_floor_is_bilinear_and_clamped() -> None:
    """A plane of slope 0.2 along x is reproduced inside and held at the border."""
    columns = np.arange(8)
    height = np.broadcast_to(0.2 * 0.1 * (columns + 0.5), (5, 8)).astype(np.float32)
    grid = make_map(np.zeros((5, 8), bool), height=height)
    assert grid.floor(np.array([-1.0 + 0.33, 2.2])) == pytest.approx(0.2 * 0.33, abs=1e-6)
    assert grid.floor(np.array([-50.0, 2.2])) == pytest.approx(0.01, abs=1e-6)


def test_clearance_is_zero_outside() -> None:
    """Points off the grid have no room."""
    grid = make_map(np.zeros((30, 30), bool))
    assert grid.clearance(np.array([[0.5, 3.5], [9.0, 9.0]]))[0] > 1.0
    assert grid.clearance(np.array([9.0, 9.0])) == 0.0


@settings(max_examples=30, deadline=None)
@given(MASKS)
def test_save_and_load(tmp_path_factory: pytest.TempPathFactory, mask: np.ndarray) -> None:
    """A saved map loads equal, and equal maps give equal bytes."""
    folder = tmp_path_factory.mktemp('map')
    grid = make_map(mask, sidewalk=~mask, boxes=np.ones((2, 7), np.float32))
    grid.save(folder / 'a.npz')
    grid.save(folder / 'b.npz')
    back = CollisionMap.load(folder / 'a.npz')
    assert (folder / 'a.npz').read_bytes() == (folder / 'b.npz').read_bytes()
    for name in ('origin', 'occupancy', 'height', 'walkable', 'boxes', 'sidewalk'):
        assert np.array_equal(getattr(back, name), getattr(grid, name))


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    """A cut file, a foreign file and an absent file each give a SceneError with the name."""
    grid = make_map(np.zeros((30, 30), bool))
    grid.save(tmp_path / 'map.npz')
    whole = (tmp_path / 'map.npz').read_bytes()
    (tmp_path / 'cut.npz').write_bytes(whole[: len(whole) // 2])
    (tmp_path / 'text.npz').write_text('no archive')
    for name in ('cut.npz', 'text.npz', 'absent.npz'):
        with pytest.raises(SceneError, match=name):
            CollisionMap.load(tmp_path / name)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'height': np.zeros((3, 3), np.float32)}, 'height must have the shape'),
        ({'height': np.full((4, 4), np.nan, np.float32)}, 'must be finite'),
        ({'walkable': np.ones((4, 4), bool)}, 'walkable cells must be free, 1'),
        ({'resolution': 0.0}, 'resolution'),
        ({'boxes': np.zeros((1, 6), np.float32)}, 'boxes'),
        ({'origin': np.array([np.inf, 0.0])}, 'origin'),
    ],
)
def test_rules_are_enforced(changes: dict[str, object], message: str) -> None:
    """Each broken rule is named."""
    mask = np.zeros((4, 4), bool)
    mask[1, 1] = True
    with pytest.raises(SceneError, match=message):
        make_map(mask, **changes)


@settings(max_examples=80, deadline=None)
@given(MASKS)
def test_rectangles_cover_exactly(mask: np.ndarray) -> None:
    """Every True cell lies in exactly one rectangle, every False cell in none."""
    count = np.zeros(mask.shape, int)
    for r0, c0, r1, c1 in rectangles.cover(mask):
        count[r0:r1, c0:c1] += 1
    assert np.array_equal(count, mask.astype(int))


def test_rectilinear_block_is_one_rectangle() -> None:
    """A solid block needs one box with the right centre and half sizes."""
    mask = np.zeros((10, 10), bool)
    mask[2:6, 3:9] = True
    found = rectangles.cover(mask)
    assert found.tolist() == [[2, 3, 6, 9]]
    box = rectangles.boxes(found, np.array([0.0, 0.0]), 0.1, 0.0, 2.0)[0]
    # x from 0.3 to 0.9, y from 0.2 to 0.6, z from 0 to 2.
    assert box == pytest.approx([0.6, 0.4, 1.0, 0.3, 0.2, 1.0, 0.0])
