"""Fault injection: a robot of numbers or simulated, real nodes, faults, and a stop watch."""
