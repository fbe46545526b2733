"""run.json and report.html of a run that went through ROS."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from navbench_gs.report.html import write_report
from navbench_gs.runner.identity import describe
from navbench_gs.runner.plan import RunFolder, write_atomically
from s2e_nav.sim.parameters import SimParameters

_STAGES = {'latency': 'image received to plan sent', 'infer': 'the model alone'}
"""What the policy node's stages are called in reports, where their names say too little."""


class RunRecord:
    """Collects the results and writes the record and the report."""

    def __init__(self, folder: Path, config: SimParameters) -> None:
        """Begin; nothing is written yet.

        Args:
            folder: The run's folder.
            config: Settings.
        """
        self.folder, self._config = RunFolder(folder), config
        self._started = time.monotonic()
        self._driving = 0.0
        self.results: list[dict[str, Any]] = []
        self.skipped: list[dict[str, Any]] = []
        self.policy = 'unknown'
        self.latency: dict[str, dict[str, object]] = {}
        """Percentiles of each stage of the policy node over its newest images."""

    def driving(self, seconds: float) -> None:
        """Add the wall time of an episode, without scenes and start-up."""
        self._driving += seconds

    def hear(self, status: Mapping[str, str]) -> None:
        """Take what the policy node says of itself: its name, and how long it takes."""
        self.policy = status.get('policy', self.policy)
        table: dict[str, dict[str, object]] = {}
        for key, value in status.items():
            match = re.fullmatch(r'(\w+)_p(\d+)_ms', key)
            if match:
                table.setdefault(_STAGES.get(match[1], match[1]), {})[f'p{match[2]} ms'] = (
                    float(value))
        self.latency = table or self.latency

    @property
    def scores(self) -> list[Mapping[str, Any]]:
        """Scores of the finished episodes."""
        return [result['scores'] for result in self.results]

    def factor(self) -> float:
        """Return simulated over wall seconds of the episodes so far."""
        simulated = sum(float(s['duration']) for s in self.scores)
        return simulated / max(self._driving, 1e-6)

    def write(self, complete: bool, extra: Mapping[str, Any] | None = None) -> None:
        """Write run.json."""
        seconds = time.monotonic() - self._started
        simulated = sum(float(s['duration']) for s in self.scores)
        record = describe(self._config.run_config(), self.policy, dict(extra or {}), nodes=True)
        record['mode'] = self._config.mode
        record['run'] = {
            'finished': len(self.results), 'kept': 0, 'wall_seconds': round(seconds, 1),
            'simulated_seconds': round(simulated, 2),
            'real_time_factor': round(self.factor(), 2) if self.results else None,
            'retried': [], 'skipped': self.skipped,
        }
        record['latency'] = self.latency
        record['complete'] = complete
        text = json.dumps(record, indent=2, sort_keys=True) + '\n'
        write_atomically(self.folder.record, text)

    def report(self) -> Path | None:
        """Write the report; None without a finished episode."""
        return write_report(self.folder.root) if self.results else None

    def paths(self, recording: Sequence[Path]) -> list[tuple[str, Path]]:
        """Name what the run left, for the last lines in the terminal."""
        found = [('run', self.folder.root), ('episodes', self.folder.episodes)]
        if self.folder.films.is_dir():
            found.append(('films', self.folder.films))
        return found + [('recording', path) for path in recording if path.exists()]
