"""What a terminal tells of a held key: nothing but its repeats."""

from __future__ import annotations

STICKS = {
    'w': (1.0, 0.0, 0.0), 's': (-1.0, 0.0, 0.0), 'a': (0.0, 1.0, 0.0), 'd': (0.0, -1.0, 0.0),
    'q': (1.0, 1.0, 0.0), 'e': (1.0, -1.0, 0.0), 'z': (-1.0, 1.0, 0.0), 'c': (-1.0, -1.0, 0.0),
    'j': (0.0, 0.0, 1.0), 'l': (0.0, 0.0, -1.0),
}
"""Forward, left, and left without turning."""
HELD = 0.15
"""Two of the same key so close together are repeats, seconds: keyboards repeat 10 to 30 times a
second, fingers press the same key at most 7 times a second."""


class KeyHold:
    """Takes a key for held from its first repeat until the repeats end.

    The first press alone moves nothing: a terminal never says that a key went up, so what is not
    repeated cannot be a dead-man.
    """

    def __init__(self) -> None:
        """Start with no key."""
        self._key = ''
        self._at = float('-inf')
        self._repeats = False

    def press(self, key: str, now: float) -> None:
        """Take a character; other keys than those that drive end the hold.

        Args:
            key: The character.
            now: Seconds.
        """
        self._repeats = key == self._key and now - self._at <= HELD
        self._key, self._at = key, now

    def stick(self, now: float) -> tuple[float, float, float] | None:
        """Return forward, left and aside, -1..1, or None while nothing is held."""
        if not self._repeats or now - self._at > HELD:
            return None
        return STICKS.get(self._key)
