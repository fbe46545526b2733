"""One call for every back end."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from navbench_gs.errors import RenderError
from navbench_gs.render.constants import DEFAULT_BACKGROUND
from navbench_gs.render.renderer import Renderer
from navbench_gs.splats.cloud import GaussianCloud

Backend = Literal['cpu', 'reference', 'cuda']
Mode = Literal['exact', 'fast', 'coarse']


def make_renderer(
    cloud: GaussianCloud,
    *,
    backend: Backend = 'cpu',
    mode: Mode = 'exact',
    background: tuple[float, float, float] | None = None,
    threads: int | None = None,
    cache: Path | None = None,
) -> Renderer:
    """Prepare a cloud for drawing.

    Args:
        cloud: the static world.
        backend: `cpu` (fast, everywhere), `reference` (plain NumPy, the definition, slow) or
            `cuda` (needs an NVIDIA GPU, torch and gsplat).
        mode: `exact` draws everything; `fast` (of `cpu` only) leaves out what is hidden or too
            faint to matter around the camera, which it surveys when a camera comes there;
            `coarse` (of `cpu` only) merges what is far: for learners in generated scenes.
        background: RGB in [0, 1] behind everything; None takes a hazy sky.
        threads: worker threads of `cpu`; None takes all usable cores. Others ignore it.
        cache: folder in which `fast` keeps its surveys between runs; None: nowhere.

    Raises:
        RenderError: the back end or the mode is unknown, or cannot run here.
    """
    if mode not in get_args(Mode):
        raise RenderError(f"mode must be 'exact', 'fast' or 'coarse', got {mode!r}")
    if mode != 'exact' and backend != 'cpu':
        raise RenderError(f"mode {mode!r} needs the back end 'cpu', got {backend!r}")
    colour = DEFAULT_BACKGROUND if background is None else background
    # Imported on demand: compiled kernels and torch take seconds that a reader need not pay.
    if backend == 'cpu' and mode == 'fast':
        from navbench_gs.render.cells.renderer import CellRenderer

        return CellRenderer(cloud, background=colour, threads=threads, cache=cache)
    if backend == 'cpu' and mode == 'coarse':
        from navbench_gs.render.levels import LevelRenderer

        return LevelRenderer(cloud, background=colour, threads=threads)
    if backend == 'cpu':
        from navbench_gs.render.cpu.renderer import CpuRenderer

        return CpuRenderer(cloud, background=colour, threads=threads)
    if backend == 'reference':
        from navbench_gs.render.reference import ReferenceRenderer

        return ReferenceRenderer(cloud, background=colour)
    if backend == 'cuda':
        from navbench_gs.render.cuda import CudaRenderer

        return CudaRenderer(cloud, background=colour)
    raise RenderError(f"backend must be 'cpu', 'reference' or 'cuda', got {backend!r}")
