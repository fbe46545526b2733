"""What a joystick says: stick, dead-man and emergency stop, from axes and buttons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from s2e_core.config import check, option


@dataclass(frozen=True)
class JoystickConfig:
    """Axes and buttons by number; the defaults are those of a gamepad with two sticks."""

    axis_forward: int = option(1, low=0, high=63, help='Axis that is +1 forward.')
    axis_left: int = option(0, low=0, high=63, help='Axis that is +1 to the left.')
    axis_side: int = option(
        3, low=-1, high=63, help='Axis that is +1 to the left without turning; -1: none.'
    )
    button_hold: int = option(4, low=0, high=63, help='Dead-man.')
    button_e_stop: int = option(1, low=-1, high=63, help='Emergency stop; -1: none.')
    button_rearm: int = option(7, low=-1, high=63, help='Release and rearm; -1: none.')
    dead_zone: float = option(0.1, low=0, high=0.5, help='A stick at rest is not quite at 0.')

    def __post_init__(self) -> None:
        check(self, source='joystick')


@dataclass(frozen=True)
class JoystickState:
    """One message, read."""

    stick: tuple[float, float, float] | None = None
    """Forward, left, and left without turning, -1..1; None while the dead-man is up."""
    e_stop: bool = False
    rearm: bool = False
    problem: str = ''
    """Why nothing can be read, or nothing."""


def read_joystick(
    axes: Sequence[float], buttons: Sequence[int], config: JoystickConfig
) -> JoystickState:
    """Read axes and buttons; what the joystick does not have lets go."""
    axis, button = max(config.axis_forward, config.axis_left), config.button_hold
    if axis >= len(axes) or button >= len(buttons):
        return JoystickState(
            problem=f'joystick: axis {axis} and button {button} are needed, got {len(axes)} axes '
            f'and {len(buttons)} buttons'
        )
    forward, left = axes[config.axis_forward], axes[config.axis_left]
    e_stop, rearm = (
        0 <= number < len(buttons) and bool(buttons[number])
        for number in (config.button_e_stop, config.button_rearm)
    )
    # Most joysticks do without it, and most robots too.
    side = axes[config.axis_side] if 0 <= config.axis_side < len(axes) else 0.0
    if not all(math.isfinite(value) for value in (forward, left, side)):
        return JoystickState(e_stop=e_stop, problem=f'joystick: axes {forward}, {left}, {side}')
    held = bool(buttons[button])
    zone = config.dead_zone
    stick = (_shape(forward, zone), _shape(left, zone), _shape(side, zone))
    return JoystickState(stick if held else None, e_stop, rearm)


def _shape(value: float, dead_zone: float) -> float:
    """Cut the dead zone out and stretch the rest to -1..1."""
    size = max(0.0, abs(value) - dead_zone) / (1.0 - dead_zone)
    return math.copysign(min(1.0, size), value)
