"""The link between one page and the robot, worse than the one at hand if a profile says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np

from s2e_teleop.impairment import Impairment
from s2e_teleop.link import LinkProfile

WAITING = 1024
"""Messages and datagrams that may be on the way in each direction; more are lost."""


class LinkPath:
    """Carries whatever a page and the robot exchange, both ways, over one bottleneck each."""

    def __init__(self, link: LinkProfile, seed: np.random.SeedSequence) -> None:
        """Start with nothing on the way.

        Args:
            link: Profile.
            seed: Of the link's dice.
        """
        self._loop = asyncio.get_running_loop()
        self._up = self._down = None
        self.bytes_sent = 0
        """To the driver."""
        if not link.transparent:
            up, down = (np.random.default_rng(child) for child in seed.spawn(2))
            self._up = _Way(Impairment(link.to_robot, link.ordered, link.retransmit, up))
            self._down = _Way(Impairment(link.to_driver, link.ordered, link.retransmit, down))

    @property
    def transparent(self) -> bool:
        """Whether everything passes as it is."""
        return self._down is None

    @property
    def lost(self) -> tuple[int, int]:
        """Messages and datagrams lost on the way to the robot and to the driver."""
        if self._up is None or self._down is None:
            return 0, 0
        return self._up.link.lost, self._down.link.lost

    def to_robot(self, size: int, arrive: Callable[[], None], datagram: bool = False) -> None:
        """Call `arrive` when a message of so many bytes would have reached the robot."""
        self._carry(self._up, size, arrive, datagram)

    def to_driver(self, size: int, arrive: Callable[[], None], datagram: bool = False) -> None:
        """Call `arrive` when a message of so many bytes would have reached the driver."""
        self.bytes_sent += size
        self._carry(self._down, size, arrive, datagram)

    def _carry(
        self, way: _Way | None, size: int, arrive: Callable[[], None], datagram: bool
    ) -> None:
        if way is None:
            arrive()
            return
        at = way.link.arrival(self._loop.time(), size, datagram)
        if at is None:
            return
        if way.waiting >= WAITING:
            way.link.lost += 1
            return
        way.waiting += 1

        def later() -> None:
            way.waiting -= 1
            arrive()

        self._loop.call_at(at, later)


class _Way:
    def __init__(self, link: Impairment) -> None:
        self.link, self.waiting = link, 0
