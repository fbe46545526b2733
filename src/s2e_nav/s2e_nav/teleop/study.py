"""A study's words between the node that runs it and the pages: cards there, answers back."""

from __future__ import annotations

import json
from typing import Any

from rclpy.node import Node
from std_msgs.msg import String

from s2e_core.config import from_mapping
from s2e_core.errors import ConfigError
from s2e_nav.qos import LATCHED, RELIABLE
from s2e_nav.runtime.timers import steady_timer
from s2e_nav.teleop.view import RobotView
from s2e_teleop.server.server import TeleopServer
from s2e_teleop.study.card import StudyCard

CARD = 's2e/study'
ANSWER = 's2e/study/answer'


class StudyBridge:
    """Shows cards on the pages, and where the goal is while a run is driven."""

    def __init__(self, node: Node, server: TeleopServer, view: RobotView) -> None:
        """Listen for cards."""
        self._node, self._server, self._view = node, server, view
        self._runs = False
        self._answers = node.create_publisher(String, ANSWER, RELIABLE)
        node.create_subscription(String, CARD, self._on_card, LATCHED)
        steady_timer(node, 0.2, self._guide)

    def answer(self, values: dict[str, Any]) -> None:
        """Pass an answer on; from any thread."""
        self._answers.publish(String(data=json.dumps(values)))

    def _on_card(self, message: String) -> None:
        try:
            card = card_from(message.data)
        except ConfigError as error:
            self._node.get_logger().error(f'{CARD}: {error}')
            return
        self._runs = card.phase == 'running'
        self._server.show_card(card)

    def _guide(self) -> None:
        guide = self._view.guide() if self._runs else None
        if guide is not None:
            self._server.show_guide(guide)


def card_from(text: str) -> StudyCard:
    """Read a card.

    Raises:
        ConfigError: It is none.
    """
    return from_mapping(StudyCard, object_from(text), source='study card')


def object_from(text: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ConfigError: It is none.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f'must be JSON: {error!s:.100}') from error
    if not isinstance(values, dict):
        raise ConfigError(f'must be an object, got {type(values).__name__}')
    return values
