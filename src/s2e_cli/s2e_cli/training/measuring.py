"""Measures a network as users will run it: exported, then driven in the benchmark."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from navbench_gs.runner.plan import RunConfig


def export_network(source: str, bundle: Path) -> None:
    """Export a bundle, run or checkpoint where that has not been done; its folder names it.

    Raises:
        TrainingError: It cannot be had, or its graphs disagree with it.
    """
    from s2e_training.export.bundle import ExportInfo, export_bundle
    from s2e_training.pretrain.parent import load_parent

    if not (bundle / 'bundle.yaml').is_file():
        export_bundle(load_parent(source).model, bundle, ExportInfo(bundle.name, source))


def drive_bundle(bundle: Path, config: RunConfig, out: Path) -> None:
    """Drive the episodes that are not there yet, with a bar of progress.

    Raises:
        RunError: The folder holds another run, or a scene cannot be had.
    """
    from navbench_gs.runner.run import run_benchmark
    from s2e_cli.bench.console import Console
    from s2e_training.posttrain.evaluate import BundleFactory

    console = Console(len(config.items()), sys.stderr)
    try:
        run_benchmark(
            config, BundleFactory(str(bundle), bundle.name), out, progress=console.finished
        )
    finally:
        console.close()
