"""The template of the report: one page, no network, light and dark."""

from __future__ import annotations

STYLE = """
:root { --paper:#f6f7f9; --card:#fff; --ink:#1c2430; --soft:#5c6878; --line:#e2e6ec;
  --accent:#0f8f83; --bad:#c8372d; --warn:#b8770a; --good:#16803c; --route:#4a6fd8; }
@media (prefers-color-scheme: dark) { :root { --paper:#12161c; --card:#1b212a; --ink:#e8edf3;
  --soft:#98a4b3; --line:#2c3540; --accent:#35c4b5; --bad:#ff7369; --warn:#e8b04a;
  --good:#58c97e; --route:#8aa6ff; } .grid { filter: invert(.86) hue-rotate(180deg); } }
* { box-sizing: border-box; }
body { margin:0; background:var(--paper); color:var(--ink); font:15px/1.5 system-ui,-apple-system,
  "Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif; }
main { max-width:1240px; margin:0 auto; padding:32px 24px 80px; }
h1 { font-size:26px; margin:0 0 2px; letter-spacing:-.01em; }
h2 { font-size:18px; margin:40px 0 12px; }
.sub { color:var(--soft); margin:0 0 24px; }
.tiles { display:grid; grid-template-columns:repeat(auto-fit,minmax(210px,1fr)); gap:14px; }
.tile,.card { background:var(--card); border:1px solid var(--line); border-radius:12px; }
.tile { padding:16px 18px; }
.tile .name { color:var(--soft); font-size:13px; }
.tile .value { font-size:34px; font-weight:650; letter-spacing:-.02em; line-height:1.2;
  font-variant-numeric:tabular-nums; }
.tile .range { color:var(--soft); font-size:13px; font-variant-numeric:tabular-nums; }
.track { position:relative; height:6px; border-radius:3px; background:var(--line); margin:10px
  0 4px; }
.track i { position:absolute; top:0; bottom:0; border-radius:3px; background:var(--accent);
  opacity:.35; }
.track b { position:absolute; top:-3px; width:3px; height:12px; border-radius:2px;
  background:var(--accent); }
.scroll { overflow-x:auto; }
table { border-collapse:collapse; width:100%; font-size:13.5px;
  font-variant-numeric:tabular-nums; }
th,td { text-align:right; padding:7px 7px; border-bottom:1px solid var(--line);
  white-space:nowrap; }
th:first-child,td:first-child { text-align:left; }
th { color:var(--soft); font-weight:500; font-size:12px; white-space:normal;
  vertical-align:bottom; }
td:first-child small { line-height:1.3; white-space:normal; }
td small { color:var(--soft); font-size:10.5px; display:block; line-height:1.1; }
tr.all td { font-weight:600; }
.card { padding:16px; margin:0 0 16px; display:grid; grid-template-columns:minmax(240px,340px)
  1fr;
  gap:18px; }
@media (max-width:760px) { .card { grid-template-columns:1fr; } td:first-child {
  white-space:normal; overflow-wrap:anywhere; min-width:8em; } th,td { padding:7px 5px; }
  .profile { overflow:visible; } .profile text { font-size:15px; } }
.card h3 { font-size:15px; margin:0 0 6px; display:flex; gap:10px; align-items:center;
  flex-wrap:wrap; }
.badge { font-size:12px; font-weight:600; border-radius:999px; padding:1px 10px; color:#fff; }
.badge.good { background:var(--good); } .badge.warn { background:var(--warn); }
.badge.bad { background:var(--bad); }
@media (prefers-color-scheme: dark) { .badge { color:#10151b; } }
.facts { display:flex; flex-wrap:wrap; gap:4px 18px; color:var(--soft); font-size:13px;
  margin:0 0 10px;
  font-variant-numeric:tabular-nums; }
.facts b { color:var(--ink); font-weight:600; }
.strip { display:grid; grid-template-columns:repeat(4,1fr); gap:4px; }
.strip img { width:100%; display:block; border-radius:4px; }
video { width:100%; max-width:480px; aspect-ratio:4/3; border-radius:8px; background:#000;
  margin-top:10px; }
.map { width:100%; height:auto; max-height:420px; border-radius:8px; border:1px solid var(--line);
  display:block; }
.profile { width:100%; max-width:640px; display:block; } .over { fill:none; stroke-width:1.5;
  stroke:var(--accent); } .told { stroke:var(--soft); stroke-width:.8; }
.left { stroke:var(--route); } .near { stroke:#b8770a; } .touch { stroke:#d92c20; stroke-width:4; }
.ground { fill:#787878; } .grid { image-rendering:pixelated; }
.route { fill:none; stroke:var(--route); stroke-width:1.6; stroke-dasharray:5 4; }
.driven { fill:none; stroke:#0b9c8e; stroke-width:2.6; stroke-linejoin:round; }
.walk { fill:none; stroke:#d4588f; stroke-width:1; opacity:.55; } .person { fill:#d4588f; }
.obstacle { fill:#8a5a2b; stroke:#fff; stroke-width:.6; } .loose { fill:#e0973f; }
.goal { fill:#f2b01e; fill-opacity:.45; stroke:#c98800; stroke-width:1.5; }
.start { fill:#1c2430; stroke:#fff; stroke-width:.8; } .end { fill:#0b9c8e; stroke:#fff; }
.contact { stroke:#d92c20; stroke-width:2.4; fill:none; }
.bar { stroke:#444; stroke-width:2; } .bar-text { font-size:10px; fill:#444; }
.halo { stroke:#fff; stroke-width:5; opacity:.8; } .bar-text { paint-order:stroke; stroke:#fff;
  stroke-width:3px; stroke-linejoin:round; }
.all .bar-text { font-size:17px; }
.legend { display:flex; flex-wrap:wrap; gap:4px 16px; color:var(--soft); font-size:13px;
  margin:0 0 12px; }
.legend span::before { content:""; display:inline-block; width:14px; height:4px;
  border-radius:2px;
  margin-right:6px; vertical-align:middle; background:var(--c); }
details { background:var(--card); border:1px solid var(--line); border-radius:12px;
  padding:12px 16px;
  margin:0 0 12px; } summary { cursor:pointer; font-weight:600; }
pre.command { background:var(--card); border:1px solid var(--line); border-radius:12px;
  padding:12px 16px; white-space:pre-wrap; }
pre { overflow-x:auto; font-size:12.5px; line-height:1.45; } code { font-size:13px; }
.charts { display:grid; grid-template-columns:repeat(auto-fill,minmax(250px,1fr)); gap:12px; }
.chart { width:100%; background:var(--card); border:1px solid var(--line); border-radius:12px; }
.chart-title { font-size:12px; fill:var(--ink); } .tick { font-size:9.5px; fill:var(--soft); }
.rule { stroke:var(--line); } .curve { fill:none; stroke-width:1.8; stroke-linejoin:round; }
.maps { display:grid; grid-template-columns:repeat(auto-fill,minmax(330px,1fr)); gap:14px; }
.maps figure { margin:0; } .maps figcaption { color:var(--soft); font-size:13px; }
.drive { fill:none; stroke-width:1.6; stroke-linejoin:round; opacity:.8; }
.all .contact { stroke:var(--ink); stroke-width:1.6; }
.tag { font-size:12px; color:var(--soft); border:1px solid var(--line); border-radius:999px;
  padding:1px 10px; font-weight:400; }
.plus { color:var(--good); } .minus { color:var(--bad); } .lead { font-weight:600; }
.facts-table td { white-space:normal; text-align:left; overflow-wrap:anywhere; }
.facts-table td:first-child { white-space:nowrap; color:var(--soft); }
.note { color:var(--soft); font-size:13px; }
"""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title><style>{{ style | safe }}</style></head>
<body><main>
<h1>{{ title }}</h1>
<p class="sub">{{ subtitle }}</p>
<section class="tiles">
{% for tile in tiles %}<div class="tile"><div class="name">{{ tile.name }}</div>
<div class="value">{{ tile.value }}</div>
{% if tile.track %}<div class="track"><i style="left:{{ tile.low }}%;width:{{ tile.span }}%"></i>
<b style="left:calc({{ tile.at }}% - 1px)"></b></div>{% endif %}
<div class="range">{{ tile.range }}</div></div>
{% endfor %}</section>

