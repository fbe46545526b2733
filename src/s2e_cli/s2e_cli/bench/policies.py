"""Policies by name, made anew in each worker process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2e_core.contract import Policy
from s2e_core.paths import find_model

AGENTS = ('straight', 'privileged')


@dataclass(frozen=True)
class AgentFactory:
    """One of the reference agents."""

    name: str
    v_max: float

    def __call__(self) -> Policy:
        """Make the agent."""
        from navbench_gs.agents.privileged import PrivilegedPlanner
        from navbench_gs.agents.straight import StraightToGoal

        return StraightToGoal(self.v_max) if self.name == 'straight' else (
            PrivilegedPlanner(self.v_max)
        )

    def details(self) -> dict[str, Any]:
        """Return what the report says about the policy."""
        inputs = 'goal and odometry' if self.name == 'straight' else 'true map and people'
        return {'kind': 'reference agent', 'inputs': inputs}


@dataclass(frozen=True)
class BundleFactory:
    """A policy bundle, verified in each worker."""

    path: Path
    name: str
    digest: str
    about: dict[str, Any]

    def __call__(self) -> Policy:
        """Load the bundle; one thread, so that results do not depend on the core count."""
        from s2e_policy.bundle import load_bundle
        from s2e_policy.runtime import OnnxPolicy

        return OnnxPolicy(load_bundle(self.path), threads=1)

    def details(self) -> dict[str, Any]:
        """Return what the report says about the policy."""
        return {'kind': 'policy bundle', 'hash': self.digest, **self.about}


def policy_factory(name: str, v_max: float) -> AgentFactory | BundleFactory:
    """Return the factory of a policy.

    Args:
        name: straight, privileged, or a bundle by name or folder.
        v_max: The protocol's cap, m/s.

    Raises:
        S2EError: no such policy, or the bundle is refused.
    """
    if name in AGENTS:
        return AgentFactory(name, v_max)
    import hashlib

    from s2e_policy.bundle import load_bundle

    path = find_model(name)
    bundle = load_bundle(path)
    digest = hashlib.sha256((path / 'bundle.yaml').read_bytes()).hexdigest()
    about = {'description': bundle.manifest.description, 'licence': bundle.manifest.licence}
    return BundleFactory(path, f'{bundle.spec.name}@{digest[:12]}', digest, about)
