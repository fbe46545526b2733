"""The definition of a picture against gsplat's own PyTorch functions, live and stored.

golden/gsplat.json holds what gsplat 1.5.3 says in float64, so that the comparison also runs where
gsplat is not installed. To write it again:

    NAVBENCH_RENEW_GOLDEN=1 pytest src/navbench_gs/test/test_render_gsplat.py -k stored
"""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from navbench_gs.render.constants import DILATION, MIN_ALPHA
from navbench_gs.render.reference import covariance_matrices, footprints
from navbench_gs.render.tiles import bounding_radii, tile_lists

GOLDEN = Path(__file__).parent / 'golden/gsplat.json'
RENEW = os.environ.get('NAVBENCH_RENEW_GOLDEN') == '1'
VIEWS = [f'random {n}' for n in range(2)]
VIEWS += [f'train-1000 {n}' for n in range(3)]
VIEWS += [f'garden {n}' for n in range(4)]
TILES = (16, 32)
LICENCES = {
    'train-1000': 'Apache-2.0, Voxel51/gaussian_splatting "train" via github.com/visgl/loaders.gl',
    'garden': 'Apache-2.0, github.com/nerfstudio-project/gsplat, from Mip-NeRF 360 "garden"',
}
SHOWN = 5
"""Gaussians per view whose values are stored."""


def _ours(cloud, camera):
    """Return what the reference makes of a view, by index in the cloud; radius 0 = not drawn."""
    prints = footprints(cloud, camera)
    count = len(cloud)
    numbers = {
        'radii': np.zeros((count, 2), dtype=np.int64),
        'centres': np.zeros((count, 2)),
        'conics': np.zeros((count, 3)),
        'depths': np.zeros(count),
        'colours': np.zeros((count, 3)),
        'covariances': covariance_matrices(cloud).reshape(count, 9),
    }
    conics = np.linalg.inv(prints.covariances)
    for name, values in (
        ('radii', bounding_radii(prints, camera)),
        ('centres', prints.centres),
        ('conics', conics[:, [0, 0, 1], [0, 1, 1]]),
        ('depths', prints.depths),
        ('colours', prints.colours),
    ):
        numbers[name][prints.indices] = values
    for size in TILES:
        pairs = tile_lists(prints, camera, size).pairs()
        numbers[f'tiles {size}'] = np.stack([pairs[:, 0], prints.indices[pairs[:, 1]]], axis=1)
    return numbers


