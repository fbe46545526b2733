"""Formats that are read but not written: .splat, compressed .ply, SOG version 1."""

import json
import zipfile

import numpy as np
import pytest

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats import harmonics, load, save_sog
from navbench_gs.splats.antimatter import ROW


def _splat_rows(count=3):
    rows = np.zeros(count, dtype=ROW)
    rows['mean'] = [[1.0, 2.0, 3.0]] * count
    rows['scale'] = [[0.1, 0.2, 0.4]] * count
    rows['colour'] = [[255, 0, 51, 102]] * count
    rows['rotation'] = [[128, 128, 128, 255]] * count
    return rows


def test_splat_values_by_hand(tmp_path):
    path = tmp_path / 'a.splat'
    path.write_bytes(_splat_rows().tobytes())
    cloud = load(path)
    np.testing.assert_allclose(cloud.means[0], [1, 2, 3])
    np.testing.assert_allclose(cloud.scales[0], [0.1, 0.2, 0.4], rtol=1e-6)
    # 102 / 255 = 0.4; colours 255, 0 and 51 are 1, 0 and 0.2.
    assert cloud.opacities[0] == pytest.approx(0.4)
    np.testing.assert_allclose(0.5 + harmonics.C0 * cloud.sh[0, 0], [1, 0, 0.2], atol=1e-6)
    # (0, 0, 0, 127/128) in wxyz, normalised: half a turn about z.
    np.testing.assert_allclose(cloud.quats[0], [0, 0, 0, 1], atol=1e-6)


@pytest.mark.parametrize(
    ('field', 'value'), [('mean', np.nan), ('scale', -1.0), ('scale', np.inf), ('mean', 1e20)]
)
def test_unsound_splats_are_refused(tmp_path, field, value):
    path = tmp_path / 'a.splat'
    # Behind the first rows, which decide whether the file is taken for a .splat at all.
    rows = _splat_rows(3000)
    rows[field][2500] = value
    path.write_bytes(rows.tobytes())
    with pytest.raises(SplatFormatError, match=r'a\.splat'):
        load(path)


def test_a_splat_cut_short_is_refused(tmp_path):
    path = tmp_path / 'a.splat'
    path.write_bytes(_splat_rows().tobytes()[:-1])
    with pytest.raises(SplatFormatError):
        load(path)


