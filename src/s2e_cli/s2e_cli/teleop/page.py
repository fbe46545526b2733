"""The template of a study's page."""

from __future__ import annotations

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Driving from afar and autonomy</title><style>{{ style | safe }}
.chart svg{max-width:100%;height:auto}</style></head>
<body><main>
<h1>Driving from afar and autonomy</h1>
<p class="sub">The same routes, starts and seeds for everyone; protocol {{ protocol }}.</p>
{% for text in warnings %}<p class="minus">{{ text }}</p>{% endfor %}
<p class="note">A scripted operator is a program: a planner that knows the true map and every
person, and acts on it as late as link and reaction make it. It stands for what delay does, not for
what people do: a person sees less, and plans around a delay that they know.</p>

<h2>Against the delay</h2>
<div class="chart">{{ curves | safe }}</div>

<h2>Drivers</h2>
<div class="scroll"><table><thead><tr><th>driver</th><th>delay</th><th>drives</th>
{% for name in metrics %}<th>{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for row in rows %}<tr><td>{{ row.name }}<small>sees {{ row.inputs }}</small></td>
<td>{{ row.delay }}</td><td>{{ row.episodes }}</td>
{% for cell in row.cells %}<td>{{ cell.mean }}<small>{{ cell.range }}</small></td>{% endfor %}
</tr>{% endfor %}</tbody></table></div>
<p class="note">Means with 95 % intervals by hierarchical bootstrap over scenes, then drives. The
spectral arc length is negative; nearer to 0 is smoother.</p>

<h2>Differences from {{ base }}</h2>
{% for part in parts %}<h3>{{ part.name }}</h3>
<div class="scroll"><table><thead><tr><th>metric</th><th>pairs</th><th>difference</th>
<th>effect size d</th><th>has more in</th></tr></thead><tbody>
{% for row in part.rows %}<tr><td>{{ row.title }}</td><td>{{ row.pairs }}</td>
<td>{% if row.apart %}<b>{{ row.cell.mean }}</b>{% else %}{{ row.cell.mean }}{% endif %}
<small>{{ row.cell.range }}</small></td><td>{{ row.d }}</td><td>{{ row.more }}</td></tr>
{% endfor %}</tbody></table></div>{% endfor %}
<p class="note">The same episodes, {{ base }} subtracted; bold where the interval leaves out zero.
d is the mean difference in its own standard deviations. The last column is the share of the pairs
in which this driver has more, ties counting half.</p>
</main></body></html>
"""
