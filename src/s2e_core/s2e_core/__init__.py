"""Records, geometry, camera, policy contract, followers and the safety gate of s2e_nav, without ROS."""
