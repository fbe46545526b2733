"""The template of the page that sets runs beside each other."""

from __future__ import annotations

PAGE = """{% macro table(head, columns, rows) %}
<div class="scroll"><table><thead><tr><th>{{ head }}</th><th>episodes</th>
{% for name in columns %}<th>{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for row in rows %}<tr><td>{{ row.name }}<small>sees {{ row.inputs }}</small>
<small>{{ row.causes }}</small></td>
<td>{{ row.episodes }}</td>
{% for cell in row.cells %}<td>{{ cell.mean }}<small>{{ cell.range }}</small></td>{% endfor %}
</tr>{% endfor %}</tbody></table></div>{% endmacro %}
<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title><style>{{ style | safe }}</style></head>
<body><main>
<h1>{{ title }}</h1>
<p class="sub">{{ subtitle }}</p>
{% for text in warnings %}<p class="minus">{{ text }}</p>{% endfor %}

<h2>Leaderboard</h2>
{{ table('policy', columns, leaderboard) }}
<p class="note">By collision-free success over all episodes of a run, then success. {{ note }}</p>

{% if differences %}<h2>Differences from {{ baseline }}</h2>
{% for part in differences %}<h3>{{ part.name }}</h3>
{% if not part.rows %}<p class="note">No episode in common.</p>{% else %}
<div class="scroll"><table><thead><tr><th>task</th><th>pairs</th><th>only one succeeds</th>
{% for name in heads %}<th>{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for row in part.rows %}<tr><td>{{ row.name }}</td><td>{{ row.pairs }}</td>
<td>{{ row.wins }}<small>{{ row.chance }}</small></td>
{% for cell in row.cells %}<td class="{{ cell.kind }}">{{ cell.mean }}
<small>{{ cell.range }}</small></td>{% endfor %}</tr>{% endfor %}</tbody></table></div>
{% endif %}{% endfor %}
<p class="note">The same episodes in both runs, {{ baseline }} subtracted; 95 % intervals by
hierarchical bootstrap over scenes, then pairs, each for itself. Coloured where zero lies outside.
"Only one succeeds": this run to {{ baseline }}; p by McNemar's exact test, which takes episodes
of one scene for independent.</p>{% endif %}

<h2>By task</h2>
{% for part in tables %}<h3>{{ part.name }}</h3>{{ table('policy', columns, part.rows) }}
{% endfor %}

{% if charts %}<h2>Distributions</h2>
<p class="legend">{{ legend | safe }}</p>
<div class="charts">{% for chart in charts %}{{ chart | safe }}{% endfor %}</div>
<p class="note">Share of the episodes with at most that value.</p>{% endif %}

<h2>All drives by scene</h2>
<p class="legend">{{ legend | safe }}<span style="--c:var(--ink)">contact begins</span>
<span style="--c:#f2b01e">goal</span></p>
<div class="maps">{% for map in maps %}<figure>{{ map.svg | safe }}
<figcaption>{{ map.name }}</figcaption></figure>{% endfor %}</div>

{% for part in latencies %}{% if loop.first %}<h2>Latency</h2>{% endif %}
<h3>{{ part.name }}</h3><div class="scroll"><table><thead><tr><th>stage</th>
{% for name in part.table.columns %}<th>{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for row in part.table.rows %}<tr><td>{{ row.name }}</td>
{% for value in row.cells %}<td>{{ value }}</td>{% endfor %}</tr>{% endfor %}
</tbody></table></div>{% endfor %}

<h2>Where the numbers come from</h2>
{% for part in origins %}<details><summary>{{ part.name }}</summary>
<table class="facts-table"><tbody>
{% for name, value in part.facts %}<tr><td>{{ name }}</td><td>{{ value }}</td></tr>{% endfor %}
</tbody></table></details>{% endfor %}
<p class="note">This is our own protocol: its numbers are not comparable with those of other
benchmarks.</p>
</main></body></html>
"""
