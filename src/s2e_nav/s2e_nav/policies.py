"""From the name a user gives to a policy that runs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from s2e_core.contract import Policy
from s2e_core.paths import find_model

STRAIGHT = 'straight'


@dataclass(frozen=True)
class LoadedPolicy:
    """A policy and what to say about it."""

    policy: Policy
    identity: str
    """Name, and for bundles the beginning of the hash of its graphs."""
    provider: str


def load_policy(
    name: str, *, mode: str = 'streaming', provider: str = '', require_provider: str = '',
    threads: int = 1, v_max: float = 1.5,
) -> LoadedPolicy:
    """Load a policy.

    Args:
        name: `straight` (no model: drives straight to the goal), the name of a bundle in
            `models/`, or the path of one.
        mode: `streaming` or `window` graph.
        provider: Execution provider to use; the best present when empty.
        require_provider: Refuse to run without it.
        threads: Threads of an operator.
        v_max: Top speed of `straight`, m/s.

    Raises:
        S2EError: Not found, changed, or refused.
    """
    if name == STRAIGHT:
        from navbench_gs.agents.straight import StraightToGoal

        return LoadedPolicy(StraightToGoal(v_max), STRAIGHT, 'none')
    from s2e_policy.bundle import load_bundle
    from s2e_policy.runtime import OnnxPolicy

    root = find_model(name)
    bundle = load_bundle(root)
    digest = hashlib.sha256((root / 'bundle.yaml').read_bytes()).hexdigest()
    policy = OnnxPolicy(
        bundle, mode=mode, provider=provider or None, require_provider=require_provider or None,
        threads=threads,
    )
    return LoadedPolicy(policy, f'{bundle.spec.name}@{digest[:12]}', policy.provider)
