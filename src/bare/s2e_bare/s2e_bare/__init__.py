"""Stand-in for `launch`, `launch_ros` and `ros2` where ROS 2 comes from Python wheels.

The modules live under `s2e_bare.launch` and `s2e_bare.launch_ros`. `install` puts them in
`sys.modules` under the upstream names, and only when the real `launch_ros` is absent.
"""

from __future__ import annotations

from s2e_bare.aliases import install, real_launch_present
from s2e_bare.errors import BareError

__all__ = ['BareError', 'install', 'real_launch_present']
