"""Mode `coarse`: what is near is as it was, what is far is drawn once, merged, and looks alike."""

from __future__ import annotations

import numpy as np
import pytest
from level_camera import level_camera

from navbench_gs.errors import RenderError
from navbench_gs.render import DynamicGroup, View, make_renderer
from navbench_gs.render.cpu.prepare import BLOCK, grouped, prepare
from navbench_gs.render.levels import CUBE, STARTS, Levels
from navbench_gs.scenes.city.generate import generate_city
from navbench_gs.splats import GaussianCloud


def dots(means, scales=(0.05, 0.05, 0.005), colour=0.5):
    """Gaussians at points `[N, 3]`, flat in z unless told otherwise, opaque, of one colour."""
    count = len(means)
    return GaussianCloud.from_rgb(
        np.asarray(means, np.float64), np.tile([1.0, 0.0, 0.0, 0.0], (count, 1)),
        np.tile(scales, (count, 1)), np.full(count, 0.9), np.full((count, 3), colour),
    )


def means_of(levels, eye):
    """Centres of what a camera at `eye` draws `[N, 3]`."""
    drawn = np.repeat(levels.drawn(np.asarray(eye, float)), BLOCK)
    return levels.cloud.means[:, drawn & (levels.cloud.source_index >= 0)].T


def test_blocks_of_groups_never_mix():
    """300 and 5 gaussians of two groups: 3 + 1 blocks of 128, padded, in the order there was."""
    rng = np.random.default_rng(0)
    cloud = prepare(dots(rng.uniform(-1.0, 1.0, (305, 3))))
    groups = np.zeros(cloud.means.shape[1], np.int64)
    five = np.array([3, 70, 140, 200, 304])
    groups[five] = 7
    arranged, names = grouped(cloud, groups)
    assert names.tolist() == [0, 0, 0, 7]
    real = arranged.source_index.reshape(4, BLOCK)
    assert (real[3, :5] == cloud.source_index[five]).all() and (real[3, 5:] == -1).all()
    assert (arranged.reach.reshape(4, BLOCK)[3, 5:] == -1.0).all()
    others = np.setdiff1d(np.arange(305), five)
    assert (real[:3].ravel()[:300] == cloud.source_index[others]).all()


def test_two_neighbours_far_away_are_drawn_as_one_half_way_between():
    """From 40 m cells of 1.2 m merge, from 10 m those of 0.3 m, nearer by nothing does."""
    # Cubes begin at a multiple of 6 m below the least coordinate, at x = 36, and the cells of all
    # sizes with them. Both points lie in the cell of 0.6 m from 36 on, in two of 0.3 m.
    levels = Levels.build(dots([[36.1, 0.1, 0.1], [36.5, 0.1, 0.1]]))
    middle = np.array([39.0, 3.0, 3.0])
    assert levels.middles == pytest.approx(middle[None])
    for away, count in ((4.0, 2), (10.0, 2), (20.0, 1), (40.0, 1)):
        seen = means_of(levels, middle - [away, 0.0, 0.0])
        assert len(seen) == count, away
    # Equal weights: (36.1 + 36.5) / 2.
    assert seen[0] == pytest.approx([36.3, 0.1, 0.1], abs=1e-5)


def test_a_floor_does_not_merge_with_the_wall_on_it():
    """One lies flat in z, one in x: two gaussians stay two however far they are."""
    floor, wall = dots([[36.1, 0.1, 0.1]]), dots([[36.2, 0.1, 0.15]], (0.005, 0.05, 0.05))
    levels = Levels.build(GaussianCloud.concatenate([floor, wall]))
    assert len(means_of(levels, [-20.0, 0.0, 0.0])) == 2


def test_every_cube_is_drawn_at_the_level_of_its_distance():
    """Whatever the camera, one level of each cube: by the distance of its middle, by hand."""
    rng = np.random.default_rng(1)
    levels = Levels.build(dots(rng.uniform(-60.0, 60.0, (4000, 3)) * [1.0, 1.0, 0.05]))
    for eye in rng.uniform(-60.0, 60.0, (5, 3)):
        drawn = levels.drawn(eye)
        for cube in range(len(levels.middles)):
            away = float(np.linalg.norm(levels.middles[cube] - eye))
            wanted = sum(away >= start for start in STARTS)
            chosen = np.unique(levels.level[drawn & (levels.cube == cube)])
            assert chosen.tolist() == [wanted]


