"""What the robot senses: drifting odometry, the camera's picture, a virtual laser scan."""

from __future__ import annotations

from navbench_gs.sensors.camera import SceneCamera
from navbench_gs.sensors.odometry import Drift, DriftingOdometry
from navbench_gs.sensors.scan import VirtualScan

__all__ = ['Drift', 'DriftingOdometry', 'SceneCamera', 'VirtualScan']
