"""Spans, lit lanes and memory of the listing kernels, which write without a check of bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navbench_gs.render import RenderCamera
from navbench_gs.render.cpu import painter
from navbench_gs.render.cpu.binning import TILE
from navbench_gs.render.cpu.blend import AHEAD, BUFFER_SIZE
from navbench_gs.render.cpu.culling import visible
from navbench_gs.render.cpu.listing import _lit_lanes
from navbench_gs.render.cpu.pipeline import Pipeline
from navbench_gs.render.cpu.prepare import BLOCK, prepare
from navbench_gs.render.cpu.project import SCRATCH_ROWS, SPAN_ROWS, measure_block
from navbench_gs.render.cpu.sweep import SLAB
from navbench_gs.render.cpu.visibility import LEVELS, find_open
from navbench_gs.splats import GaussianCloud

BLACK = np.zeros(3, np.float32)
NEAR = np.float32(0.2)
GUARD = 8192
WILD = st.one_of(
    st.floats(-50, 200, width=32), st.integers(-40, 140).map(lambda k: k / 2),
    st.sampled_from([math.nan, math.inf, -math.inf, 1e30, -1e30, 2.0**31, 0.0]),
)
SIZE = st.one_of(st.floats(0, 300, width=32), st.sampled_from([math.nan, math.inf, 1e30, 0.5]))


def _camera(width: int, height: int) -> RenderCamera:
    return RenderCamera(
        width, height, width / 2, width / 2, width / 2, height / 2, np.eye(4)
    )


def _plain_span(z, u, v, half_x, half_y, reach, width, height):
    """Return x0, x1, y0, y1 of the pixel centres within a gaussian's reach, None for none."""
    one = np.float32
    with np.errstate(invalid='ignore'):
        low = [one(c) - one(0.5) - one(h) for c, h in ((u, half_x), (v, half_y))]
        high = [one(c) - one(0.5) + one(h) for c, h in ((u, half_x), (v, half_y))]
    if not (z >= NEAR and reach >= 0.0) or np.isnan(low + high).any():
        return None
    spans = []
    for first, last, count in zip(low, high, (width, height), strict=True):
        if first > count - 1 or last < 0:
            return None
        start, end = math.ceil(max(first, 0.0)), math.floor(min(last, count - 1.0))
        if start > end:
            return None
        spans += [start, end]
    return spans


def _measured(lanes, reach, width, height):
    scratch = np.full((SCRATCH_ROWS, BLOCK), 1.0, np.float32)
    scratch[4] = 0.0
    rows = np.array(lanes, np.float32).T
    scratch[[0, 1, 2, 6, 7], : rows.shape[1]] = rows
    reaches = np.full(BLOCK, -1.0, np.float32)
    reaches[: len(reach)] = reach
    spans = np.empty((SPAN_ROWS, BLOCK), np.int32)
    measure_block(
        reaches, 0, np.float32(width - 1), np.float32(height - 1), NEAR, scratch, spans
    )
    return spans, scratch


def test_a_span_and_a_record_by_hand():
    # Centre (10, 20.25), half 2 and 1: columns of centres in [8, 12], less a half: 7.5..11.5,
    # so 8..11; rows 18.75..20.75, so 19..20. xx = 4, xy = 1, yy = 2: determinant 7.
    spans, scratch = _measured([(1.0, 10.0, 20.25, 2.0, 1.0)], [9.0], 64, 48)
    assert spans[:, 0].tolist() == [8, 11, 19, 20]
    assert (spans[1, 1:] == -1).all()  # padding: its reach is below zero
    block = np.full((SCRATCH_ROWS, BLOCK), 1.0, np.float32)
    block[3], block[4], block[5] = 4.0, 1.0, 2.0
    one = np.float32
    measure_block(np.ones(BLOCK, one), 0, one(63), one(47), NEAR, block, spans)
    # -1/2 of the inverse covariance [2, -1; -1, 4] / 7, over 8; the cross term counts twice.
    np.testing.assert_allclose(block[3:6, 0], [-2 / 112, 2 / 112, -4 / 112], rtol=1e-6)
    assert (scratch[3] < 0).all()


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.2, 5.0, math.nan, -3.0, math.inf]), WILD, WILD,
                       SIZE, SIZE, st.sampled_from([-1.0, 0.0, 9.0])), min_size=1, max_size=BLOCK),
    st.integers(1, 130), st.integers(1, 70),
)
def test_spans_of_anything_lie_in_the_image(lanes, width, height):
    spans, _ = _measured([lane[:5] for lane in lanes], [lane[5] for lane in lanes], width, height)
    for k, (z, u, v, half_x, half_y, reach) in enumerate(lanes):
        plain = _plain_span(np.float32(z), u, v, half_x, half_y, reach, width, height)
        if plain is None:
            assert spans[1, k] == -1
        else:
            assert spans[:, k].tolist() == plain


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.001, 0.05, 1.0]))
def test_lit_lanes_are_those_over_an_open_pixel(seed, share):
    rng = np.random.default_rng(seed)
    columns, rows = (int(n) for n in rng.integers(1, 5, 2))
    left, top = int(rng.integers(0, columns)), int(rng.integers(0, rows))
    area = np.array([left, int(rng.integers(left, columns)), top, int(rng.integers(top, rows))])
    shape = (int(area[3] - area[2]) + 1, int(area[1] - area[0]) + 1)
    picture = np.zeros((rows * TILE, columns * TILE), bool)
    light = np.zeros((*shape, LEVELS, TILE), np.uint32)
    for r in range(shape[0]):
        for c in range(shape[1]):
            lit = rng.random((TILE, TILE)) < share
            y, x = (top + r) * TILE, (left + c) * TILE
            picture[y : y + TILE, x : x + TILE] = lit
            buffer = np.full(BUFFER_SIZE, -1.0, np.float32)
            buffer[: lit.size][lit.ravel()] = 0.5
            find_open(buffer, TILE, light[r, c])
    spans = np.empty((SPAN_ROWS, BLOCK), np.int32)
    for axis, count in ((0, picture.shape[1]), (2, picture.shape[0])):
        spans[axis] = rng.integers(0, count, BLOCK)
        reach = rng.choice([0, 3, 30, 200], BLOCK)
        spans[axis + 1] = np.minimum(spans[axis] + rng.integers(0, reach + 1), count - 1)
    spans[1, rng.random(BLOCK) < 0.2] = -1
    lanes = np.empty(BLOCK, np.int32)
    found = lanes[: _lit_lanes(spans, area, light, lanes)]
    expected = [
        k for k, (x0, x1, y0, y1) in enumerate(spans.T)
        if x1 >= 0 and picture[y0 : y1 + 1, x0 : x1 + 1].any()
    ]
    assert found.tolist() == expected


