"""What is measured on a scene, and what counts as good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import SceneError
from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.scenes.doctor.measures import (
    Clutter,
    ceiling_height,
    floor_tilt,
    floor_without_matter,
    free_space_clutter,
    splat_size,
)
from navbench_gs.scenes.survey import Survey, survey
from navbench_gs.splats.cloud import GaussianCloud

Verdict = Literal['ok', 'warn', 'bad']


@dataclass(frozen=True)
class Finding:
    """One measured property of a scene."""

    name: str
    """What was looked at."""
    verdict: Verdict
    """bad: the scene cannot be used as it is."""
    value: str
    """What was measured, with its unit."""
    advice: str
    """What it means, and what to do."""


def examine(
    bundle: SceneBundle, cloud: GaussianCloud, radius: float = 0.3
) -> tuple[list[Finding], Survey | None]:
    """Measure a scene for a robot's disc.

    Args:
        bundle: the scene.
        cloud: its splats, sky included.
        radius: of the disc, metres.

    Returns:
        The findings, worst first, and the survey (None when no robot fits anywhere).
    """
    try:
        found: Survey | None = survey(bundle, radius)
    except SceneError as error:
        advice = f'{error}; import it with a smaller --radius, or another --up or --scale'
        return [Finding('reachable ground', 'bad', 'none', advice)], None
    route = found.route if found is not None else np.zeros((0, 2))
    free = bundle.collision.free(radius)
    findings = [
        _scale(bundle, ceiling_height(cloud, bundle)),
        _tilt(floor_tilt(bundle.collision, free)),
        _holes(floor_without_matter(cloud, bundle, free)),
        _blur(splat_size(cloud, bundle.collision, route)),
        _floaters(free_space_clutter(cloud, bundle.collision, free)),
    ]
    if found is not None:
        findings += [_area(found), _length(found)]
    order = {'bad': 0, 'warn': 1, 'ok': 2}
    return sorted(findings, key=lambda finding: order[finding.verdict]), found


def _grade(value: float, good: float, usable: float) -> Verdict:
    """Grade a value of which less is better."""
    return 'ok' if value <= good else 'warn' if value <= usable else 'bad'


def _scale(bundle: SceneBundle, ceiling: float | None) -> Finding:
    """Judge whether a unit can be a metre."""
    height = '' if ceiling is None else f'; ceiling at {ceiling:.2f}'
    if bundle.metric:
        return Finding('scale', 'ok', f'given{height}', 'A unit is a metre.')
    if ceiling is not None and not 2.0 <= ceiling <= 6.0:
        advice = (
            'Rooms are 2.2 to 4 m high: import again with --scale, from any length you know in '
            'the scene.'
        )
        return Finding('scale', 'bad', f'unknown{height} units', advice)
    advice = (
        'A unit was taken for a metre. Measure something in the scene (a door is about 2.0 m '
        'high) and import again with --scale.'
    )
    return Finding('scale', 'warn', f'unknown{height}', advice)


def _tilt(degrees: float) -> Finding:
    """Judge the slope of the plane through the floor."""
    advice = (
        'Streets seldom climb by more than 4 degrees; a capture that leans makes robots roll. '
        'Check --up.'
    )
    return Finding('tilt of the floor', _grade(degrees, 4.0, 8.0), f'{degrees:.1f} deg', advice)


def _holes(share: float) -> Finding:
    """Judge the free floor that nothing was seen of."""
    advice = 'Free floor without matter looks like fog and may be a hole: capture it again.'
    return Finding('holes in the floor', _grade(share, 0.05, 0.2), f'{100 * share:.1f} %', advice)


def _blur(size: float) -> Finding:
    """Judge how fine the splats beside the route are."""
    advice = (
        'Middle size of the splats within 3 m of the longest route, up to 2 m high. Coarser than '
        '0.2 m, a camera at robot height sees fog: capture closer, or use a finer level.'
    )
    return Finding('sharpness at robot height', _grade(size, 0.10, 0.20), f'{size:.3f} m', advice)


def _floaters(clutter: Clutter) -> Finding:
    """Judge what hangs where robots drive."""
    advice = (
        'Share of the splats up to 1.2 m that hang over free ground: a camera sees them, nothing '
        'collides with them.'
    )
    verdict = _grade(clutter.share, 0.01, 0.05)
    return Finding('floaters', verdict, f'{100 * clutter.share:.2f} %', advice)


def _area(found: Survey) -> Finding:
    """Judge how much ground a robot can reach."""
    verdict: Verdict = 'ok' if found.free >= 30.0 else 'warn' if found.free >= 8.0 else 'bad'
    advice = f'Free for a disc of {found.radius} m; tasks need 30 m2 or more.'
    return Finding('reachable ground', verdict, f'{found.free:.0f} m2', advice)


def _length(found: Survey) -> Finding:
    """Judge the longest route against what episodes need."""
    verdict: Verdict = 'ok' if found.length >= 15.0 else 'warn' if found.length >= 10.0 else 'bad'
    advice = f'Episodes are 10 to 30 m long. The floor rises {found.climb:.2f} m along this route.'
    return Finding('longest route', verdict, f'{found.length:.1f} m', advice)


def worst(findings: list[Finding]) -> Verdict:
    """Return the worst verdict."""
    verdicts: NDArray[np.str_] = np.array([finding.verdict for finding in findings])
    return 'bad' if (verdicts == 'bad').any() else 'warn' if (verdicts == 'warn').any() else 'ok'
