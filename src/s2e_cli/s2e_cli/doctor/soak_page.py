"""The page of a soak: curves over its length, and what they were judged to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from navbench_gs.report.page import STYLE
from s2e_cli.replay.chart import line_chart
from s2e_cli.replay.page import EXTRA

if TYPE_CHECKING:
    from s2e_nav.soak.run import Soak, SoakConfig
    from s2e_nav.soak.verdict import Table

WORDS = """
.words td:last-child { text-align:left; white-space:normal; }
"""
LEVELS = {'ok': 'plus', 'warn': '', 'fail': 'minus', 'skip': ''}
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title><style>{{ style | safe }}</style></head>
<body><main>
<h1>{{ title }}</h1>
<p class="sub">{{ subtitle }}</p>
<section class="tiles">{% for tile in tiles %}<div class="tile"><div class="name">{{ tile[0] }}
</div><div class="value">{{ tile[1] }}</div><div class="range">{{ tile[2] }}</div></div>
{% endfor %}</section>
<h2>Judged</h2>
<div class="scroll"><table class="words"><tbody>{% for verdict in verdicts %}
<tr><td>{{ verdict.name }}</td>
<td class="{{ levels[verdict.level] }}">{{ verdict.level }}</td><td>{{ verdict.text }}</td></tr>
{% endfor %}</tbody></table></div>
<p class="note">Slopes are of Theil and Sen, after the first {{ warm_up }} minutes. A process may
seem to grow by {{ growth }} MB an hour. Deadlines are judged by their trend: how many are missed
says more about the machine, whose own delay stands beside them.</p>
{% for name, chart in charts.items() %}<h2>{{ name }}</h2>
<div class="panel">{{ chart | safe }}</div>{% endfor %}
<h2>Ends of goals, and stops of the gate</h2>
<div class="scroll"><table><tbody>{% for name, count in events.items() %}<tr><td>{{ name }}</td>
<td>{{ count }}</td></tr>{% endfor %}</tbody></table></div>
<p class="note">Every row of these curves: soak.csv; what the nodes said: launch.log.</p>
</main></body></html>
"""


def render(config: SoakConfig, result: Soak) -> str:
    """Return the page."""
    import jinja2

    from s2e_nav.soak.table import column
    from s2e_nav.soak.verdict import GROWTH, WARM_UP

    table = result.table
    minutes = column(table, 'minutes')
    lasted = float(minutes[-1]) if len(minutes) else 0.0
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(PAGE).render(
        title=f'Soak of {lasted:.0f} minutes',
        subtitle=f'policy {config.policy} on {result.provider or "nothing"}, robot '
        f'{config.robot}; a row every {config.row:g} s',
        style=STYLE + EXTRA + WORDS, tiles=_tiles(table), verdicts=result.verdicts, levels=LEVELS,
        warm_up=f'{min(WARM_UP[0] * lasted, WARM_UP[1]):.1f}', growth=f'{GROWTH:g}',
        charts=_charts(table), events=_events(table),
    )


def _tiles(table: Table) -> list[tuple[str, str, str]]:
    from s2e_nav.soak.table import column, processes

    memory = sum(column(table[-1:], f'{name}_rss_mb').sum() for name in processes(table))
    cpu = sum(float(column(table, f'{name}_cpu_percent').mean()) for name in processes(table))
    reached, goals = (column(table, name).sum() for name in ('reached', 'goals'))
    return [
        ('Goals reached', f'{reached:.0f}', f'of {goals:.0f}'),
        ('Memory', f'{memory:.0f} MB', 'all processes, at the end'),
        ('Processor', f'{cpu:.0f} %', 'of one core, mean'),
        ('Plans', f'{column(table, "plans").sum():.0f}',
         f'{column(table, "plans_late").sum():.0f} late'),
        ('Commands', f'{column(table, "commands").sum():.0f}',
         f'{column(table, "commands_late").sum():.0f} late'),
    ]


def _charts(table: Table) -> dict[str, str]:
    from s2e_nav.soak.table import column, processes

    # Launch only waits; its share is in the table.
    names = [name for name in processes(table) if name != 'launch']
    # From zero on, where nothing is known yet.
    minutes = [0.0, *column(table, 'minutes').tolist()]

    def draw(series: dict[str, Sequence[float]], unit: str) -> str:
        lines = {name: [float('nan'), *values] for name, values in series.items()}
        return line_chart(minutes, lines, unit, time_unit='min')

    def columns(keys: dict[str, str]) -> dict[str, Sequence[float]]:
        return {name: column(table, key).tolist() for name, key in keys.items()}

    late = {'plans': ('plans_late', 'plans'), 'commands': ('commands_late', 'commands')}
    shares: dict[str, Sequence[float]] = {
        name: [100.0 * a / b if b else float('nan') for a, b in zip(
            column(table, part), column(table, whole), strict=True)]
        for name, (part, whole) in late.items()
    }
    return {
        'Memory': draw(columns({name: f'{name}_rss_mb' for name in names}), 'MB'),
        'Processor': draw(columns({name: f'{name}_cpu_percent' for name in names}), '%'),
        'Missed deadlines': draw(shares, '%'),
        "The machine's own delay": draw(
            columns({f'p{q}': f'machine_late_p{q}_ms' for q in (50, 95, 99)}), 'ms'),
        'Image to plan': draw(columns({f'p{q}': f'latency_p{q}_ms' for q in (50, 95, 99)}), 'ms'),
        'Image to command': draw(
            columns({f'p{q}': f'command_latency_p{q}_ms' for q in (50, 95, 99)}), 'ms'),
    }


def _events(table: Table) -> Counter[str]:
    """Add up `name:count` words of all rows."""
    total: Counter[str] = Counter()
    for row in table:
        for kind in ('ends', 'stops'):
            for word in str(row[kind]).split():
                name, _, count = word.rpartition(':')
                total[{'NONE': 'reached'}.get(name, name)] += int(count)
    return total
