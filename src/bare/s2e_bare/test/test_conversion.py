"""Messages to YAML and back."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip('rclpy', reason='ROS missing: rclpy')
pytestmark = pytest.mark.ros

from builtin_interfaces.msg import Time  # noqa: E402
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue  # noqa: E402
from geometry_msgs.msg import PoseStamped, TwistWithCovariance  # noqa: E402
from nav_msgs.msg import Path  # noqa: E402
from sensor_msgs.msg import CameraInfo, Image, LaserScan  # noqa: E402
from std_msgs.msg import Bool, Float32, Int8, String, UInt8, UInt64  # noqa: E402

from s2e_bare.errors import CommandError  # noqa: E402
from s2e_bare.ros2 import parameter_values  # noqa: E402
from s2e_bare.ros2.conversion import fill, parse_yaml, to_plain, to_yaml  # noqa: E402
from s2e_bare.ros2.interfaces import load_type, split_type, type_text  # noqa: E402
from s2e_bare.ros2.topic_hz import RateMeter  # noqa: E402

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)
TEXT = st.text(st.characters(codec='utf-8', exclude_categories=['Cs']), max_size=20)


def again(message: Any) -> Any:
    """Write a message as YAML and read it into a new one."""
    other = type(message)()
    fill(other, yaml.safe_load(to_yaml(message)) or {})
    return other


@given(
    st.lists(FINITE, min_size=9, max_size=9),
    st.lists(FINITE, max_size=8),
    TEXT,
    st.integers(0, 2**32 - 1),
)
def test_camera_info_round_trip(k: list[float], d: list[float], frame: str, size: int) -> None:
    message = CameraInfo(k=k, d=d, height=size)
    message.header.frame_id = frame
    message.header.stamp.sec = -5
    assert again(message) == message


@given(st.lists(FINITE, max_size=5), st.binary(max_size=50))
def test_arrays_round_trip(ranges: list[float], data: bytes) -> None:
    assert again(LaserScan(ranges=ranges)) == LaserScan(ranges=ranges)
    image = Image(data=data, encoding='rgb8')
    assert again(image) == image


@given(TEXT, TEXT, st.integers(0, 3))
def test_nested_messages_round_trip(key: str, value: str, level: int) -> None:
    status = DiagnosticStatus(
        level=bytes([level]), name=key, values=[KeyValue(key=key, value=value)]
    )
    message = DiagnosticArray(status=[status, status])
    assert again(message) == message


@pytest.mark.parametrize('value', [math.inf, -math.inf])
def test_infinite_floats_round_trip(value: float) -> None:
    assert again(Float32(data=value)).data == value


def test_fields_that_are_not_named_keep_their_default() -> None:
    message = PoseStamped()
    fill(message, {'pose': {'position': {'x': 1}}})
    assert (message.pose.position.x, message.pose.orientation.w) == (1.0, 1.0)


def test_stamps_can_be_now() -> None:
    now = Time(sec=7, nanosec=5)
    message = Path()
    fill(message, {'header': 'auto', 'poses': [{'header': {'stamp': 'now'}}]}, stamp=now)
    assert message.header.stamp == now
    assert message.poses[0].header.stamp == now


@pytest.mark.parametrize(
    ('cls', 'values', 'said'),
    [
        (String, {'datum': 'x'}, "String has no field 'datum', it has ['data']"),
        (PoseStamped, {'pose': {'position': {'w': 1}}}, "no field 'pose.position.w'"),
        (PoseStamped, {'pose': 5}, "field 'pose': expected a mapping, got 5"),
        (Bool, {'data': 1}, "field 'data': expected a boolean, got 1"),
        (UInt8, {'data': 256}, "field 'data': 256 is outside of uint8 [0, 255]"),
        (Int8, {'data': -129}, '[-128, 127]'),
        (UInt64, {'data': 1.5}, "field 'data': expected a uint64, got 1.5"),
        (Float32, {'data': 'fast'}, "expected a float, got 'fast'"),
        (Float32, {'data': True}, 'expected a float, got True'),
        (LaserScan, {'ranges': '123'}, "field 'ranges': expected a list, got '123'"),
        (LaserScan, {'ranges': [1, 'x']}, "field 'ranges[1]': expected a float, got 'x'"),
        (TwistWithCovariance, {'covariance': [1.0]}, 'expected 36 elements, got 1'),
        (DiagnosticStatus, {'level': 300}, 'expected a octet, got 300'),
    ],
)
def test_what_does_not_fit_is_named(cls: Any, values: dict[str, Any], said: str) -> None:
    with pytest.raises(CommandError) as caught:
        fill(cls(), values)
    assert said in str(caught.value)


def test_long_values_are_cut() -> None:
    image = Image(data=bytes(300), encoding='x' * 200)
    plain = to_plain(image, truncate=128)
    assert plain['data'] == [*[0] * 128, '...']
    assert plain['encoding'] == 'x' * 128 + '...'
    assert to_plain(image, no_arr=True)['data'] == '<sequence<uint8>, length: 300>'
    assert len(to_plain(image)['data']) == 300


@pytest.mark.parametrize(('text', 'said'), [('[1]', 'a mapping'), ('{a: [', 'not valid YAML')])
def test_command_line_values(text: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        parse_yaml(text, 'goal')
    assert parse_yaml('', 'goal') == {}


def test_types_by_name() -> None:
    assert load_type('std_msgs/msg/String', 'msg') is String
    assert load_type('std_msgs/String', 'msg') is String
    assert type_text(String) == 'std_msgs.msg.String'
    assert split_type('std_srvs/SetBool', 'srv') == ('std_srvs', 'SetBool')
    for bad in ('String', 'a/b/c/d', 'std_srvs/srv/SetBool', 'std_msgs/msg/'):
        with pytest.raises(CommandError, match='expected PACKAGE/msg/NAME'):
            split_type(bad, 'msg')


PARAMETERS = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    TEXT,
    st.lists(st.booleans(), min_size=1, max_size=4),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=4),
    st.lists(st.floats(allow_nan=False), min_size=1, max_size=4),
    st.lists(TEXT, min_size=1, max_size=4),
)


@given(PARAMETERS)
def test_parameter_values_round_trip(value: Any) -> None:
    assert parameter_values.to_plain(parameter_values.to_message(value)) == value


def test_parameter_values_take_the_type_that_is_there() -> None:
    # rcl_interfaces/msg/ParameterType: 3 double, 4 string, 8 double array, 9 string array
    assert parameter_values.to_message(1, 3).double_value == 1.0
    assert parameter_values.to_message(True, 4).string_value == 'True'
    assert list(parameter_values.to_message([1, 2], 8).double_array_value) == [1.0, 2.0]
    assert parameter_values.to_message([], 9).type == 9
    for bad in ([], [1, 'a'], None, {'a': 1}):
        with pytest.raises(CommandError, match='cannot be a parameter'):
            parameter_values.to_message(bad)


def test_dotted_names_nest_and_flatten() -> None:
    flat = {'a': 1, 'b.c': 2, 'b.d.e': 3}
    nested = {'a': 1, 'b': {'c': 2, 'd': {'e': 3}}}
    assert parameter_values.nest(flat) == nested
    assert parameter_values.flatten(nested) == flat
    assert parameter_values.nest({'a': 1, 'a.b': 2}) == {'a': 1, 'a.b': 2}


def test_rate() -> None:
    meter = RateMeter()
    assert meter.text() is None
    for time in (0.0, 0.1, 0.3):
        meter.add(time)
    # intervals 0.1 and 0.2 s: mean 0.15, rate 6.667, standard deviation 0.05
    assert meter.text() == (
        'average rate: 6.667\n\tmin: 0.100s max: 0.200s std dev: 0.05000s window: 3'
    )
