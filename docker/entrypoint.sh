#!/bin/bash
# Sources ROS and the workspace, then becomes the command, so that signals reach it.
set -e
. "/opt/ros/${ROS_DISTRO}/setup.bash"
. /ws/install/setup.bash
exec "$@"
