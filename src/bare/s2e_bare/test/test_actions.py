"""Actions that run no process: scopes, includes, arguments, handlers, timers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from s2e_bare.launch import LaunchContext, LaunchDescription, LaunchService
from s2e_bare.launch.actions import (
    AppendEnvironmentVariable,
    DeclareLaunchArgument,
    EmitEvent,
    GroupAction,
    IncludeLaunchDescription,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
    SetLaunchConfiguration,
    Shutdown,
    TimerAction,
    UnsetEnvironmentVariable,
    UnsetLaunchConfiguration,
)
from s2e_bare.launch.conditions import IfCondition
from s2e_bare.launch.event import Event
from s2e_bare.launch.event_handler import EventHandler
from s2e_bare.launch.event_handlers import OnShutdown
from s2e_bare.launch.launch_description_entity import LaunchDescriptionEntity
from s2e_bare.launch.launch_description_sources import PythonLaunchDescriptionSource
from s2e_bare.launch.logging import launch_config
from s2e_bare.launch.substitutions import LaunchConfiguration, ThisLaunchFileDir

Seen = list[Any]


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, log_dir: Path) -> Any:
    monkeypatch.setenv('ROS_LOG_DIR', str(log_dir))
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
    launch_config.reset()


def run(*entities: LaunchDescriptionEntity, **configurations: str) -> int:
    service = LaunchService()
    service.context.launch_configurations.update(configurations)
    service.include_launch_description(LaunchDescription(entities))
    return service.run()


def look(seen: Seen, *names: str) -> OpaqueFunction:
    """Note the configurations of these names, or of all."""

    def note(context: LaunchContext) -> None:
        known = context.launch_configurations
        seen.append(tuple(known.get(n) for n in names) if names else dict(known))

    return OpaqueFunction(function=note)


def call(function: Callable[[], Any]) -> OpaqueFunction:
    return OpaqueFunction(function=lambda context: function() and None)


def test_declared_default_holds_unless_a_value_was_given() -> None:
    seen: Seen = []
    declare = [DeclareLaunchArgument('a', default_value='1'), DeclareLaunchArgument('b')]
    assert run(*declare, look(seen), b='2') == 0
    assert seen == [{'a': '1', 'b': '2'}]


def test_missing_required_argument(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(DeclareLaunchArgument('a', description='the a')) == 1
    out = capsys.readouterr().out
    assert "required launch argument 'a' (description: 'the a') was not provided" in out


def test_choices(capsys: pytest.CaptureFixture[str]) -> None:
    declare = DeclareLaunchArgument('a', default_value='x', choices=['x', 'y'])
    assert run(declare, a='y') == 0
    assert run(declare, a='z') == 1
    assert "launch argument 'a': 'z' is not one of ['x', 'y']" in capsys.readouterr().out
    with pytest.raises(ValueError, match='not one of'):
        DeclareLaunchArgument('a', default_value='z', choices=['x'])
    assert declare.description == "no description given. Valid choices are: ['x', 'y']"


def test_a_group_keeps_its_changes_inside() -> None:
    seen: Seen = []
    group = [
        SetLaunchConfiguration('a', '2'),
        SetEnvironmentVariable('S2E_TEST', 'inside'),
        UnsetLaunchConfiguration('b'),
        look(seen, 'a', 'b'),
        call(lambda: seen.append(os.environ.get('S2E_TEST'))),
    ]
    after = [look(seen, 'a', 'b'), call(lambda: seen.append(os.environ.get('S2E_TEST')))]
    assert run(GroupAction(group), *after, a='1', b='1') == 0
    assert seen == [('2', None), 'inside', ('1', '1'), None]


def test_an_unscoped_group_leaks() -> None:
    seen: Seen = []
    assert run(GroupAction([SetLaunchConfiguration('a', '2')], scoped=False), look(seen)) == 0
    assert seen == [{'a': '2'}]


def test_a_group_without_forwarding_sees_only_what_it_is_given() -> None:
    seen: Seen = []
    group = GroupAction(
        [look(seen)],
        forwarding=False,
        launch_configurations={'c': ['<', LaunchConfiguration('a'), '>']},
    )
    assert run(group, look(seen), a='1') == 0
    assert seen == [{'c': '<1>'}, {'a': '1'}]


def test_a_condition_stops_a_whole_group() -> None:
    seen: Seen = []
    group = GroupAction([look(seen)], condition=IfCondition(LaunchConfiguration('on')))
    assert run(group, on='false') == 0
    assert seen == []
    assert run(group, on='true') == 0
    assert len(seen) == 1


def test_environment_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('S2E_LIST', 'm')
    actions = [
        AppendEnvironmentVariable('S2E_LIST', 'z'),
        AppendEnvironmentVariable('S2E_LIST', 'a', prepend=True, separator=','),
        AppendEnvironmentVariable('S2E_NEW', 'n'),
        UnsetEnvironmentVariable('S2E_ABSENT'),
    ]
    assert run(*actions) == 0
    assert (os.environ['S2E_LIST'], os.environ['S2E_NEW']) == ('a,m:z', 'n')


CHILD = """
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, SetLaunchConfiguration
from launch.substitutions import ThisLaunchFileDir
def generate_launch_description():
    return LaunchDescription([
        DeclareLaunchArgument('speed'{default}),
        SetLaunchConfiguration('child_dir', ThisLaunchFileDir()),
    ])