def _compressed_ply(chunks=1, colour_bounds=True, rest=0, vertices=2):
    bounds = {'x': (-1, 1), 'y': (0, 2), 'z': (4, 8)}
    bounds |= {f'scale_{axis}': (-4.0, 0.0) for axis in 'xyz'}
    if colour_bounds:
        bounds |= dict.fromkeys('rgb', (0.0, 0.5))
    lines = ['ply', 'format binary_little_endian 1.0', f'element chunk {chunks}']
    lines += [f'property float {side}_{axis}' for axis in bounds for side in ('min', 'max')]
    lines += [f'element vertex {vertices}']
    for name in ('position', 'rotation', 'scale', 'color'):
        lines.append(f'property uint packed_{name}')
    if rest:
        lines += [f'element sh {vertices}'] + [f'property uchar f_rest_{k}' for k in range(rest)]
    lines += ['end_header', '']
    floats = [value for pair in bounds.values() for value in pair]
    # Position: x at its maximum (2047), y at 1023/1023, z at 0. Rotation: largest is x (1), the
    # others 512/1023, nearly zero. Scale: 0, 1023/1023, 2047/2047. Colour 255, 0, 51 and 102.
    words = [
        (2047 << 21) | (1023 << 11) | 0,
        (1 << 30) | (512 << 20) | (512 << 10) | 512,
        (0 << 21) | (1023 << 11) | 2047,
        (255 << 24) | (0 << 16) | (51 << 8) | 102,
    ]
    body = np.array(floats * chunks, '<f4').tobytes() + np.array(words * vertices, '<u4').tobytes()
    return '\n'.join(lines).encode() + body + bytes([0, 128, 255] * (rest // 3)) * vertices


@pytest.mark.parametrize('colour_bounds', [True, False])
def test_compressed_ply_values_by_hand(tmp_path, colour_bounds):
    path = tmp_path / 'a.compressed.ply'
    path.write_bytes(_compressed_ply(colour_bounds=colour_bounds, rest=9))
    cloud = load(path)
    np.testing.assert_allclose(cloud.means[1], [1, 2, 4], atol=1e-6)
    np.testing.assert_allclose(np.log(cloud.scales[1]), [-4, 0, 0], atol=1e-6)
    np.testing.assert_allclose(np.abs(cloud.quats[1]), [0, 1, 0, 0], atol=1e-3)
    assert cloud.opacities[1] == pytest.approx(0.4)
    top = 0.5 if colour_bounds else 1.0
    colour = 0.5 + harmonics.C0 * cloud.sh[1, 0]
    np.testing.assert_allclose(colour, [top, 0, 0.2 * top], atol=1e-6)
    # Bytes 0, 128, 255 of red: -4, (128.5/256 - 0.5) * 8 = 0.0156, 4.
    np.testing.assert_allclose(cloud.sh[1, 1:, 0], [-4, 0.015625, 4], atol=1e-6)


def test_compressed_ply_chunks_must_cover_the_gaussians(tmp_path):
    path = tmp_path / 'a.ply'
    path.write_bytes(_compressed_ply(vertices=300))
    with pytest.raises(SplatFormatError, match='there must be 2 chunks, got 1'):
        load(path)
    path.write_bytes(_compressed_ply(vertices=300, chunks=2))
    assert len(load(path)) == 300


@pytest.mark.parametrize('rest', [3, 12])
def test_compressed_ply_with_an_impossible_degree_is_refused(tmp_path, rest):
    path = tmp_path / 'a.ply'
    path.write_bytes(_compressed_ply(rest=rest))
    with pytest.raises(SplatFormatError, match='sh must have one of'):
        load(path)


def _to_version_1(bundle, folder):
    """Rewrite a version 2 bundle with the metadata of version 1, keeping the images."""
    with zipfile.ZipFile(bundle) as source:
        source.extractall(folder)
    meta = json.loads((folder / 'meta.json').read_text())
    count = meta['count']
    del meta['version'], meta['count']
    meta['means']['shape'] = [count, 3]
    meta['scales'] = {'mins': [-5.0] * 3, 'maxs': [0.1] * 3, 'files': meta['scales']['files']}
    meta['sh0'] = {'mins': [-1.0] * 3 + [-6], 'maxs': [1.0] * 3 + [6], 'files': ['sh0.webp']}
    if 'shN' in meta:
        meta['shN'] = {'mins': -2.0, 'maxs': 2.0, 'files': meta['shN']['files']}
    (folder / 'meta.json').write_text(json.dumps(meta))


@pytest.mark.parametrize('degree', [0, 1, 2, 3])
def test_version_1_shares_positions_and_rotations_with_version_2(tmp_path, random_cloud, degree):
    save_sog(tmp_path / 'a.sog', random_cloud(100, degree))
    _to_version_1(tmp_path / 'a.sog', tmp_path / 'one')
    first, second = load(tmp_path / 'one'), load(tmp_path / 'a.sog')
    np.testing.assert_array_equal(first.means, second.means)
    np.testing.assert_array_equal(first.quats, second.quats)
    assert first.sh_degree == degree
    # Opacity bytes 0..255 stand for logits -6..6: byte b gives 1 / (1 + exp(6 - 12 b / 255)).
    levels = np.rint(second.opacities * 255.0)
    np.testing.assert_allclose(
        first.opacities, 1.0 / (1.0 + np.exp(6.0 - 12.0 * levels / 255.0)), atol=1e-6
    )


def test_version_1_without_a_count_is_refused(tmp_path, random_cloud):
    save_sog(tmp_path / 'a.sog', random_cloud(10))
    _to_version_1(tmp_path / 'a.sog', tmp_path / 'one')
    meta = json.loads((tmp_path / 'one/meta.json').read_text())
    del meta['means']['shape']
    (tmp_path / 'one/meta.json').write_text(json.dumps(meta))
    with pytest.raises(SplatFormatError, match=r'means\.shape must be'):
        load(tmp_path / 'one')


@pytest.mark.parametrize('bits', [0x7F7FFFFF, 0x7FA00000], ids=['largest', 'signalling NaN'])
@pytest.mark.filterwarnings('error')
def test_compressed_ply_bounds_at_the_end_of_float32(tmp_path, bits):
    # The last of 18 bounds before the words is the maximum of blue; 51 / 255 of 3.4e38 over C0,
    # 0.28, is 2.4e38, but byte 255 of it would not be a float32.
    data = bytearray(_compressed_ply())
    at = data.index(b'end_header\n') + 11 + 17 * 4
    data[at : at + 4] = np.uint32(bits).tobytes()
    data[-4:] = np.uint32((255 << 24) | (255 << 8) | 102).tobytes()
    path = tmp_path / 'a.ply'
    path.write_bytes(bytes(data))
    with pytest.raises(SplatFormatError, match='colours must be finite'):
        load(path)
