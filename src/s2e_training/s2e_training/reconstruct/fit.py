"""The fit: draw a photo's view, compare, correct, move gaussians, and go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.constants import DEFAULT_BACKGROUND
from s2e_core.config import to_mapping
from s2e_training.errors import TrainingError
from s2e_training.pretrain.checkpoint import save_checkpoint
from s2e_training.reconstruct.config import ReconstructConfig
from s2e_training.reconstruct.gaussians import NAMES, Gaussians
from s2e_training.reconstruct.loss import picture_loss, psnr
from s2e_training.reconstruct.photos import Photo
from s2e_training.reconstruct.relocate import noise, refine

CHECKPOINT = 'checkpoint.pt'
REFINED = (0.02, 0.8)
"""Part of the steps in which gaussians are moved and added; the rest settles."""


class Rasteriser(Protocol):
    """Draws gaussians so that torch can go back through the picture."""

    def render(self, gaussians: Gaussians, camera: RenderCamera) -> Tensor:
        """Return `[H, W, 3]`, not cut to [0, 1]."""
        ...


@dataclass(frozen=True)
class Progress:
    """State of a fit after a step."""

    step: int
    steps: int
    gaussians: int
    psnr: float
    """Mean over the last hundred steps on the photos that are fitted, dB."""
    seconds: float
    """Since this process began."""


class Fit:
    """One fit in a folder; goes on where an earlier one stopped."""

    def __init__(
        self, config: ReconstructConfig, folder: Path, photos: list[Photo], initial: Gaussians,
        extent: float, clock: Callable[[], float],
    ) -> None:
        """Begin, or go on with the checkpoint in the folder.

        Args:
            config: settings.
            folder: where the checkpoint lies; made if absent.
            photos: what to fit.
            initial: gaussians to begin with.
            extent: size of the scene, scene units; steps of centres are parts of it.
            clock: seconds, monotonic; decides only when checkpoints are written.

        Raises:
            TrainingError: the checkpoint is damaged or of other settings or photos.
        """
        self.config, self._folder, self._clock = config, folder, clock
        self._rasteriser, self._device = make_rasteriser(config)
        self._photos, self._extent = photos, extent
        self._small = [photo.halved() for photo in photos]
        folder.mkdir(parents=True, exist_ok=True)
        torch.set_num_threads(config.threads)
        self.gaussians = initial
        self._exposure = torch.zeros(len(photos), 2, 3)
        self._move()
        self._optimiser = self._fresh_optimiser()
        self.step = 0
        self._recent: list[float] = []
        if (folder / CHECKPOINT).is_file():
            self._resume(folder / CHECKPOINT)

    def run(
        self, progress: Callable[[Progress], None] | None = None, stop_at: int | None = None
    ) -> Gaussians:
        """Fit until the last step, or until `stop_at` as a kill after a checkpoint would."""
        started = saved = self._clock()
        last = min(stop_at or self.config.steps, self.config.steps)
        while self.step < last:
            self._recent = [*self._recent[-99:], self._step()]
            if self._clock() - saved > 60 * self.config.checkpoint_minutes:
                self._save()
                saved = self._clock()
            if progress is not None:
                progress(Progress(
                    self.step, self.config.steps, len(self.gaussians),
                    float(np.mean(self._recent)), self._clock() - started,
                ))
        self._save()
        return self.gaussians

    def _step(self) -> float:
        """Fit one photo once; return its PSNR before the correction."""
        c = self.config
        # Randomness depends on the step alone, so a resumed fit repeats an unbroken one.
        rng = np.random.default_rng([c.seed, 0, self.step // len(self._photos)])
        which = int(rng.permutation(len(self._photos))[self.step % len(self._photos)])
        photo = (self._small if self.step < c.coarse * c.steps else self._photos)[which]
        target = torch.from_numpy(photo.pixels.astype(np.float32) / 255.0).to(self._device)
        valid = torch.from_numpy(photo.valid.astype(np.float32)).to(self._device)
        gain, offset = self._exposure[which]
        drawn = self._rasteriser.render(self.gaussians, photo.camera)
        drawn = drawn * gain.exp() + offset
        loss = picture_loss(drawn, target, valid, c.ssim)
        g = self.gaussians
        loss = loss + c.opacity_weight * g.opacities().mean()
        loss = loss + c.scale_weight * (g.scales() / self._extent).clamp_max(1.0).mean()
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        rate = c.means_rate * self._extent * 0.01 ** (self.step / c.steps)
        self._optimiser.param_groups[0]['lr'] = rate
        self._optimiser.step()
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)) + self.step)
        with torch.no_grad():
            # The mean exposure belongs to the scene: held-out photos are drawn without one.
            self._exposure -= self._exposure.mean(0)
            g.means += noise(g, rate * c.noise, generator)
        self.step += 1
        begin, end = (part * c.steps for part in REFINED)
        if self.step % c.refine_every == 0 and begin <= self.step <= end:
            self._refine(generator)
        return psnr(drawn.detach().clamp(0, 1), target, valid)

    def _refine(self, generator: torch.Generator) -> None:
        """Move and add gaussians; those keep no momentum."""
        count = len(self.gaussians)
        size = max(count, min(self.config.cap, int(count * self.config.growth)))
        with torch.no_grad():
            plain = Gaussians(**{n: t.detach() for n, t in self.gaussians.tensors().items()})
            self.gaussians, changed = refine(plain, size, generator)
        states = [self._optimiser.state[p] for p in self._parameters]
        self._move()
        old, self._optimiser = self._optimiser, self._fresh_optimiser()
        fresh = changed.to(self._device)
        for parameter, state in zip(self._parameters[:-1], states[:-1], strict=True):
            kept = {'step': state['step']}
            for key in ('exp_avg', 'exp_avg_sq'):
                grown = torch.zeros_like(parameter)
                grown[:count] = state[key]
                grown[fresh] = 0.0
                kept[key] = grown
            self._optimiser.state[parameter] = kept
        self._optimiser.state[self._exposure] = old.state[self._exposure]

    def _move(self) -> None:
        """Put all parameters on the device and let torch follow them."""
        tensors = self.gaussians.tensors()
        moved = {n: t.detach().clone().to(self._device).requires_grad_()
                 for n, t in tensors.items()}
        self.gaussians = Gaussians(**moved)
        if not self._exposure.requires_grad:
            self._exposure = self._exposure.to(self._device).requires_grad_()
        self._parameters = [*moved.values(), self._exposure]

    def _fresh_optimiser(self) -> torch.optim.Adam:
        c = self.config
        rates = (c.means_rate * self._extent, c.scales_rate, c.quats_rate, c.logits_rate,
                 c.sh_rate, c.exposure_rate)
        groups = [{'params': [p], 'lr': rate}
                  for p, rate in zip(self._parameters, rates, strict=True)]
        return torch.optim.Adam(groups, eps=1e-15)

    def _save(self) -> None:
        save_checkpoint(self._folder / CHECKPOINT, {
            'config': to_mapping(self.config), 'photos': [p.name for p in self._photos],
            'step': self.step, 'exposure': self._exposure.detach().cpu(),
            'gaussians': {n: t.detach().cpu() for n, t in self.gaussians.tensors().items()},
            'optimiser': self._optimiser.state_dict(), 'recent': self._recent,
        })

    def _resume(self, path: Path) -> None:
        content = read_checkpoint(path)
        fixed = {k: v for k, v in to_mapping(self.config).items()
                 if k not in ('threads', 'checkpoint_minutes')}
        differ = sorted(k for k, v in fixed.items() if content['config'].get(k) != v)
        if differ or content['photos'] != [photo.name for photo in self._photos]:
            what = ', '.join(differ) or 'photos'
            raise TrainingError(f'{path}: was made with other {what}; choose another folder')
        self.gaussians = Gaussians(**{name: content['gaussians'][name] for name in NAMES})
        self._exposure = content['exposure']
        self._move()
        self._optimiser = self._fresh_optimiser()
        self._optimiser.load_state_dict(content['optimiser'])
        self.step, self._recent = content['step'], content['recent']


def make_rasteriser(config: ReconstructConfig) -> tuple[Rasteriser, torch.device]:
    """Return what draws and where tensors lie.

    Raises:
        TrainingError: gsplat or a GPU is missing.
    """
    if config.device == 'cuda':
        from s2e_training.reconstruct.rasterise_cuda import CudaRasteriser

        return CudaRasteriser(DEFAULT_BACKGROUND), torch.device('cuda')
    from s2e_training.reconstruct.rasterise import CpuRasteriser

    return CpuRasteriser(config.threads, DEFAULT_BACKGROUND), torch.device('cpu')


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint of a fit.

    Raises:
        TrainingError: it is damaged or not one.
    """
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
        missing = {'config', 'photos', 'step', 'exposure', 'gaussians', 'optimiser', 'recent'}
        missing -= set(content)
    except Exception as error:  # torch raises half a dozen types for damaged files
        raise TrainingError(f'{path}: is not a readable checkpoint: {error}') from error
    if missing:
        raise TrainingError(f'{path}: lacks the entry {sorted(missing)[0]!r}')
    return dict(content)
