"""Rigid-body physics of an episode: robot, floor, walls, obstacles and people in MuJoCo."""

from __future__ import annotations

from navbench_gs.physics.base import BaseController
from navbench_gs.physics.contacts import ContactEvent, ContactTracker
from navbench_gs.physics.solids import PersonBody, Solid
from navbench_gs.physics.template import WorldTemplate
from navbench_gs.physics.world import PhysicsWorld

__all__ = [
    'BaseController',
    'ContactEvent',
    'ContactTracker',
    'PersonBody',
    'PhysicsWorld',
    'Solid',
    'WorldTemplate',
]
