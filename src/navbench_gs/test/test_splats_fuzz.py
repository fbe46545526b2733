"""Damaged files of every format: each gives a sound cloud or one SplatFormatError.

`NAVBENCH_FUZZ=10000 pytest src/navbench_gs/test/test_splats_fuzz.py` tries as many for each
reader, every one in a process that may take 512 MB; without it, 250. A failure names the input's
number, which `splat_fuzz.trial.run(kind, 1, folder, first=number)` makes again.
"""

import os
import sys

import pytest

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats import load, registry

if sys.platform != 'linux':
    pytest.skip('limits of memory are set and read as Linux does', allow_module_level=True)

from splat_fuzz.samples import KINDS, SINGLE, source
from splat_fuzz.trial import check, run

INPUTS = int(os.environ.get('NAVBENCH_FUZZ', '250'))


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.filterwarnings('ignore:.*fork.*:DeprecationWarning')
def test_damaged_files(tmp_path, kind):
    verdict = run(kind, INPUTS, tmp_path)
    assert not verdict.failure, verdict.failure
    assert verdict.accepted + verdict.refused == INPUTS
    # Most damage is noticed; the rest are other, equally valid values.
    assert verdict.refused > INPUTS // 2
    assert verdict.accepted > 0
    # The largest bombs unpack to 64 MB.
    assert verdict.peak < 160_000_000


@pytest.mark.parametrize('kind', KINDS)
def test_undamaged_files_are_sound(tmp_path, kind):
    """What the damage starts from is accepted, or refusing everything would pass."""
    inputs = source(kind, tmp_path)
    for good in inputs.good:
        if kind in SINGLE:
            path = tmp_path / 'input.bin'
            path.write_bytes(good)
        else:
            path = inputs.write(good)
        check(inputs.read(path))
        check(load(path))


def test_a_file_that_does_not_fit_into_memory_is_refused(tmp_path, monkeypatch):
    def read(path, level):
        raise MemoryError

    path = tmp_path / 'large.ply'
    path.write_bytes(b'ply\n')
    chosen = registry.SplatFormat('large', lambda path, head: True, read)
    monkeypatch.setattr(registry, 'FORMATS', [chosen])
    with pytest.raises(SplatFormatError, match=r'large\.ply: must fit into memory'):
        load(path)
