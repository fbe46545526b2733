"""`s2e robot`: what it lists, asks, writes and refuses."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from s2e_cli.main import main
from s2e_core.robot import load_robot

ANSWERS = {
    'name': 'rover', 'length': '0.5', 'width': '0.4', 'height': '0.3', 'mass': '12',
    'wheel_radius': '0.1', 'track': '0.35', 'v_max': '1.0', 'w_max': '2.0',
}


def answers(monkeypatch: pytest.MonkeyPatch, **changes: list[str]) -> list[str]:
    """Answer by the field that a prompt names, with the default where nothing is said."""
    lists: dict[str, Iterator[str]] = {name: iter(values) for name, values in changes.items()}
    prompts: list[str] = []

    def ask(prompt: str = '') -> str:
        name = prompt.partition(':')[0]
        prompts.append(name)
        if name in lists:
            return next(lists[name])
        return ANSWERS.get(name, '')

    monkeypatch.setattr('builtins.input', ask)
    return prompts


def test_list_names_every_profile(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['robot', 'list']) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert {'coco', 'turtlebot4', 'jackal'} <= set(names)


def test_show_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    """Jackal, not measured: 0.3 m/s, which 2 m/s2 stop in 0.09 / 4 = 0.02 m."""
    assert main(['robot', 'show', 'jackal']) == 0
    out = capsys.readouterr().out
    assert 'speed allowed  0.3 m/s of 2' in out
    assert '0.02 m at 0.3 m/s' in out
    assert 'not measured' in out
    assert '67% of the view: s2e-small-lens, trained down to 19%' in out


def test_new_asks_again_and_writes_what_loads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'rover.yaml'
    prompts = answers(
        monkeypatch, kinematics=['tracked', 'car'], wheelbase=['0.4'], min_turn_radius=['0.8'],
        length=['9', 'long', '', '0.5'], twist_stamped=['perhaps', 'no'],
        **{'camera.width': ['640.5', '640']},
    )
    assert main(['robot', 'new', '--out', str(path)]) == 0
    out = capsys.readouterr().out
    for said in ("got 'tracked'", 'length must be in 0.05 to 5 m, got 9',
                 "must be a number, with a point, got 'long'", 'length is needed',
                 'must be yes or no', 'must be a whole number'):
        assert said in out
    robot = load_robot(path)
    assert (robot.kinematics, robot.length, robot.min_turn_radius) == ('car', 0.5, 0.8)
    assert (robot.twist_stamped, robot.camera.width, robot.base_timeout) == (False, 640, None)
    assert 'base_timeout' not in prompts
    assert 'wrote' in out and f'robot:={path}' in out and 'on the spot' not in out


@pytest.mark.parametrize(('name', 'said'), [
    ('taken.yaml', 'exists already'), ('rover', 'ends in .yaml'),
    ('nowhere/rover.yaml', 'folder does not exist'),
])
def test_a_file_that_cannot_be_written_is_refused_before_the_questions(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    name: str, said: str,
) -> None:
    (tmp_path / 'taken.yaml').write_text('mine')
    prompts = answers(monkeypatch)
    assert main(['robot', 'new', '--out', str(tmp_path / name)]) == 2
    assert said in capsys.readouterr().err
    assert prompts == [] and (tmp_path / 'taken.yaml').read_text() == 'mine'


def test_answers_that_do_not_fit_each_other_are_asked_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name is a file's too, wheels turn, circles are round; units and degrees are read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'old.yaml').write_text('mine')
    answers(
        monkeypatch, name=['my/rover', 'old', 'rover'], kinematics=['differential'],
        wheel_radius=['0', '0.1 m'], footprint=['circle', 'box'], mass=['12 kg'],
        **{'camera.hfov': ['60', '60 deg'], 'camera.pitch': ['six deg', '6deg'],
           'topics.image': ['/oak image', '/oak/image']},
    )
    assert main(['robot', 'new']) == 0
    out = capsys.readouterr().out
    for said in ('one word of letters', 'old.yaml exists already', 'must be in 0.01 to 1 m, got 0',
                 'a circle is as long as wide, to 0.02 m, got 0.5 and 0.4', 'such as 60 deg',
                 'must be in 0.3 to 2.8 rad, got 60', 'must be the name of a topic'):
        assert said in out
    robot = load_robot(tmp_path / 'rover.yaml')
    assert (robot.mass, robot.wheel_radius, robot.footprint) == (12.0, 0.1, 'box')
    assert (robot.topics.image, robot.topics.odom) == ('/oak/image', 'odom')
    assert robot.camera.hfov == pytest.approx(1.0471976)
    assert robot.camera.pitch == pytest.approx(0.1047198)
    # sqrt(0.25^2 + 0.2^2) - 0.2
    assert 'corners 0.12 m beyond the sides' in out


def test_legs_have_no_wheels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    prompts = answers(monkeypatch, kinematics=['legged'])
    assert main(['robot', 'new', '--out', str(tmp_path / 'dog.yaml')]) == 0
    assert not {'wheel_radius', 'track'} & set(prompts)
    assert load_robot(tmp_path / 'dog.yaml').wheel_radius == 0.0


@pytest.mark.parametrize(('end', 'code', 'said'), [
    (KeyboardInterrupt, 130, 'nothing was written; go on with'),
    (EOFError, 2, 'the answers ended before the questions; go on with'),
])
def test_an_interview_that_is_broken_off_can_be_gone_on_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    end: type[BaseException], code: int, said: str,
) -> None:
    monkeypatch.chdir(tmp_path)

    def ask(prompt: str = '') -> str:
        name = prompt.partition(':')[0]
        if name == 'mass':
            raise end
        return {**ANSWERS, 'kinematics': 'differential'}[name]

    monkeypatch.setattr('builtins.input', ask)
    assert main(['robot', 'new']) == code
    err = capsys.readouterr().err
    assert said in err and list(tmp_path.iterdir()) == []
    # What it says is what it takes.
    command = err.partition('go on with: s2e ')[2].splitlines()[0]
    prompts = answers(monkeypatch)
    assert main(shlex.split(command)) == 0
    assert prompts[0] == 'mass' and load_robot(tmp_path / 'rover.yaml').length == 0.5


def test_a_kind_of_base_is_asked_for_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / 'mecanum.yaml'
    prompts = answers(monkeypatch, kinematics=['holonomic'], vy_max=['', '0', '0.4'])
    assert main(['robot', 'new', '--out', str(path)]) == 0
    assert capsys.readouterr().out.count('vy_max is needed, above 0') == 2
    assert load_robot(path).vy_max == 0.4
    assert not {'wheelbase', 'min_turn_radius'} & set(prompts)
    assert main(['robot', 'show', str(path)]) == 0
    assert 'sideways       0.4 m/s' in capsys.readouterr().out


def test_given_values_are_not_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    prompts = answers(monkeypatch)
    path = tmp_path / 'r.yaml'
    words = [w for k, v in {**ANSWERS, 'kinematics': 'differential', 'camera.z': '0.4'}.items()
             for w in ('--set', f'{k}={v}')]
    assert main(['robot', 'new', '--out', str(path), *words]) == 0
    assert load_robot(path).camera.z == 0.4
    assert 'mass' not in prompts
    # A differential base has no wheelbase and no smallest radius.
    assert not {'wheelbase', 'min_turn_radius'} & set(prompts)


@pytest.mark.parametrize(('words', 'said'), [
    (['--set', 'colour=red'], "unknown field 'colour'"),
    (['--set', 'name'], "--set takes NAME=VALUE, got 'name'"),
    (['--set', 'name={'], 'not a YAML value'),
    (['--set', 'mass=-3'], '--set: mass must be in 0.1 to 2000 kg'),
])
def test_wrong_answers_beforehand_are_errors(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    words: list[str], said: str,
) -> None:
    answers(monkeypatch, kinematics=['differential'])
    assert main(['robot', 'new', '--out', str(tmp_path / 'x.yaml'), *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / 'x.yaml').exists()


def test_check_wants_free_wheels(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr('builtins.input', lambda prompt: '')
    assert main(['robot', 'check', 'jackal']) == 1
    assert 'nothing was done' in capsys.readouterr().err
