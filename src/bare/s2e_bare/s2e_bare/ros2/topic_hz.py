"""`ros2 topic hz`: measures how often messages come."""

from __future__ import annotations

import argparse
import statistics
import time
from collections import deque
from typing import Any

from s2e_bare.ros2.qos import add_qos_options
from s2e_bare.ros2.session import Session, add_graph_options
from s2e_bare.ros2.topic_echo import subscribe

WINDOW = 10000


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = verbs.add_parser('hz', help='measure the rate of a topic')
    parser.add_argument('topic_name')
    parser.add_argument('-w', '--window', type=int, default=WINDOW, help='messages to average')
    parser.add_argument('--wall-time', action='store_true', help='accepted; wall time is used')
    add_qos_options(parser)
    add_graph_options(parser)
    parser.set_defaults(act=measure)


class RateMeter:
    """Statistics of the intervals between events."""

    def __init__(self, window: int = WINDOW) -> None:
        """Keep the newest `window` intervals."""
        self._intervals: deque[float] = deque(maxlen=max(window - 1, 1))
        self._last: float | None = None

    def add(self, seconds: float) -> None:
        """Take an event at a time."""
        if self._last is not None:
            self._intervals.append(seconds - self._last)
        self._last = seconds

    def text(self) -> str | None:
        """Write rate, extremes and spread as upstream does; None before two events."""
        if not self._intervals:
            return None
        mean = statistics.fmean(self._intervals)
        rate = 1.0 / mean if mean > 0 else float('inf')
        return (
            f'average rate: {rate:.3f}\n\tmin: {min(self._intervals):.3f}s '
            f'max: {max(self._intervals):.3f}s std dev: '
            f'{statistics.pstdev(self._intervals):.5f}s window: {len(self._intervals) + 1}'
        )


def measure(session: Session, options: argparse.Namespace) -> int:
    """Print the rate every second until Ctrl-C."""
    meter = RateMeter(options.window)
    # Raw bytes: deserialising big messages would slow down what is measured.
    subscribe(session, options, lambda _: meter.add(time.monotonic()), raw=True)
    shown = time.monotonic()
    before = None
    while True:
        session.spin_once(0.1)
        if time.monotonic() - shown < 1.0:
            continue
        shown = time.monotonic()
        text = meter.text()
        if text is not None and text != before:
            print(text, flush=True)
        before = text
