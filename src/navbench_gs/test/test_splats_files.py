"""Readers and writers: hand-made files, round trips, an independent reader's numbers."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats import GaussianCloud, harmonics, load, save_ply, save_sog
from navbench_gs.splats.codebook import build_codebook, nearest_entry
from navbench_gs.splats.image_codec import decode_rgba, encode_rgba

GOLDEN = json.loads((Path(__file__).parent / 'golden/splats.json').read_text())


def _hand_made_ply(degree):
    """Return the bytes of one gaussian whose columns are all known."""
    rest = 3 * ((degree + 1) ** 2 - 1)
    names = ['x', 'y', 'z', 'f_dc_0', 'f_dc_1', 'f_dc_2']
    names += [f'f_rest_{n}' for n in range(rest)]
    names += ['opacity', 'scale_0', 'scale_1', 'scale_2', 'rot_0', 'rot_1', 'rot_2', 'rot_3']
    values = [1, 2, 3, 0.1, 0.2, 0.3, *range(rest), 0.0, np.log(2), 0, np.log(0.5), 2, 0, 0, 0]
    header = ['ply', 'format binary_little_endian 1.0', 'comment by hand', 'element vertex 1']
    header += [f'property float {name}' for name in names] + ['end_header', '']
    return '\n'.join(header).encode() + np.array(values, '<f4').tobytes()


def test_ply_values_by_hand(tmp_path):
    path = tmp_path / 'one.ply'
    path.write_bytes(_hand_made_ply(1))
    cloud = load(path)
    np.testing.assert_allclose(cloud.means, [[1, 2, 3]])
    np.testing.assert_allclose(cloud.scales, [[2.0, 1.0, 0.5]], rtol=1e-6)
    # sigmoid(0) = 1/2; the quaternion (2, 0, 0, 0) is normalised.
    np.testing.assert_allclose(cloud.opacities, [0.5])
    np.testing.assert_allclose(cloud.quats, [[1, 0, 0, 0]])
    # f_rest holds red 0 1 2, green 3 4 5, blue 6 7 8: coefficient k of channel c is 3 c + k.
    np.testing.assert_allclose(cloud.sh[0], [[0.1, 0.2, 0.3], [0, 3, 6], [1, 4, 7], [2, 5, 8]])


@pytest.mark.parametrize('degree', [0, 1, 2, 3])
def test_ply_round_trip(tmp_path, random_cloud, degree):
    cloud = random_cloud(50, degree)
    save_ply(tmp_path / 'a.ply', cloud)
    again = load(tmp_path / 'a.ply')
    for name in ('means', 'quats', 'scales', 'opacities', 'sh'):
        np.testing.assert_allclose(getattr(again, name), getattr(cloud, name), atol=2e-6)


@pytest.mark.parametrize('degree', [0, 1, 3])
def test_sog_round_trip_within_its_quantisation(tmp_path, random_cloud, degree):
    cloud = random_cloud(3000, degree)
    save_sog(tmp_path / 'a.sog', cloud)
    again = load(tmp_path / 'a.sog')
    # 16 bits over at most ln(1 + 5) * 2 = 3.6, and dx = (1 + |x|) dlog: 3.6 / 65535 / 2 * 6.
    np.testing.assert_allclose(again.means, cloud.means, atol=1.7e-4)
    np.testing.assert_allclose(again.opacities, cloud.opacities, atol=0.5 / 255 + 1e-6)
    # Half a step of 8 bits over +-1/sqrt(2), 0.0028, in each of three components: at most 0.0048
    # together, as much again in the fourth at worst, and an angle is twice that: 1.1 deg.
    angle = np.abs((again.quats.astype(float) * cloud.quats).sum(axis=1))
    assert np.degrees(2 * np.arccos(np.clip(angle, 0, 1))).max() < 1.1
    # 256 levels over the range of the logarithms, 3.5: half a step of 0.0137.
    assert np.abs(np.log(again.scales / cloud.scales)).max() < 0.0137
    assert np.abs(again.sh[:, 0] - cloud.sh[:, 0]).max() < 0.05
    assert again.sh_degree == degree


def test_a_sog_of_few_different_values_is_exact(tmp_path):
    # 3 scales and 4 colours fit the codebooks; opacities are multiples of 1/255.
    rng = np.random.default_rng(0)
    cloud = GaussianCloud(
        rng.normal(size=(500, 3)),
        np.tile([1.0, 0.0, 0.0, 0.0], (500, 1)),
        rng.choice([0.02, 0.1, 0.4], (500, 3)),
        rng.integers(0, 256, 500) / 255.0,
        rng.choice([-1.0, 0.0, 0.5, 1.0], (500, 1, 3)),
    )
    save_sog(tmp_path / 'a.sog', cloud)
    again = load(tmp_path / 'a.sog')
    np.testing.assert_allclose(again.scales, cloud.scales, rtol=1e-6)
    np.testing.assert_allclose(again.opacities, cloud.opacities, atol=1e-7)
    seen = cloud.opacities > 0
    np.testing.assert_array_equal(again.sh[seen], cloud.sh[seen])


def test_writing_a_read_sog_again_changes_nothing(tmp_path, random_cloud):
    save_sog(tmp_path / 'a.sog', random_cloud(800))
    once = load(tmp_path / 'a.sog')
    save_sog(tmp_path / 'b.sog', once)
    twice = load(tmp_path / 'b.sog')
    np.testing.assert_allclose(twice.scales, once.scales, rtol=1e-5)
    np.testing.assert_array_equal(twice.opacities, once.opacities)
    np.testing.assert_array_equal(twice.sh, once.sh)


def test_equal_clouds_give_equal_bytes(tmp_path, random_cloud):
    save_sog(tmp_path / 'a.sog', random_cloud(300, 1))
    save_sog(tmp_path / 'b.sog', random_cloud(300, 1))
    assert (tmp_path / 'a.sog').read_bytes() == (tmp_path / 'b.sog').read_bytes()


def test_an_unpacked_bundle_reads_the_same(tmp_path, random_cloud):
    save_sog(tmp_path / 'a.sog', random_cloud(100, 2))
    with zipfile.ZipFile(tmp_path / 'a.sog') as bundle:
        bundle.extractall(tmp_path / 'folder')
    bundled = load(tmp_path / 'a.sog')
    for path in (tmp_path / 'folder', tmp_path / 'folder/meta.json'):
        np.testing.assert_array_equal(load(path).sh, bundled.sh)


def test_lossless_images_keep_colour_beside_low_alpha():
    # Premultiplied alpha would turn (200, 100, 50) at alpha 1 into black.
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (64, 48, 4), dtype=np.uint8)
    pixels[..., 3] = np.maximum(pixels[..., 3] % 5, 1)
    np.testing.assert_array_equal(decode_rgba(encode_rgba(pixels), 'a', 10_000), pixels)


def test_codebook_beats_equal_steps():
    values = np.random.default_rng(0).normal(size=20_000) ** 3
    codebook = build_codebook(values)
    error = np.abs(codebook[nearest_entry(values, codebook)] - values).mean()
    steps = np.linspace(values.min(), values.max(), 256)
    assert error < 0.5 * np.abs(steps[nearest_entry(values, steps)] - values).mean()


@pytest.mark.parametrize('entry', GOLDEN['files'], ids=lambda entry: entry['path'])
def test_readers_agree_with_an_independent_one(real_data, entry):
    # Numbers by @playcanvas/splat-transform 2.7.1, which converted each file to .ply.
    cloud = load(real_data(f'splats/{entry["path"]}'))
    assert len(cloud) == entry['count']
    rows = cloud.select(np.array(entry['rows']))
    np.testing.assert_allclose(rows.means, entry['means'], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.log(rows.scales), entry['log_scales'], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(rows.opacities, entry['opacities'], atol=2e-6)
    np.testing.assert_allclose(rows.sh[:, :4], entry['sh'], rtol=1e-5, atol=1e-6)
    turn = np.abs((rows.quats * np.array(entry['quats'])).sum(axis=1))
    # Rotation bytes of .splat are (b - 128) / 128 to its own viewer, b / 127.5 - 1 to the other
    # reader: up to 0.8 degrees apart, 1 - cos(0.4 deg) = 2.4e-5.
    np.testing.assert_allclose(turn, 1.0, atol=3e-5)
    np.testing.assert_allclose(cloud.means.mean(axis=0), entry['mean_of_means'], atol=1e-4)


@pytest.mark.parametrize(
    ('name', 'count'),
    [
        ('scenes/headquarter_garden', 843_068),
        ('scenes/headquarter_garden/environment.sog', 8_688),
        ('scenes/lacadiere_showroom', 746_973),
        ('scenes/lacadiere_showroom/environment.sog', 35_445),
        ('objects/statues/narcissus.sog', 101_275),
        ('objects/statues/massa.sog', 58_649),
        ('objects/statues/angel.sog', 71_359),
        ('objects/playbot', 31_000),
        ('fixtures/train-1000.ply', 1_000),
        ('objects/biker.compressed.ply', 152_746),
        ('objects/guitar.compressed.ply', 90_854),
        ('objects/marcelpadilla/plant.splat', 113_648),
        ('objects/rock_sog_v1', 185_761),
        ('objects/biker.spz', 152_746),
        ('scenes/headquarter_garden/2_0', 534_493),
        ('scenes/headquarter_garden/2_1', 308_575),
        *[(f'fixtures/minimal{end}', 4) for end in ('.splat', '.ksplat', '-raw.spz')],
        *[(f'fixtures/minimal-v{version}.spz', 4) for version in (2, 3, 4)],
    ],
)
def test_counts_of_real_files(real_data, name, count):
    assert len(load(real_data(f'splats/{name}'))) == count


def test_garden_lies_where_its_notes_say(real_data):
    cloud = load(real_data('splats/scenes/headquarter_garden'))
    low, high = np.percentile(cloud.means, [1, 99], axis=0)
    np.testing.assert_allclose(low, [-31, -85, -1.6], atol=1.0)
    np.testing.assert_allclose(high, [25, 16, 54], atol=1.0)


def test_the_sky_is_read_on_request_only(real_data):
    path = real_data('splats/scenes/headquarter_garden')
    sky = load(path, environment=True)
    assert len(sky) == 8_688
    assert np.abs(sky.means).max() > 1000.0
    with pytest.raises(SplatFormatError, match=r'environment\.sog'):
        load(real_data('splats/objects/playbot'), environment=True)


def test_harmonics_constants_are_the_files_convention(real_data):
    # train-1000.ply is the true INRIA training output: its colours must land around [0, 1].
    cloud = load(real_data('splats/fixtures/train-1000.ply'))
    colour = 0.5 + harmonics.C0 * cloud.sh[:, 0]
    assert -0.5 < np.percentile(colour, 1) < np.percentile(colour, 99) < 1.5
