"""The commands against a running node, over DDS on the loopback interface."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip('rclpy', reason='ROS missing: rclpy')
pytestmark = pytest.mark.ros

from s2e_bare.ros2.main import run_command  # noqa: E402

CODE = 'import sys; from s2e_bare.ros2.main import run_command as r; sys.exit(r(sys.argv[1:]))'
LAB = Path(__file__).with_name('lab_node.py')


@pytest.fixture(scope='module')
def domain(reserve: Callable[[], Any]) -> Iterator[dict[str, str]]:
    """Variables of a domain of this module's own; set in this process too."""
    with reserve() as number, pytest.MonkeyPatch.context() as patch:
        variables = {
            'ROS_DOMAIN_ID': str(number),
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        }
        for name, value in variables.items():
            patch.setenv(name, value)
        yield variables


@pytest.fixture(scope='module')
def lab(domain: dict[str, str], running: Callable[..., Any]) -> Iterator[Any]:
    process = running([sys.executable, str(LAB)], dict(os.environ) | domain)
    process.wait_for('^ready')
    yield process
    process.send(signal.SIGINT)
    assert process.finish(15) == 0


@pytest.fixture
def ros2(lab: Any, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command in this process; gives exit code, stdout, stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run_command(list(words))
        out, err = capfd.readouterr()
        return code, out, err

    return run


def test_node_list_and_info(ros2: Callable[..., Any]) -> None:
    code, out, _ = ros2('node', 'list')
    assert (code, out.split()) == (0, ['/lab', '/managed'])
    code, out, _ = ros2('node', 'info', 'lab')
    assert code == 0
    assert out.splitlines()[0] == '/lab'
    assert '    /chatter: std_msgs/msg/String' in out
    assert '    /switch: std_srvs/srv/SetBool' in out
    assert '/_action' not in out


def test_an_absent_node_is_named(ros2: Callable[..., Any]) -> None:
    code, _, err = ros2('node', 'info', '/nobody')
    assert code == 1
    assert "node '/nobody' not found, there are: ['/lab', '/managed']" in err


def test_topic_list_type_and_info(ros2: Callable[..., Any]) -> None:
    _, out, _ = ros2('topic', 'list', '-t')
    assert '/chatter [std_msgs/msg/String]' in out.splitlines()
    assert ros2('topic', 'type', 'chatter')[1] == 'std_msgs/msg/String\n'
    _, out, _ = ros2('topic', 'info', '/chatter')
    assert out.splitlines() == [
        'Type: std_msgs/msg/String',
        'Publisher count: 1',
        'Subscription count: 0',
    ]
    _, out, _ = ros2('topic', 'info', '-v', '/latched')
    assert 'Node name: lab' in out
    assert 'Durability: TRANSIENT_LOCAL' in out
    assert 'RIHS01_' in out


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        (('/latched',), 'data: kept\n---\n'),
        (('/fast',), 'data: 1.5\n---\n'),
        (('/fast', '--field', 'data'), '1.5\n---\n'),
        (('/fast', 'std_msgs/msg/Float64', '--csv', '--qos-profile', 'sensor_data'), '1.5\n'),
    ],
)
def test_echo_once(ros2: Callable[..., Any], words: tuple[str, ...], expected: str) -> None:
    assert ros2('topic', 'echo', '--once', *words)[:2] == (0, expected)


def test_echo_cuts_long_arrays(ros2: Callable[..., Any]) -> None:
    _, out, _ = ros2('topic', 'echo', '--once', '/bytes')
    message = yaml.safe_load(out.removesuffix('---\n'))
    assert message['data'] == [*range(128), '...']
    _, out, _ = ros2('topic', 'echo', '--once', '-f', '/bytes')
    assert yaml.safe_load(out.removesuffix('---\n'))['data'] == list(range(200))
    _, out, _ = ros2('topic', 'echo', '--once', '--no-arr', '/bytes')
    assert "data: '<sequence<uint8>, length: 200>'" in out


def test_echo_gives_up(ros2: Callable[..., Any]) -> None:
    words = ('/silent', 'std_msgs/msg/String', '--timeout', '0.3')
    code, _, err = ros2('topic', 'echo', *words)
    assert code == 1
    assert "no message on '/silent' for 0.3 s" in err


def test_pub_reaches_the_node(ros2: Callable[..., Any], lab: Any) -> None:
    code, out, _ = ros2('topic', 'pub', '--once', '/heard', 'std_msgs/msg/String', '{data: hi}')
    assert code == 0
    assert "publishing #1: std_msgs.msg.String(data='hi')" in out
    lab.wait_for('^heard hi$')
    ros2('topic', 'pub', '-t', '3', '-r', '50', '/heard', 'std_msgs/String', 'data: three')
    lab.wait_for('^heard three$', count=3)


