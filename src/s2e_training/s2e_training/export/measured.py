"""Puts measurements into a bundle that exists: metadata, card and the card's hash together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from s2e_core.config import to_mapping
from s2e_policy.bundle import Bundle, load_bundle
from s2e_policy.manifest import CARD_FILE, MANIFEST_FILE
from s2e_training.errors import TrainingError
from s2e_training.export.bundle import entry_of
from s2e_training.export.card import with_metrics


def read_metrics(path: Path) -> dict[str, Any]:
    """Read a YAML mapping of measurements.

    Raises:
        TrainingError: It is no mapping.
    """
    try:
        metrics = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TrainingError(f'{path}: cannot be read: {error}') from error
    if not isinstance(metrics, dict):
        raise TrainingError(f'{path}: must hold a mapping, got {type(metrics).__name__}')
    return metrics


def put_metrics(folder: Path, metrics: dict[str, Any]) -> Bundle:
    """Replace measurements of a bundle; those that are not named stay, weights are not touched.

    Args:
        folder: The bundle; it is verified before and after.
        metrics: New values by their names.

    Raises:
        PolicyError: The bundle does not hold what it says.
    """
    manifest = load_bundle(folder).manifest
    merged = {**manifest.metrics, **metrics}
    card = with_metrics((folder / CARD_FILE).read_text(encoding='utf-8'), merged)
    draft = folder / f'{CARD_FILE}.tmp'
    draft.write_text(card, encoding='utf-8')
    changed = replace(manifest, metrics=merged,
                      files={**manifest.files, CARD_FILE: entry_of(draft)})
    text = yaml.safe_dump(to_mapping(changed), sort_keys=False, width=99, allow_unicode=True)
    listed = folder / f'{MANIFEST_FILE}.tmp'
    listed.write_text(text, encoding='utf-8')
    draft.replace(folder / CARD_FILE)
    listed.replace(folder / MANIFEST_FILE)
    return load_bundle(folder)
