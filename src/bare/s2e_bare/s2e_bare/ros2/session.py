"""A short-lived ROS node that looks around and asks questions."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from s2e_bare.errors import CommandError

# A node that is already there was found after 0.05-0.75 s with the announcements of
# config/fastdds.xml, after up to 3.2 s with the defaults of Fast DDS. So: look for LOOK seconds
# at least and until nothing has changed for SETTLED; for SPIN_TIME where nobody was found.
LOOK = 1.0
SETTLED = 0.5
SPIN_TIME = 3.5
# How long a named node, topic or service may take to appear.
APPEAR = 5.0
_STEP = 0.05

Found = TypeVar('Found')


def add_graph_options(parser: argparse.ArgumentParser) -> None:
    """Add upstream's options of commands that look at the graph."""
    parser.add_argument(
        '--spin-time', type=float, default=SPIN_TIME, help='most seconds to wait for discovery'
    )
    parser.add_argument('--no-daemon', action='store_true', help='accepted; there is no daemon')
    parser.add_argument('-s', '--use-sim-time', action='store_true', help='use /clock')


class Session:
    """A node of the command's own, with what waiting for things needs."""

    def __init__(self, node: Any, executor: Any, options: argparse.Namespace) -> None:
        """Hold the node.

        Args:
            node: rclpy node.
            executor: Executor that the node is in.
            options: As `add_graph_options` makes them.
        """
        self.node = node
        self._executor = executor
        self._spin_time: float = getattr(options, 'spin_time', SPIN_TIME)

    def spin_once(self, seconds: float = _STEP) -> None:
        """Handle callbacks for at most some seconds."""
        self._executor.spin_once(timeout_sec=seconds)

    def settle(self) -> None:
        """Wait until the graph has stopped to grow."""
        start = changed = time.monotonic()
        empty = before = self._snapshot()
        while (now := time.monotonic()) - start < self._spin_time:
            if before != empty and now - start > LOOK and now - changed > SETTLED:
                return
            self.spin_once()
            current = self._snapshot()
            if current != before:
                before, changed = current, time.monotonic()

    def until(
        self, look: Callable[[], Found | None], seconds: float | None = None
    ) -> Found | None:
        """Wait until a function finds something; None when the time is over.

        Args:
            look: Called again and again.
            seconds: Longest wait, None for no end.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while (found := look()) is None:
            if deadline is not None and time.monotonic() > deadline:
                return None
            self.spin_once()
        return found

    def wait_for(self, future: Any, what: str, seconds: float | None = None) -> Any:
        """Wait for the result of a future.

        Raises:
            CommandError: The time is over.
        """
        self.until(lambda: True if future.done() else None, seconds)
        if not future.done():
            raise CommandError(f'{what}: no answer within {seconds:g} s')
        return future.result()

    def call(self, service_type: Any, name: str, request: Any, seconds: float = APPEAR) -> Any:
        """Call a service.

        Raises:
            CommandError: It does not appear, or does not answer.
        """
        client = self.node.create_client(service_type, name)
        try:
            ready = self.until(lambda: True if client.service_is_ready() else None, seconds)
            if ready is None:
                raise CommandError(f'service {name!r} is not there after {seconds:g} s')
            return self.wait_for(client.call_async(request), f'service {name!r}', seconds)
        finally:
            self.node.destroy_client(client)

    def nodes(self, hidden: bool = False) -> list[str]:
        """List full node names, sorted; names with a leading underscore are hidden."""
        found = [
            f'{namespace.rstrip("/")}/{name}'
            for name, namespace in self.node.get_node_names_and_namespaces()
        ]
        own = self.node.get_fully_qualified_name()
        return sorted(n for n in found if n != own and (hidden or not is_hidden(n)))

    def require_node(self, name: str) -> str:
        """Wait for a node and give its full name.

        Raises:
            CommandError: It does not appear; the message lists those that are there.
        """
        wanted = name if name.startswith('/') else f'/{name}'
        here = self.until(lambda: True if wanted in self.nodes(hidden=True) else None, APPEAR)
        if here is None:
            raise CommandError(f'node {wanted!r} not found, there are: {self.nodes()}')
        return wanted

    def _snapshot(self) -> tuple[Any, ...]:
        return (
            tuple(sorted(self.node.get_node_names_and_namespaces())),
            tuple(sorted(name for name, _ in self.node.get_topic_names_and_types(True))),
            tuple(sorted(name for name, _ in self.node.get_service_names_and_types())),
        )


def is_hidden(name: str) -> bool:
    """True when a part of a ROS name begins with an underscore."""
    return any(part.startswith('_') for part in name.split('/'))


@contextmanager
def open_session(options: argparse.Namespace) -> Iterator[Session]:
    """Make a node for one command and end it afterwards.

    Raises:
        CommandError: rclpy is not installed.
    """
    try:
        import rclpy
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.parameter import Parameter
        from rclpy.signals import SignalHandlerOptions
    except ImportError as error:
        raise CommandError(f'rclpy cannot be imported: {error}') from error
    context = rclpy.Context()
    # SIGINT stays Python's KeyboardInterrupt: the command ends where it stands.
    rclpy.init(args=[], context=context, signal_handler_options=SignalHandlerOptions.NO)
    overrides = []
    if getattr(options, 'use_sim_time', False):
        overrides.append(Parameter('use_sim_time', Parameter.Type.BOOL, True))
    node = rclpy.create_node(
        f'_ros2cli_{os.getpid()}',
        context=context,
        start_parameter_services=False,
        enable_rosout=False,
        parameter_overrides=overrides,
    )
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    try:
        yield Session(node, executor, options)
    finally:
        executor.shutdown()
        node.destroy_node()
        context.try_shutdown()