def test_what_is_near_is_exact():
    """Nothing farther than 8 m less half a cube's diagonal is merged: equal pictures."""
    rng = np.random.default_rng(2)
    reach = STARTS[0] - 0.5 * CUBE * 3**0.5 - 0.1
    points = rng.normal(size=(3000, 3))
    points *= (reach * rng.uniform(0.2, 1.0, 3000) / np.linalg.norm(points, axis=1))[:, None]
    cloud = dots(points)
    camera = level_camera((0.0, 0.0, 0.0))
    exact = make_renderer(cloud, threads=1).render(camera)
    coarse = make_renderer(cloud, mode='coarse', threads=1).render(camera)
    assert (exact.rgb == coarse.rgb).all() and (exact.depth == coarse.depth).all()


def test_the_sky_stays_as_it_is():
    """A dome at 250 m is not merged, though it is farther than everything."""
    rng = np.random.default_rng(3)
    dome = rng.normal(size=(50, 3))
    dome *= 250.0 / np.linalg.norm(dome, axis=1)[:, None]
    ground = rng.uniform(-5.0, 5.0, (200, 3)) * [1.0, 1.0, 0.0]
    cloud = GaussianCloud.concatenate([dots(ground), dots(dome, (5.0, 5.0, 5.0))])
    seen = means_of(Levels.build(cloud), (0.0, 0.0, 1.0))
    assert (np.linalg.norm(seen, axis=1) > 200.0).sum() == 50


def test_groups_are_drawn_in_front_and_several_views_equal_single_ones():
    """A box that moves is as in mode exact where it covers all; threads change nothing."""
    rng = np.random.default_rng(4)
    cloud = dots(rng.uniform(-30.0, 30.0, (2000, 3)) * [1.0, 1.0, 0.1])
    group = DynamicGroup(dots(rng.uniform(-0.3, 0.3, (400, 3)), (0.2, 0.2, 0.2), 0.9), np.eye(4))
    views = [View(level_camera((-2.0, 0.0, 0.0), yaw), (group,)) for yaw in (0.0, 0.2, 3.0)]
    one = make_renderer(cloud, mode='coarse', threads=1)
    frames = make_renderer(cloud, mode='coarse', threads=3).render_many(views)
    for view, frame in zip(views, frames, strict=True):
        assert (one.render(view.camera, view.dynamic).rgb == frame.rgb).all()
    exact = make_renderer(cloud, threads=1).render(views[0].camera, views[0].dynamic)
    assert (exact.rgb[30:34, 30:34] == frames[0].rgb[30:34, 30:34]).all()


def test_nothing_in_view_is_background():
    """An empty world, and one behind the camera, are drawn."""
    empty = make_renderer(dots(np.zeros((0, 3))), mode='coarse', threads=1)
    assert (empty.render(level_camera((0.0, 0.0, 0.0))).alpha == 0.0).all()
    behind = make_renderer(dots([[-20.0, 0.0, 0.0]]), mode='coarse', threads=1)
    assert (behind.render(level_camera((0.0, 0.0, 0.0))).alpha == 0.0).all()


def test_a_city_looks_alike_with_fewer_gaussians():
    """Over 28 dB at 128x128 from six places, from less than half of the gaussians of the view."""
    cloud, _, notes = generate_city(1001)
    exact, coarse = make_renderer(cloud, threads=1), make_renderer(cloud, mode='coarse', threads=1)
    levels = coarse._levels
    for number, spot in enumerate(notes['spawn'][::70][:6]):
        camera = level_camera((*spot, 0.6), 1.1 * number, size=128)
        one, other = exact.render(camera), coarse.render(camera)
        error = np.mean((one.rgb.astype(float) - other.rgb) ** 2)
        assert 10.0 * np.log10(255.0**2 / error) > 28.0
        drawn = np.repeat(levels.drawn(camera.pose[:3, 3]), BLOCK)
        assert (drawn & (levels.cloud.source_index >= 0)).sum() < 0.5 * len(cloud)


def test_other_back_ends_refuse_it():
    """It is the CPU renderer's."""
    with pytest.raises(RenderError, match='coarse'):
        make_renderer(dots([[1.0, 0.0, 0.0]]), mode='coarse', backend='reference')
