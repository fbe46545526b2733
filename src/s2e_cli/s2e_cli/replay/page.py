"""The page of a replay: film, figures, curves; one file beside its film."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from navbench_gs.report.page import STYLE
from s2e_cli.replay.chart import line_chart
from s2e_cli.replay.files import STAGES
from s2e_cli.replay.player import Step
from s2e_cli.replay.score import TIMES

EXTRA = """
.hero { width:100%; max-width:none; aspect-ratio:auto; border-radius:12px; margin:0 0 18px; }
.chart { width:100%; height:auto; display:block; } .chart path { fill:none; stroke-width:1.8;
  stroke-linejoin:round; } .chart .rule { stroke:var(--line); stroke-width:1; }
.chart .mark { stroke:var(--soft); stroke-width:1; stroke-dasharray:4 4; }
.chart text { font-size:11px; fill:var(--soft); font-variant-numeric:tabular-nums; }
.panel { background:var(--card); border:1px solid var(--line); border-radius:12px;
  padding:16px 18px; }
.legend span::before { box-shadow:0 0 0 1px var(--line); }
ul.notes { color:var(--soft); padding-left:18px; }
"""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title><style>{{ style | safe }}</style></head>
<body><main>
<h1>{{ title }}</h1>
<p class="sub">{{ subtitle }}</p>
<video class="hero" controls autoplay muted loop playsinline src="{{ film }}"
{% if poster %}poster="data:image/jpeg;base64,{{ poster }}"{% endif %}></video>
<p class="legend"><span style="--c:#40e0d0">top mode, as wide as a robot</span>
<span style="--c:#ffaa3c">other modes, likely</span><span style="--c:#465abe">unlikely</span>
{% if truth %}<span style="--c:#ff60aa">way really driven</span>{% endif %}
<span style="--c:#ffc83c">goal</span>
{% if ellipses %}<span style="--c:#9aa4b0">half of its waypoints at 1 and 2 s lie inside</span>
{% endif %}</p>
<section class="tiles">{% for tile in tiles %}<div class="tile"><div class="name">{{ tile[0] }}
</div><div class="value">{{ tile[1] }}</div><div class="range">{{ tile[2] }}</div></div>
{% endfor %}</section>
{% if errors %}<h2>Against the way really driven</h2>
<div class="scroll"><table><thead><tr><th>after</th><th>mean error (ADE)</th>
<th>error there (FDE)</th><th>ADE, best of 6</th><th>FDE, best of 6</th></tr></thead><tbody>
{% for row in errors %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}
</tbody></table></div><p class="note">{{ errors_note }}</p>
<div class="panel">{{ error_chart | safe }}</div>{% endif %}
<h2>Latency</h2>
<div class="panel">{{ latency_chart | safe }}</div>
<div class="scroll"><table><thead><tr><th>stage, ms</th><th>p50</th><th>p95</th><th>p99</th></tr>
</thead><tbody>{% for row in latency %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}
</tr>{% endfor %}</tbody></table></div>
<h2>How sure it was</h2>
<div class="panel">{{ entropy_chart | safe }}</div>
<p class="note">Entropy of the scores: 0 is one mode only, {{ most }} is all {{ modes }} alike.</p>
{% if stills %}<h2>Pictures</h2><div class="strip">{% for still in stills %}
<img src="data:image/jpeg;base64,{{ still }}" alt="picture {{ loop.index }}">{% endfor %}</div>
{% endif %}
<h2>What was assumed</h2><ul class="notes">{% for note in notes %}<li>{{ note }}</li>
{% endfor %}</ul>
<p class="note">Open loop: the recording goes on whatever the policy says, so this shows what it
sees and wants, not whether it would arrive. Numbers of every image: replay.csv; the summary:
replay.json.</p>
</main></body></html>
"""


def render(steps: Sequence[Step], summed: Mapping[str, Any], film: Path) -> str:
    """Return the page.

    Args:
        steps: Of the whole replay.
        summed: From `files.summary`.
        film: The film, in the folder of the page; its stills in `stills/` beside it.
    """
    import jinja2

    first = steps[0].look.stamp_ns
    seconds = [(step.look.stamp_ns - first) / 1e9 for step in steps]
    stages = {stage: [step.latency[stage] for step in steps] for stage in STAGES}
    whole = summed['latency_ms']['all']
    scored = summed['against_recorded_way']
    stills = [
        base64.b64encode(path.read_bytes()).decode()
        for path in sorted((film.parent / 'stills').glob('*.jpg'))
    ]
    modes = len(steps[0].output.scores)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(PAGE).render(
        title=f'{summed["policy"].split("@")[0]} on {summed["source"]}',
        subtitle=_subtitle(summed), style=STYLE + EXTRA, film=film.name,
        poster=stills[len(stills) // 2] if stills else '', stills=stills,
        truth=any(step.truth is not None for step in steps),
        ellipses=steps[0].output.sigmas is not None, tiles=_tiles(summed),
        errors=_errors(scored), errors_note=_errors_note(summed),
        error_chart=line_chart(seconds, {
            f'error after {time:g} s': [s.errors.get(f'fde_{time}', float('nan')) for s in steps]
            for time in TIMES
        }, 'm') if scored else '',
        latency_chart=line_chart(seconds, stages, 'ms', whole),
        latency=[
            (name, *(f'{value:.1f}' for value in row.values()))
            for name, row in summed['latency_ms'].items()
        ],
        entropy_chart=line_chart(seconds, {'entropy': [step.entropy for step in steps]}, 'nats'),
        most=f'{math.log(modes):.2f}', modes=modes, notes=summed['notes'],
    )


def _subtitle(summed: Mapping[str, Any]) -> str:
    return ' · '.join([
        f'{summed["images"]} images over {summed["seconds"]:.1f} s', summed['format'],
        f'policy {summed["policy"]}', f'goal: {summed["goal"]}',
    ])


def _tiles(summed: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    whole = summed['latency_ms']['all']
    tiles = [
        ('Image to trajectories', f'{whole["p50"]:.1f} ms', f'p99 {whole["p99"]:.1f} ms'),
        ('Entropy of the scores', f'{summed["entropy_nats"]:.2f}', 'nats, mean'),
    ]
    scored = summed['against_recorded_way']
    if scored:
        tiles += [
            ('Error after 2 s', f'{scored["fde_2.0"]:.2f} m',
             f'best of 6: {scored["best_fde_2.0"]:.2f} m'),
            ('Direction', f'{scored.get("direction", float("nan")):.1f}°', 'mean error at 2 s'),
        ]
    return tiles


def _errors(scored: Mapping[str, float] | None) -> list[tuple[str, ...]]:
    if not scored:
        return []
    return [
        (f'{time:g} s', *(f'{scored[f"{key}_{time}"]:.2f} m' for key in (
            'ade', 'fde', 'best_ade', 'best_fde'))) for time in TIMES
    ]


def _errors_note(summed: Mapping[str, Any]) -> str:
    scored, speed = summed['against_recorded_way'], summed['mean_speed']
    if not scored:
        return ''
    text = f'{scored["images"]} images have poses for the next 2 s.'
    limit = summed['policy_v_max']
    if speed is not None and speed > limit:
        text += (
            f' The recording moves at {speed:.1f} m/s on average, the policy plans at most '
            f'{limit:.1f} m/s: read the direction, not the distance.'
        )
    return text
