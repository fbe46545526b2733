"""Who may ask the policy node for a drive: topics, services and actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from sensor_msgs.msg import NavSatFix
from std_srvs.srv import Trigger

from s2e_core.errors import ContractError
from s2e_core.geodesy import Geodetic
from s2e_nav.convert.stamps import to_ns
from s2e_nav.navigation.codes import Code, GoalRefusedError
from s2e_nav.navigation.mission import Kind
from s2e_nav.qos import RELIABLE

if TYPE_CHECKING:
    from s2e_nav.policy.action import NavigationActions


class Driver(Protocol):
    """Whoever drives; each `begin` raises GoalRefusedError with the reason."""

    def begin(
        self, poses: Sequence[PoseStamped], frame: str, kind: Kind, ticket: object = None
    ) -> None:
        """Drive through poses."""

    def begin_gps(self, place: Geodetic, stamp_ns: int) -> None:
        """Drive to a place on the globe."""

    def begin_roaming(self) -> None:
        """Drive without a goal."""

    def cancel(self, ticket: object = None) -> bool:
        """Stop at once; returns whether there was a goal."""

    def refused(self, error: GoalRefusedError) -> None:
        """Take the word that a goal which nobody waits for was refused."""

    @property
    def is_active(self) -> bool:
        """Whether goals are taken."""


class Requests:
    """Opens every way to set a goal."""

    def __init__(self, node: Node, driver: Driver) -> None:
        """Subscribe and offer.

        Args:
            node: Owner.
            driver: Asked in the executor's thread.
        """
        self._node, self._driver = node, driver
        self._subscriptions = [
            node.create_subscription(PoseStamped, 'goal_pose', self._on_pose, RELIABLE),
            node.create_subscription(NavSatFix, 'goal_gps', self._on_gps, RELIABLE),
        ]
        self._services = [
            node.create_service(Trigger, '~/roam', self._on_roam),
            node.create_service(Trigger, '~/cancel', self._on_cancel),
        ]
        self.actions = self._offer_actions()

    def close(self) -> None:
        """Close them all."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        for service in self._services:
            self._node.destroy_service(service)
        if self.actions is not None:
            self.actions.destroy()

    def _offer_actions(self) -> NavigationActions | None:
        """Offer the actions where nav2_msgs is installed."""
        try:
            from s2e_nav.policy.action import NavigationActions
        except ImportError as error:
            self._node.get_logger().warning(f'no navigation action is offered: {error}')
            return None
        driver = self._driver
        return NavigationActions(
            self._node, driver.begin, driver.cancel, lambda: driver.is_active
        )

    def _on_pose(self, message: PoseStamped) -> None:
        self._attempt(lambda: self._driver.begin([message], '', Kind.POSE))

    def _on_gps(self, message: NavSatFix) -> None:
        def begin() -> None:
            try:
                place = Geodetic(float(message.latitude), float(message.longitude))
            except ContractError as error:
                raise GoalRefusedError(Code.INVALID_GOAL, f'goal_gps: {error}') from error
            self._driver.begin_gps(place, to_ns(message.header.stamp))

        self._attempt(begin)

    def _attempt(self, begin: Callable[[], None]) -> str:
        """Begin a goal that came without anybody who waits; return why it was refused."""
        try:
            begin()
        except GoalRefusedError as error:
            self._driver.refused(error)
            return str(error)
        return ''

    def _on_roam(self, request: Any, response: Trigger.Response) -> Trigger.Response:
        problem = self._attempt(self._driver.begin_roaming)
        response.success, response.message = not problem, problem or 'roaming'
        return response

    def _on_cancel(self, request: Any, response: Trigger.Response) -> Trigger.Response:
        response.success = self._driver.cancel()
        response.message = 'cancelled' if response.success else 'there is no goal'
        return response
