"""Settings of the safety gate."""

from __future__ import annotations

from dataclasses import dataclass

from s2e_core.config import check, option
from s2e_core.obstacle_veto import ObstacleConfig
from s2e_core.unseen_veto import UnseenConfig


@dataclass(frozen=True)
class GateConfig:
    """Periods that the watchdogs expect, and caps."""

    odometry_period: float = option(0.05, unit='s', low=0.005, high=0.1, help='Expected odometry.')
    command_period: float = option(0.05, unit='s', low=0.005, high=0.1, help='Expected command.')
    tick_period: float = option(0.05, unit='s', low=0.005, high=0.1, help='Time between steps.')
    camera_period: float = option(0.2, unit='s', low=0.01, high=0.2, help='Expected image.')
    plan_period: float = option(0.2, unit='s', low=0.01, high=0.2, help='Expected plan.')
    e_stop_period: float = option(0.2, unit='s', low=0.01, high=0.2, help='E-stop heartbeat.')
    resume_after: float = option(1.0, unit='s', low=0.2, high=10, help='Healthy time to resume.')
    flapping: float = option(
        5.0, unit='s', low=1, high=60,
        help='Short faults that follow each other before that, for so long, count as a long one.',
    )
    future_limit: float = option(0.1, unit='s', low=0, high=1, help='Clock skew allowed.')
    jump_distance: float = option(0.5, unit='m', low=0.05, high=5, help='Odometry jump.')
    jump_angle: float = option(0.5, unit='rad', low=0.05, high=3, help='Odometry jump.')
    speed_cap: float = option(
        1.5, unit='m/s', low=0.05, high=5, help='Cap on autonomy; 0.5 with a camera alone.'
    )
    unmeasured_cap: float = option(
        0.3, unit='m/s', low=0.05, high=1, help='Cap while the base time-out is not measured.'
    )
    silence_after: float = option(1.0, unit='s', low=0.1, high=10, help='Zeros before silence.')
    # Off in lock-step, where stamps are exact and a robot that pushes an obstacle is judged, not
    # stopped; config/nodes/gate_robot.yaml turns the two on.
    rate_slack: float = option(
        0.0, low=0, high=10, help='Mean interval of camera and odometry, in periods; 0 looks away.'
    )
    agreement: float = option(
        0.0, unit='s', low=0, high=5, help='Command and odometry must agree so soon; 0: never.'
    )
    needs_goal: bool = option(False, help='Autonomy waits for a goal or rearm after the start.')
    obstacles: ObstacleConfig = ObstacleConfig()
    unseen: UnseenConfig = UnseenConfig()

    def __post_init__(self) -> None:
        check(self, source='gate')