"""


@pytest.fixture
def child(tmp_path: Path) -> Path:
    import s2e_bare

    assert s2e_bare.install()
    (tmp_path / 'sub').mkdir()
    path = tmp_path / 'sub' / 'child.launch.py'
    path.write_text(CHILD.format(default=''))
    return path


def include(path: Path, *arguments: tuple[str, str]) -> IncludeLaunchDescription:
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource([str(path.parent), '/', path.name]),
        launch_arguments=arguments,
    )


def test_an_included_file_leaks_into_its_parent(child: Path) -> None:
    seen: Seen = []
    assert run(include(child, ('speed', '3')), look(seen, 'speed', 'child_dir')) == 0
    assert seen == [('3', str(child.parent))]


def test_a_group_around_an_include_keeps_it_inside(child: Path) -> None:
    seen: Seen = []
    assert run(GroupAction([include(child, ('speed', '3'))]), look(seen)) == 0
    assert seen == [{}]


def test_include_without_its_required_argument(
    child: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(include(child, ('other', '3'))) == 1
    out = capsys.readouterr().out
    assert "required argument 'speed'" in out
    assert "given: ['other']" in out


def test_include_puts_the_folder_of_the_outer_file_back(child: Path, tmp_path: Path) -> None:
    outer = tmp_path / 'outer.launch.py'
    outer.write_text(
        """
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription, SetLaunchConfiguration
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import PathJoinSubstitution, ThisLaunchFileDir
def generate_launch_description():
    inner = PathJoinSubstitution([ThisLaunchFileDir(), 'sub', 'child.launch.py'])
    return LaunchDescription([
        IncludeLaunchDescription(PythonLaunchDescriptionSource(inner),
                                 launch_arguments={'speed': '1'}.items()),
        SetLaunchConfiguration('outer_dir', ThisLaunchFileDir()),
    ])
"""
    )
    seen: Seen = []
    assert run(include(outer), look(seen, 'child_dir', 'outer_dir')) == 0
    assert seen == [(str(tmp_path / 'sub'), str(tmp_path))]
    with pytest.raises(Exception, match='outside of a launch file'):
        ThisLaunchFileDir().perform(LaunchContext())


def test_a_mapping_of_arguments_is_refused_as_upstream_does(child: Path) -> None:
    with pytest.raises(TypeError, match='items'):
        IncludeLaunchDescription(str(child), launch_arguments={'a': '1'})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ('name', 'text', 'said'),
    [
        ('absent.launch.py', None, 'does not exist'),
        ('a.launch.py', 'x = 1', 'no function generate_launch_description'),
        ('b.launch.py', 'def generate_launch_description():\n    return 5', 'got 5'),
        ('c.launch.py', 'raise RuntimeError("boom")', 'RuntimeError: boom'),
        ('d.launch.xml', '<launch/>', 'Python launch files only'),
    ],
)
def test_bad_launch_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    assert run(IncludeLaunchDescription(str(tmp_path / name))) == 1
    assert said in capsys.readouterr().out


class Ping(Event):
    """An event of the test's own."""


