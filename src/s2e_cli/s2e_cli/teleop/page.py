"""The template of a comparison's page."""

from __future__ import annotations

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Driving from afar and autonomy</title><style>{{ style | safe }}
.chart svg{max-width:100%;height:auto}.kind{font-size:12px;color:var(--soft)}</style></head>
<body><main>
<h1>Driving from afar and autonomy</h1>
<p class="sub">The same routes, starts and seeds for everyone; protocol {{ protocol }};
{{ people if people else 'no' }} {{ 'person' if people == 1 else 'people' }}.</p>
{% for text in warnings %}<p class="minus">{{ text }}</p>{% endfor %}
{% if scripted %}<p class="note"><b>A scripted operator is a program</b>, no person: a planner that
knows the true map and every person, and acts on it as late as link and reaction make it. It stands
for what delay does, not for what people do: a person sees less, and plans around a delay that they
know.</p>{% endif %}

<h2>Against the delay</h2>
<div class="chart">{{ curves | safe }}</div>
<p class="note">The delay is what picture and command take on their way, without a driver's
reaction: of a program by its model, of people the median of what was measured while they drove.
</p>

<h2>Drivers</h2>
<div class="scroll"><table><thead><tr><th>driver</th><th>delay</th><th>drives</th><th>people</th>
{% for name in metrics %}<th>{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for row in rows %}<tr>
<td>{{ row.name }}<small>{{ row.kind }}; sees {{ row.inputs }}</small></td>
<td>{{ row.delay }}</td><td>{{ row.episodes }}</td><td>{{ row.people }}</td>
{% for cell in row.cells %}<td>{{ cell.mean }}<small>{{ cell.range }}</small></td>{% endfor %}
</tr>{% endfor %}</tbody></table></div>
<p class="note">Means with 95 % intervals by hierarchical bootstrap: over people and then their
drives where a driver is several people, else over scenes, then drives. The spectral arc length is
negative; nearer to 0 is smoother. An intervention is a veto of the gate, an emergency stop, or a
person who takes over from autonomy or hands back to it; where nobody could step in there is none
to count. Slowed is where the gate let somebody drive on, but slower than they asked by a tenth or
more, before what is in the way; most vetoes begin so, and it is no intervention.</p>

<h2>Differences from {{ base }}</h2>
{% for part in parts %}<h3>{{ part.name }}</h3>
<div class="scroll"><table><thead><tr><th>metric</th><th>pairs</th><th>difference</th>
<th>effect size d</th><th>has more in</th></tr></thead><tbody>
{% for row in part.rows %}<tr><td>{{ row.title }}</td><td>{{ row.pairs }}</td>
<td>{% if row.apart %}<b>{{ row.cell.mean }}</b>{% else %}{{ row.cell.mean }}{% endif %}
<small>{{ row.cell.range }}</small></td><td>{{ row.d }}</td><td>{{ row.more }}</td></tr>
{% endfor %}</tbody></table></div>{% endfor %}
<p class="note">The same episodes, {{ base }} subtracted; bold where there are five pairs or more
and the interval leaves out zero.
d is the mean difference in its own standard deviations. The last column is the share of the pairs
in which this driver has more, ties counting half.</p>

{% if loads %}<h2>Load</h2>
<div class="chart">{{ load | safe }}</div>
<div class="scroll"><table><thead><tr><th>driver</th><th>forms</th>
{% for name in scales %}<th>{{ name }}</th>{% endfor %}
<th>raw TLX, difference from {{ calm }}</th><th>pairs</th><th>effect size d</th></tr></thead>
<tbody>
{% for row in loads %}<tr><td>{{ row.name }}</td><td>{{ row.forms }}</td>
{% for cell in row.cells %}<td>{{ cell.mean }}<small>{{ cell.range }}</small></td>{% endfor %}
<td>{{ row.apart.cell.mean }}<small>{{ row.apart.cell.range }}</small></td>
<td>{{ row.apart.pairs }}</td><td>{{ row.apart.d }}</td></tr>{% endfor %}</tbody></table></div>
<p class="note">NASA-TLX after each block, 0 to 100, more is heavier; raw TLX is the mean of the
six, without weights.</p>{% endif %}

{% if links %}<h2>Links</h2>
<div class="scroll"><table><thead><tr><th>driver</th><th>drives</th>
{% for name in link_titles %}<th>{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for row in links %}<tr><td>{{ row.name }}</td><td>{{ row.drives }}</td>
{% for cell in row.cells %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}</tbody></table></div>
<p class="note">Medians over drives, and the least and the most, as measured while they were
driven.</p>{% endif %}

{% if routes %}<h2>Route by route</h2>
<div class="scroll"><table><thead><tr><th>route</th>
{% for row in rows %}<th>{{ row.name }}</th>{% endfor %}</tr></thead><tbody>
{% for line in routes %}<tr><td>{{ line.name }}</td>
{% for cell in line.cells %}<td class="{{ cell.kind }}">{{ cell.text }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>
<p class="note">Mean time of those who reached the goal; green: everyone did, without contact; red:
nobody did. At most {{ most_routes }} routes; drives.csv has all.</p>{% endif %}
</main></body></html>
"""
