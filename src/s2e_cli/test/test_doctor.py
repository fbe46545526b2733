"""The doctor: what it says about machines that lack something."""

import json

import pytest

from s2e_cli.doctor import checks, content, machine, ros
from s2e_cli.doctor.check import Check
from s2e_cli.doctor.table import render_table, to_records
from s2e_cli.main import main

GIB = 2**30


def test_table_shows_the_remedy_of_what_is_wrong_only():
    table = render_table(
        [
            Check('ros', 'rclpy', 'ok', '9.1.2', 'never shown'),
            Check('ros', 'rmw', 'fail', 'missing', 'install it'),
        ]
    )
    assert table.splitlines() == [
        'ros',
        '  ok    rclpy  9.1.2',
        '  fail  rmw    missing',
        '               -> install it',
        '1 ok, 0 warnings, 1 failures',
    ]


@pytest.mark.parametrize(
    ('levels', 'worst'),
    [(['ok'], 'ok'), (['ok', 'warn'], 'warn'), (['warn', 'fail', 'ok'], 'fail')],
)
def test_records_carry_the_worst_level(levels, worst):
    records = to_records([Check('g', 'n', level, 'd') for level in levels])
    assert records['level'] == worst
    assert [check['level'] for check in records['checks']] == levels


def test_group_that_breaks_is_a_finding_and_hides_no_other(monkeypatch):
    def broken():
        yield Check('ros', 'first', 'ok', 'seen')
        raise ImportError('libfoo.so: cannot open')

    def good():
        yield Check('data', 'after', 'ok', 'seen')

    monkeypatch.setattr(checks, 'GROUPS', {'ros': broken, 'data': good})
    found = checks.run_checks()
    assert [check.name for check in found] == ['first', 'check itself', 'after']
    assert found[1].level == 'fail'
    assert 'libfoo.so' in found[1].detail


def test_exit_code_follows_failures_not_warnings(monkeypatch, capsys):
    def warns():
        yield Check('data', 'x', 'warn', 'little')

    def fails():
        yield Check('data', 'x', 'fail', 'nothing')

    monkeypatch.setattr(checks, 'GROUPS', {'data': warns})
    assert main(['doctor', '--json']) == 0
    assert json.loads(capsys.readouterr().out)['level'] == 'warn'
    monkeypatch.setattr(checks, 'GROUPS', {'data': fails})
    assert main(['doctor']) == 1
    assert main(['doctor', '--only', 'nowhere']) == 2
    assert "no group 'nowhere'; choose from data" in capsys.readouterr().err


@pytest.mark.parametrize(
    ('check', 'level'),
    [
        (machine.python_check((3, 9, 2), '/usr'), 'warn'),
        (machine.python_check((3, 10, 0), '/usr'), 'ok'),
        (machine.python_check((3, 14, 0), '/usr'), 'warn'),
        (machine.memory_check(3 * GIB), 'warn'),
        (machine.memory_check(8 * GIB), 'ok'),
        (machine.disk_check(1 * GIB, '/'), 'warn'),
        (machine.disk_check(3 * GIB, '/'), 'ok'),
    ],
)
def test_limits_of_the_machine(check, level):
    assert check.level == level
    assert bool(check.fix) == (level != 'ok')


@pytest.mark.parametrize(
    ('environment', 'level'),
    [
        ({}, 'warn'),
        ({'FASTDDS_DEFAULT_PROFILES_FILE': '/nowhere/fastdds.xml'}, 'fail'),
        ({'FASTDDS_BUILTIN_TRANSPORTS': 'SHM?max_msg_size=2MB&sockets_size=8MB'}, 'ok'),
        ({'RMW_IMPLEMENTATION': 'rmw_cyclonedds_cpp'}, 'ok'),
    ],
)
def test_transport_profile(environment, level, tmp_path):
    profile = next(iter(ros.transport_checks(environment, tmp_path)))
    assert profile.level == level


def test_profile_that_exists_is_enough(tmp_path):
    (tmp_path / 'p.xml').write_text('<profiles/>')
    environment = {'FASTDDS_DEFAULT_PROFILES_FILE': str(tmp_path / 'p.xml')}
    assert next(iter(ros.transport_checks(environment, tmp_path))).level == 'ok'


def test_missing_shared_memory_is_a_warning(tmp_path):
    found = list(ros.transport_checks({'RMW_IMPLEMENTATION': 'x'}, tmp_path / 'absent'))
    assert found[1].level == 'warn'


def test_damaged_bundle_fails_with_its_reason(tmp_path):
    pytest.importorskip('s2e_policy.bundle')
    folder = tmp_path / 'broken'
    folder.mkdir()
    (folder / 'bundle.yaml').write_text('contract: 1\n')
    check = content.bundle_check(folder)
    assert check.level == 'fail'
    assert check.fix
    assert 'bundle.yaml' in check.detail


def test_bundles_are_those_of_the_first_root(tmp_path, monkeypatch):
    for name in ('b', 'a'):
        (tmp_path / 'models' / name).mkdir(parents=True)
        (tmp_path / 'models' / name / 'bundle.yaml').write_text('')
    (tmp_path / 'models' / 'not_a_bundle').mkdir()
    monkeypatch.setenv('S2E_HOME', str(tmp_path))
    assert [folder.name for folder in content.bundle_folders()] == ['a', 'b']
