"""The model card: what a bundle is, in words."""

from __future__ import annotations

from typing import Any

from s2e_core.camera import UNSEEN_WORDS
from s2e_policy.manifest import Manifest
from s2e_training.errors import TrainingError
from s2e_training.models.policy import S2EModel

MEASURED, LIMITS = '## Measured', '## Limits'


def with_metrics(card: str, metrics: dict[str, Any]) -> str:
    """Return a card with other measurements.

    Raises:
        TrainingError: It has no place for them.
    """
    before, found, rest = card.partition(f'{MEASURED}\n')
    _, ended, after = rest.partition(f'\n{LIMITS}\n')
    if not (found and ended):
        raise TrainingError(f"the card must have the headings '{MEASURED}' and '{LIMITS}'")
    return '\n'.join([before + MEASURED, *_items(metrics), '', LIMITS, after])


def model_card(manifest: Manifest, model: S2EModel) -> str:
    """Write the card from what the manifest holds.

    Args:
        manifest: Description, provenance and metrics.
        model: For its size.
    """
    c = model.config
    total = sum(p.numel() for p in model.parameters())
    frozen = sum(p.numel() for p in model.encoder.parameters())
    trunk = (
        'The encoder is EfficientNet-Lite0 cut at stride 16 with frozen ImageNet weights '
        '(Apache-2.0).' if c.encoder == 'lite0' else
        'The encoder is DINOv3 ViT-S/16, frozen; its weights have a licence of their own.'
    )
    network = (
        f'S2E architecture: {c.frames} frames of {c.image_size}x{c.image_size} RGB at 5 Hz, '
        f'encoder `{c.encoder}`, {c.fusion_layers} fusion and {c.decoder_layers} decoder layers '
        f'of width {c.dim}, {c.anchors} anchors (the first is the stop anchor), goal code '
        f'`{c.goal_encoding}`. {total / 1e6:.2f} M parameters, {frozen / 1e6:.2f} M of them in '
        f'the encoder. {trunk} Likelihoods and standard deviations are in metres, after the '
        'velocity scale.'
    )
    images = manifest.images
    camera = (
        f'- Camera: {_degrees(manifest)} at {images.mount_z} m height, {images.mount_pitch} rad '
        'down; other cameras are re-projected, and what they do not see '
        f'{UNSEEN_WORDS[images.unseen]}.'
    )
    gate = (
        '- It proposes trajectories and knows neither the footprint nor drops: run it only '
        'behind the safety gate.'
    )
    lines = [
        f'# {manifest.name}', '', manifest.description, '', '## Network', network,
        '', '## Data and training', *_items(manifest.provenance),
        '', MEASURED, *_items(manifest.metrics),
        '', LIMITS, f'- Speeds up to {manifest.v_max} m/s; forward driving only.',
        camera, gate, f'- Licence: {manifest.licence}.', '',
    ]
    return '\n'.join(lines)


def _items(values: dict[str, Any], indent: str = '') -> list[str]:
    if not values:
        return [f'{indent}- none']
    lines = []
    for key, value in values.items():
        label = str(key).replace('_', ' ')
        if isinstance(value, dict):
            lines += [f'{indent}- {label}:', *_items(value, indent + '  ')]
        else:
            lines.append(f'{indent}- {label}: {value}')
    return lines


def _degrees(manifest: Manifest) -> str:
    camera = manifest.images.camera
    return f'{camera.hfov * 57.29578:.1f} x {camera.vfov * 57.29578:.1f} degrees'
