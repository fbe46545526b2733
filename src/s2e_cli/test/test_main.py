"""The command line: discovery, help, errors and exit codes."""

import subprocess
import sys
import types

import pytest

from s2e_cli import main as cli
from s2e_cli import registry
from s2e_core.errors import ConfigError


def command(behaviour):
    """Return a command module that adds `work` and runs the given function."""
    module = types.ModuleType('work')
    module.add_parser = lambda subparsers: subparsers.add_parser('work', help='does something')
    module.run = behaviour
    return module


def fails(error):
    def run(args):
        raise error

    return run


def test_every_command_has_help_with_an_example(capsys):
    for name in registry.discover():
        with pytest.raises(SystemExit) as stop:
            cli.main([name, '--help'])
        assert stop.value.code == 0
        shown = capsys.readouterr().out
        assert f's2e {name}' in shown.split('options:')[1], f'{name} --help shows no example'


def test_error_is_one_line_with_code_2(monkeypatch, capsys):
    error = ConfigError('scene.yaml: seed must be 0 or more, got -1')
    monkeypatch.setattr(cli, 'discover', lambda: {'work': command(fails(error))})
    assert cli.main(['work']) == 2
    shown = capsys.readouterr()
    assert shown.err == 's2e: error: scene.yaml: seed must be 0 or more, got -1\n'
    assert shown.out == ''


def test_traceback_is_shown_on_request_only(monkeypatch):
    monkeypatch.setattr(cli, 'discover', lambda: {'work': command(fails(ConfigError('no')))})
    with pytest.raises(ConfigError):
        cli.main(['--traceback', 'work'])


def test_bug_is_not_disguised_as_a_user_error(monkeypatch):
    monkeypatch.setattr(cli, 'discover', lambda: {'work': command(fails(ZeroDivisionError()))})
    with pytest.raises(ZeroDivisionError):
        cli.main(['work'])


def test_interrupt_is_130(monkeypatch, capsys):
    monkeypatch.setattr(cli, 'discover', lambda: {'work': command(fails(KeyboardInterrupt()))})
    assert cli.main(['work']) == 130
    assert 'interrupted' in capsys.readouterr().err


def test_exit_code_is_the_commands_own(monkeypatch):
    monkeypatch.setattr(cli, 'discover', lambda: {'work': command(lambda args: 7)})
    assert cli.main(['work']) == 7


def test_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(['wrok'])
    assert stop.value.code == 2
    assert 'wrok' in capsys.readouterr().err


def test_module_that_adds_a_command_of_another_name_is_a_bug(monkeypatch):
    monkeypatch.setattr(cli, 'discover', lambda: {'other': command(lambda args: 0)})
    with pytest.raises(TypeError, match=r'commands\.other adds the command work'):
        cli.build_parser()


def test_help_imports_nothing_heavy():
    """`s2e --help` took as long as importing torch when a command imported it at the top."""
    code = (
        'import sys; from s2e_cli.main import build_parser; build_parser(); '
        'print([m for m in ("torch", "rclpy", "numba", "mujoco", "onnxruntime", "cv2") '
        'if m in sys.modules])'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'


def test_a_package_that_is_not_installed_is_named(monkeypatch, capsys, tmp_path):
    hide = {name: None for name in sys.modules if name.partition('.')[0] == 's2e_training'}
    for name in {'s2e_training', *hide}:
        monkeypatch.setitem(sys.modules, name, None)
    for words in (['replay', str(tmp_path)], ['train', 'encode', str(tmp_path)]):
        assert cli.main(words) == 2
        shown = capsys.readouterr().err
        assert 'needs the package s2e_training' in shown
        assert shown.count('\n') == 1
    with pytest.raises(ModuleNotFoundError):
        cli.main(['--traceback', 'replay', str(tmp_path)])
