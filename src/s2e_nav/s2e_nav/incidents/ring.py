"""The newest messages of all topics, within a time and a number of bytes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from s2e_nav.recorded import RecordedTopic

OVERHEAD = 300
"""Bytes that a kept message costs beside its content; without them a flood of empty messages would
have no bound. Measured 173 in CPython 3.11 (`test_incident_ring.py`)."""


@dataclass(frozen=True)
class Sample:
    """A message as it was received."""

    topic: RecordedTopic
    steady_ns: int
    """Its arrival on the steady clock, nanoseconds."""
    data: bytes
    """Serialised."""

    @property
    def size(self) -> int:
        """Bytes it occupies."""
        return len(self.data) + OVERHEAD

    @property
    def state(self) -> tuple[str, bytes]:
        """What it replaces: the last of its topic, or only its like where several publish."""
        return self.topic.name, self.data if self.topic.has_many_publishers else b''


class Ring:
    """Keeps what arrived in the last seconds.

    Of topics that tell a state only when it changes (`latched`) the newest message that fell out
    is kept too: without it a file would begin without goal and static transforms.
    """

    def __init__(self, seconds: float, max_bytes: int) -> None:
        """Start empty.

        Args:
            seconds: Time that is kept.
            max_bytes: Never more than that; the oldest goes first.
        """
        self._span_ns, self._max = round(seconds * 1e9), max_bytes
        self._samples: deque[Sample] = deque()
        self._states: dict[tuple[str, bytes], Sample] = {}
        self.size = 0
        """Bytes in use."""
        self.refused = 0
        """Messages that alone are larger than the ring."""

    @property
    def seconds(self) -> float:
        """Time from the oldest to the newest message that is held, seconds."""
        if not self._samples:
            return 0.0
        return (self._samples[-1].steady_ns - self._samples[0].steady_ns) * 1e-9

    def add(self, sample: Sample) -> None:
        """Take a message; arrivals come in their order."""
        if sample.size > self._max:
            self.refused += 1
            return
        self._samples.append(sample)
        self.size += sample.size
        self.trim(sample.steady_ns)

    def trim(self, now_ns: int) -> None:
        """Forget what is too old, and what is too much."""
        while self._samples and self._samples[0].steady_ns < now_ns - self._span_ns:
            self._drop_oldest()
        while self.size > self._max:
            if self._samples:
                self._drop_oldest()
            else:
                self.size -= self._states.pop(next(iter(self._states))).size

    def since(self, begin_ns: int) -> list[Sample]:
        """Return what arrived from a time on, after the states that held then.

        The states bear that time. Unless a message has left the ring for want of bytes, this is
        complete for the last `seconds`.
        """
        states, kept = dict(self._states), []
        for sample in self._samples:
            if sample.steady_ns >= begin_ns:
                kept.append(sample)
            elif sample.topic.latched:
                states[sample.state] = sample
        return [replace(sample, steady_ns=begin_ns) for sample in states.values()] + kept

    def _drop_oldest(self) -> None:
        sample = self._samples.popleft()
        self.size -= sample.size
        if not sample.topic.latched:
            return
        before = self._states.pop(sample.state, None)
        self.size += sample.size - (before.size if before is not None else 0)
        self._states[sample.state] = sample
