"""cv_bridge, where a full ROS 2 has it: for encodings that our own reader does not know."""

from __future__ import annotations

from typing import Any

import numpy as np
from sensor_msgs.msg import Image

from s2e_core.pixels import MAX_PIXELS, knows


def bridged(message: Image) -> np.ndarray | None:
    """Let cv_bridge turn an image into RGB; None where it is not asked or not there.

    It is asked for nothing that the own reader does, which is as exact and copies less, and for
    nothing with more than 8 bits. [H, W, 3] uint8
    """
    if knows(message.encoding) or '16' in message.encoding or '32' in message.encoding:
        return None
    size = int(message.height) * int(message.width)
    if not 0 < size <= MAX_PIXELS or len(message.data) < int(message.step) * int(message.height):
        return None
    try:
        from cv_bridge import CvBridge, CvBridgeError
    except ImportError:
        return None
    bridge: Any = CvBridge()
    try:
        rgb = np.asarray(bridge.imgmsg_to_cv2(message, 'rgb8'))
    except CvBridgeError:
        # An encoding that it does not know either; the own reader names those it does.
        return None
    return rgb if rgb.ndim == 3 and rgb.dtype == np.uint8 else None
