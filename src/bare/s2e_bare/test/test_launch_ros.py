"""What a Node action hands to its executable; no node runs here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from s2e_bare.launch import LaunchContext
from s2e_bare.launch.substitution import SubstitutionFailure
from s2e_bare.launch.substitutions import LaunchConfiguration, TextSubstitution
from s2e_bare.launch_ros import names
from s2e_bare.launch_ros.actions import (
    LifecycleNode,
    Node,
    PushRosNamespace,
    SetParameter,
    SetParametersFromFile,
    SetRemap,
    SetROSLogDir,
    SetUseSimTime,
)
from s2e_bare.launch_ros.actions.node import yaml_text
from s2e_bare.launch_ros.events import matches_node_name
from s2e_bare.launch_ros.events.lifecycle import ChangeState
from s2e_bare.launch_ros.parameter_descriptions import Parameter, ParameterFile, ParameterValue
from s2e_bare.launch_ros.parameter_values import evaluate_parameters, evaluate_value
from s2e_bare.launch_ros.substitutions import Parameter as ParameterSubstitution


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LaunchContext]:
    from s2e_bare.launch.logging import launch_config

    launch_config.log_dir = str(tmp_path / 'log')
    context = LaunchContext()
    context.launch_configurations.update(
        speed='1.5', on='true', text='it works: well', items='[1, 2]', empty='', name='gate'
    )
    yield context
    launch_config.reset()


def arguments(context: LaunchContext, **kwargs: Any) -> list[str]:
    node = Node(executable='x', **kwargs)
    node.expand_names(context)
    return node.ros_arguments(context)


def values_of(path: str) -> dict[str, Any]:
    (section,) = yaml.safe_load(Path(path).read_text()).items()
    return {section[0]: section[1]['ros__parameters']}


def test_nothing_given_nothing_said(context: LaunchContext) -> None:
    assert arguments(context) == []


def test_name_and_namespace(context: LaunchContext) -> None:
    given = {'name': LaunchConfiguration('name'), 'namespace': 'robot'}
    assert arguments(context, **given) == ['-r', '__node:=gate', '-r', '__ns:=/robot']
    assert arguments(context, namespace='') == ['-r', '__ns:=/']


def test_namespaces_add_up_and_absolute_ones_do_not(context: LaunchContext) -> None:
    PushRosNamespace('fleet').visit(context)
    PushRosNamespace(['r', '1']).visit(context)
    assert arguments(context) == ['-r', '__ns:=/fleet/r1']
    assert arguments(context, namespace='arm') == ['-r', '__ns:=/fleet/r1/arm']
    assert arguments(context, namespace='/arm') == ['-r', '__ns:=/arm']


@pytest.mark.parametrize('name', ['a-b', '1a', 'a/b', '', 'ä'])
def test_bad_names_are_refused(context: LaunchContext, name: str) -> None:
    with pytest.raises(ValueError, match='not valid'):
        arguments(context, name=name)
    with pytest.raises(ValueError, match='not valid'):
        names.absolute(f'/ok/{name or "-"}' if '/' not in name else '/a//b')


def test_parameters_keep_their_order(context: LaunchContext, tmp_path: Path) -> None:
    file = tmp_path / 'file.yaml'
    file.write_text('{}')
    found = arguments(
        context,
        name='gate',
        namespace='/',
        parameters=[
            {'speed': LaunchConfiguration('speed'), 'deep': {'er': 1}},
            str(file),
            [str(tmp_path), '/file.yaml'],
            ParameterFile(file),
            Parameter('mode', 'fast'),
        ],
    )
    assert found[:6:2] == ['-r', '-r', '--params-file']
    assert found[3] == '__ns:=/'
    assert values_of(found[5]) == {'/gate': {'speed': 1.5, 'deep.er': 1}}
    assert found[6:] == [*['--params-file', str(file)] * 3, '-p', 'mode:=fast']


def test_a_dictionary_is_for_any_name_where_none_is_given(
    context: LaunchContext, tmp_path: Path
) -> None:
    found = arguments(context, parameters=[{'a': True}])
    assert values_of(found[1]) == {'/**': {'a': True}}
    assert Path(found[1]).parent == tmp_path / 'log'


def test_settings_for_all_come_before_the_nodes_own(
    context: LaunchContext, tmp_path: Path
) -> None:
    file = tmp_path / 'all.yaml'
    file.write_text('{}')
    SetParameter('a', LaunchConfiguration('speed')).visit(context)
    SetParametersFromFile(str(file)).visit(context)
    SetUseSimTime(True).visit(context)
    SetRemap('odom', '/odom').visit(context)
    found = arguments(context, parameters=[Parameter('a', 2)], remappings=[('odom', 'my_odom')])
    assert found == [
        *('-p', 'a:=1.5', '--params-file', str(file), '-p', 'use_sim_time:=true'),
        *('-p', 'a:=2', '-r', 'odom:=/odom', '-r', 'odom:=my_odom'),
    ]
    assert ParameterSubstitution('a').perform(context) == '1.5'
    with pytest.raises(SubstitutionFailure, match="'b' is not set"):
        ParameterSubstitution('b').perform(context)


def test_remappings_and_further_arguments(context: LaunchContext) -> None:
    node = Node(
        executable='x',
        arguments=['--fast', LaunchConfiguration('speed')],
        ros_arguments=['--log-level', 'debug'],
        remappings=[('a', ['/', LaunchConfiguration('name')])],
    )
    assert node.ros_arguments(context) == ['--log-level', 'debug', '-r', 'a:=/gate']
    assert [part.perform(context) for (part,) in node.cmd] == ['x', '--fast', '1.5']


VALUES = [
    (LaunchConfiguration('speed'), None, 1.5),
    (LaunchConfiguration('on'), None, True),
    (LaunchConfiguration('items'), None, [1, 2]),
    (LaunchConfiguration('empty'), None, ''),
    (['a', LaunchConfiguration('speed')], None, 'a1.5'),
    ([LaunchConfiguration('speed'), '0'], None, 1.5),
    ('1.5', None, '1.5'),
    ([1, 2.5], None, [1.0, 2.5]),
    (['a', 'b'], None, ['a', 'b']),
    ([['a'], [LaunchConfiguration('name')]], None, ['a', 'gate']),
    (LaunchConfiguration('speed'), str, '1.5'),
    (LaunchConfiguration('text'), str, 'it works: well'),
    (LaunchConfiguration('on'), bool, True),
    ('7', int, 7),
    (7, float, 7.0),
    (True, str, 'true'),
    (LaunchConfiguration('items'), list[int], [1, 2]),
    (LaunchConfiguration('items'), list[float], [1.0, 2.0]),
    (['a', 'b'], list[str], ['a', 'b']),
]


@pytest.mark.parametrize(('value', 'kind', 'expected'), VALUES)
def test_values(context: LaunchContext, value: Any, kind: Any, expected: Any) -> None:
    found = ParameterValue(value, value_type=kind).evaluate(context)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ('value', 'kind', 'said'),
    [
        (LaunchConfiguration('text'), None, 'value_type=str'),
        (TextSubstitution(text='{a: 1}'), None, "got {'a': 1}"),
        (TextSubstitution(text='null'), None, 'got None'),
        ([1, 'a'], None, 'items of one type'),
        ([], None, 'an empty list has no type'),
        (None, None, 'cannot be a NoneType'),
        (b'x', None, 'cannot be a bytes'),
        ('x', int, "expected a int, got 'x'"),
        ('x', bool, "expected a bool, got 'x'"),
        (LaunchConfiguration('speed'), list[int], 'expected a list of int, got 1.5'),
        ('x', dict, 'not supported'),
    ],
)
def test_values_that_no_parameter_can_have(
    context: LaunchContext, value: Any, kind: Any, said: str
) -> None:
    with pytest.raises(TypeError) as caught:
        evaluate_value(context, value, kind)
    assert said in str(caught.value)
    with pytest.raises(TypeError, match="parameter 'p'"):
        evaluate_parameters(context, {'p': ParameterValue(value, value_type=kind)})


SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(codec='utf-8', exclude_categories=['Cs'])),
)


@given(SCALARS)
def test_a_plain_value_survives_its_way_to_the_node(value: Any) -> None:
    found = evaluate_parameters(LaunchContext(), {'p': value})
    written = yaml.safe_load(yaml.safe_dump({'/**': {'ros__parameters': found}}))
    assert written['/**']['ros__parameters'] == {'p': value}
    assert yaml.safe_load(yaml_text(found['p'])) == value


def test_parameter_file_with_substitutions(context: LaunchContext, tmp_path: Path) -> None:
    file = tmp_path / 'p.yaml'
    file.write_text(
        '/**:\n  ros__parameters:\n'
        '    speed: $(var speed)\n    sum: $(eval 1 + $(var speed))\n'
        '    home: $(env S2E_ABSENT none)\n    who: "$(var absent $(var name))"\n'
    )
    path = ParameterFile(file, allow_substs=True).evaluate(context)
    assert yaml.safe_load(path.read_text())['/**']['ros__parameters'] == {
        'speed': 1.5,
        'sum': 2.5,
        'home': 'none',
        'who': 'gate',
    }
    assert ParameterFile(file).evaluate(context) == file
    file.write_text('a: $(shout x)')
    with pytest.raises(SubstitutionFailure, match="unknown substitution 'shout'"):
        ParameterFile(file, allow_substs=True).evaluate(context)


def test_missing_files(context: LaunchContext, capsys: pytest.CaptureFixture[str]) -> None:
    found = arguments(context, parameters=['/s2e/absent.yaml'])
    assert found == ['--params-file', '/s2e/absent.yaml']
    assert 'Parameter file path is not a file: /s2e/absent.yaml' in capsys.readouterr().out
    with pytest.raises(FileNotFoundError, match='absent'):
        SetParametersFromFile('/s2e/absent.yaml').visit(context)


@pytest.mark.parametrize(
    'kwargs', [{'arguments': '--x'}, {'parameters': 'file.yaml'}, {'parameters': {'a': 1}}]
)
def test_lists_must_be_lists(kwargs: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match='must be a list'):
        Node(executable='x', **kwargs)


def test_log_folder_of_the_nodes(context: LaunchContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('ROS_LOG_DIR', '/before')
    SetROSLogDir(['/log/', LaunchConfiguration('name')]).visit(context)
    assert context.environment['ROS_LOG_DIR'] == '/log/gate'


def test_lifecycle_node_must_be_named() -> None:
    with pytest.raises(TypeError, match='name'):
        LifecycleNode(package='p', executable='e')  # type: ignore[call-arg]
    with pytest.raises(ValueError, match='transition_id must be one of'):
        ChangeState(lifecycle_node_matcher=matches_node_name('/a'), transition_id=99)


def test_full_node_name(context: LaunchContext) -> None:
    node = LifecycleNode(executable='e', name='gate', namespace='robot')
    node.expand_names(context)
    assert node.node_name == '/robot/gate'
    assert matches_node_name('robot/gate')(node)
    assert not matches_node_name('/gate')(node)
