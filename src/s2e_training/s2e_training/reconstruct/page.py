"""What a reconstruction leaves: the splat, the cameras, numbers, and pictures to judge by eye."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import jinja2
import numpy as np
from numpy.typing import NDArray

from s2e_training.reconstruct.colmap import Model
from s2e_training.reconstruct.judge import Judged

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ name }}: reconstruction</title><style>
body { margin:0; font:15px/1.5 system-ui,sans-serif; background:#f6f7f9; color:#1c2430; }
main { max-width:1180px; margin:0 auto; padding:28px 22px 60px; }
h1 { font-size:24px; margin:0; } h2 { font-size:17px; margin:30px 0 8px; }
td { padding:4px 18px 4px 0; } img { width:100%; display:block; border-radius:6px; }
pre { background:#e8ebf0; padding:10px 14px; border-radius:6px; overflow-x:auto; }
.sub { color:#5c6878; }
</style></head><body><main><h1>{{ name }}</h1>
<table>{% for key, value in facts %}<tr><td class="sub">{{ key }}</td><td>{{ value }}</td></tr>
{% endfor %}</table>
<h2>Next</h2><pre>{{ command }}</pre>
<h2>Photos that the fit never saw</h2>
<p class="sub">Photo, drawing from its pose, and how far they differ (white: by half the range or
more).</p>
{% for title, data in rows %}<p>{{ title }}</p><img alt="{{ title }}"
src="data:image/jpeg;base64,{{ data }}">{% endfor %}
</main></body></html>
"""


def write_page(
    path: Path, name: str, facts: dict[str, Any], command: str, judged: list[Judged]
) -> None:
    """Write the page with each held-out photo, its drawing and their difference."""
    rows = [
        ((f'{j.name}: PSNR {j.psnr:.2f} dB, SSIM {j.ssim:.3f}, PSNR with brightness matched '
          f'{j.psnr_exposed:.2f} dB'), _inline(side_by_side(j)))
        for j in judged
    ]
    page = jinja2.Environment(autoescape=True).from_string(_PAGE)
    path.write_text(page.render(name=name, facts=facts.items(), command=command, rows=rows),
                    encoding='utf-8')


def side_by_side(judged: Judged) -> NDArray[np.uint8]:
    """Return photo, drawing and error as one picture `[H, 3 W, 3]`."""
    error = np.abs(judged.photo.astype(int) - judged.drawn).max(axis=2, keepdims=True)
    shown = np.clip(2 * error, 0, 255).astype(np.uint8).repeat(3, axis=2)
    return np.concatenate([judged.photo, judged.drawn, shown], axis=1)


def write_cameras(path: Path, model: Model) -> None:
    """Write the poses as INRIA's trainer does, for `s2e scene import --camera-height`."""
    entries = []
    for number, photo in enumerate(model.photos):
        lens = model.lenses[photo.lens]
        entries.append({
            'id': number, 'img_name': photo.name, 'width': lens.width, 'height': lens.height,
            'position': photo.pose[:3, 3].tolist(), 'rotation': photo.pose[:3, :3].tolist(),
            'fx': lens.fx, 'fy': lens.fy,
        })
    path.write_text(json.dumps(entries, indent=1), encoding='utf-8')


def _inline(picture: NDArray[np.uint8]) -> str:
    """Return a picture as base64 of a JPEG."""
    data = cv2.imencode('.jpg', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR),
                        [cv2.IMWRITE_JPEG_QUALITY, 88])[1]
    return base64.b64encode(data.tobytes()).decode('ascii')
