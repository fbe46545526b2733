"""Imitation, reinforcement learning and export of S2E policies."""