@pytest.mark.parametrize(
    ('values', 'said'),
    [
        ('{text: hi}', "no field 'text', it has ['data']"),
        ('{data: [1]}', "field 'data': expected a string, got [1]"),
        ('hi', 'expected a mapping'),
        ('{data: ', 'not valid YAML'),
    ],
)
def test_pub_names_what_does_not_fit(ros2: Callable[..., Any], values: str, said: str) -> None:
    code, _, err = ros2('topic', 'pub', '--once', '/heard', 'std_msgs/msg/String', values)
    assert code == 1
    assert said in err


def test_hz_measures_until_it_is_interrupted(
    lab: Any, domain: dict[str, str], running: Callable[..., Any]
) -> None:
    hz = running([sys.executable, '-c', CODE, 'topic', 'hz', '/fast'], dict(os.environ) | domain)
    rate = float(hz.wait_for(r'average rate: ([\d.]+)').group(1))
    hz.wait_for(r'min: [\d.]+s max: [\d.]+s std dev: [\d.]+s window: \d+')
    hz.send(signal.SIGINT)
    assert hz.finish(15) == 130
    assert 5.0 < rate < 30.0


def test_param_list_get_set(ros2: Callable[..., Any]) -> None:
    _, out, _ = ros2('param', 'list', '/lab')
    assert [line.strip() for line in out.splitlines()] >= ['camera.names', 'count', 'fixed']
    assert ros2('param', 'get', 'lab', 'speed')[1] == 'Double value is: 0.5\n'
    assert ros2('param', 'get', '/lab', 'camera.names', '--hide-type')[1] == "['front', 'rear']\n"
    # 1 is a whole number, the parameter a double: it is sent as 1.0.
    assert ros2('param', 'set', '/lab', 'speed', '1') == (0, 'Set parameter successful\n', '')
    assert ros2('param', 'get', '/lab', 'speed')[1] == 'Double value is: 1.0\n'
    ros2('param', 'set', '/lab', 'label', '42')
    assert ros2('param', 'get', '/lab', 'label')[1] == 'String value is: 42\n'


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('set', '/lab', 'speed', '5.0'), 'Setting parameter failed'),
        (('set', '/lab', 'fixed', 'false'), 'Setting parameter failed'),
        (('set', '/lab', 'count', '{a: 1}'), 'cannot be a parameter'),
        (('get', '/lab', 'absent'), "parameter 'absent' of node '/lab' is not set"),
        (('load', '/lab', '/s2e/absent.yaml'), '/s2e/absent.yaml'),
    ],
)
def test_param_refusals(ros2: Callable[..., Any], words: tuple[str, ...], said: str) -> None:
    code, _, err = ros2('param', *words)
    assert code == 1
    assert said in err


def test_param_dump_can_be_loaded(ros2: Callable[..., Any], tmp_path: Path) -> None:
    _, out, _ = ros2('param', 'dump', '/lab')
    tree = yaml.safe_load(out)
    values = tree['/lab']['ros__parameters']
    assert values['camera'] == {'names': ['front', 'rear']}
    values.clear()
    values.update({'speed': 0.25, 'camera': {'names': ['left']}})
    (tmp_path / 'p.yaml').write_text(yaml.safe_dump(tree))
    code, out, _ = ros2('param', 'load', '/lab', str(tmp_path / 'p.yaml'))
    assert (code, out.count('successful')) == (0, 2)
    assert ros2('param', 'get', '/lab', 'camera.names')[1] == "String values are: ['left']\n"
    ros2('param', 'set', '/lab', 'camera.names', '[front, rear]')


def test_param_describe(ros2: Callable[..., Any]) -> None:
    _, out, _ = ros2('param', 'describe', '/lab', 'speed')
    assert 'Type: double' in out
    assert 'Description: Speed in m/s' in out
    assert 'Max value: 2.0' in out


def test_service(ros2: Callable[..., Any]) -> None:
    assert '/switch [std_srvs/srv/SetBool]' in ros2('service', 'list', '-t')[1]
    assert ros2('service', 'type', '/switch')[1] == 'std_srvs/srv/SetBool\n'
    code, out, _ = ros2('service', 'call', '/switch', 'std_srvs/srv/SetBool', '{data: true}')
    assert code == 0
    assert 'requester: making request: std_srvs.srv.SetBool_Request(data=True)' in out
    assert "response:\nstd_srvs.srv.SetBool_Response(success=True, message='on')" in out