<h2>By task</h2>
<div class="scroll"><table><thead><tr><th>task</th><th>episodes</th>
{% for name in columns %}<th>{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for row in rows %}<tr class="{{ row.kind }}">
<td>{{ row.name }}<small>{{ row.causes }}</small></td><td>{{ row.episodes }}</td>
{% for cell in row.cells %}<td>{{ cell.mean }}<small>{{ cell.range }}</small></td>{% endfor %}
</tr>
{% endfor %}</tbody></table></div>
<p class="note">{{ interval_note }}</p>

{% if charts %}<h2>Distributions</h2>
<p class="legend">{{ chart_legend | safe }}</p>
<div class="charts">{% for chart in charts %}{{ chart | safe }}{% endfor %}</div>
<p class="note">Share of the episodes with at most that value.</p>{% endif %}

{% if latency %}<h2>Latency</h2><div class="scroll"><table><thead><tr><th>stage</th>
{% for name in latency.columns %}<th>{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for row in latency.rows %}<tr><td>{{ row.name }}</td>
{% for value in row.cells %}<td>{{ value }}</td>{% endfor %}</tr>{% endfor %}
</tbody></table></div>
<p class="note">Wall time on the machine that ran it, however busy that was; where the world waits,
nothing depends on it.</p>{% endif %}

