"""What a navigation server decides, without ROS: goals, their ends, where they lie."""
