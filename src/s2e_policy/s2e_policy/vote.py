"""Sets how a bundle's modes are chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from s2e_core.config import from_mapping, to_mapping
from s2e_policy.bundle import Bundle, load_bundle
from s2e_policy.manifest import MANIFEST_FILE, TrajectoryOutput, write_manifest


def put_vote(folder: Path, width: float, memory: float) -> Bundle:
    """Set width and memory of a bundle's votes; see `s2e_core.vote`. Weights are not touched.

    Args:
        folder: The bundle; it is verified before and after.
        width: How far apart modes vote for each other, metres; 0: the highest score is driven.
        memory: Weight of the answers before.

    Raises:
        PolicyError: The bundle does not hold what it says.
        ConfigError: Out of bounds.
    """
    bundle = load_bundle(folder)
    values = {**to_mapping(bundle.manifest.output), 'vote': width, 'memory': memory}
    output = from_mapping(TrajectoryOutput, values, source='output')
    write_manifest(replace(bundle.manifest, output=output), bundle.root / MANIFEST_FILE)
    return load_bundle(folder)
