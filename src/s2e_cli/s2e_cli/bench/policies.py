"""Policies by name, made anew in each worker process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2e_core.contract import Policy
from s2e_core.errors import ConfigError
from s2e_core.paths import find_model

AGENTS = {
    'straight': 'goal and odometry',
    'privileged': 'true map and people',
    'onlooker': 'true map; people while in view',
    'depth': 'depth, odometry, goal',
}
"""The reference agents, and what they see."""

INFORMED = 'informed:'


@dataclass(frozen=True)
class AgentFactory:
    """One of the reference agents."""

    name: str
    v_max: float

    def __call__(self) -> Policy:
        """Make the agent."""
        from navbench_gs.agents.depth import DepthPlanner
        from navbench_gs.agents.onlooker import OnlookerPlanner
        from navbench_gs.agents.privileged import PrivilegedPlanner
        from navbench_gs.agents.straight import StraightToGoal

        agents: dict[str, Callable[[float], Policy]] = {
            'straight': StraightToGoal, 'privileged': PrivilegedPlanner,
            'onlooker': OnlookerPlanner, 'depth': DepthPlanner,
        }
        return agents[self.name](self.v_max)

    def details(self) -> dict[str, Any]:
        """Return what the report says about the policy."""
        return {'kind': 'reference agent', 'inputs': AGENTS[self.name]}


@dataclass(frozen=True)
class NamedFactory:
    """A bundle, an adapter or a policy in Python, opened and verified in each worker."""

    source: str
    """As the user named it; without relative paths, since workers may run elsewhere."""
    name: str
    about: dict[str, Any]

    def __call__(self) -> Policy:
        """Open it; on one thread, so that results do not depend on the core count."""
        from s2e_policy.named import open_policy

        return open_policy(self.source, threads=1, goal_comes_later=True).policy

    def details(self) -> dict[str, Any]:
        """Return what the report says about the policy."""
        return {**self.about, 'source': self.source}


@dataclass(frozen=True)
class InformedFactory:
    """A policy whose modes are chosen by a planner that knows the map and the people in view."""

    inner: NamedFactory
    name: str
    v_max: float

    def __call__(self) -> Policy:
        """Make both."""
        from navbench_gs.agents.informed import InformedChoice
        from navbench_gs.agents.onlooker import OnlookerPlanner

        return InformedChoice(self.inner(), OnlookerPlanner(self.v_max))

    def details(self) -> dict[str, Any]:
        """Return what the report says about the policy."""
        return {
            **self.inner.details(), 'kind': 'reference agent',
            'source': f'{INFORMED}{self.inner.source}',
            'inputs': "a policy's; its modes are chosen by the true map and people in view",
        }


def policy_factory(name: str, v_max: float) -> AgentFactory | NamedFactory | InformedFactory:
    """Return the factory of a policy.

    Args:
        name: straight, privileged, onlooker, depth, a bundle by name or folder,
            adapter:KIND:PATH, python:FILE.py:NAME, or informed: before one of the last three.
        v_max: The protocol's cap, m/s.

    Raises:
        S2EError: no such policy, or its files are refused.
    """
    if name in AGENTS:
        return AgentFactory(name, v_max)
    if name.startswith(INFORMED):
        inner = policy_factory(name.removeprefix(INFORMED), v_max)
        if not isinstance(inner, NamedFactory):
            raise ConfigError(
                f'{name}: what stands behind {INFORMED} must be a policy with modes to choose '
                'from, not a reference agent'
            )
        return InformedFactory(inner, f'{INFORMED}{inner.name}', v_max)
    from s2e_policy.adapters.options import is_adapter, parse_adapter
    from s2e_policy.named import open_policy
    from s2e_policy.python_policy import is_python, parse_python

    if is_python(name):
        source = str(parse_python(name))
    elif is_adapter(name):
        source = str(parse_adapter(name))
    else:
        # A bundle of ours is found by its name wherever a worker runs.
        folder = find_model(name)
        source = str(folder.resolve()) if Path(name).expanduser().is_dir() else name
    # The benchmark draws the goal's picture of each route for policies that drive to one.
    loaded = open_policy(source, goal_comes_later=True)
    return NamedFactory(source, loaded.identity, loaded.about)
