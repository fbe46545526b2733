"""Files of unknown origin: what is refused, and what the message says."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from s2e_policy.adapters.options import parse_adapter
from s2e_policy.errors import PolicyError
from s2e_policy.named import open_policy


def test_another_graph_is_refused_with_the_difference(published, tmp_path) -> None:
    path = published.s2e(tmp_path / 's2e.onnx', size=224)
    with pytest.raises(PolicyError) as caught:
        open_policy(f'adapter:s2e:{path}')
    lines = str(caught.value).splitlines()
    assert lines[0].endswith('this is not the published S2E graph (- expected, + found)')
    assert lines[1:] == [
        '  - input obs_images float [batch, 11, 3, 256, 256]',
        '  + input obs_images float [1, 11, 3, 224, 224]',
    ]


def test_the_wrong_kind_is_refused_with_every_difference(published, tmp_path) -> None:
    path = published.mbra(tmp_path / 'm.onnx')
    with pytest.raises(PolicyError) as caught:
        open_policy(f'adapter:citywalker:{path}')
    text = str(caught.value)
    for part in (
        '- input (any name: coordinates) float [batch, 6, 2]', '+ input goal float [1, 2]',
        '- output wp_pred float [batch, 5, 2]', '+ output waypoints float [1, 8, 2]',
    ):
        assert part in text


def test_sizes_that_the_file_leaves_open_are_tried(published, tmp_path) -> None:
    """A file may declare any number of waypoints; here it is that of non-zero goal numbers."""
    make, path = helper.make_node, tmp_path / 'm.onnx'
    nodes = [
        make('NonZero', ['goal'], ['where']), make('Transpose', ['where'], ['rows'], perm=[1, 0]),
        make('Cast', ['rows'], ['floats'], to=published.FLOAT),
        make('Unsqueeze', ['floats', 'zero'], ['waypoints']),
        make('ReduceMean', ['obs'], ['unused'], axes=[1, 2, 3, 4], keepdims=0),
    ]
    published.write(
        path, [('obs', [1, 6, 3, 96, 96], published.FLOAT), ('goal', [1, 2], published.FLOAT)],
        [('waypoints', [1, 'steps', 2], published.FLOAT)], nodes, {'zero': np.array([0])},
    )
    with pytest.raises(PolicyError, match=r"waypoints must be \['batch', 8, .*got \[1, 0, 2\]"):
        open_policy(f'adapter:mbra:{path}')


@pytest.mark.parametrize('location', ['/etc/passwd', '../secret', 'sub/x', '..', 'a\\b'])
def test_tensors_outside_the_folder_are_refused(published, tmp_path, location) -> None:
    path = published.image_goal(tmp_path / 'gnm.onnx')
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        if tensor.name == 'ramp':
            next(e for e in tensor.external_data if e.key == 'location').value = location
    path.write_bytes(model.SerializeToString())
    with pytest.raises(PolicyError, match='only in files of its own folder'):
        open_policy(f'adapter:gnm:{path}', goal_comes_later=True)


def test_a_link_and_a_missing_file_are_refused(published, tmp_path) -> None:
    path = published.image_goal(tmp_path / 'gnm.onnx')
    data = tmp_path / 'gnm.onnx.data'
    data.rename(tmp_path / 'elsewhere')
    name = f'adapter:gnm:{path}'
    with pytest.raises(PolicyError, match=r'gnm\.onnx\.data: no such file'):
        open_policy(name, goal_comes_later=True)
    data.symlink_to(tmp_path / 'elsewhere')
    with pytest.raises(PolicyError, match='this is a link'):
        open_policy(name, goal_comes_later=True)


def test_sizes_are_looked_at_before_reading(published, tmp_path, monkeypatch) -> None:
    path = published.s2e(tmp_path / 's2e.onnx')
    monkeypatch.setattr('s2e_policy.adapters.files.MAX_FILE_BYTES', 100)
    with pytest.raises(PolicyError, match=r'must have 1 to 100 bytes, got \d+'):
        open_policy(f'adapter:s2e:{path}')


@settings(max_examples=30, deadline=None)
@given(data=st.binary(max_size=200))
def test_noise_is_refused_with_one_error(tmp_path_factory, data) -> None:
    path = tmp_path_factory.mktemp('noise') / 's2e.onnx'
    path.write_bytes(data)
    with pytest.raises(PolicyError):
        open_policy(f'adapter:s2e:{path}')


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('adapter:s2e', 'adapter:KIND:PATH'),
        ('adapter::x.onnx', 'adapter:KIND:PATH'),
        ('adapter:nav:x.onnx', "adapter must be one of .*'s2e'.* got 'nav'"),
        ('adapter:s2e:x.onnx,fov', "key=value, got 'fov'"),
        ('adapter:s2e:x.onnx,zoom=2', "unknown key 'zoom'"),
        ('adapter:s2e:x.onnx,fov=500', 'fov must be'),
        ('adapter:s2e:no-such.onnx', 'no-such.onnx: no such file'),
        ('adapter:nomad:no-such', 'NoMaD is a folder with nomad_vision_encoder.onnx'),
        ('adapter:gnm:x.onnx,goal_image=no-such.png', 'goal image .*no-such.png'),
    ],
)
def test_names_that_are_refused(name, message) -> None:
    with pytest.raises(PolicyError, match=message):
        open_policy(name)


def test_a_name_survives_a_round_trip(tmp_path, monkeypatch) -> None:
    """Workers of a benchmark run elsewhere: paths become absolute."""
    monkeypatch.chdir(tmp_path)
    name = parse_adapter('adapter:gnm:a/x.onnx,goal_image=g.png,scale=0.5')
    assert name.path == tmp_path / 'a' / 'x.onnx'
    assert parse_adapter(str(name)) == name
    assert str(name).endswith('x.onnx,goal_image=' + str(tmp_path / 'g.png') + ',scale=0.5')


def test_mbra_goal_width_is_checked(published, tmp_path) -> None:
    with pytest.raises(PolicyError, match=r'got \[batch, 3\]'):
        open_policy(f'adapter:mbra:{published.mbra(tmp_path / "m.onnx", 3)}')
