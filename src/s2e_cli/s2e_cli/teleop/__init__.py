"""`s2e teleop`: studies and their report."""
