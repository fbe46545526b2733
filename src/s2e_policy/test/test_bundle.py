"""Bundles load when they are what they say, and are refused with the reason otherwise."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s2e_policy.bundle import load_bundle
from s2e_policy.errors import PolicyError
from s2e_policy.manifest import BUNDLE_FILES, REFERENCE_FILE, WEIGHTS_FILE, WINDOW_FILE
from s2e_policy.reference import replay
from s2e_policy.wire import external_locations


@pytest.fixture
def folder(tiny, tmp_path):
    return tiny.write_bundle(tmp_path / 'tiny')


def test_a_good_bundle_loads_and_replays(folder) -> None:
    bundle = load_bundle(folder)
    assert bundle.spec.frames == 3
    assert bundle.spec.camera.fx == 8.0
    assert max(replay(bundle).values()) < 1e-5


@pytest.mark.parametrize('name', BUNDLE_FILES)
def test_a_changed_byte_is_refused(folder, name) -> None:
    path = folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(PolicyError, match=rf'{name}: sha256 must be [0-9a-f]+, got'):
        load_bundle(folder)


def test_a_truncated_file_is_refused(folder) -> None:
    path = folder / WEIGHTS_FILE
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(PolicyError, match=r'policy.weights: must have 160 bytes, got 159'):
        load_bundle(folder)


def test_a_missing_file_and_a_link_are_refused(folder, tmp_path) -> None:
    path = folder / WEIGHTS_FILE
    path.rename(tmp_path / 'elsewhere')
    with pytest.raises(PolicyError, match='plain file'):
        load_bundle(folder)
    path.symlink_to(tmp_path / 'elsewhere')
    with pytest.raises(PolicyError, match='plain file'):
        load_bundle(folder)


def test_a_bundle_of_links_to_one_folder_is_that_folder(folder, tmp_path) -> None:
    """As `colcon build --symlink-install` leaves it; it was refused as a link."""
    installed = tmp_path / 'share' / 'models' / folder.name
    installed.mkdir(parents=True)
    for path in folder.iterdir():
        (installed / path.name).symlink_to(path)
    assert load_bundle(installed).root == folder.resolve()


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'contract': 2}, 'contract must be 1, got 2'),
        ({'goal_encoding': 'polar'}, 'goal_encoding must be one of'),
        ({'anchors': [[0.0, 0.0]]}, 'anchors must have 2 entries, got 1'),
        ({'files': {}}, 'files must be'),
        ({'surprise': 1}, "unknown key 'surprise'"),
        ({'token_dim': 2}, 'must be'),
        ({'v_max': float('nan')}, 'v_max must be finite'),
    ],
)
def test_a_wrong_manifest_is_refused(tiny, tmp_path, changes, message) -> None:
    folder = tiny.write_bundle(tmp_path / 'tiny', **changes)
    with pytest.raises(PolicyError, match=message):
        load_bundle(folder)


@pytest.mark.parametrize('place', ['../secret', '/etc/passwd', 'other.bin'])
def test_weights_elsewhere_are_refused(tiny, folder, place) -> None:
    model = tiny.graph('window', weights=place)
    (folder / WINDOW_FILE).write_bytes(model.SerializeToString())
    tiny.write_manifest(folder)
    with pytest.raises(PolicyError, match=r'tensors may lie only in policy.weights, got'):
        load_bundle(folder)


def test_another_interface_is_refused(tiny, folder) -> None:
    model = tiny.graph('window', modes=4)
    (folder / WINDOW_FILE).write_bytes(model.SerializeToString())
    tiny.write_manifest(folder)
    with pytest.raises(PolicyError, match=r"output trajectories must be \('batch', 2, 10, 2\)"):
        load_bundle(folder)


def test_other_answers_are_refused(tiny, folder) -> None:
    content = tiny.reference()
    content['trajectories'] = content['trajectories'] + 0.01
    np.savez(folder / REFERENCE_FILE, **content)
    tiny.write_manifest(folder)
    with pytest.raises(PolicyError, match='answers trajectories otherwise than stored'):
        load_bundle(folder)


def test_pickled_reference_is_refused(tiny, folder) -> None:
    content = tiny.reference()
    content['scores'] = np.array([{'a': 1}], dtype=object)
    np.savez(folder / REFERENCE_FILE, **content)
    tiny.write_manifest(folder)
    with pytest.raises(PolicyError, match='cannot be read'):
        load_bundle(folder)


def test_no_folder_is_refused(tmp_path) -> None:
    with pytest.raises(PolicyError, match='is a folder, this is none'):
        load_bundle(tmp_path / 'nothing')


def test_external_locations_are_found_in_subgraphs(tiny) -> None:
    inner = tiny.graph('window', weights='inner.bin').graph
    node = onnx.helper.make_node('If', ['c'], ['y'], then_branch=inner, else_branch=inner)
    outer = onnx.helper.make_graph([node], 'outer', [], [])
    model = onnx.helper.make_model(outer)
    assert external_locations(model.SerializeToString()) == {'inner.bin'}


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_wild_bytes_never_crash_the_walk(data: bytes) -> None:
    try:
        found = external_locations(data)
    except PolicyError:
        return
    assert isinstance(found, set)