def test_service_call_refusals(ros2: Callable[..., Any]) -> None:
    absent = ('service', 'call', '--timeout', '0.3', '/absent', 'std_srvs/srv/Trigger')
    code, _, err = ros2(*absent)
    assert (code, "service '/absent' is not there after 0.3 s" in err) == (1, True)
    code, _, err = ros2('service', 'call', '/switch', 'no_msgs/srv/Nothing')
    assert (code, "type 'no_msgs/srv/Nothing' cannot be loaded" in err) == (1, True)


def test_lifecycle(ros2: Callable[..., Any]) -> None:
    assert ros2('lifecycle', 'nodes')[1] == '/managed\n'
    assert ros2('lifecycle', 'get', '/managed')[1] == 'unconfigured [1]\n'
    _, out, _ = ros2('lifecycle', 'list', '/managed')
    assert '- configure [1]\n\tStart: unconfigured\n\tGoal: configuring\n' in out
    assert ros2('lifecycle', 'set', '/managed', 'configure')[1] == 'Transitioning successful\n'
    assert ros2('lifecycle', 'get')[1] == '/managed: inactive [2]\n'
    code, _, err = ros2('lifecycle', 'set', '/managed', 'cleanup')
    assert (code, err) == (1, 'Transitioning failed\n')
    code, _, err = ros2('lifecycle', 'set', '/managed', 'deactivate')
    assert code == 1
    assert "in state 'inactive': 'deactivate', available: cleanup [2], activate [3]" in err


def goal(x: float) -> str:
    return f'{{pose: {{header: {{frame_id: odom}}, pose: {{position: {{x: {x}}}}}}}}}'


def test_action(ros2: Callable[..., Any]) -> None:
    pytest.importorskip('nav2_msgs.action', reason='ROS missing: nav2_msgs')
    kind = 'nav2_msgs/action/NavigateToPose'
    assert ros2('action', 'list', '-t')[1] == f'/navigate_to_pose [{kind}]\n'
    _, out, _ = ros2('action', 'info', '/navigate_to_pose')
    assert 'Action servers: 1\n    /lab\n' in out
    send = ('action', 'send_goal', '/navigate_to_pose', kind)
    code, out, _ = ros2(*send, goal(5.0), '--feedback')
    assert code == 0
    assert 'Goal accepted with ID: ' in out
    assert 'distance_remaining: 5.0' in out
    assert 'Goal finished with status: SUCCEEDED' in out
    code, out, _ = ros2(*send, goal(500.0))
    assert code == 1
    assert 'error_msg: too far' in out
    assert 'Goal finished with status: ABORTED' in out
    code, _, err = ros2(*send, goal(-1.0))
    assert (code, 'goal was rejected' in err) == (1, True)


def test_ctrl_c_cancels_the_goal(
    lab: Any, domain: dict[str, str], running: Callable[..., Any]
) -> None:
    pytest.importorskip('nav2_msgs.action', reason='ROS missing: nav2_msgs')
    words = ['action', 'send_goal', '-f', '/navigate_to_pose', 'nav2_msgs/action/NavigateToPose']
    send = running([sys.executable, '-c', CODE, *words, goal(60.0)], dict(os.environ) | domain)
    send.wait_for('distance_remaining: 60.0')
    send.send(signal.SIGINT)
    assert send.finish(20) == 130
    assert 'Canceling goal...' in send.text
    lab.wait_for('^cancelled$')


def test_interface_show(ros2: Callable[..., Any]) -> None:
    _, out, _ = ros2('interface', 'show', '--no-comments', 'geometry_msgs/msg/PointStamped')
    assert out.splitlines() == [
        'std_msgs/Header header',
        '\tbuiltin_interfaces/Time stamp',
        '\t\tint32 sec',
        '\t\tuint32 nanosec',
        '\tstring frame_id',
        'Point point',
        '\tfloat64 x',
        '\tfloat64 y',
        '\tfloat64 z',
    ]
    assert 'std_srvs/srv/SetBool' in ros2('interface', 'package', 'std_srvs')[1]
    code, _, err = ros2('interface', 'show', 'std_msgs/msg/Nothing')
    assert (code, "type 'std_msgs/msg/Nothing' not found" in err) == (1, True)


def test_a_reader_that_goes_away_is_no_traceback(lab: Any, domain: dict[str, str]) -> None:
    line = f'"{sys.executable}" -c "{CODE}" topic echo /fast | head -n 1'
    done = subprocess.run(
        ['bash', '-c', f'set -o pipefail; {line}'],
        env=dict(os.environ) | domain,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (141, 'data: 1.5\n', '')
