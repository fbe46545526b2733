"""Formats that are read only, written by the tests: back within a step, and as another tool reads.

golden/written.json holds what @playcanvas/splat-transform 2.7.1 makes of the same files;
golden/renew_written.py writes it again.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from splat_samples import sample_cloud, summary, written_files
from splat_writers import ksplat_order

from navbench_gs.splats import load, save_ply, save_sog, save_splat

GOLDEN = json.loads((Path(__file__).parent / 'golden/written.json').read_text())['files']
# Half a step of positions, of log scales, of the colour coefficient, of higher SH; least cosine
# of half the angle between rotations.
_STEPS = {
    # 1.5 -> half floats near 6: 2^-9; three bytes leave w = sqrt(1 - ...) coarse near zero.
    'spz 1': (2.0**-9, 1 / 32, 0.5 / 255 / 0.15, 0.5 / 128, 0.995),
    'spz 2': (2.0**-13, 1 / 32, 0.5 / 255 / 0.15, 0.5 / 128, 0.995),
    'spz 3': (2.0**-13, 1 / 32, 0.5 / 255 / 0.15, 0.5 / 128, 0.99999),
    'spz 4': (2.0**-13, 1 / 32, 0.5 / 255 / 0.15, 0.5 / 128, 0.99999),
    'ksplat 0': (0.0, 0.0, 0.5 / 255 / 0.282, 0.0, 0.999999),
    # Halves carry 11 bits: relative 2^-11; SH below 1: 2^-12. Positions in steps of 1 / 32767.
    'ksplat 1': (0.5 / 32767, 2.0**-11, 0.5 / 255 / 0.282, 2.0**-12, 0.99999),
    'ksplat 2': (0.5 / 32767, 2.0**-11, 0.5 / 255 / 0.282, 0.5 * 3 / 255, 0.99999),
    # Up to 12 m across in 10 bits; 5 of log scale in 10; SH bytes stand for the middle of 1/32.
    'compressed ply': (6.0 / 1023, 2.5 / 1023, 1.2 / 255 / 0.282, 0.5 / 32, 0.99999),
    'splat': (0.0, 1e-6, 0.5 / 255 / 0.282, 0.0, 0.9998),
}


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    return written_files(tmp_path_factory.mktemp('written'))


@pytest.mark.parametrize('name', GOLDEN)
def test_values_come_back_within_half_a_step(files, name):
    kind, _, degree = name.partition(' degree ')
    cloud, made = load(files[name]), sample_cloud(400, int(degree or 0))
    if kind.startswith('ksplat'):
        made = made.select(ksplat_order(made)[0])
    place, scale, colour, rest, turn = _STEPS[kind]
    assert np.abs(cloud.means - made.means).max() <= place + 2e-6
    assert np.abs(np.log(cloud.scales / made.scales)).max() <= scale + 2e-6
    assert np.abs(cloud.opacities - made.opacities).max() <= 0.5 / 255 + 1e-6
    assert np.abs(cloud.sh[:, 0] - made.sh[:, 0]).max() <= colour + 1e-5
    assert np.abs(cloud.sh[:, 1:] - made.sh[:, 1:]).max(initial=0.0) <= rest + 1e-5
    assert np.abs((cloud.quats * made.quats).sum(axis=1)).min() >= turn


@pytest.mark.parametrize('name', GOLDEN)
def test_another_tool_reads_the_same(files, name):
    cloud, stored = load(files[name]), GOLDEN[name]
    found = summary(cloud.means, cloud.quats, cloud.scales, cloud.opacities, cloud.sh)
    assert found.keys() == stored.keys()
    assert found['count'] == stored['count'] == 400
    for key in found.keys() - {'count'}:
        # The two read rotation bytes of .splat differently: (b - 128) / 128, b / 127.5 - 1.
        atol = 0.006 if (name, key) == ('splat', 'rotations') else 2e-5
        np.testing.assert_allclose(found[key], stored[key], rtol=1e-4, atol=atol, err_msg=key)


def test_every_sample_has_its_numbers(files):
    assert files.keys() == GOLDEN.keys()


@pytest.mark.parametrize('save', [save_ply, save_sog, save_splat])
def test_a_path_may_be_a_string(tmp_path, save):
    save(str(tmp_path / 'cloud'), sample_cloud(50, 0))
    assert len(load(str(tmp_path / 'cloud'))) == 50
