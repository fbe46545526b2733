"""Fault injection: a robot of numbers, the real nodes as processes, faults, and a stop watch."""
