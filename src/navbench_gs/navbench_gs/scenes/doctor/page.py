"""The doctor's page: findings and pictures in one HTML file that needs no network."""

from __future__ import annotations

import base64
from pathlib import Path

import cv2
import jinja2
import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import SceneError
from navbench_gs.render.factory import make_renderer
from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.scenes.doctor.findings import Finding
from navbench_gs.scenes.doctor.views import draw_route, height_picture, tinted_view
from navbench_gs.scenes.preview import best_heading, top_view
from navbench_gs.scenes.survey import Survey
from navbench_gs.splats.cloud import GaussianCloud

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ name }}: scene doctor</title><style>
body { margin:0; font:15px/1.5 system-ui,sans-serif; background:#f6f7f9; color:#1c2430; }
main { max-width:1180px; margin:0 auto; padding:28px 22px 60px; }
h1 { font-size:24px; margin:0; } h2 { font-size:17px; margin:34px 0 10px; }
.sub,td:last-child,figcaption { color:#5c6878; } table { border-collapse:collapse; width:100%; }
td { padding:7px 10px; border-bottom:1px solid #e2e6ec; vertical-align:top; }
.badge { color:#fff; border-radius:999px; padding:1px 10px; font-weight:600; font-size:12px; }
.ok { background:#16803c; } .warn { background:#b8770a; } .bad { background:#c8372d; }
.maps { display:grid; grid-template-columns:repeat(3,1fr); gap:14px; }
.views { display:grid; grid-template-columns:repeat(3,1fr); gap:8px; }
img { width:100%; display:block; border-radius:6px; } figure { margin:0; }
@media (max-width:760px) { .maps,.views { grid-template-columns:1fr; } }
@media (prefers-color-scheme:dark) { body { background:#12161c; color:#e8edf3; }
  td { border-color:#2c3540; } .sub,td:last-child,figcaption { color:#98a4b3; } }
</style></head><body><main>
<h1>{{ name }}</h1>
<p class="sub">{{ kind }}, {{ gaussians }} gaussians, source {{ source }}, licence {{ licence }},
hash {{ hash }}</p>
<table>{% for f in findings %}<tr><td><span class="badge {{ f.verdict }}">{{ f.verdict }}</span>
</td><td>{{ f.name }}</td><td>{{ f.value }}</td><td>{{ f.advice }}</td></tr>{% endfor %}</table>
<h2>From above</h2>
<div class="maps">{% for text, data in maps %}<figure><img src="data:image/jpeg;base64,{{ data }}"
alt="{{ text }}"><figcaption>{{ text }}</figcaption></figure>{% endfor %}</div>
<h2>From 0.6 m above the floor</h2>
<p class="sub">The floor is green where the robot's disc may be, red where it may not. A green wall
or lawn, or a red path, is a fault of the map.</p>
<div class="views">{% for data in views %}<img src="data:image/jpeg;base64,{{ data }}"
alt="view from robot height">{% endfor %}</div>
</main></body></html>
"""


def write_page(
    path: Path,
    bundle: SceneBundle,
    cloud: GaussianCloud,
    findings: list[Finding],
    found: Survey | None,
    radius: float = 0.3,
    views: int = 9,
) -> None:
    """Draw the scene and write the page.

    Raises:
        SceneError: the page cannot be written.
    """
    renderer = make_renderer(cloud)
    grid = bundle.collision
    ceiling = 2.0 if bundle.kind == 'capture' else 70.0
    above = top_view(renderer, grid, overlay=False, ceiling=ceiling)
    tinted = top_view(renderer, grid, ceiling=ceiling)
    if found is not None:
        tinted = draw_route(tinted, grid, found.route)
    maps = [
        ('what was captured, cut off above robots' if ceiling < 10.0 else 'from above', above),
        ('occupied (red), walkable (green), longest route (blue)', tinted),
        ('height of the free floor', height_picture(grid, grid.free(radius))),
    ]
    count = min(views, len(bundle.spawn))
    spots = bundle.spawn[np.linspace(0, len(bundle.spawn) - 1, count).astype(np.int64)]
    seen = [tinted_view(renderer, grid, xy, best_heading(grid, xy), radius) for xy in spots]
    page = (
        jinja2.Environment(autoescape=True)
        .from_string(_PAGE)
        .render(
            name=bundle.name,
            kind=bundle.kind,
            gaussians=bundle.gaussians,
            source=bundle.source,
            licence=bundle.licence,
            hash=bundle.hash[:16],
            findings=findings,
            maps=[(text, _inline(picture)) for text, picture in maps],
            views=[_inline(picture) for picture in seen],
        )
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding='utf-8')
    except OSError as error:
        raise SceneError(f'{path}: cannot write the page: {error}') from error


def _inline(picture: NDArray[np.uint8]) -> str:
    """Return a picture as base64 of a JPEG."""
    settings = [cv2.IMWRITE_JPEG_QUALITY, 85]
    data = cv2.imencode('.jpg', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), settings)[1]
    return base64.b64encode(data.tobytes()).decode('ascii')
