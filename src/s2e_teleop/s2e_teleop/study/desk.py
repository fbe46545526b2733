"""Between a study and its participant: the card that is shown, the answers that are taken."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from s2e_core.config import from_mapping, to_mapping
from s2e_core.errors import ConfigError
from s2e_teleop.protocol import CardAnswer, Load, encode
from s2e_teleop.study.card import Guide, StudyCard
from s2e_teleop.study.plan import AUTONOMY
from s2e_teleop.study.workload import SCALES, Workload

WATCHERS = ('touched', 'end')
"""What everyone may say who watches: whoever leads the study on a robot does not drive it."""


class StudyDesk:
    """Holds the newest card; lives in the server's loop."""

    def __init__(self, answer: Callable[[dict[str, Any]], None]) -> None:
        """Start without a study.

        Args:
            answer: Called with each answer that fits its card: number, action, and what a form
                holds.
        """
        self._answer = answer
        self.card: StudyCard | None = None

    @property
    def text(self) -> str:
        """The card as a message for a page, or nothing."""
        return '' if self.card is None else encode('study', **to_mapping(self.card))

    @staticmethod
    def guide(guide: Guide) -> str:
        """Return the goal's place as a message for a page."""
        return encode('guide', **dataclasses.asdict(guide))

    def take(self, message: CardAnswer | Load, seated: bool) -> str:
        """Take an answer; return why not, or nothing.

        Args:
            message: From a page.
            seated: Whether that page has the seat.
        """
        card = self.card
        if card is None:
            return 'no study runs'
        watcher = isinstance(message, CardAnswer) and message.action in WATCHERS
        if not seated and not watcher:
            return 'take the seat first: whoever drives answers'
        # A second click, or one that a slow link delivers late, means a card that is gone.
        if message.card != card.number:
            return ''
        if isinstance(message, Load):
            return self._load(card, message)
        runs = card.phase == 'running'
        allowed = {
            'start': card.phase == 'ready', 'enough': runs and card.practice,
            'resume': runs and card.driver == AUTONOMY,
            **dict.fromkeys(WATCHERS, runs and card.counted),
        }
        if not allowed[message.action]:
            return f'not now: {message.action}'
        self._answer({'card': card.number, 'action': message.action})
        return ''

    def _load(self, card: StudyCard, message: Load) -> str:
        if card.phase != 'form':
            return 'no form is open'
        values = {name: getattr(message, name) for name in SCALES}
        try:
            from_mapping(Workload, values, source='form')
        except ConfigError as error:
            return str(error)
        self._answer({'card': card.number, 'action': 'form', **values})
        return ''
