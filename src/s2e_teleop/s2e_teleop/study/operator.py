"""A scripted operator: how late a person far away acts on what the robot sees."""

from __future__ import annotations

import math
from dataclasses import dataclass

from s2e_core.config import check, option
from s2e_teleop.link import LinkProfile

PICTURE_BYTES = 25_000
"""A JPEG of 640x480 at quality 65: what queues behind the link's bandwidth."""


@dataclass(frozen=True)
class OperatorModel:
    """How quickly a scripted operator reacts; it is no person and never labelled as one."""

    reaction: float = option(
        0.25, unit='s', low=0.0, high=2.0,
        help='From a picture on the screen to a moved hand. Simple visual reactions take 0.2 to '
        '0.3 s; choosing among several answers takes longer (Hick 1952).',
    )
    v_max: float = option(1.5, unit='m/s', low=0.05, high=5.0, help='Speed it asks for at most.')

    def __post_init__(self) -> None:
        check(self, source='operator')


@dataclass(frozen=True)
class Lateness:
    """What the model and a link amount to: commands that answer an old picture."""

    latency: float
    """Constant part, seconds."""
    reaction: float
    """Of that, the operator's own, seconds."""
    jitter: float
    """Deviation of the rest, seconds."""
    loss: float
    """Share of commands that is lost, or held up by a loss."""
    retransmit: float
    """What a loss costs, seconds; 0 where the lost never comes."""
    v_max: float
    """m/s"""

    @property
    def delay(self) -> float:
        """What link, camera and sending take, seconds: what can be measured beside a person."""
        return self.latency - self.reaction


def lateness(model: OperatorModel, link: LinkProfile) -> Lateness:
    """Add up what lies between the world and the wheels.

    A picture is half a picture's interval old on average when it is taken, crosses the link
    behind its own bytes, is answered after the reaction, and the command crosses back. Deviations
    of independent parts add as squares. Only commands can be lost here; a lost picture is as late
    as the next one.

    Args:
        model: The operator.
        link: Both directions.
    """
    video = link.video
    bits = 8.0 * PICTURE_BYTES * (min(video.width, 640) / 640.0) ** 2
    sending = bits / (1e6 * link.to_driver.bandwidth) if link.to_driver.bandwidth > 0 else 0.0
    constant = (
        0.5 / video.rate + sending + link.to_driver.delay + model.reaction + link.to_robot.delay
    )
    return Lateness(
        constant, model.reaction, math.hypot(link.to_driver.jitter, link.to_robot.jitter),
        link.to_robot.loss, link.retransmit if link.ordered else 0.0,
        min(model.v_max, link.speed_cap),
    )
