"""The numbers of a replay as JSON and CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from s2e_cli.replay.player import Step
from s2e_cli.replay.score import mean, percentiles

STAGES = ('decode', 'preprocess', 'infer')


def summary(steps: Sequence[Step], head: Mapping[str, Any]) -> dict[str, Any]:
    """Sum up a replay.

    Args:
        steps: Of the whole replay.
        head: What was replayed, with what.
    """
    first = steps[0].look.stamp_ns
    whole = [sum(step.latency[stage] for stage in STAGES) for step in steps]
    scored = [step.errors for step in steps if step.errors]
    return {
        **head,
        'images': len(steps),
        'seconds': round((steps[-1].look.stamp_ns - first) / 1e9, 3),
        'windows_begun': sum(step.restarted for step in steps),
        'latency_ms': {
            **{stage: percentiles([step.latency[stage] for step in steps]) for stage in STAGES},
            'all': percentiles(whole),
        },
        'entropy_nats': round(sum(step.entropy for step in steps) / len(steps), 4),
        'against_recorded_way': {'images': len(scored), **mean(scored)} if scored else None,
    }


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write the summary."""
    path.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')


def write_csv(path: Path, steps: Sequence[Step]) -> None:
    """Write one line for each image."""
    keys = list(dict.fromkeys(key for step in steps for key in (*step.errors, *step.notes)))
    with path.open('w', newline='', encoding='utf-8') as stream:
        writer = csv.writer(stream)
        writer.writerow([
            'image', 'stamp_ns', 'top_mode', 'top_score', 'entropy', 'end_x', 'end_y', 'goal_x',
            'goal_y', *(f'{stage}_ms' for stage in STAGES), *keys,
        ])
        for step in steps:
            end = step.output.modes[step.top, -1]
            values = {**step.errors, **step.notes}
            writer.writerow([
                step.look.index, step.look.stamp_ns, step.top,
                f'{step.output.scores[step.top]:.4f}', f'{step.entropy:.4f}',
                f'{end[0]:.4f}', f'{end[1]:.4f}',
                *(['', ''] if step.goal is None else [f'{value:.4f}' for value in step.goal]),
                *(f'{step.latency[stage]:.3f}' for stage in STAGES),
                *(f'{values[key]:.4f}' if key in values else '' for key in keys),
            ])
