"""The template of the page of a sweep."""

from __future__ import annotations

STYLE = """
.band { opacity:.16; } .nominal { stroke:var(--soft); stroke-dasharray:4 3; fill:none; }
.axis { background:none; border:0; padding:0; margin:0 0 26px; }
.axis h3 { font-size:15px; margin:0 0 6px; } .axis .charts { margin:0 0 8px; }
.axis .charts { grid-template-columns:repeat(3,minmax(0,1fr)); }
@media (max-width:760px) { .axis .charts { grid-template-columns:1fr; } }
tr.usual td { font-weight:600; }
"""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title><style>{{ style | safe }}</style></head>
<body><main>
<h1>{{ title }}</h1>
<p class="sub">{{ subtitle }}</p>
{% if missing %}<p class="minus">Not finished: {{ missing }}. Asked again with the same folder,
the sweep goes on.</p>{% endif %}
<p class="legend">{{ legend | safe }}<span style="--c:var(--soft)">dashed: the protocol itself
(nominal)</span></p>
<p class="note">One thing at a time is changed, in the same episodes. Bands: 95 % intervals
{{ intervals }}, each for itself. SR: success rate; clean SR: without a collision; CT: collisions
per episode. The numbers are in <a href="sweep.csv">sweep.csv</a> and
<a href="sweep.json">sweep.json</a>; each value is a run folder of its own, with its report.</p>

{% for axis in axes %}<section class="axis" id="{{ axis.name }}"><h2>{{ axis.label }}</h2>
<div class="charts">{% for chart in axis.charts %}{{ chart | safe }}{% endfor %}</div>
{% if axis.note %}<p class="note">{{ axis.note }}</p>{% endif %}
<details><summary>Table</summary><div class="scroll"><table><thead><tr><th>{{ axis.name }}</th>
<th>task</th><th>episodes</th>{% for name in columns %}<th>{{ name }}</th>{% endfor %}
<th>failures</th><th>protocol</th></tr></thead><tbody>
{% for row in axis.rows %}<tr class="{{ 'usual' if row.usual }}"><td>{{ row.value }}</td>
<td>{{ row.task }}</td><td>{{ row.episodes }}</td>
{% for cell in row.cells %}<td>{{ cell.mean }}<small>{{ cell.range }}</small></td>{% endfor %}
<td>{{ row.causes }}</td><td><code>{{ row.protocol }}</code></td></tr>{% endfor %}
</tbody></table></div></details></section>{% endfor %}

<h2>How to make this again</h2>
{% if command %}<pre class="command">{{ command }}</pre>{% endif %}
<details open><summary>Sweep</summary><pre>{{ facts }}</pre></details>
<p class="note">This is our own protocol: its numbers are not comparable with those of other
benchmarks.</p>
</main></body></html>
"""
