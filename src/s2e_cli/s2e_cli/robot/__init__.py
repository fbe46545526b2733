"""`s2e robot`: profiles of robots."""
