"""Substitutions and conditions, one hand-made case each."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_bare.errors import PackageNotFoundError
from s2e_bare.launch import LaunchContext
from s2e_bare.launch.condition import InvalidConditionExpressionError
from s2e_bare.launch.conditions import (
    IfCondition,
    LaunchConfigurationEquals,
    LaunchConfigurationNotEquals,
    UnlessCondition,
)
from s2e_bare.launch.substitution import (
    SubstitutionFailure,
    describe_substitutions,
    normalize_to_list_of_substitutions,
    perform_text,
)
from s2e_bare.launch.substitutions import (
    AllSubstitution,
    AndSubstitution,
    AnySubstitution,
    BooleanSubstitution,
    Command,
    EnvironmentVariable,
    EqualsSubstitution,
    FileContent,
    FindExecutable,
    IfElseSubstitution,
    LaunchConfiguration,
    LocalSubstitution,
    NotEqualsSubstitution,
    NotSubstitution,
    OrSubstitution,
    PathJoinSubstitution,
    PathSubstitution,
    PythonExpression,
    StringJoinSubstitution,
    TextSubstitution,
    ThisLaunchFile,
    ThisLaunchFileDir,
)
from s2e_bare.launch_ros.substitutions import (
    ExecutableInPackage,
    FindPackagePrefix,
    FindPackageShare,
)


@pytest.fixture
def context() -> LaunchContext:
    context = LaunchContext()
    context.launch_configurations.update(x='5', flag='True', name='city')
    context.extend_locals({'current_launch_file_path': '/a/b/c.launch.py'})
    return context


CASES = [
    (LaunchConfiguration('x'), '5'),
    (LaunchConfiguration(['na', TextSubstitution(text='me')]), 'city'),
    (LaunchConfiguration('absent', default='7'), '7'),
    (LaunchConfiguration('absent', default=False), 'False'),
    (LaunchConfiguration('absent', default=['a', LaunchConfiguration('x')]), 'a5'),
    (EnvironmentVariable('S2E_ABSENT', default_value='d'), 'd'),
    (
        PathJoinSubstitution(['/share', 'config', [LaunchConfiguration('name'), '.yaml']]),
        '/share/config/city.yaml',
    ),
    (PathSubstitution('/a') / 'b' / [LaunchConfiguration('x'), 'c'], '/a/b/5c'),
    (PythonExpression(['2 * ', LaunchConfiguration('x')]), '10'),
    (PythonExpression(["'", LaunchConfiguration('name'), "' == 'city'"]), 'True'),
    (PythonExpression('floor(pi)'), '3'),
    (PythonExpression('os.sep', ['os']), '/'),
    (NotSubstitution(LaunchConfiguration('flag')), 'false'),
    (AndSubstitution('1', LaunchConfiguration('flag')), 'true'),
    (AndSubstitution('1', 'false'), 'false'),
    (OrSubstitution('0', 'true'), 'true'),
    (AnySubstitution('0', 'false', '1'), 'true'),
    (AllSubstitution('1', 'true', '0'), 'false'),
    (EqualsSubstitution(LaunchConfiguration('x'), '5'), 'true'),
    (EqualsSubstitution(LaunchConfiguration('x'), 5.0), 'true'),
    (EqualsSubstitution(LaunchConfiguration('flag'), True), 'true'),
    (EqualsSubstitution('a', 'b'), 'false'),
    (NotEqualsSubstitution('a', 'b'), 'true'),
    (IfElseSubstitution(LaunchConfiguration('flag'), 'yes', 'no'), 'yes'),
    (IfElseSubstitution('0', if_value='yes'), ''),
    (BooleanSubstitution(LaunchConfiguration('flag')), 'true'),
    (StringJoinSubstitution(['a', ['b', LaunchConfiguration('x')]], delimiter='-'), 'a-b5'),
    (ThisLaunchFile(), '/a/b/c.launch.py'),
    (ThisLaunchFileDir(), '/a/b'),
    (Command([sys.executable, ' -c "print(1 + ', LaunchConfiguration('x'), ')"']), '6\n'),
]


@pytest.mark.parametrize(('substitution', 'expected'), CASES)
def test_performs(context: LaunchContext, substitution: object, expected: str) -> None:
    assert perform_text(context, substitution) == expected  # type: ignore[arg-type]


FAILURES = [
    (LaunchConfiguration('absent'), "launch configuration 'absent' does not exist"),
    (EnvironmentVariable('S2E_ABSENT'), "environment variable 'S2E_ABSENT' does not exist"),
    (FindExecutable(name='s2e-no-such-program'), 's2e-no-such-program'),
    (FileContent('/s2e/absent'), '/s2e/absent'),
    (PythonExpression('1 +'), "'1 +'"),
    (Command('s2e-no-such-program'), 's2e-no-such-program'),
    (Command([sys.executable, ' -c "import sys; sys.exit(3)"']), 'exited with 3'),
    (Command([sys.executable, ' -c "import sys; sys.stderr.write(chr(33))"']), 'stderr: !'),
    (Command('true', on_stderr='shout'), "'shout'"),
    (LocalSubstitution('event.pid'), 'event.pid'),
]


@pytest.mark.parametrize(('substitution', 'named'), FAILURES)
def test_failure_names_the_cause(context: LaunchContext, substitution: object, named: str) -> None:
    with pytest.raises(SubstitutionFailure, match=named.replace('+', r'\+')):
        perform_text(context, substitution)  # type: ignore[arg-type]


def test_stderr_of_a_command_can_be_taken(context: LaunchContext) -> None:
    code = ' -c "import sys; sys.stderr.write(chr(33)); print(1)"'
    assert Command([sys.executable, code], on_stderr='ignore').perform(context) == '1\n'
    assert Command([sys.executable, code], on_stderr='capture').perform(context) == '1\n!'


def test_environment_and_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / 'tool'
    program.write_text('#!/bin/sh\n')
    program.chmod(0o755)
    monkeypatch.setenv('PATH', f'{tmp_path}{os.pathsep}{os.environ["PATH"]}')
    monkeypatch.setenv('S2E_PRESENT', 'v')
    context = LaunchContext()
    assert FindExecutable(name='tool').perform(context) == str(program)
    assert EnvironmentVariable('S2E_PRESENT').perform(context) == 'v'
    (tmp_path / 'text').write_text('hello')
    assert FileContent(tmp_path / 'text').perform(context) == 'hello'


def test_packages(package: Path) -> None:
    context = LaunchContext()
    assert FindPackageShare('demo').perform(context) == str(package / 'share/demo')
    assert FindPackagePrefix(['de', 'mo']).perform(context) == str(package)
    assert (FindPackageShare('demo') / 'launch').perform(context) == str(
        package / 'share/demo/launch'
    )
    found = ExecutableInPackage(executable='talker', package='demo').perform(context)
    assert found == str(package / 'lib/demo/talker')
    with pytest.raises(SubstitutionFailure, match=r"'nobody' not found.*\['talker'\]"):
        ExecutableInPackage(executable='nobody', package='demo').perform(context)
    with pytest.raises(PackageNotFoundError, match="package 'absent' not found, searching"):
        FindPackageShare('absent').perform(context)


@pytest.mark.parametrize('value', [5, None, ['a', 5], [['a']], True])
def test_only_text_and_substitutions_are_taken(value: object) -> None:
    with pytest.raises(TypeError, match='expected text'):
        normalize_to_list_of_substitutions(value)  # type: ignore[arg-type]


@given(st.lists(st.text(), max_size=5))
def test_a_list_of_text_is_its_concatenation(parts: list[str]) -> None:
    assert perform_text(LaunchContext(), parts) == ''.join(parts)


def test_description_as_show_args_prints_it() -> None:
    value = ['a', LaunchConfiguration('x'), PathJoinSubstitution([FindPackageShare('p'), 'c'])]
    assert describe_substitutions(value) == (
        "'a' + LaunchConfiguration('x') + PathJoin(FindPackageShare(pkg='p'), 'c')"
    )


@pytest.mark.parametrize(
    ('text', 'true'),
    [('true', True), (' True ', True), ('1', True), ('FALSE', False), ('0', False)],
)
def test_if_and_unless(context: LaunchContext, text: str, true: bool) -> None:
    assert IfCondition(text).evaluate(context) is true
    assert UnlessCondition(text).evaluate(context) is not true


@pytest.mark.parametrize('text', ['', 'yes', 'on', '2', 'none'])
def test_other_words_are_no_truth(context: LaunchContext, text: str) -> None:
    with pytest.raises(InvalidConditionExpressionError, match=repr(text)):
        IfCondition(text).evaluate(context)


def test_configuration_comparisons(context: LaunchContext) -> None:
    assert LaunchConfigurationEquals('x', '5').evaluate(context)
    assert not LaunchConfigurationEquals('x', '6').evaluate(context)
    assert not LaunchConfigurationEquals('absent', '5').evaluate(context)
    assert LaunchConfigurationEquals('absent', None).evaluate(context)
    assert LaunchConfigurationNotEquals('x', '6').evaluate(context)
