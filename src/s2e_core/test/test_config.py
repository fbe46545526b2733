"""Configurations: every wrong value is an error that names the key."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_core.config import from_mapping, from_yaml, option, to_mapping
from s2e_core.errors import ConfigError
from s2e_core.robot import load_robot


@dataclass(frozen=True)
class Inner:
    """A nested part."""

    size: tuple[int, int] = option((4, 3), unit='px', low=1, high=10, help='Size.')


@dataclass(frozen=True)
class Outer:
    """A configuration with every kind of field."""

    name: str = option(help='Required.')
    speed: float = option(1.0, unit='m/s', low=0.0, high=2.0, help='Speed.')
    mode: str = option('a', choices=('a', 'b'), help='Mode.')
    limit: float | None = option(None, low=0.0, help='May be absent.')
    flags: tuple[str, ...] = option((), help='Any number.')
    inner: Inner = Inner()


def test_values_and_defaults() -> None:
    """Integers become floats, nested mappings become dataclasses."""
    config = from_mapping(Outer, {'name': 'x', 'speed': 2, 'inner': {'size': [5, 6]}})
    assert config == Outer('x', 2.0, 'a', None, (), Inner((5, 6)))
    assert from_mapping(Outer, to_mapping(config)) == config


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'sped': 1}, "unknown key 'sped'; known: name, speed"),
        ({'speed': 2.5}, r'speed must be in 0.0..2.0 m/s, got 2.5'),
        ({'speed': float('nan')}, 'speed must be finite'),
        ({'speed': 'fast'}, "speed must be float, got 'fast'"),
        ({'speed': True}, 'speed must be float, got True'),
        ({'mode': 'c'}, r"mode must be one of \['a', 'b'\], got 'c'"),
        ({'inner': {'size': [1]}}, 'inner: size must have 2 entries, got 1'),
        ({'inner': {'size': [1, 99]}}, 'size must be in 1..10 px, got 99'),
        ({'inner': 3}, 'inner must be a mapping'),
        ({'flags': 'ab'}, 'flags must be a list'),
        ({'flags': [1]}, r'flags\[0\] must be str'),
        ({'limit': -1}, 'limit must be in 0.0..inf'),
    ],
)
def test_refusals(changes: dict[str, object], message: str) -> None:
    """The message carries key, rule and value."""
    with pytest.raises(ConfigError, match=message):
        from_mapping(Outer, {'name': 'x', **changes})


def test_missing_key() -> None:
    """A field without default is required."""
    with pytest.raises(ConfigError, match="missing key 'name'"):
        from_mapping(Outer, {})


@given(st.text(max_size=200))
def test_wild_text_is_a_config_or_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """No text raises anything but ConfigError."""
    path = tmp_path_factory.mktemp('config') / 'wild.yaml'
    path.write_text(text, encoding='utf-8', errors='replace')
    with contextlib.suppress(ConfigError):
        assert isinstance(from_yaml(Outer, path), Outer)


def test_python_tags_are_not_executed(tmp_path: Path) -> None:
    """A YAML tag that would run code is refused."""
    path = tmp_path / 'evil.yaml'
    path.write_text('name: !!python/object/apply:os.system ["touch /tmp/never"]\n')
    with pytest.raises(ConfigError, match='not valid YAML'):
        from_yaml(Outer, path)


def test_huge_file_is_refused_before_reading(tmp_path: Path) -> None:
    """A megabyte is the limit."""
    path = tmp_path / 'huge.yaml'
    path.write_bytes(b'#' * 1_000_001)
    with pytest.raises(ConfigError, match='1000000 bytes, got 1000001'):
        from_yaml(Outer, path)


def test_shipped_robots() -> None:
    """Every profile loads; the car cannot turn on the spot, the differential base can."""
    assert load_robot('coco').max_curvature == pytest.approx(
        1 / load_robot('coco').min_turn_radius
    )
    assert load_robot('turtlebot4').min_turn_radius == 0.0
    with pytest.raises(ConfigError, match=r'robots/nobody\.yaml not found'):
        load_robot('nobody')
