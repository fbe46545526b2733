"""The `ros2` command of the stand-in; each command imports rclpy only when it needs it."""
