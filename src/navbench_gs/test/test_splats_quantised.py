"""SPZ, .ksplat and .splat: values by hand, agreement with real files, and lies."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
import zstandard

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats import harmonics, load, save_splat


def _spz_columns(version, count, degree):
    """Return columns of `count` equal gaussians at (1.5, -2.25, 0.5) in SPZ's own axes."""
    place = np.array([1.5, -2.25, 0.5])
    if version == 1:
        position = place.astype('<f2').tobytes()
    else:
        # 12 fractional bits: 1.5 * 4096 = 6144, -2.25 * 4096 = -9216, 0.5 * 4096 = 2048.
        fixed = (place * 4096).astype(np.int64) & 0xFFFFFF
        position = b''.join(int(value).to_bytes(3, 'little') for value in fixed)
    if version < 3:
        # x = 178 / 127.5 - 1 = 0.396; y = z = 0.004 (bytes of 128 are not quite zero).
        rotation = bytes([178, 128, 128])
    else:
        # w is the largest (3 in the top bits); x = 0.396 = sqrt(1/2) * 286 / 511, y = z = 0.
        rotation = struct.pack('<I', (3 << 30) | (286 << 20))
    rest = bytes(range(100, 100 + 3 * (0, 3, 8, 15, 24)[degree]))
    columns = [
        position,
        bytes([204]),
        bytes([255, 0, 128]),
        bytes([160, 144, 128]),
        rotation,
        rest,
    ]
    return [column * count for column in columns]


def _spz(version, count=5, degree=0, bits=12):
    head = struct.pack('<4sIIBBBB', b'NGSP', version, count, degree, bits, 0, 0)
    columns = _spz_columns(version, count, degree)
    if version < 4:
        return gzip.compress(head + b''.join(columns))
    used = [column for column in columns if column]
    packed = [zstandard.ZstdCompressor().compress(column) for column in used]
    table = b''.join(
        struct.pack('<QQ', len(small), len(large))
        for small, large in zip(packed, used, strict=True)
    )
    head = head[:15] + bytes([len(used)]) + struct.pack('<I', 32) + bytes(12)
    return head + table + b''.join(packed)


@pytest.mark.parametrize('version', [1, 2, 3, 4])
@pytest.mark.parametrize('degree', [0, 1, 2, 3, 4])
def test_spz_values_by_hand(tmp_path, version, degree):
    path = tmp_path / 'a.spz'
    path.write_bytes(_spz(version, degree=degree))
    cloud = load(path)
    assert len(cloud) == 5
    # Half a turn about x: y and z change sign.
    np.testing.assert_allclose(cloud.means[2], [1.5, 2.25, -0.5])
    # exp(160 / 16 - 10) = 1, exp(144 / 16 - 10) = e^-1, exp(128 / 16 - 10) = e^-2.
    np.testing.assert_allclose(cloud.scales[0], np.exp([0.0, -1.0, -2.0]), rtol=1e-6)
    assert cloud.opacities[0] == pytest.approx(0.8)
    # (255 / 255 - 0.5) / 0.15 = 3.3333; (0 - 0.5) / 0.15; (128 / 255 - 0.5) / 0.15 = 0.01307.
    np.testing.assert_allclose(cloud.sh[0, 0], [3.33333, -3.33333, 0.0130719], rtol=1e-4)
    np.testing.assert_allclose(cloud.quats[0], [0.918, 0.396, 0.0, 0.0], atol=0.005)
    assert cloud.sh_degree == min(degree, 3)
    if degree:
        # The first stored value, 100, is red of the y function: (100 - 128) / 128, turned.
        assert cloud.sh[0, 1, 0] == pytest.approx(28 / 128)
        # The z function comes next (from 103), then x, which keeps its sign (from 106).
        assert cloud.sh[0, 2, 0] == pytest.approx(25 / 128)
        assert cloud.sh[0, 3, 2] == pytest.approx((108 - 128) / 128)


@pytest.mark.parametrize('largest', [0, 1, 2, 3])
def test_smallest_three_name_their_axis(tmp_path, largest):
    """The largest is left out; the others, in x, y, z, w order, are 0.1, -0.2 and 0.3."""
    data = bytearray(gzip.decompress(_spz(3, count=1)))
    steps = [round(value * 511 / np.sqrt(0.5)) for value in (0.1, 0.2, 0.3)]
    code = (largest << 30) | (steps[0] << 20) | ((0x200 | steps[1]) << 10) | steps[2]
    data[-4:] = struct.pack('<I', code)
    path = tmp_path / 'a.spz'
    path.write_bytes(gzip.compress(bytes(data)))
    xyzw = [0.1, -0.2, 0.3]
    xyzw.insert(largest, np.sqrt(1.0 - 0.01 - 0.04 - 0.09))
    x, y, z, w = xyzw
    found = load(path).quats[0]
    assert abs(float(found @ [w, x, -y, -z])) == pytest.approx(1.0, abs=2e-3)


