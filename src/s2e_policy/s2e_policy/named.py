"""From the name a user gives to a policy that runs: bundles, adapters and Python code."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from s2e_core.contract import Policy
from s2e_core.paths import find_model
from s2e_policy.adapters.catalogue import describe, open_adapter
from s2e_policy.adapters.options import is_adapter, parse_adapter
from s2e_policy.bundle import load_bundle
from s2e_policy.python_policy import is_python, open_python, parse_python
from s2e_policy.runtime import OnnxPolicy


@dataclass(frozen=True)
class LoadedPolicy:
    """A policy and what to say about it."""

    policy: Policy
    identity: str
    """Name and the beginning of the hash of its files."""
    provider: str
    about: dict[str, Any] = field(default_factory=dict)
    """For reports: kind, inputs, licence, hashes."""


def open_policy(
    name: str, *, mode: str = 'streaming', provider: str | None = None,
    require_provider: str | None = None, threads: int = 1, goal_comes_later: bool = False,
) -> LoadedPolicy:
    """Open a bundle, an adapter or a policy in Python.

    Args:
        name: Bundle in `models/` by name, folder of one, `adapter:KIND:PATH[,key=value ...]`, or
            `python:FILE.py:NAME`.
        mode: `streaming` or `window` graph of a bundle.
        provider: Execution provider to use; the best present when left out.
        require_provider: Refuse to run without it.
        threads: Threads of an operator.
        goal_comes_later: The caller will set the goal image of a policy that cannot do without.

    Raises:
        S2EError: Not found, changed, or refused.
    """
    if is_python(name):
        own, digest = open_python(parse_python(name))
        about = {'kind': 'Python', 'hash': digest, 'inputs': getattr(own, 'inputs', None)}
        return LoadedPolicy(
            own, f'{own.spec.name}@{digest[:12]}', 'python',
            {key: value for key, value in about.items() if value},
        )
    if is_adapter(name):
        adapter = open_adapter(
            parse_adapter(name), provider=provider, require_provider=require_provider,
            threads=threads, goal_comes_later=goal_comes_later,
        )
        digest = hashlib.sha256(''.join(adapter.digests.values()).encode()).hexdigest()
        if len(adapter.digests) == 1:
            digest = next(iter(adapter.digests.values()))
        identity = f'{adapter.spec.name}@{digest[:12]}'
        return LoadedPolicy(adapter, identity, adapter.provider, describe(adapter))
    root = find_model(name)
    bundle = load_bundle(root)
    policy = OnnxPolicy(
        bundle, mode=mode, provider=provider, require_provider=require_provider, threads=threads
    )
    digest = hashlib.sha256((root / 'bundle.yaml').read_bytes()).hexdigest()
    about = {
        'kind': 'policy bundle', 'hash': digest, 'description': bundle.manifest.description,
        'licence': bundle.manifest.licence,
    }
    return LoadedPolicy(policy, f'{bundle.spec.name}@{digest[:12]}', policy.provider, about)


def check_policy(name: str) -> None:
    """Refuse a policy that is not there or was changed, without running it for long.

    Raises:
        S2EError: With the reason.
    """
    if is_python(name):
        open_python(parse_python(name))
    elif is_adapter(name):
        open_adapter(parse_adapter(name))
    else:
        load_bundle(find_model(name), replay_reference=False)
