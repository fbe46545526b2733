"""Parameters: declared from the dataclass, with rules; what is unknown is an error."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from rcl_interfaces.msg import ParameterType
from rclpy.parameter import Parameter

from s2e_core.config import check, option
from s2e_core.gate import GateConfig
from s2e_nav.errors import ParameterError
from s2e_nav.nodes.follower import FollowerParameters
from s2e_nav.nodes.gate import GateParameters
from s2e_nav.nodes.policy import PolicyParameters
from s2e_nav.nodes.recorder import RecorderParameters
from s2e_nav.parameters import declare, entries
from s2e_nav.sim.parameters import SimParameters


@dataclass(frozen=True)
class Tuned:
    """A configuration with one of each."""

    speed: float = option(1.0, unit='m/s', low=0, high=2, help='Speed.')
    count: int = option(3, low=1, high=5, help='Count.')
    name: str = option('x', choices=('x', 'y'), help='Name.')
    topics: tuple[str, ...] = option(('a', 'b'), help='Topics.')
    fixed: bool = option(True, read_only=True, help='Fixed.')
    gate: GateConfig = GateConfig()

    def __post_init__(self) -> None:
        check(self)


def test_defaults_ranges_and_descriptions_come_from_the_fields(ros):
    node = ros.node('tuned', speed=1.5, gate__tick_period=0.02)
    config = declare(node, Tuned)
    assert (config.speed, config.gate.tick_period, config.count) == (1.5, 0.02, 3)
    descriptor = node.describe_parameter('speed')
    assert descriptor.description == 'Speed. [m/s]' and descriptor.read_only
    assert descriptor.floating_point_range[0].to_value == 2.0
    assert node.describe_parameter('count').integer_range[0].from_value == 1
    assert node.describe_parameter('gate.tick_period').type == ParameterType.PARAMETER_DOUBLE
    assert node.get_parameter('topics').value == ['a', 'b']
    node.destroy_node()


@pytest.mark.parametrize(('given', 'text'), [
    ({'sped': 1.0}, "unknown parameter 'sped'"),
    ({'gate__nothing': 1.0}, "unknown parameter 'gate.nothing'"),
    ({'speed': 3.0}, 'speed must be in 0..2 m/s, got 3.0'),
    ({'speed': 'fast'}, "speed must be float, got 'fast'"),
    ({'name': 'z'}, 'name must be one of'),
    ({'gate__tick_period': 9.0}, 'tick_period must be in'),
])
def test_what_breaks_a_rule_is_refused(ros, given, text):
    node = ros.node('tuned', **given)
    with pytest.raises(ParameterError, match=text):
        declare(node, Tuned)
    node.destroy_node()


def test_a_whole_number_is_a_float_and_a_number_is_a_name(ros):
    node = ros.node('tuned', speed=2)
    assert declare(node, Tuned).speed == 2.0
    node.destroy_node()


def test_live_parameters_are_checked_and_others_are_fixed(ros):
    node = ros.node('tuned')
    seen: list[Tuned] = []
    declare(node, Tuned, live=seen.append)
    [result] = node.set_parameters([Parameter('speed', value=1.25)])
    assert result.successful and seen[-1].speed == 1.25
    [result] = node.set_parameters([Parameter('name', value='z')])
    assert not result.successful and 'one of' in result.reason
    [result] = node.set_parameters([Parameter('speed', value=5.0)])
    assert not result.successful
    [result] = node.set_parameters([Parameter('fixed', value=False)])
    assert not result.successful
    assert len(seen) == 1
    node.destroy_node()


@pytest.mark.parametrize('cls', [
    PolicyParameters, FollowerParameters, GateParameters, RecorderParameters, SimParameters,
])
def test_every_node_describes_every_parameter(cls):
    for entry in entries(cls):
        assert entry.rule.get('help'), f'{cls.__name__}.{entry.name} has no description'