def test_handlers_answer_newest_first_and_once_where_asked() -> None:
    seen: Seen = []
    ping = lambda event: isinstance(event, Ping)  # noqa: E731
    handlers = [
        EventHandler(matcher=ping, entities=[call(lambda: seen.append('fixed'))]),
        EventHandler(matcher=ping, entities=lambda e, c: seen.append('once'), handle_once=True),
        EventHandler(matcher=ping, entities=lambda e, c: [call(lambda: seen.append('made'))]),
    ]
    register = [RegisterEventHandler(handler) for handler in handlers]
    assert run(*register, EmitEvent(event=Ping()), EmitEvent(event=Ping())) == 0
    assert seen == ['made', 'once', 'fixed', 'made', 'fixed']


def test_shutdown_is_answered_once_and_says_why() -> None:
    seen: Seen = []
    note = OnShutdown(on_shutdown=lambda event, context: seen.append(event.reason))
    ends = [Shutdown(reason=['no ', LaunchConfiguration('x')]), Shutdown(reason='again')]
    assert run(RegisterEventHandler(note), *ends, x='goal') == 0
    assert seen == ['no goal']


def test_a_launch_with_nothing_to_do_ends_as_idle() -> None:
    seen: Seen = []
    note = OnShutdown(on_shutdown=lambda event, context: seen.append(event.reason))
    assert run(RegisterEventHandler(note)) == 0
    assert seen == ['idle']


def test_timers_run_in_the_order_of_their_periods() -> None:
    seen: Seen = []
    late = TimerAction(period='0.06', actions=[call(lambda: seen.append('late'))])
    soon = TimerAction(
        period=[LaunchConfiguration('p')], actions=[call(lambda: seen.append('soon'))]
    )
    assert run(late, soon, call(lambda: seen.append('now')), p='0.01') == 0
    assert seen == ['now', 'soon', 'late']


def test_shutdown_cancels_timers() -> None:
    seen: Seen = []
    timer = TimerAction(period=3600.0, actions=[call(lambda: seen.append('fired'))])
    assert run(timer, Shutdown(reason='at once')) == 0
    assert seen == []


def test_an_exception_in_a_handler_gives_1_and_ends_the_launch(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(context: LaunchContext) -> None:
        raise ValueError('scene is missing')

    never = TimerAction(period=3600.0, actions=[])
    assert run(never, TimerAction(period=0.01, actions=[OpaqueFunction(function=fail)])) == 1
    assert 'Caught exception in launch' in (out := capsys.readouterr().out)
    assert 'ValueError: scene is missing' in out


def test_opaque_function_arguments_and_answer() -> None:
    seen: Seen = []

    def make(context: LaunchContext, a: int, *, b: int) -> list[Any]:
        return [SetLaunchConfiguration('sum', str(a + b)), [look(seen, 'sum')]]

    assert run(OpaqueFunction(function=make, args=[2], kwargs={'b': 3})) == 0
    assert seen == [('5',)]


def test_what_is_no_action_is_named() -> None:
    with pytest.raises(TypeError, match="got 'talker'"):
        LaunchDescription(['talker'])  # type: ignore[list-item]
    with pytest.raises(TypeError, match='GroupAction: expected launch actions, got 5'):
        GroupAction([5])  # type: ignore[list-item]


def test_arguments_are_found_inside_groups_and_includes(child: Path) -> None:
    description = LaunchDescription(
        [
            DeclareLaunchArgument('a', default_value='1'),
            GroupAction(
                [DeclareLaunchArgument('b', default_value='1')], condition=IfCondition('true')
            ),
            include(child),
        ]
    )
    found = [(argument.name, under) for argument, under in description.walk_arguments()]
    assert found == [('a', False), ('b', True), ('speed', False)]
