"""Which published policies can be run, and the hashes under which they were published."""

from __future__ import annotations

from typing import Any

from s2e_policy.adapters.base import Adapter
from s2e_policy.adapters.citywalker import CityWalkerAdapter
from s2e_policy.adapters.image_goal import GNM, VINT, ImageGoalAdapter
from s2e_policy.adapters.mbra import MbraAdapter
from s2e_policy.adapters.nomad import NomadAdapter
from s2e_policy.adapters.options import AdapterName
from s2e_policy.adapters.s2e import S2EAdapter
from s2e_policy.errors import PolicyError
from s2e_policy.session import choose_provider

KINDS: dict[str, tuple[Any, dict[str, Any], str]] = {
    's2e': (S2EAdapter, {}, 'RGB and point goal'),
    'gnm': (ImageGoalAdapter, {'contract': GNM}, 'RGB and goal image'),
    'vint': (ImageGoalAdapter, {'contract': VINT}, 'RGB and goal image'),
    'nomad': (NomadAdapter, {}, 'RGB, and a goal image if given'),
    'citywalker': (CityWalkerAdapter, {}, 'RGB, odometry and point goal'),
    'mbra': (MbraAdapter, {}, 'RGB and point goal'),
}
PUBLISHED = {
    's2e.onnx': 'ee1410ab55a54946cf25323e82b3be2a8cb106e2ccb2ad878e7638839686108a',
    'gnm_imagegoal.onnx': '8914d698a58f0f49ca8da5a2f61d646d759a2178ad6f8a89f0e863b625110c77',
    'vint_imagegoal.onnx': 'd480bf0fc28f6c1d84f568bf28733f6b418920218e3affd6f9d59fff1506ecec',
    'nomad_vision_encoder.onnx':
        'a3477772d7ff671dbba9711c58b2df89deb9b1b6a93cae07c530524ab6d47377',
    'nomad_noise_pred.onnx': 'f3588e1ff53ba748240f160d3cd3fec0c9c987f05e59ec64a631c3536e036e34',
    'nomad_dist_pred.onnx': 'adab58bef61d7b8d0f2bf04636853f0056229e06634e2536a5e7821d6b9def4f',
    'citywalker.onnx': '9e8fb9ff081a883d80f0502d5b7e9046ed4b0dfafd46fe96ff5ad16194f0949a',
    'mbra.onnx': 'fc42919737964d9c4db9428d8a836ad9d95007f1a41fcf5cf95526e1042f17a5',
}
"""sha256 of the files of the authors' model zoo (revision 9c1f523, 2026-09-07)."""


def open_adapter(
    name: AdapterName, *, provider: str | None = None, require_provider: str | None = None,
    threads: int = 1, goal_comes_later: bool = False,
) -> Adapter:
    """Open a published policy.

    Args:
        name: Kind, path and options.
        provider: Execution provider to use; the best present when left out.
        require_provider: Refuse to run without it.
        threads: Threads within an operator.
        goal_comes_later: The caller will set the goal image of GNM and ViNT.

    Raises:
        PolicyError: No such kind, or the file is refused.
    """
    if name.kind not in KINDS:
        raise PolicyError(f'adapter must be one of {list(KINDS)}, got {name.kind!r}')
    cls, settings, _ = KINDS[name.kind]
    if cls is ImageGoalAdapter:
        settings = {**settings, 'goal_comes_later': goal_comes_later}
    chosen = choose_provider(provider, require_provider)
    adapter: Adapter = cls(name.path, name.options, chosen, threads, **settings)
    return adapter


def describe(adapter: Adapter) -> dict[str, Any]:
    """Return what a report says about an adapter."""
    c = adapter.contract
    as_published = all(PUBLISHED.get(file) == sha for file, sha in adapter.digests.items())
    return {
        'kind': f'adapter of {c.kind}', 'inputs': KINDS[c.kind][2], 'files': adapter.digests,
        'as_published': as_published, 'frames': f'{c.frames} of {c.width}x{c.height}',
        'frame_period_s': round(c.frame_period, 4), 'waypoint_dt_s': round(c.waypoint_dt, 4),
        'metres_per_unit': adapter.scale,
    }
