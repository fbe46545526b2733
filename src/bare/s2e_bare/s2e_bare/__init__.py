"""Stand-in for launch, launch_ros and the ros2 tool on machines where they cannot be installed."""
