"""run.json of a block that people drove, in the benchmark's form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from navbench_gs.runner.identity import describe
from navbench_gs.runner.plan import write_atomically
from s2e_nav.sim.parameters import SimParameters
from s2e_nav.study.folder import BlockFolder, dump

INPUTS = 'video, distance and bearing of the goal'
"""What a person sees."""


class BlockRecord:
    """Writes run.json."""

    def __init__(
        self, folder: BlockFolder, config: SimParameters, label: str, about: Mapping[str, Any],
        mode: str = 'realtime',
    ) -> None:
        """Begin; nothing is written yet.

        Args:
            folder: The block's.
            config: Of the simulator.
            label: Who drives, as reports name them.
            about: More to keep: participant, driver, link.
            mode: realtime: in the simulator; robot: in a place.
        """
        self._folder, self._config, self._mode = folder, config, mode
        self._label, self._about = label, dict(about)

    def write(self, complete: bool) -> None:
        """Write run.json."""
        record = describe(self._config.run_config(), self._label, self._about, nodes=True)
        record['mode'] = self._mode
        record['run'] = {'finished': len(self._folder.done())}
        record['complete'] = complete
        write_atomically(self._folder.root / 'run.json', dump(record))
