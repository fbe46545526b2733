"""Turns ordinary walking or driving video into training clips by visual odometry; no torch."""
