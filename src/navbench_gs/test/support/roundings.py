"""What the reference may draw in a pixel when float32 rounds its decisions the other way.

A picture has four decisions that a rounding can turn: whether a coverage reaches 1/255, whether
a gaussian would end the pixel (light at 1/10,000), at which gaussian half of the light is gone
(depth alone), and which of two equally deep gaussians lies in front. The first moves a pixel by
1/255 of the light at most, the second by up to 0.1 of the colour (coverage is capped at 0.999, so
0.1 of the light may be left before the gaussian that takes it to 0.0001), the last by the product
of the two coverages. Everything else is continuous: a rounding there moves it by a rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations

import numpy as np

from navbench_gs.render import DynamicGroup, RenderCamera
from navbench_gs.render.constants import (
    DEFAULT_BACKGROUND,
    MAX_ALPHA,
    MEDIAN_TRANSMITTANCE,
    MIN_ALPHA,
    MIN_TRANSMITTANCE,
)
from navbench_gs.render.reference import footprints
from navbench_gs.splats import GaussianCloud

EPSILON = float(np.finfo(np.float32).eps)
STEPS = 8.0
"""Roundings that one projected value goes through: three products and sums, and a division."""
EXP_ERROR = 3.0e-5
"""Relative error of the exponential's polynomial (2.2e-5), and rounding."""
LONGEST_RUN = 5
"""Equally deep gaussians whose every order is tried: 120."""
MOST_STATES = 4000


@dataclass(frozen=True)
class Outcome:
    """One picture of a pixel that is right up to rounding."""

    colour: tuple[float, ...]
    """RGB in [0, 1]."""
    alpha: float
    depth: float
    """Metres, inf where coverage stays below a half."""


@dataclass(frozen=True)
class _State:
    """A pixel on its way from front to back."""

    light: float = 1.0
    error: float = 0.0
    """Relative error that `light` may have in float32."""
    colour: tuple[float, ...] = (0.0, 0.0, 0.0)
    depth: float = np.inf
    ended: bool = False

    def key(self) -> tuple[float, ...]:
        """Return what tells this state from others, to 1/40 of a grey level."""
        colour = (round(part, 4) for part in self.colour)
        return (float(f'{self.light:.3g}'), *colour, self.depth, self.ended)


@dataclass(frozen=True)
class _Layer:
    """A gaussian in one pixel."""

    alpha: float
    error: float
    """Relative error that `alpha` may have in float32."""
    depth: float
    colour: tuple[float, ...]


class Roundings:
    """The outcomes of the pixels of one view."""

    def __init__(
        self, cloud: GaussianCloud, camera: RenderCamera, dynamic: Sequence[DynamicGroup] = ()
    ) -> None:
        moved = [group.cloud.transformed(group.pose) for group in dynamic]
        whole = GaussianCloud.concatenate([cloud, *moved])
        self._prints = footprints(whole, camera)
        self._conics = np.linalg.inv(self._prints.covariances)
        a, c = self._prints.covariances[:, [0, 1], [0, 1]].T
        # A determinant a c - b^2 loses as many digits as a c is larger than it.
        self._loss = a * c / np.linalg.det(self._prints.covariances)
        size = max(camera.width, camera.height)
        self._pixel_error = STEPS * EPSILON * np.maximum(np.abs(self._prints.centres), size)
        # float32 positions: as exact as the largest number that is added up to a depth.
        means = whole.means[self._prints.indices].astype(np.float64)
        away = np.abs(means).max(axis=1) + np.abs(camera.pose[:3, 3]).max()
        self._depth_error = STEPS * EPSILON * away

    def outcomes(self, column: int, row: int) -> list[Outcome]:
        """Return what may be drawn in a pixel; one entry where no rounding decides."""
        states = [_State()]
        for run in self._runs(column, row):
            orders = list(permutations(run)) if len(run) <= LONGEST_RUN else [tuple(run)]
            found = {}
            for state in states:
                for order in orders:
                    for after in _through(state, order):
                        found.setdefault(after.key(), after)
            states = list(found.values())
            assert len(states) <= MOST_STATES, f'pixel ({column}, {row}): too many roundings'
        background = np.array(DEFAULT_BACKGROUND)
        return [
            Outcome(
                tuple(np.clip(np.array(state.colour) + state.light * background, 0.0, 1.0)),
                1.0 - state.light,
                state.depth,
            )
            for state in states
        ]

    def _runs(self, column: int, row: int) -> Iterator[list[_Layer]]:
        """Yield the gaussians that may be drawn, near to far, equally deep ones together."""
        prints = self._prints
        offset = np.array([column + 0.5, row + 0.5]) - prints.centres
        slope = np.einsum('nij,nj->ni', self._conics, offset)
        squared = np.einsum('ni,ni->n', slope, offset)
        alpha = prints.opacities * np.exp(-0.5 * squared)
        error = EXP_ERROR + np.einsum('ni,ni->n', np.abs(slope), self._pixel_error)
        error += 0.5 * squared * STEPS * EPSILON * self._loss
        error[alpha * (1.0 - error) >= MAX_ALPHA] = 0.0
        alpha = np.minimum(MAX_ALPHA, alpha)
        shown = np.flatnonzero(alpha * (1.0 + error) >= MIN_ALPHA)
        if not len(shown):
            return
        layers = [
            _Layer(alpha[n], error[n], prints.depths[n], tuple(prints.colours[n])) for n in shown
        ]
        run = layers[:1]
        for (n, following), layer in zip(pairwise(shown), layers[1:], strict=True):
            if prints.depths[following] - prints.depths[n] > self._depth_error[n]:
                yield run
                run = []
            run.append(layer)
        yield run


def _through(state: _State, order: Sequence[_Layer]) -> list[_State]:
    """Return the states in which a pixel may be after some gaussians in this order."""
    states = [state]
    for layer in order:
        states = [after for before in states for after in _after(before, layer)]
    return states


def _after(state: _State, layer: _Layer) -> list[_State]:
    """Return the state in which a gaussian leaves a pixel; several when a rounding decides."""
    if state.ended:
        return [state]
    found = []
    if layer.alpha < MIN_ALPHA * (1.0 + layer.error):
        found.append(state)
        if layer.alpha * (1.0 + layer.error) < MIN_ALPHA:
            return found
    left = state.light * (1.0 - layer.alpha)
    error = state.error + (layer.alpha * layer.error + EPSILON) / (1.0 - layer.alpha)
    if left * (1.0 - error) <= MIN_TRANSMITTANCE:
        found.append(_State(state.light, state.error, state.colour, state.depth, True))
    if left * (1.0 + error) <= MIN_TRANSMITTANCE:
        return found
    weight = state.light * layer.alpha
    colour = tuple(
        own + weight * other for own, other in zip(state.colour, layer.colour, strict=True)
    )
    depths = {state.depth}
    half = MEDIAN_TRANSMITTANCE
    if np.isinf(state.depth) and left * (1.0 - error) <= half:
        depths = {layer.depth} if left * (1.0 + error) <= half else {np.inf, layer.depth}
    found.extend(_State(left, error, colour, depth) for depth in depths)
    return found
