"""Talks to managed nodes for a launch: changes their states and hears of changes.

rclpy is imported and a ROS node made only when a launch file asks for a transition or
handles one; a launch without that has no DDS participant of its own.
"""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Any

from s2e_bare.launch.logging import get_logger
from s2e_bare.launch_ros.events.lifecycle import TRANSITIONS, StateTransition

if TYPE_CHECKING:
    from s2e_bare.launch.launch_context import LaunchContext
    from s2e_bare.launch_ros.actions.lifecycle_node import LifecycleNode

_KEY = 'lifecycle_monitor'
# How often to look again whether a node's service is there; DDS has no event for it in rclpy.
SERVICE_POLL = 0.1


def monitor_of(context: LaunchContext) -> LifecycleMonitor:
    """Give the monitor of a launch, made on first use."""
    if _KEY not in context.extensions:
        context.extensions[_KEY] = LifecycleMonitor(context)
    monitor: LifecycleMonitor = context.extensions[_KEY]
    return monitor


class LifecycleMonitor:
    """The ROS side of the LifecycleNode actions of one launch."""

    def __init__(self, context: LaunchContext) -> None:
        """Hold the launch; nothing of ROS yet."""
        self._context = context
        self._nodes: list[LifecycleNode] = []
        self._watching = False
        self._ros: _RosSide | None = None
        self._logger = get_logger('launch_ros')

    def add(self, action: LifecycleNode) -> None:
        """Take a node in."""
        self._nodes.append(action)
        if self._watching:
            self._subscribe(action)

    def watch(self) -> None:
        """Emit StateTransition events from now on."""
        if not self._watching:
            self._watching = True
            for action in self._nodes:
                self._subscribe(action)

    def change_state(self, action: LifecycleNode, transition: int) -> None:
        """Ask a node for a transition, as soon as its service is there."""
        self._spawn(self._change(action, transition))

    def autostart(self, action: LifecycleNode) -> None:
        """Configure a node, then activate it."""
        self._spawn(self._autostart(action))

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._context.keep_alive_until(task)

    async def _autostart(self, action: LifecycleNode) -> None:
        for transition in (1, 3):
            if not await self._change(action, transition):
                return

    async def _change(self, action: LifecycleNode, transition: int) -> bool:
        name = TRANSITIONS[transition]
        client = self._side().change_client(action.node_name)
        while not client.service_is_ready():
            if self._context.is_shutdown or action.return_code is not None:
                self._logger.error(
                    f'Abandoning wait for the {action.node_name}/change_state service'
                )
                return False
            await asyncio.sleep(SERVICE_POLL)
        request = client.srv_type.Request()
        request.transition.id = transition
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()

        def hand_over(future: Any) -> None:
            loop.call_soon_threadsafe(
                lambda: None if answer.done() else answer.set_result(future.result())
            )

        client.call_async(request).add_done_callback(hand_over)
        while not answer.done():
            if self._context.is_shutdown or action.return_code is not None:
                return False
            await asyncio.wait([answer], timeout=SERVICE_POLL)
        if not answer.result().success:
            self._logger.error(
                f"Failed to make transition '{name}' for LifecycleNode '{action.node_name}'"
            )
        return bool(answer.result().success)

    def _subscribe(self, action: LifecycleNode) -> None:
        loop = asyncio.get_running_loop()

        def on_transition(message: Any) -> None:
            event = StateTransition(action=action, msg=message)
            loop.call_soon_threadsafe(self._context.emit_event_sync, event)

        self._side().subscribe(action.node_name, on_transition)

    def _side(self) -> _RosSide:
        if self._ros is None:
            self._ros = _RosSide()
            self._context.at_exit(self._ros.close)
        return self._ros


class _RosSide:
    """A ROS node of the launch, spun in a thread."""

    def __init__(self) -> None:
        import rclpy
        from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
        from rclpy.signals import SignalHandlerOptions

        self._context = rclpy.Context()
        rclpy.init(context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self._node = rclpy.create_node(f'launch_ros_{os.getpid()}', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._clients: dict[str, Any] = {}

        def spin() -> None:
            try:
                self._executor.spin()
            except ExternalShutdownException:
                return

        self._thread = threading.Thread(target=spin, name='launch_ros', daemon=True)
        self._thread.start()

    def change_client(self, node_name: str) -> Any:
        """Give the client of a node's change_state service."""
        from lifecycle_msgs.srv import ChangeState

        if node_name not in self._clients:
            self._clients[node_name] = self._node.create_client(
                ChangeState, f'{node_name}/change_state'
            )
        return self._clients[node_name]

    def subscribe(self, node_name: str, callback: Any) -> None:
        """Listen to a node's transitions."""
        from lifecycle_msgs.msg import TransitionEvent

        topic = f'{node_name}/transition_event'
        self._node.create_subscription(TransitionEvent, topic, callback, 10)

    def close(self) -> None:
        """End the node and its thread; a thread that still spins at exit aborts Python."""
        self._executor.shutdown()
        self._thread.join(timeout=2.0)
        self._node.destroy_node()
        self._context.try_shutdown()