def _theirs(cloud, camera, gsplat, torch):
    """Return what gsplat makes of it, in float64."""

    def tensor(array):
        return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float64))

    covariances, _ = gsplat._quat_scale_to_covar_preci(
        tensor(cloud.quats), tensor(cloud.scales), compute_preci=False
    )
    lens = [[camera.fx, 0.0, camera.cx], [0.0, camera.fy, camera.cy], [0.0, 0.0, 1.0]]
    radii, centres, depths, conics, _ = gsplat._fully_fused_projection(
        tensor(cloud.means),
        covariances,
        tensor(camera.scene_to_optical)[None],
        tensor(lens)[None],
        camera.width,
        camera.height,
        eps2d=DILATION,
        near_plane=camera.near,
    )
    # Opacity plays no part in these functions; the definition drops what is never seen.
    radii[:, torch.from_numpy(cloud.opacities < MIN_ALPHA)] = 0
    lobes = gsplat._spherical_harmonics(
        cloud.sh_degree, tensor(cloud.means - camera.pose[:3, 3]), tensor(cloud.sh)
    )
    numbers = {
        'radii': radii[0],
        'centres': centres[0],
        'conics': conics[0],
        'depths': depths[0],
        'colours': (lobes + 0.5).clamp(min=0.0),
        'covariances': covariances.reshape(-1, 9),
    }
    for size in TILES:
        columns, rows = -(-camera.width // size), -(-camera.height // size)
        _, keys, members = gsplat._isect_tiles(centres, radii, depths, size, columns, rows)
        starts = gsplat._isect_offset_encode(keys, 1, columns, rows).reshape(-1)
        ends = torch.cat([starts[1:], torch.tensor([len(members)])])
        tiles = torch.repeat_interleave(torch.arange(columns * rows), ends - starts)
        numbers[f'tiles {size}'] = torch.stack([tiles, members.long()], dim=1)
    return {name: value.numpy() for name, value in numbers.items()}


def _summary(numbers):
    """Return a few hundred bytes that stand for all of it."""
    drawn = np.flatnonzero(numbers['radii'].all(axis=1))
    shown = drawn[:: max(len(drawn) // SHOWN, 1)][:SHOWN]
    result = {'drawn': len(drawn), 'indices': shown.tolist()}
    for name in ('radii', 'centres', 'conics', 'depths', 'colours', 'covariances'):
        result[name] = [float(f'{value:.9g}') for value in numbers[name][shown].ravel()]
    for size in TILES:
        pairs = numbers[f'tiles {size}']
        ordered = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].astype('<i4')
        digest = hashlib.sha256(ordered.tobytes()).hexdigest()
        result[f'tiles {size}'] = {'pairs': len(pairs), 'sha256': digest}
    return result


def _assert_equal_summaries(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        if isinstance(value, list):
            np.testing.assert_allclose(value, other[name], rtol=2e-6, atol=1e-8, err_msg=name)
        else:
            assert value == other[name], name


@pytest.fixture(scope='module')
def theirs(render_view):
    """Return a function from a view's name to gsplat's numbers."""
    torch = pytest.importorskip('torch', reason='torch is not installed')
    gsplat = pytest.importorskip(
        'gsplat.cuda._torch_impl', reason='gsplat is not installed', exc_type=ImportError
    )
    found = {}

    def numbers(name):
        if name not in found:
            found[name] = _theirs(*render_view(name), gsplat, torch)
        return found[name]

    return numbers


@pytest.fixture(scope='module')
def ours(render_view):
    """Return a function from a view's name to the reference's numbers."""
    found = {}

    def numbers(name):
        if name not in found:
            found[name] = _ours(*render_view(name))
        return found[name]

    return numbers


@pytest.mark.parametrize('name', VIEWS)
def test_projection_covariance_and_colours(ours, theirs, name):
    mine, other = ours(name), theirs(name)
    np.testing.assert_array_equal(mine['radii'], other['radii'])
    drawn = mine['radii'].all(axis=1)
    assert drawn.sum() > 50
    # gsplat normalises the float32 quaternions once more: relative 1e-6.
    np.testing.assert_allclose(mine['covariances'], other['covariances'], rtol=3e-6, atol=1e-8)
    for key in ('centres', 'conics', 'depths', 'colours'):
        np.testing.assert_allclose(
            mine[key][drawn], other[key][drawn], rtol=3e-6, atol=1e-6, err_msg=key
        )


@pytest.mark.parametrize('name', VIEWS)
@pytest.mark.parametrize('size', TILES)
def test_tile_lists(ours, theirs, name, size):
    """Same tiles, same members; within a tile both run front to back."""
    mine, other = ours(name)[f'tiles {size}'], theirs(name)[f'tiles {size}']
    assert len(mine) == len(other) > 100
    both = [pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))] for pairs in (mine, other)]
    np.testing.assert_array_equal(*both)
    np.testing.assert_array_equal(mine[:, 0], other[:, 0])
    depths = ours(name)['depths'].astype(np.float32)
    # Members may differ where depths are equal in gsplat's float32 keys.
    np.testing.assert_array_equal(depths[mine[:, 1]], depths[other[:, 1]])


@pytest.mark.parametrize('name', VIEWS)
def test_stored_numbers(ours, name):
    stored = json.loads(GOLDEN.read_text())
    _assert_equal_summaries(_summary(ours(name)), stored['views'][name])


def test_stored_numbers_are_those_of_gsplat(theirs):
    found = {name: _summary(theirs(name)) for name in VIEWS}
    if RENEW:
        made_with = 'gsplat 1.5.3, gsplat.cuda._torch_impl, float64'
        content = {'made_with': made_with, 'licences': LICENCES, 'views': found}
        GOLDEN.write_text(json.dumps(content, indent=1) + '\n')
    stored = json.loads(GOLDEN.read_text())['views']
    assert stored.keys() == found.keys()
    for name in VIEWS:
        _assert_equal_summaries(found[name], stored[name])
