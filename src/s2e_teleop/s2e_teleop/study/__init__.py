"""Drivers compared: operator models, what a drive was like, statistics of pairs."""
