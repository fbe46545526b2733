"""One driver's seat, any number who watch, and how the seat changes hands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """Somebody wants the seat."""

    client: int
    since: float
    """Seconds."""


class Seats:
    """Who sits where.

    The seat is taken when it is free, handed over by its driver, or given to whoever asked once
    the driver has not driven for a while: a driver who fell asleep cannot block the robot, one
    who drives is never interrupted.
    """

    def __init__(self, grant_after: float) -> None:
        """Start empty.

        Args:
            grant_after: Seconds after which a request is granted to an idle driver's loss.
        """
        self._grant_after = grant_after
        self._names: dict[int, str] = {}
        self._drove = float('-inf')
        self.driver: int | None = None
        """Number of the driver's page."""
        self.request: Request | None = None

    @property
    def watchers(self) -> int:
        """How many watch."""
        return len(self._names) - (self.driver is not None)

    def name(self, client: int | None) -> str:
        """Return a page's name."""
        return self._names.get(client, 'nobody') if client is not None else 'nobody'

    def join(self, client: int, name: str) -> None:
        """A page was let in."""
        self._names[client] = name or f'page {client}'

    def leave(self, client: int) -> None:
        """A page is gone; whoever asked gets a free seat."""
        self._names.pop(client, None)
        if self.request is not None and self.request.client == client:
            self.request = None
        if client == self.driver:
            self._seat(None if self.request is None else self.request.client)

    def drove(self, now: float) -> None:
        """The driver moved the robot."""
        self._drove = now

    def tick(self, now: float, busy: bool) -> None:
        """Grant a request that waited long enough.

        Args:
            now: Seconds.
            busy: Whether the driver drives right now.
        """
        request = self.request
        if request is None or busy:
            return
        if now - max(request.since, self._drove) >= self._grant_after:
            self._seat(request.client)

    def act(self, client: int, action: str, now: float) -> str:
        """Do what a page asks; return why not, or nothing."""
        if client not in self._names:
            return 'not logged in'
        if action == 'take':
            return self._take(client)
        if action == 'ask':
            return self._ask(client, now)
        if client != self.driver:
            return 'only the driver may do this'
        if action == 'leave':
            self._seat(None if self.request is None else self.request.client)
        elif self.request is None:
            return 'nobody asks for the seat'
        elif action == 'grant':
            self._seat(self.request.client)
        else:
            self.request = None
        return ''

    def _take(self, client: int) -> str:
        if self.driver not in (None, client):
            return f'{self.name(self.driver)} drives; ask for the seat'
        self._seat(client)
        return ''

    def _ask(self, client: int, now: float) -> str:
        if self.driver in (None, client):
            return self._take(client)
        if self.request is not None and self.request.client != client:
            return f'{self.name(self.request.client)} has asked already'
        if self.request is None:
            self.request = Request(client, now)
        return ''

    def _seat(self, client: int | None) -> None:
        self.driver = client
        if self.request is not None and self.request.client == client:
            self.request = None
