"""The checks behind `s2e doctor`, one module for each group."""
