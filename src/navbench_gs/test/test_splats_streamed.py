"""Streamed scenes: levels that are there, levels that are not, cells, and lying indices."""

import json
import zipfile

import numpy as np
import pytest

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats import GaussianCloud, load, save_sog, streamed


def _write_chunk(folder, name, cloud):
    save_sog(folder / 'chunk.sog', cloud)
    with zipfile.ZipFile(folder / 'chunk.sog') as bundle:
        bundle.extractall(folder / name)
    (folder / 'chunk.sog').unlink()


@pytest.fixture
def scene(tmp_path, random_cloud):
    """Two cells; level 0 is named but absent, level 1 in two files, level 2 in one."""
    chunks = {'1_0': random_cloud(40, seed=1), '1_1': random_cloud(30, seed=2)}
    chunks['2_0'] = random_cloud(12, seed=3)
    for name, cloud in chunks.items():
        _write_chunk(tmp_path, name, cloud)
    cells = [
        {'0': (0, 0, 900), '1': (1, 0, 40), '2': (3, 0, 7)},
        {'0': (0, 900, 800), '1': (2, 0, 30), '2': (3, 7, 5)},
    ]
    keys = ('file', 'offset', 'count')
    children = [
        {'lods': {k: dict(zip(keys, v, strict=True)) for k, v in cell.items()}} for cell in cells
    ]
    meta = {
        'lodLevels': 3,
        'environment': None,
        'filenames': [f'{name}/meta.json' for name in ('0_0', '1_0', '1_1', '2_0')],
        'tree': {'children': [{'children': children[:1]}, children[1]]},
    }
    (tmp_path / 'lod-meta.json').write_text(json.dumps(meta))
    return tmp_path


def _edit(scene, change):
    path = scene / 'lod-meta.json'
    meta = json.loads(path.read_text())
    change(meta)
    path.write_text(json.dumps(meta))


def test_the_finest_level_that_is_present_is_taken(scene):
    assert len(load(scene)) == 70
    assert len(load(scene / 'lod-meta.json')) == 70


def test_a_level_can_be_asked_for(scene):
    assert len(load(scene, level=2)) == 12


def test_an_absent_level_names_its_files(scene):
    with pytest.raises(SplatFormatError, match=r'level 0 must be present, got no 0_0/meta\.json'):
        load(scene, level=0)


def test_an_unknown_level_is_refused(scene):
    with pytest.raises(SplatFormatError, match=r'level must be one of \[0, 1, 2\], got 7'):
        load(scene, level=7)


def test_a_half_present_level_is_skipped(scene):
    (scene / '1_1/meta.json').unlink()
    assert len(load(scene)) == 12


def test_no_level_present_is_an_error(scene):
    for name in ('1_0', '1_1', '2_0'):
        (scene / name / 'meta.json').unlink()
    with pytest.raises(SplatFormatError, match='files of one level must be present'):
        load(scene)


def test_only_the_runs_that_cells_name_are_taken(scene):
    whole = load(scene, level=2)
    _edit(scene, lambda meta: meta['tree']['children'].pop())
    part = load(scene, level=2)
    np.testing.assert_array_equal(part.means, whole.means[:7])


def test_a_run_beyond_its_file_is_refused(scene):
    def change(meta):
        meta['tree']['children'][1]['lods']['2']['count'] = 6

    _edit(scene, change)
    with pytest.raises(SplatFormatError, match=r'stay within the 12 gaussians .* got 13'):
        load(scene, level=2)


def test_overlapping_runs_take_each_gaussian_once_and_no_time(scene):
    def change(meta):
        run = {'file': 3, 'offset': 0, 'count': 12}
        # 30,000 runs of all 12: a mask per run would still be quick here, but not at 16 million.
        meta['tree'] = {'children': [{'lods': {'2': run}}] * 30_000}

    _edit(scene, change)
    assert len(load(scene, level=2)) == 12


def test_a_file_named_twice_is_refused(scene):
    _edit(scene, lambda meta: meta['filenames'].append(meta['filenames'][1]))
    with pytest.raises(SplatFormatError, match='all different, got 5 of them, 4 different'):
        load(scene)
    _edit(scene, lambda meta: meta.update(filenames=[str(n) for n in range(4097)]))
    with pytest.raises(SplatFormatError, match='must be at most 4096'):
        load(scene)


def test_a_level_of_empty_runs_is_refused(scene):
    def change(meta):
        for cell in (meta['tree']['children'][0]['children'][0], meta['tree']['children'][1]):
            cell['lods']['2']['count'] = 0

    _edit(scene, change)
    with pytest.raises(SplatFormatError, match='cells of level 2 must hold gaussians'):
        load(scene, level=2)


def test_a_level_larger_than_a_cloud_may_be_is_refused(scene, monkeypatch):
    for cell in (
        lambda tree: tree['children'][0]['children'][0],
        lambda tree: tree['children'][1],
    ):
        _edit(scene, lambda meta, cell=cell: cell(meta['tree'])['lods'].pop('0'))
    monkeypatch.setattr(streamed, 'MAX_GAUSSIANS', 60)
    with pytest.raises(SplatFormatError, match='at most 60 gaussians, got 70'):
        load(scene, level=1)


@pytest.mark.parametrize('name', ['../1_0/meta.json', '/etc/passwd', 'C:\\x', '..\\x'])
def test_names_that_leave_the_folder_are_refused(scene, name):
    _edit(scene, lambda meta: meta['filenames'].__setitem__(3, name))
    with pytest.raises(SplatFormatError, match='stay inside the folder'):
        load(scene, level=2)


@pytest.mark.parametrize(
    'change',
    [
        lambda meta: meta.pop('tree'),
        lambda meta: meta.update(filenames='2_0'),
        lambda meta: meta.update(filenames=[]),
        lambda meta: meta['tree'].update(children=5),
        lambda meta: meta['tree'].update(children=[[]]),
        lambda meta: meta['tree']['children'][1]['lods']['2'].update(file=9),
        lambda meta: meta['tree']['children'][1]['lods']['2'].update(count=-1),
        lambda meta: meta['tree']['children'][1]['lods']['2'].update(offset='0'),
        lambda meta: meta['tree']['children'][1]['lods'].update(x={}),
    ],
)
def test_broken_indices_give_one_clear_error(scene, change):
    _edit(scene, change)
    with pytest.raises(SplatFormatError, match=r'lod-meta\.json: '):
        load(scene, level=2)


def test_a_deeply_nested_index_does_not_exhaust_the_stack(scene):
    (scene / 'lod-meta.json').write_text('{"tree":' + '[' * 100_000)
    with pytest.raises(SplatFormatError, match='must be JSON'):
        load(scene)


def test_levels_are_for_streamed_scenes_only(tmp_path, random_cloud):
    save_sog(tmp_path / 'a.sog', random_cloud(5))
    with pytest.raises(SplatFormatError, match='has no levels, got level 1'):
        load(tmp_path / 'a.sog', level=1)


def test_real_playbot_levels(real_data):
    root = real_data('splats/objects/playbot')
    assert [len(load(root, level=level)) for level in (3, 4, 5, 6)] == [
        31_000,
        8_406,
        3_000,
        1_873,
    ]
    with pytest.raises(SplatFormatError, match='level 0 must be present'):
        load(root, level=0)


def test_an_empty_cloud_cannot_be_written(tmp_path):
    with pytest.raises(SplatFormatError, match='got 0'):
        save_sog(tmp_path / 'a.sog', GaussianCloud.concatenate([]))
