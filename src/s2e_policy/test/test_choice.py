"""Which bundle is chosen for a robot's lens, and what is said about it."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from s2e_core.camera import SMALL_CAMERA, SMALL_MOUNT
from s2e_core.errors import ConfigError, S2EError
from s2e_core.paths import find_model
from s2e_core.robot import load_robot
from s2e_policy import choice
from s2e_policy.choice import (
    SHIPPED,
    WHOLE,
    Choice,
    choose_bundle,
    choose_policy,
    share_seen,
    shipped_bundles,
    trained_down_to,
)
from s2e_policy.manifest import read_manifest

PROFILES = ('coco', 'go2', 'jackal', 'turtlebot4')


def robot_with(degrees):
    """Return a robot whose camera sits where the shipped bundles' sat, through another lens."""
    coco = load_robot('coco')
    return replace(coco, camera=replace(coco.camera, hfov=math.radians(degrees)))


@pytest.fixture(scope='module')
def shipped():
    return shipped_bundles()


def named(bundle, name, coverage):
    return replace(bundle, name=name, images=replace(bundle.images, coverage=coverage))


def test_the_share_of_the_view_by_hand(shipped):
    # 2 atan 0.5 = 53.13 degrees, 4:3: rays up to 0.5 aside and 0.375 up of the policy's 1 and
    # 0.75, half of each: a quarter of the picture.
    images = shipped[0].images
    assert share_seen(images, robot_with(2 * math.degrees(math.atan(0.5)))) == 0.25
    assert share_seen(images, robot_with(90.0)) == 1.0


def test_the_list_is_what_is_shipped(shipped):
    table = (find_model('s2e-small').parent / 'README.md').read_text(encoding='utf-8')
    rows = [line.split('`')[1] for line in table.splitlines() if line.startswith('| `')]
    folders = find_model('s2e-small').parent.glob('*/bundle.yaml')
    assert sorted(rows) == sorted(path.parent.name for path in folders)
    assert [name for name in rows if name in SHIPPED] == list(SHIPPED)
    assert tuple(bundle.name for bundle in shipped) == SHIPPED


@pytest.mark.parametrize(('robot', 'bundle', 'words'), [
    ('coco', 's2e-small',
     'lens of 90 degrees, 100% of the view: s2e-small, trained with all of it'),
    ('turtlebot4', 's2e-small-lens',
     'lens of 69 degrees, 73% of the view: s2e-small-lens, trained down to 19%'),
    ('jackal', 's2e-small-lens',
     'lens of 69 degrees, 67% of the view: s2e-small-lens, trained down to 19%'),
    ('go2', 's2e-small-lens',
     'lens of 69 degrees, 60% of the view: s2e-small-lens, trained down to 19%'),
])
def test_each_profile_gets_the_bundle_of_its_lens_and_is_told_why(robot, bundle, words):
    assert choose_policy('auto', load_robot(robot)) == Choice(bundle, words)


@pytest.mark.parametrize('name', PROFILES)
def test_a_lens_of_90_degrees_gets_s2e_small_wherever_the_profiles_cameras_sit(name, shipped):
    robot = load_robot(name)
    robot = replace(robot, camera=replace(robot.camera, hfov=math.pi / 2))
    assert share_seen(shipped[0].images, robot) > WHOLE
    assert choose_policy('auto', robot).policy == 's2e-small'


def test_the_policys_own_view_is_s2e_small():
    found = choose_policy('auto', None)
    assert found == Choice('s2e-small', "the policy's own view: s2e-small")
    assert found.lines == ["policy: the policy's own view: s2e-small"]


def test_a_named_policy_is_respected_and_warned_about():
    turtlebot = load_robot('turtlebot4')
    found = choose_policy('s2e-small', turtlebot)
    assert (found.policy, found.why) == ('s2e-small', 's2e-small, as named')
    assert found.warning.startswith(
        'lens of 69 degrees, 73% of the view, but s2e-small was trained with all of it'
    )
    assert found.lines == [f'policy: {found.why}', f'WARNING: {found.warning}']
    assert found.text == f'{found.why}; WARNING: {found.warning}'
    assert not choose_policy('s2e-small-lens', turtlebot).warning
    assert not choose_policy('s2e-small', load_robot('coco')).warning
    # As a path, and where the simulator draws the policy's own view.
    assert choose_policy(str(find_model('s2e-small')), turtlebot).warning
    assert not choose_policy('s2e-small', None).warning


@pytest.mark.parametrize('name', ['straight', 'adapter:s2e:s2e.onnx', 'python:turner.py:Turner'])
def test_what_is_no_bundle_is_taken_as_named(name):
    assert choose_policy(name, load_robot('go2')) == Choice(name, f'{name}, as named')


def test_a_lens_that_no_bundle_was_trained_for_gets_the_widest_with_a_warning():
    # 2 atan 0.3 = 33.4 degrees: 0.3 x 0.3 = 9 % of the view, where the lens bundle stops at 19 %.
    found = choose_policy('auto', robot_with(2 * math.degrees(math.atan(0.3))))
    assert found.policy == 's2e-small-lens'
    assert 'lens of 33 degrees, 9% of the view, but s2e-small-lens was trained down to 19%' in (
        found.warning
    )


def test_of_those_that_cover_the_one_that_wants_most_of_the_view_is_chosen(shipped):
    base = shipped[0]
    some = [named(base, name, share) for name, share in (('a', 0.2), ('b', 0.6), ('c', 0.9))]
    quarter = robot_with(2 * math.degrees(math.atan(0.5)))
    assert choose_bundle(some, quarter).policy == 'a'
    # 2 atan 0.8: 0.64 of the view.
    assert choose_bundle(some, robot_with(2 * math.degrees(math.atan(0.8)))).policy == 'b'
    assert choose_bundle(some, robot_with(90.0)).policy == 'c'
    twins = [named(base, name, 0.6) for name in ('first', 'second')]
    assert choose_bundle(twins, robot_with(90.0)).policy == 'first'


def test_the_manifests_default_stands_for_training_with_whole_views(shipped):
    assert [trained_down_to(bundle.images) for bundle in shipped] == [WHOLE, 0.19]
    assert shipped[0].images.camera == SMALL_CAMERA and shipped[0].images.mount == SMALL_MOUNT


def test_bundles_of_ones_own_beside_the_shipped_ones_are_not_chosen(tmp_path, monkeypatch):
    models = tmp_path / 'models'
    (models / 's2e-small').mkdir(parents=True)
    (models / 'mine').mkdir()
    for name in ('s2e-small', 'mine'):
        text = (find_model('s2e-small-lens') / 'bundle.yaml').read_text(encoding='utf-8')
        (models / name / 'bundle.yaml').write_text(text, encoding='utf-8')
    monkeypatch.setattr(choice, 'find_model', lambda name: _within(models, name))
    assert [read_manifest(models / 's2e-small')] == shipped_bundles()


def test_without_any_bundle_it_says_where_it_looked(tmp_path, monkeypatch):
    monkeypatch.setattr(choice, 'find_model', lambda name: _within(tmp_path, name))
    with pytest.raises(S2EError, match=r'policy auto: no bundle to choose from: .*s2e-small-lens'):
        choose_policy('auto', None)


def _within(folder: Path, name: str) -> Path:
    if not (folder / name).is_dir():
        raise ConfigError(f'{name} not found in {folder}')
    return folder / name
