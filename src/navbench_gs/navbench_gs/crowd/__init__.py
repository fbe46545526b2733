"""People who walk through the scene, around walls, obstacles, each other and the robot."""

from __future__ import annotations

from navbench_gs.crowd.ground import CrowdGround
from navbench_gs.crowd.people import Crowd, CrowdConfig
from navbench_gs.crowd.recorded import RecordedCrowd

__all__ = ['Crowd', 'CrowdConfig', 'CrowdGround', 'RecordedCrowd']
