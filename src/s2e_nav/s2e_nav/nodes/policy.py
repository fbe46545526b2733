"""Policy node: images, odometry and goals in, trajectories out; the navigation server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.lifecycle import LifecycleNode, State, TransitionCallbackReturn

from s2e_core.camera import CameraMount
from s2e_core.config import check, option
from s2e_core.errors import S2EError
from s2e_core.navigator import NavigatorConfig
from s2e_core.obstacle_veto import ObstacleConfig, ObstacleVeto
from s2e_core.robot import load_robot
from s2e_nav.errors import StartError
from s2e_nav.navigation.gps import GpsConfig
from s2e_nav.navigation.mission import MissionConfig
from s2e_nav.parameters import declare
from s2e_nav.policies import LoadedPolicy, load_policy
from s2e_nav.policy.board import StatusBoard
from s2e_nav.policy.service import PolicyService
from s2e_nav.policy.warmup import warm_up
from s2e_nav.runtime.process import main_program
from s2e_policy.choice import Choice, choose_policy

Loader = Callable[..., LoadedPolicy]
"""Called as `load_policy` is."""


@dataclass(frozen=True)
class PolicyParameters:
    """Parameters of the policy node."""

    policy: str = option(
        'auto', help='Bundle by name or path, adapter:KIND:PATH, `straight`, or `auto`: what '
        'suits the lens of `robot`.',
    )
    policy_choice: str = option(
        '', help='Why this policy, for the status, where whoever starts the node has chosen.'
    )
    robot: str = option(
        '', help="Robot profile by name or path: its camera is moved to where the policy's sat in "
        'training. Empty: it sits there.',
    )
    mode: str = option(
        'realtime', choices=('realtime', 'lockstep'), help='Whether the world waits.'
    )
    autostart: bool = option(True, help='Configure and activate without being asked.')
    graph: str = option('streaming', choices=('streaming', 'window'), help='Graph of the bundle.')
    provider: str = option('', help='ONNX execution provider; empty takes the best present.')
    require_provider: str = option('', help='Refuse to start without this provider.')
    threads: int = option(1, low=1, high=64, help='Threads of an operator.')
    v_max: float = option(1.5, unit='m/s', low=0.05, high=5, help='Top speed of `straight`.')
    compressed: bool = option(False, help='Read camera/image_raw/compressed.')
    watch_turns: bool = option(
        True, help='Pictures must turn as odometry does; false for a camera that pans by itself.'
    )
    odom_frame: str = option('odom', help='Frame of plans and goals.')
    base_frame: str = option('base_link', help='Frame of the modes.')
    navigator: NavigatorConfig = NavigatorConfig()
    mission: MissionConfig = MissionConfig()
    gps: GpsConfig = GpsConfig()
    obstacles: ObstacleConfig = ObstacleConfig()

    def __post_init__(self) -> None:
        check(self, source='policy parameters')


class PolicyNode(LifecycleNode):
    """Lifecycle: configure loads and verifies, activate answers images, deactivate stops."""

    def __init__(self, load: Loader = load_policy, **options: Any) -> None:
        """Declare parameters; nothing is loaded before configure.

        Args:
            load: Makes the policy from the parameters.
            options: Passed on to the node, such as a context.
        """
        super().__init__('policy', **options)
        self.node = self
        self.exit_code: int | None = None
        self._load = load
        self._config = declare(self, PolicyParameters)
        self._board = StatusBoard(self)
        self._service: PolicyService | None = None
        if self._config.autostart:
            self._autostart()

    def close(self) -> None:
        """Stop the robot and the thread."""
        service, self._service = self._service, None
        if service is not None:
            service.close()

    def on_configure(self, state: State) -> TransitionCallbackReturn:
        """Load and verify the policy, and let it answer once."""
        config = self._config
        try:
            choice = self._choice()
            loaded = self._load(
                choice.policy, mode=config.graph, provider=config.provider,
                require_provider=config.require_provider, threads=config.threads,
                v_max=config.v_max,
            )
            seconds = warm_up(loaded.policy)
            mounts = self._mounts(loaded)
            obstacles = self._veto()
        except (Exception, SystemExit) as error:
            # A bundle of somebody else may fail in any way; the node stays and says how.
            kind = '' if isinstance(error, S2EError) else f'{type(error).__name__}: '
            return self._fail(f'policy {config.policy}: {kind}{error}')
        self._board.fault = self._board.failure = ''
        self._service = PolicyService(
            self, config, loaded, self._board, obstacles, mounts,
            choice.text,
        )
        self.get_logger().info(
            f'{loaded.identity} ready: provider {loaded.provider}, '
            f'first answer in {seconds * 1e3:.0f} ms; {choice.text}'
        )
        return super().on_configure(state)

    def on_activate(self, state: State) -> TransitionCallbackReturn:
        """Begin to answer images."""
        assert self._service is not None
        try:
            self._service.activate()
        except S2EError as error:
            return self._fail(str(error))
        return super().on_activate(state)

    def on_deactivate(self, state: State) -> TransitionCallbackReturn:
        """Drop the goal and leave a plan that stands still."""
        assert self._service is not None
        self._service.deactivate()
        return super().on_deactivate(state)

    def on_cleanup(self, state: State) -> TransitionCallbackReturn:
        """Unload."""
        self._unload('unconfigured')
        return super().on_cleanup(state)

    def on_shutdown(self, state: State) -> TransitionCallbackReturn:
        """Stop and unload."""
        self._unload('finalized')
        return super().on_shutdown(state)

    def on_error(self, state: State) -> TransitionCallbackReturn:
        """Stop and unload after a transition that raised; configure may try again."""
        self._unload('unconfigured')
        self._fail(f'the transition from {state.label} failed; see the log')
        return super().on_error(state)

    def _choice(self) -> Choice:
        """Choose the policy, unless whoever started the node has said why it is this one."""
        config = self._config
        if config.policy_choice:
            return Choice(config.policy, config.policy_choice)
        choice = choose_policy(config.policy, load_robot(config.robot) if config.robot else None)
        if choice.warning:
            self.get_logger().warning(choice.warning)
        return choice

    def _mounts(self, loaded: LoadedPolicy) -> tuple[CameraMount, CameraMount] | None:
        """Return the places of the robot's and the policy's camera, where both are known."""
        if not self._config.robot:
            return None
        own = load_robot(self._config.robot).camera.mount()
        return loaded.policy.spec.mounts(own)

    def _veto(self) -> ObstacleVeto:
        """Return what rejects modes that hit something; without a source nothing does.

        Raises:
            StartError: There is a source, but no robot whose footprint it is held against.
        """
        config = self._config
        if config.obstacles.source != 'none' and not config.robot:
            raise StartError('obstacles.source needs the parameter robot: its footprint')
        return ObstacleVeto(load_robot(config.robot or 'coco'), config.obstacles)

    def _unload(self, state: str) -> None:
        self.close()
        self._board.set_facts({})
        self._board.state = state
        self._board.publish()

    def _fail(self, reason: str) -> TransitionCallbackReturn:
        """Say why a transition did not happen, in the log and in the status."""
        self.get_logger().error(reason)
        self._board.fault = self._board.failure = reason
        self._board.publish()
        return TransitionCallbackReturn.FAILURE

    def _autostart(self) -> None:
        if self.trigger_configure() is not TransitionCallbackReturn.SUCCESS:
            raise StartError(self._board.failure or 'policy: configure failed')
        if self.trigger_activate() is not TransitionCallbackReturn.SUCCESS:
            raise StartError(self._board.failure or 'policy: activate failed')


def main(args: list[str] | None = None) -> None:
    """Run the policy node."""
    main_program(PolicyNode, args)


if __name__ == '__main__':
    main()
