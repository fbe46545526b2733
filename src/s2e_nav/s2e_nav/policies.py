"""From the name a user gives to a policy that runs."""

from __future__ import annotations

from s2e_policy.choice import STRAIGHT
from s2e_policy.named import LoadedPolicy, open_policy

__all__ = ['STRAIGHT', 'LoadedPolicy', 'load_policy']


def load_policy(
    name: str, *, mode: str = 'streaming', provider: str = '', require_provider: str = '',
    threads: int = 1, v_max: float = 1.5,
) -> LoadedPolicy:
    """Load a policy.

    Args:
        name: `straight` (no model: drives straight to the goal), or a bundle or adapter as
            `s2e_policy.named.open_policy` takes it.
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
    return open_policy(
        name, mode=mode, provider=provider or None, require_provider=require_provider or None,
        threads=threads,
    )
