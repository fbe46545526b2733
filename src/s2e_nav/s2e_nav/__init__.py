"""ROS 2 nodes, launch files and configuration of s2e_nav."""