def test_the_turn_of_axes_keeps_the_colours_seen(random_cloud):
    """SH that were turned, seen along turned directions, give the same values as before."""
    from navbench_gs.splats.spz import _SH_TURN, _TURN

    directions = np.random.default_rng(0).normal(size=(50, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    weights = np.random.default_rng(1).normal(size=16)
    turned = weights * np.concatenate([[1.0], _SH_TURN])
    before = harmonics.basis(directions, 3) @ weights
    np.testing.assert_allclose(harmonics.basis(directions * _TURN, 3) @ turned, before)


def _ksplat(level, count=6, degree=0, full=1, partial=1):
    """Return one section: a full bucket of 4 about (10, 0, 0), the rest about (0, 20, 0)."""
    real = '<f4' if level == 0 else '<f2'
    row = np.dtype([
        ('mean', '<f4' if level == 0 else '<u2', 3), ('scale', real, 3), ('rotation', real, 4),
        ('colour', 'u1', 4), ('sh', ('<f4', '<f2', 'u1')[level], (0, 9, 24)[degree]),
    ])  # fmt: skip
    rows = np.zeros(count, dtype=row)
    # Steps of 5 / 2 / 32767 m from the bucket's centre: 32767 + 13107 is one metre on.
    rows['mean'] = [1.0, 2.0, 3.0] if level == 0 else [32767 + 13107, 32767, 32767]
    rows['scale'], rows['rotation'] = [0.125, 0.25, 0.5], [1.0, 0.0, 0.0, 0.0]
    rows['colour'] = [255, 0, 51, 102]
    # At level 2 the range -1.5..1.5 in 255 steps.
    rows['sh'] = np.arange((0, 9, 24)[degree]) if level == 2 else 0.25
    head = bytearray(4096)
    struct.pack_into('<BBxxIIIIHxx12xff', head, 0, 0, 1, 1, 1, count, count, level, -1.5, 1.5)
    section = bytearray(1024)
    buckets = (full + partial) if level else 0
    partial = partial if level else 0
    struct.pack_into(
        '<IIIIfHxxIIIIH', section, 0, count, count, 4, buckets, 5.0, 12, 32767 if level else 1,
        0, full if level else 0, partial, degree,
    )  # fmt: skip
    index = b''
    if level:
        centres = np.array([[10, 0, 0], [0, 20, 0]], dtype='<f4')[:buckets]
        index = struct.pack('<I', count - 4) * partial + centres.tobytes()
    return bytes(head + section) + index + rows.tobytes()


@pytest.mark.parametrize('level', [0, 1, 2])
@pytest.mark.parametrize('degree', [0, 1, 2])
def test_ksplat_values_by_hand(tmp_path, level, degree):
    path = tmp_path / 'a.ksplat'
    path.write_bytes(_ksplat(level, degree=degree))
    cloud = load(path)
    assert len(cloud) == 6
    if level == 0:
        np.testing.assert_allclose(cloud.means[5], [1, 2, 3])
    else:
        np.testing.assert_allclose(cloud.means[3], [11.0, 0.0, 0.0], atol=1e-4)
        np.testing.assert_allclose(cloud.means[4], [1.0, 20.0, 0.0], atol=1e-4)
    np.testing.assert_allclose(cloud.scales[0], [0.125, 0.25, 0.5])
    assert cloud.opacities[0] == pytest.approx(0.4)
    np.testing.assert_allclose(0.5 + harmonics.C0 * cloud.sh[0, 0], [1, 0, 0.2], atol=1e-6)
    np.testing.assert_allclose(cloud.quats[0], [1, 0, 0, 0])
    assert cloud.sh_degree == degree
    if degree and level == 2:
        # Values 0, 1, 2 are red's first band, 3, 4, 5 green's: green's second is 4.
        assert cloud.sh[0, 2, 1] == pytest.approx(-1.5 + 4 / 255 * 3.0)
    if degree == 2 and level == 2:
        # Behind the 9 of band one, red's five come first: its last is value 13.
        assert cloud.sh[0, 8, 0] == pytest.approx(-1.5 + 13 / 255 * 3.0)
    if degree and level < 2:
        assert (cloud.sh[:, 1:] == 0.25).all()


def test_splat_is_written_and_read(tmp_path, random_cloud):
    cloud = random_cloud(200, 1, seed=3)
    save_splat(tmp_path / 'a.splat', cloud)
    back = load(tmp_path / 'a.splat')
    np.testing.assert_array_equal(back.means, cloud.means)
    np.testing.assert_allclose(back.scales, cloud.scales, rtol=1e-6)
    # Half a step of 1/255.
    assert np.abs(back.opacities - cloud.opacities).max() <= 0.5 / 255 + 1e-6
    assert np.abs((back.quats * cloud.quats).sum(axis=1)).min() > 0.9998
    assert back.sh_degree == 0
    with pytest.raises(SplatFormatError, match='writable'):
        save_splat(tmp_path / 'no' / 'a.splat', cloud)


@pytest.mark.parametrize('name', ['raw.spz', 'v2.spz', 'v3.spz', 'v4.spz', 'ksplat', 'splat'])
def test_hand_made_files_of_another_tool(real_data, name):
    file = f'minimal.{name}' if '.' not in name else f'minimal-{name}'
    cloud = load(real_data(f'splats/fixtures/{file}'))
    assert len(cloud) == 4
    # Four corners of a unit square, 10 cm wide (SPZ: e^(123/16 - 10) = 0.099), opacity 230/255.
    assert sorted(np.abs(cloud.means).sum(axis=1)) == [0.0, 1.0, 1.0, 2.0]
    np.testing.assert_allclose(cloud.scales, 0.1, atol=0.001)
    np.testing.assert_allclose(cloud.opacities, 230 / 255, atol=1e-6)


def test_two_encodings_of_one_capture_agree(real_data):
    """A real figure of 152,746 gaussians as compressed .ply and as SPZ version 4."""
    one = load(real_data('splats/objects/biker.compressed.ply'))
    other = load(real_data('splats/objects/biker.spz'))
    assert len(one) == len(other) == 152_746
    # 12 fractional bits: half a step is 1.2e-4.
    assert np.abs(one.means - other.means).max() <= 1.3e-4
    angle = 2 * np.degrees(np.arccos(np.minimum(np.abs((one.quats * other.quats).sum(1)), 1)))
    assert angle.max() < 0.2
    assert np.abs(one.opacities - other.opacities).max() < 1e-6
    # SPZ keeps scales above e^-10 in steps of e^(1/16), colours in steps of 1/255/0.15.
    wide = one.scales > 5e-5
    assert np.abs(np.log(one.scales[wide] / other.scales[wide])).max() <= 1 / 32 + 1e-3
    assert np.abs(one.sh - other.sh).max() <= 0.5 / 255 / 0.15 + 1e-3


@pytest.mark.parametrize(
    ('data', 'words'),
    [
        (_spz(2)[:20], 'SPZ header takes 16 bytes|need'),
        (gzip.compress(b'NGSX' + bytes(40)), 'must begin with'),
        (
            gzip.compress(struct.pack('<4sIIBBBB', b'NGSP', 5, 1, 0, 12, 0, 0)),
            'lie in 1..4, got 5',
        ),
        (gzip.compress(struct.pack('<4sIIBBBB', b'NGSP', 2, 0, 0, 12, 0, 0)), 'count must lie'),
        (gzip.compress(struct.pack('<4sIIBBBB', b'NGSP', 2, 9, 7, 12, 0, 0)), 'SH degree'),
        (gzip.compress(struct.pack('<4sIIBBBB', b'NGSP', 2, 9, 0, 40, 0, 0)), 'fractional bits'),
        # 16 million gaussians would take 304 MB; 36 bytes of gzip hold at most 40 kB.
        (
            gzip.compress(struct.pack('<4sIIBBBB', b'NGSP', 2, 16_000_000, 0, 12, 0, 0)),
            'must unpack to at most 1100 times',
        ),
        (_spz(4)[:-3], 'stream 4 must lie in the file'),
        (_spz(4).replace(b'\x28\xb5\x2f\xfd', b'\x28\xb5\x2f\xfc', 1), 'stream 0 must unpack'),
        (_spz(4).replace(struct.pack('<Q', 45), struct.pack('<Q', 46), 1), 'unpack to 45 bytes'),
    ],
)
def test_lies_in_an_spz(tmp_path, data, words):
    path = tmp_path / 'lie.spz'
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(SplatFormatError, match=words):
        load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


@pytest.mark.parametrize(
    ('offset', 'value', 'words'),
    [
        (20, struct.pack('<H', 2), 'must lie in the file|must have|finite'),
        (16, struct.pack('<I', 7), 'sections must hold 7 gaussians, got 6'),
        (4096, struct.pack('<I', 7), 'at most 6 gaussians, got 7'),
        (4096 + 4, struct.pack('<I', 7_000_000), 'section 0 must lie in the file'),
        (4096 + 12, struct.pack('<I', 2**31), 'section 0 must lie in the file'),
        (4096 + 32, struct.pack('<I', 9), 'buckets within 2'),
        (4096 + 40, struct.pack('<H', 3), 'SH of degree 0..2'),
        (4096 + 16, np.float32(np.nan).tobytes(), 'finite bucket edge'),
    ],
)
def test_lies_in_a_ksplat(tmp_path, offset, value, words):
    data = bytearray(_ksplat(1))
    data[offset : offset + len(value)] = value
    path = tmp_path / 'lie.ksplat'
    path.write_bytes(data)
    if offset == 20:
        # Level 2 has the same row at degree 0: the values stay sound.
        assert len(load(path)) == 6
        return
    with pytest.raises(SplatFormatError, match=words):
        load(path)


def test_a_ksplat_without_buckets_is_refused(tmp_path):
    data = bytearray(_ksplat(1))
    # No buckets, neither full nor partly full: nothing to place the gaussians by.
    for offset in (12, 32, 36):
        data[4096 + offset : 4096 + offset + 4] = bytes(4)
    path = tmp_path / 'lie.ksplat'
    path.write_bytes(data)
    with pytest.raises(SplatFormatError, match='buckets within 0'):
        load(path)
