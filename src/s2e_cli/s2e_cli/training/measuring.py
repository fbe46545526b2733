"""Measures a network as users will run it: exported, then driven in the benchmark."""

from __future__ import annotations

import hashlib
import shutil
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
        parent = load_parent(source)
        export_bundle(parent.model, bundle, ExportInfo(bundle.name, source, parent.margins))


def forget_other_weights(source: str, bundle: Path, runs: list[Path]) -> None:
    """Delete a bundle and what was measured of it where the network has been trained on since.

    Args:
        source: The network it would be exported of now.
        bundle: Its folder; the digest of its weights lies beside it.
        runs: Benchmark runs that it drove.

    Raises:
        TrainingError: The network cannot be had.
    """
    from s2e_training.pretrain.parent import load_parent

    digest = hashlib.sha256()
    for name, value in sorted(load_parent(source).model.state_dict().items()):
        digest.update(name.encode() + value.numpy().tobytes())
    note = bundle.with_name(f'{bundle.name}.sha256')
    if note.is_file() and note.read_text() == digest.hexdigest():
        return
    for folder in (bundle, *runs):
        shutil.rmtree(folder, ignore_errors=True)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(digest.hexdigest())


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
