"""Episodes one by one, as the report shows them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from navbench_gs.metrics.outcome import Outcome
from navbench_gs.metrics.record import EpisodeLog
from navbench_gs.metrics.scores import EpisodeScores
from navbench_gs.report.cells import number
from navbench_gs.report.map import SceneMap, episode_svg
from navbench_gs.report.profile import profile_svg

MAX_CARDS = 120
"""Episodes shown one by one; more would make the page slow to open."""
MAX_STRIPS = 60
"""Episodes whose camera strip is embedded (about 120 kB each)."""
_MAX_STILL = 2_000_000


def rank(scores: EpisodeScores) -> int:
    """Failures first, then successes with contacts."""
    return 0 if not scores.success else 1 if not scores.collision_free_success else 2


def hidden_note(count: int) -> str:
    """Say that not every episode is shown, where that is so."""
    if count <= MAX_CARDS:
        return ''
    return f'{MAX_CARDS} of {count} episodes shown, failures first; all are in episodes/.'


def episode_card(
    run_dir: Path, log: EpisodeLog, scores: EpisodeScores, scene: SceneMap | None, *,
    strip: bool, tag: str = '',
) -> dict[str, Any]:
    """Return what the page shows of an episode.

    Args:
        run_dir: Where films and stills lie.
        log: The episode.
        scores: Its metrics.
        scene: Background of its map.
        strip: Whether the camera strip is embedded.
        tag: What it stands for.
    """
    spec = log.spec
    film = Path('films') / f'{spec.id}.mp4'
    facts = [
        ('CT', str(scores.collisions)), ('RC', number(scores.route_completion, 2)),
        ('SPL', number(scores.spl, 2)),
        ('time', f'{scores.duration:.1f} / {spec.time_limit:.0f} s'),
        ('path', f'{scores.path_length:.1f} m of {spec.geodesic:.1f} m'),
        ('clearance', f'{scores.clearance:.2f} m'),
        ('corner in the way', 'yes' if spec.corner_blocked else 'no'),
    ]
    if spec.people:
        facts.append(('nearest person', f'{number(scores.person_gap, 2)} m'))
    stills = _stills(run_dir / 'stills', spec.id) if strip else []
    return {
        'id': spec.id, 'tag': tag, 'map': episode_svg(log, scene), 'facts': facts,
        'detail': log.detail,
        'verdict': _verdict(log, scores), 'kind': ('bad', 'warn', 'good')[rank(scores)],
        'profile': profile_svg(log),
        'stills': stills, 'poster': stills[len(stills) // 2] if stills else '',
        'film': film.as_posix() if (run_dir / film).is_file() else '',
    }


def _verdict(log: EpisodeLog, scores: EpisodeScores) -> str:
    if log.outcome == Outcome.SUCCESS.value:
        return 'success' if scores.collision_free_success else 'success with contact'
    return scores.cause.value


def _stills(folder: Path, identity: str) -> list[str]:
    """Return the camera strip as base64, in order."""
    found = []
    for place in range(16):
        path = folder / f'{identity}_{place}.jpg'
        if path.is_file() and path.stat().st_size < _MAX_STILL:
            found.append(base64.b64encode(path.read_bytes()).decode())
    return found
