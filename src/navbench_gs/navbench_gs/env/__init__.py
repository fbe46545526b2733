"""The closed-loop world: physics, people and sensors of one episode behind one class."""

from __future__ import annotations

from navbench_gs.env.simulation import Simulation
from navbench_gs.env.state import SimState

__all__ = ['SimState', 'Simulation']
