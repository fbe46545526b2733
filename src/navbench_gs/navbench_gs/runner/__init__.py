"""Running episodes in lock-step, one or many, without ROS."""
