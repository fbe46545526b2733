"""The sensor check beside drivers: what comes, and what of it the nodes could read."""

from __future__ import annotations

from typing import Any

from s2e_nav.faults.robot import SyntheticRobot
from s2e_nav.nodes.sensor_check import listen


def test_what_comes_is_counted_and_what_cannot_be_read_is_explained(ros: Any) -> None:
    node = ros.node('robot')
    robot = SyntheticRobot(node, 0.5, sim_time=False)
    robot.sabotage.image, robot.sabotage.scan = 'encoding', 'free'
    ros.spin(node)
    robot.start()
    try:
        found = {heard.topic: heard for heard in listen(3.0, ros.context)}
    finally:
        robot.stop()
    assert found['odom'].usable == found['odom'].came > 0
    assert found['scan'].usable > 0, 'its frame is base_link: no transform is needed'
    image = found['camera/image_raw']
    assert image.came > 0 and image.usable == 0 and '16' in image.problem
    assert found['gps/fix'].came == 0
