"""Entropy of the mixture, which has no closed form: bounds and estimates.

`upper` is the paper's (reference, section 1.2): sum_m q_m H_m + H(q), the entropy of action and
mode together, at least that of the action alone. `lower` leaves H(q) out: given the mode nothing
else is uncertain. `pairwise` lies between them (Kolchinsky and Tracey, 2017, equation 10, with
Bhattacharyya distances): it is a lower bound that knows which modes overlap, so pushing equal
modes' scores about is not paid for. `sampled` is unbiased, from the actions that were taken.
"""

from __future__ import annotations

import torch
from torch import Tensor

from s2e_training.errors import TrainingError
from s2e_training.posttrain.mixture import ActionMixture, component_entropy

FORMS = ('upper', 'lower', 'pairwise', 'sampled')


def entropy(form: str, mixture: ActionMixture, log_prob: Tensor, ratio: Tensor) -> Tensor:
    """Estimate the entropy.

    Args:
        form: One of `FORMS`.
        mixture: The policy now.
        log_prob: Its log density at the taken actions. [B]
        ratio: New over old density at the taken actions. [B]

    Returns:
        nats. [B]

    Raises:
        TrainingError: No such form.
    """
    if form == 'sampled':
        # E_old[-(pi / old) log pi] = H(pi), and so is its gradient.
        return -ratio * log_prob
    weights = torch.softmax(mixture.logits, dim=-1)
    inner = (weights * component_entropy(mixture)).sum(dim=-1)
    if form == 'lower':
        return inner
    if form == 'upper':
        return inner - (weights * mixture.log_weights).sum(dim=-1)
    if form == 'pairwise':
        near = torch.logsumexp(mixture.log_weights[:, None] - bhattacharyya(mixture), dim=-1)
        return inner - (weights * near).sum(dim=-1)
    raise TrainingError(f'entropy must be one of {list(FORMS)}, got {form!r}')


def bhattacharyya(mixture: ActionMixture) -> Tensor:
    """Distance of every pair of modes.

    d' S^-1 d / 8 + ln(|S| / sqrt(|S_i| |S_j|)) / 2 with S the mean of both covariances; those of
    independent waypoints add.

    Returns:
        Zero on the diagonal. [B, M, M]
    """
    sigma = torch.exp(mixture.log_sigma)
    xx, yy = sigma[..., 0] ** 2, sigma[..., 1] ** 2
    xy = mixture.rho * sigma[..., 0] * sigma[..., 1]
    a, b, c = ((v[:, :, None] + v[:, None]) / 2 for v in (xx, xy, yy))
    both = a * c - b**2
    log_own = torch.log(xx * yy - xy**2)
    d = mixture.mean[:, :, None] - mixture.mean[:, None]
    dx, dy = d[..., 0], d[..., 1]
    quadratic = (c * dx**2 - 2 * b * dx * dy + a * dy**2) / both
    each = quadratic / 8 + 0.5 * (
        torch.log(both) - 0.5 * (log_own[:, :, None] + log_own[:, None])
    )
    return each.sum(dim=-1)