<h2>All drives by scene</h2>
<p class="legend"><span style="--c:#16803c">success without contact</span>
<span style="--c:#c27c0e">success with contact</span><span style="--c:#c8372d">failure</span>
<span style="--c:var(--ink)">contact begins</span><span style="--c:#f2b01e">goal</span></p>
<div class="maps">{% for map in overviews %}<figure>{{ map.svg | safe }}
<figcaption>{{ map.name }}</figcaption></figure>{% endfor %}</div>

<h2>Episodes</h2>
<p class="legend"><span style="--c:#4a6fd8">shortest route</span><span
  style="--c:#0b9c8e">driven</span>
<span style="--c:#d92c20">contact</span><span style="--c:#d4588f">people</span>
<span style="--c:#8a5a2b">fixed obstacle</span><span style="--c:#e0973f">pushable</span>
<span style="--c:#f2b01e">goal</span></p>
<p class="note">Beside each map the episode over time; red below the last line: in contact.</p>
{% if hidden %}<p class="note">{{ hidden }}</p>{% endif %}
{% for card in cards %}<article class="card" id="{{ card.id }}"><div>{{ card.map | safe }}
{% if card.film %}<video controls preload="none" src="{{ card.film }}"
{% if card.poster %}poster="data:image/jpeg;base64,{{ card.poster }}"{% endif %}></video>
{% endif %}
</div><div>
<h3>{{ card.id }}
{% if card.tag %}<span class="tag">{{ card.tag }}</span>{% endif %}
<span class="badge {{ card.kind }}">{{ card.verdict }}</span></h3>
<div class="facts">{% for name, value in card.facts %}<span>{{ name }} <b>{{ value }}</b></span>
{% endfor %}</div>
{% if card.detail %}<p class="note">{{ card.detail }}</p>{% endif %}
{{ card.profile | safe }}
{% if card.stills %}<div class="strip">{% for still in card.stills %}
<img src="data:image/jpeg;base64,{{ still }}" alt="camera {{ loop.index }}">
{% endfor %}</div>{% endif %}
</div></article>
{% endfor %}

<h2>How to make this again</h2>
{% if command %}<pre class="command">{{ command }}</pre>{% endif %}
{% for name, text in sections %}<details{% if loop.first %} open{% endif %}>
<summary>{{ name }}</summary><pre>{{ text }}</pre></details>
{% endfor %}
<p class="note">Headline results use RGB, odometry and the goal only unless stated otherwise.
  This is
our own protocol: its numbers are not comparable with those of other benchmarks.</p>
</main></body></html>
"""
