"""Whole launches in processes of their own: output, logs, signals, respawn, exit codes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WAIT = 'import time; print("up", flush=True); time.sleep(600)'
STUBBORN = (
    'import signal, time; signal.signal(signal.SIGINT, lambda *a: print("got int"))\n'
    'signal.signal(signal.SIGTERM, lambda *a: print("got term"))\n'
    'print("up")\n'
    'while True: time.sleep(600)'
)


def gone(pid: int) -> bool:
    """True when a process does not exist, or is a zombie that nobody has reaped."""
    try:
        stat = Path(f'/proc/{pid}/stat').read_text()
    except OSError:
        return True
    return stat.rpartition(')')[2].split()[0] == 'Z'


def only_log(log_dir: Path) -> Path:
    (folder,) = log_dir.iterdir()
    return folder


def test_prefix_logs_and_exit_codes(launch: Callable[..., Any], log_dir: Path) -> None:
    running = launch(
        """
        python('print("one"); print("two", flush=True)', 'good'),
        python('import sys; sys.stderr.write("bad luck\\\\n"); sys.exit(3)', 'bad', output='log'),
        python('print("only in the log")', 'quiet', output='log'),
        """
    )
    assert running.finish() == 0
    text = running.text
    assert '[INFO] [launch]: All log files can be found below ' in running.lines[0]
    assert '[good-1] one\n[good-1] two' in text
    assert '[bad-2] bad luck' in text
    assert 'only in the log' not in text
    assert 'process has finished cleanly [pid ' in text
    died = running.wait_for(r'\[ERROR\] \[bad-2\]: process has died \[pid (\d+), exit code 3, cmd')
    started = running.wait_for(r'\[INFO\] \[bad-2\]: process started with pid \[(\d+)\]')
    assert died.group(1) == started.group(1)
    folder = only_log(log_dir)
    assert (folder / 'good-1.log').read_text() == 'one\ntwo\n'
    assert (folder / 'bad-2.log').read_text() == 'bad luck\n'
    assert '[quiet-3] only in the log' in (folder / 'launch.log').read_text()


def test_lines_come_when_they_are_printed(launch: Callable[..., Any]) -> None:
    running = launch(f'python({WAIT.replace(", flush=True", "")!r}),')
    running.wait_for(r'\[child-1\] up')
    assert running.process.poll() is None


@pytest.mark.parametrize(('number', 'code'), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_children(launch: Callable[..., Any], number: int, code: int) -> None:
    running = launch(f'python({WAIT!r}, "a"), python({WAIT!r}, "b"),')
    pids = [int(running.wait_for(rf'\[{n}\]: .*pid \[(\d+)\]').group(1)) for n in ('a-1', 'b-2')]
    running.wait_for(r'\[a-1\] up$')
    running.wait_for(r'\[b-2\] up')
    running.send(number)
    assert running.finish(15) == code
    assert all(gone(pid) for pid in pids)
    assert "sending signal 'SIGINT' to process[a-1]" in running.text


def test_a_stubborn_child_is_ended_step_by_step(launch: Callable[..., Any]) -> None:
    running = launch(f'python({STUBBORN!r}),', 'sigterm_timeout:=0.3', 'sigkill_timeout:=0.3')
    running.wait_for(r'\] up$')
    running.send(signal.SIGINT)
    assert running.finish(15) == 0
    order = [
        "sending signal 'SIGINT'",
        r'\[child-1\] got int',
        "failed to terminate '0.3' seconds after receiving 'SIGINT', escalating to 'SIGTERM'",
        "sending signal 'SIGTERM'",
        r'\[child-1\] got term',
        "escalating to 'SIGKILL'",
        "sending signal 'SIGKILL'",
        r'process has died \[pid \d+, exit code -9',
    ]
    places = [running.text.index(running.wait_for(step).group(0)) for step in order]
    assert places == sorted(places)


def test_a_second_interrupt_takes_the_next_step_at_once(launch: Callable[..., Any]) -> None:
    running = launch(f'python({STUBBORN!r}, sigterm_timeout="600", sigkill_timeout="600"),')
    running.wait_for(r'\] up$')
    running.send(signal.SIGINT)
    running.wait_for('got int')
    running.send(signal.SIGINT)
    running.wait_for('got term')
    running.send(signal.SIGINT)
    assert running.finish(15) == 0
    assert 'exit code -9' in running.text


def test_grandchildren_are_ended_too(launch: Callable[..., Any]) -> None:
    running = launch(
        """
        ExecuteProcess(cmd=['sleep 600 & echo grandchild $!; wait'], shell=True, name='shell',
                       output='screen'),
        """
    )
    pid = int(running.wait_for(r'grandchild (\d+)').group(1))
    running.send(signal.SIGINT)
    assert running.finish(15) == 0
    assert gone(pid)


def test_children_end_when_the_launch_is_killed_outright(launch: Callable[..., Any]) -> None:
    code = (
        'import os, signal, sys, time\n'
        'def end(*a): open("ended", "w").close(); os._exit(0)\n'
        'signal.signal(signal.SIGTERM, end); print("up"); time.sleep(600)'
    )
    running = launch(f'python({code!r}),')
    pid = int(running.wait_for(r'pid \[(\d+)\]').group(1))
    running.wait_for(r'\] up$')
    watched = os.pidfd_open(pid)
    running.process.kill()
    import select

    assert select.select([watched], [], [], 15)[0], 'the child lives on'
    os.close(watched)


def test_the_end_of_one_process_can_end_the_launch(launch: Callable[..., Any]) -> None:
    running = launch(
        """
        runner,
        RegisterEventHandler(OnProcessExit(
            target_action=runner, on_exit=[EmitEvent(event=ShutdownEvent(reason='finished'))])),
        """,
        head=f'runner = python("print(1)", "runner")\nother = python({WAIT!r}, "other")',
    )
    assert running.finish(15) == 0
    both = launch(
        """
        other,
        TimerAction(period=0.1, actions=[python('print(1)', 'runner', on_exit=Shutdown())]),
        """,
        head=f'other = python({WAIT!r}, "other")',
    )
    assert both.finish(15) == 0
    assert "[INFO] [other-1]: sending signal 'SIGINT'" in both.text


def test_events_reach_one_process(launch: Callable[..., Any]) -> None:
    running = launch(
        """
        a, b,
        RegisterEventHandler(OnProcessIO(target_action=a, on_stdout=lambda event: [
            LogInfo(msg='heard ' + event.text.decode().strip()),
            EmitEvent(event=ShutdownProcess(process_matcher=matches_action(a))),
        ] if b'up' in event.text else None)),
        RegisterEventHandler(OnProcessStart(target_action=b, on_start=[LogInfo(msg='b runs')])),
        RegisterEventHandler(OnProcessExit(target_action=a, on_exit=lambda event, context: [
            LogInfo(msg=f'a gave {event.returncode}'),
            EmitEvent(event=SignalProcess(signal_number='SIGKILL',
                                          process_matcher=matches_action(b))),
        ])),
        """,
        head=f'a = python({WAIT!r}, "a")\nb = python({WAIT!r}, "b")',
    )
    assert running.finish(15) == 0
    for line in ('heard up', 'b runs', 'a gave -2', 'exit code -9'):
        assert line in running.text


def test_respawn_with_a_limit(launch: Callable[..., Any]) -> None:
    running = launch(
        'python("import sys; sys.exit(2)", respawn=True, respawn_delay=0.05, '
        'respawn_max_retries=2),'
    )
    assert running.finish(15) == 0
    assert running.text.count('process started with pid') == 3
    assert running.text.count('process has died') == 3
    assert '[child-2]' not in running.text


def test_respawn_ends_with_the_launch(launch: Callable[..., Any]) -> None:
    running = launch('python("pass", respawn="true", respawn_delay=600.0),')
    running.wait_for('finished cleanly')
    running.send(signal.SIGINT)
    assert running.finish(15) == 0
    assert running.text.count('process started') == 1


def test_a_long_function_of_the_launch_file_can_be_interrupted(
    launch: Callable[..., Any],
) -> None:
    running = launch(
        'LogInfo(msg="begins"), OpaqueFunction(function=slow), python("print(1)"),',
        head='def slow(context):\n    import time\n    time.sleep(600)',
    )
    running.wait_for('begins')
    running.send(signal.SIGINT)
    assert running.finish(15) == 0
    assert 'process started' not in running.text


def test_an_exception_in_the_description_gives_1(launch: Callable[..., Any]) -> None:
    running = launch(f'python({WAIT!r}), LogInfo(msg=LaunchConfiguration("absent")),')
    assert running.finish(15) == 1
    assert 'Caught exception in launch (see debug for traceback)' in running.text
    assert "launch configuration 'absent' does not exist" in running.text
    # The child is interrupted while Python may still be starting, and then says so itself.
    own = [line for line in running.text.splitlines() if not line.startswith('[child-1]')]
    assert not any('Traceback' in line for line in own)


def test_a_program_that_cannot_start_gives_1(launch: Callable[..., Any]) -> None:
    running = launch('ExecuteProcess(cmd=["/s2e/absent"]), python("print(1)"),')
    assert running.finish(15) == 1
    assert "cannot start '/s2e/absent'" in running.text
    assert '[child-2] 1' in running.text


def test_environment_folder_and_prefix_command(launch: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / 'sub').mkdir()
    show = 'import os; print(os.getcwd(), os.environ.get("A"), os.environ.get("B"))'
    running = launch(
        f"""
        SetEnvironmentVariable('A', ['1', LaunchConfiguration('x')]),
        python({show!r}, cwd={str(tmp_path / 'sub')!r}, additional_env={{'B': '2'}}),
        python({show!r}, 'bare', env={{'B': '3'}}),
        """,
        'x:=0',
        '--launch-prefix',
        'env A=prefixed',
        '--launch-prefix-filter',
        'bare',
    )
    assert running.finish(15) == 0
    assert f'[child-1] {tmp_path}/sub 10 2' in running.text
    assert f'[bare-2] {tmp_path} prefixed 3' in running.text


def test_show_args(launch: Callable[..., Any], start: Callable[..., object]) -> None:
    entities = """
        DeclareLaunchArgument('scene', default_value='city:0', description='Scene to drive in'),
        DeclareLaunchArgument('robot', choices=['coco', 'go2'], description='Robot'),
        GroupAction([DeclareLaunchArgument('deep', default_value=['a', LaunchConfiguration('x')])],
                    condition=IfCondition('false')),
    """
    running = launch(entities, '--show-args')
    assert running.finish(15) == 0
    assert running.text == (
        "Arguments (pass arguments as '<name>:=<value>'):\n"
        '\n'
        "    'scene':\n"
        '        Scene to drive in\n'
        "        (default: 'city:0')\n"
        '\n'
        "    'robot':\n"
        "        Robot. Valid choices are: ['coco', 'go2']\n"
        '\n'
        "    'deep':*\n"
        '        no description given\n'
        "        (default: 'a' + LaunchConfiguration('x'))\n"
        '\n'
        '* argument(s) which are only used if specific conditions occur'
    )
    tree = launch(entities, '--print')
    assert tree.finish(15) == 0
    assert "    DeclareLaunchArgument('deep'" in tree.text


def test_a_file_of_a_package(start: Callable[..., Any], package: Path) -> None:
    file = package / 'share/demo/launch/it.launch.py'
    file.write_text(
        'from launch import LaunchDescription\n'
        'from launch_ros.actions import Node\n'
        'def generate_launch_description():\n'
        "    return LaunchDescription([Node(package='demo', executable='talker',\n"
        "        name='t', output='screen')])\n"
    )
    running = start('launch', 'demo', 'it.launch.py')
    assert running.finish(15) == 0
    assert "[talker-1] ['--ros-args', '-r', '__node:=t']" in running.text
    elsewhere = package / 'elsewhere'
    (package / 'share/demo/launch').rename(elsewhere)
    (package / 'share/demo/launch').symlink_to(elsewhere)
    assert start('launch', 'demo', 'it.launch.py').finish(15) == 0
    missing = start('launch', 'demo', 'absent.launch.py')
    assert missing.finish(15) == 1
    assert "'absent.launch.py' was not found" in missing.text
    assert "it has: ['it.launch.py']" in missing.text


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('s2e_absent', 'x.launch.py'), "package 's2e_absent' not found"),
        (('test.launch.py', 'x=1'), "malformed launch argument 'x=1'"),
        (('test.launch.py', 'x:=1', '--colour'), '--colour'),
    ],
)
def test_bad_command_lines(
    start: Callable[..., Any], tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / 'test.launch.py').write_text('')
    running = start('launch', *words)
    assert running.finish(15) != 0
    assert said in running.text


def test_run_replaces_itself_by_the_executable(start: Callable[..., Any], package: Path) -> None:
    running = start('run', 'demo', 'talker', '--ros-args', '-p', 'x:=1')
    assert running.finish(15) == 0
    assert running.text == "['--ros-args', '-p', 'x:=1']"
    missing = start('run', 'demo', 'absent')
    assert missing.finish(15) == 1
    assert "executable 'absent' not found in package 'demo'; it has: ['talker']" in missing.text


def test_packages_are_listed(start: Callable[..., Any], package: Path) -> None:
    listed = start('pkg', 'list')
    assert listed.finish(15) == 0
    assert 'demo' in listed.lines
    prefix = start('pkg', 'prefix', 'demo', '--share')
    assert prefix.finish(15) == 0
    assert prefix.text == str(package / 'share/demo')
    executables = start('pkg', 'executables', 'demo')
    assert executables.finish(15) == 0
    assert executables.text == 'demo talker'