def _guarded(array: np.ndarray, axis: int, tails: list[np.ndarray]) -> np.ndarray:
    """Return such an array within a larger one of zeros, of which the tail must stay so."""
    shape = list(array.shape)
    shape[axis] += GUARD
    front, tail = np.split(np.zeros(shape, array.dtype), [array.shape[axis]], axis=axis)
    tails.append(tail)
    return front


def _guard(one: painter.Painter, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """Give a painter just the memory it asks for, in larger arrays; return their tails."""
    tails: list[np.ndarray] = []
    make_room, aligned = one._make_room, painter.aligned

    def make_guarded(used: int, blocks: int, tiles: int) -> None:
        before = one._after
        make_room(used, blocks, tiles)
        if one._after is not before:
            needed = used + blocks * BLOCK * tiles
            pairs, after = one._pairs[:needed], one._after[:needed]
            one._pairs, one._after = _guarded(pairs, 0, tails), _guarded(after, 0, tails)
            one._pairs[:used], one._after[:used] = pairs[:used], after[:used]
            one._keys = _guarded(one._keys[:, : needed + AHEAD], 1, tails)

    def items(rows: int, columns: int) -> np.ndarray:
        array = aligned(rows + GUARD, columns)
        array[rows:] = 0.0
        tails.append(array[rows:])
        return array[:rows]

    monkeypatch.setattr(one, '_make_room', make_guarded)
    monkeypatch.setattr(painter, 'aligned', items)
    return tails


def _world(case: str, count: int) -> GaussianCloud:
    """Return gaussians in front of a camera at the origin, by the name of where they lie."""
    rng = np.random.default_rng(5)
    means = np.column_stack([rng.uniform(-3, 3, (count, 2)), rng.uniform(3, 9, count)])
    scale, opacity = 0.02, 0.3
    if case == 'one tile':
        means[:, :2] *= 0.01
    elif case == 'all over':
        scale, opacity = 20.0, 0.01  # every one on every tile, and light left at the end
    elif case == 'equal depths':
        means[:, 2] = 4.0
    elif case == 'hidden':
        means[:, 2] = -4.0
    return GaussianCloud.from_rgb(
        means, np.tile([1.0, 0, 0, 0], (count, 1)), np.full((count, 3), scale),
        np.full(count, opacity), rng.uniform(0.1, 0.9, (count, 3)),
    )


CASES = ['spread', 'one tile', 'all over', 'equal depths', 'hidden', 'empty']


@pytest.mark.parametrize('case', CASES)
@pytest.mark.parametrize('moves', [False, True])
def test_memory_is_enough_whatever_lies_where(case, moves, random_cloud, monkeypatch):
    # From empty memory and from what another picture left, as the world and as a group.
    cloud = _world(case, 0 if case == 'empty' else (SLAB + 2) * BLOCK)
    layers = [(prepare(cloud), np.eye(4)), (prepare(random_cloud(300, seed=1)), np.eye(4))]
    layers = layers[::-1] if moves else layers
    one = painter.Painter(BLACK)
    tails = _guard(one, monkeypatch)
    for camera in (_camera(20, 20), _camera(150, 100), _camera(1, 1), _camera(20, 20)):
        plain, drawn = Pipeline(1, BLACK).draw(camera, layers), one.draw(
            camera, visible(camera, layers)
        )
        for name in ('rgb', 'depth', 'alpha'):
            assert getattr(plain, name).tobytes() == getattr(drawn, name).tobytes()
    assert len(tails) >= 4
    assert not any(tail.any() for tail in tails)


def test_room_for_a_large_group_is_made_by_parts(monkeypatch):
    # 100 blocks on 512 tiles: room for all pairs at once would be 2 x 36 bytes x 6.5 million.
    asked = []
    one = painter.Painter(BLACK)
    make_room = one._make_room

    def noted(used: int, blocks: int, tiles: int) -> None:
        asked.append(blocks)
        make_room(used, blocks, tiles)

    monkeypatch.setattr(one, '_make_room', noted)
    camera, group = _camera(512, 100), _world('spread', 100 * BLOCK)
    world = prepare(_world('one tile', 200))
    one.draw(camera, visible(camera, [(world, np.eye(4)), (prepare(group), np.eye(4))]))
    assert len(asked) == 3  # two parts of the group, one of the world
    assert max(asked) <= SLAB
