"""Damaged files of every format: each gives a sound cloud or one SplatFormatError.

`NAVBENCH_FUZZ=10000 pytest src/navbench_gs/test/test_splats_fuzz.py` tries as many for each
reader, in processes that may take 512 MB; without it, 200. A failure names the input's number:
`python -m splat_fuzz 1 KIND --first NUMBER` (with test/support on PYTHONPATH) tries it again.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import navbench_gs
from navbench_gs.errors import SplatFormatError
from navbench_gs.splats import load, registry

if sys.platform != 'linux':
    pytest.skip('limits of memory are set and read as Linux does', allow_module_level=True)

from splat_fuzz.samples import KINDS, SINGLE, source
from splat_fuzz.trial import check

INPUTS = int(os.environ.get('NAVBENCH_FUZZ', '200'))


@pytest.fixture(scope='module')
def verdicts():
    """Try all readers, in a process without the threads that other tests have started."""
    folders = [Path(__file__).parent / 'support', Path(navbench_gs.__file__).parents[1]]
    inherited = os.environ.get('PYTHONPATH', '')
    path = os.pathsep.join([*map(str, folders), *filter(None, [inherited])])
    command = [sys.executable, '-m', 'splat_fuzz', str(INPUTS), '--json']
    run = subprocess.run(
        command, env={**os.environ, 'PYTHONPATH': path}, capture_output=True, text=True
    )
    found = [json.loads(line) for line in run.stdout.splitlines()]
    assert [entry['kind'] for entry in found] == KINDS, run.stderr[-2000:]
    return {entry.pop('kind'): entry for entry in found}


@pytest.mark.parametrize('kind', KINDS)
def test_damaged_files(verdicts, kind):
    verdict = verdicts[kind]
    assert not verdict['failure'], verdict['failure']
    assert verdict['accepted'] + verdict['refused'] == INPUTS
    # Most damage is noticed; the rest are other, equally valid values.
    assert verdict['refused'] > INPUTS // 3
    assert verdict['accepted'] > 0
    # The largest bombs unpack to 64 MB.
    assert verdict['peak'] < 160_000_000


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
