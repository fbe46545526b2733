"""The network in training: which weights move, and what must be kept of a state to update them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from s2e_training.models.policy import Mixture, S2EModel
from s2e_training.posttrain.config import ExplorationConfig, Mode
from s2e_training.posttrain.exploration import Exploration
from s2e_training.posttrain.value import ValueHead


class Seen(NamedTuple):
    """What is kept of B states: all that frozen layers have made of the images."""

    speed: Tensor
    """m/s and rad/s. [B, 2]"""
    truth: Tensor
    """What only the value head may know. [B, P]"""
    context: Tensor | None = None
    """Fused tokens, where fusion is frozen. [B, K + 1, D]"""
    attended: Tensor | None = None
    """The frozen decoder's answer, where that is frozen too. [B, M, D]"""
    features: Tensor | None = None
    """Windows of feature maps, half precision, where all else trains. [B, K, C, h, w]"""
    goal: Tensor | None = None
    """Encoded goals, with `features`. [B, 3]"""
    mask: Tensor | None = None
    """One where the goal is present, with `features`. [B, 1]"""

    def rows(self, index: Tensor) -> Seen:
        """Pick states. [N] -> N of them"""
        rest = (None if part is None else part[index] for part in self[2:])
        return Seen(self.speed[index], self.truth[index], *rest)


def joined(states: Sequence[Seen]) -> Seen:
    """Put states after one another."""
    speed, truth, *rest = zip(*states, strict=True)
    return Seen(
        torch.cat(speed), torch.cat(truth),
        *(None if parts[0] is None else torch.cat(parts) for parts in rest)
    )


class Actor(nn.Module):
    """Policy, exploration and value."""

    def __init__(
        self, model: S2EModel, mode: Mode, exploration: ExplorationConfig, seed: int = 0,
        truths: int = 0, bfloat16: bool = False,
    ) -> None:
        """Freeze what the mode freezes; `ram` adds the branch where there is none yet.

        Dropout stays off: it would make the density of an action depend on chance.

        Args:
            model: The parent.
            mode: Which weights train.
            exploration: The exploring policy's sigma.
            seed: Of the value head's first weights.
            truths: P, numbers that only the value head sees.
            bfloat16: Whether the branch computes in it.
        """
        super().__init__()
        # In a tuple, so that its weights are not taken for the actor's.
        self._parent = (copy.deepcopy(model).eval().requires_grad_(False),)
        if mode == 'ram' and model.residual is None:
            model.add_residual()
        self.model, self.mode, self._bfloat16 = model.eval(), mode, bfloat16
        self.exploration = Exploration(exploration)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.value = ValueHead(model.config.dim, truths)
        freeze(model, mode)

    @property
    def whole(self) -> bool:
        """Whether everything behind the encoder trains."""
        return self.mode in ('full', 'sft')

    def perceive(self, features: Tensor) -> Tensor:
        """Return what a window keeps of frames: their tokens, where those layers are frozen.

        Args:
            features: Half precision. [B, C, h, w]

        Returns:
            [B, D], or the feature maps themselves.
        """
        if self.whole:
            return features
        with torch.no_grad():
            return self.model.token(features.float())

    def observe(
        self, window: Tensor, goal: Tensor, mask: Tensor, speed: Tensor, truth: Tensor
    ) -> Seen:
        """Run the frozen layers.

        Args:
            window: K frames, oldest first, as `perceive` left them. [B, K, ...]
            goal: Encoded goals. [B, 3]
            mask: One where the goal is present. [B, 1]
            speed: m/s and rad/s. [B, 2]
            truth: Of the world. [B, P]
        """
        if self.whole:
            return Seen(speed, truth, features=window, goal=goal, mask=mask)
        with torch.no_grad():
            context = self.model.fuse(window, goal, mask)
            attended = self.model.attend(context) if self.mode == 'ram' else None
        return Seen(speed, truth, context, attended)

    def forward(self, seen: Seen) -> tuple[Mixture, Tensor]:
        """Return the mixture that actions are drawn from and the values, [B], of states."""
        mixture, context = self._answer(seen)
        return self.exploration.tempered(mixture), self.value(context, seen.speed, seen.truth)

    def answer(self, seen: Seen) -> Mixture:
        """Return the mixture as the exported policy answers it."""
        return self._answer(seen)[0]

    @torch.no_grad()
    def parent_scores(self, seen: Seen) -> Tensor:
        """Return what the parent scores the modes with, as it was before this training. [B, M]"""
        parent = self._parent[0]
        context = fused(parent, seen)
        attended = parent.attend(context) if seen.attended is None else seen.attended
        return parent.answer(context, attended).logits

    def _answer(self, seen: Seen) -> tuple[Mixture, Tensor]:
        """Return the mixture and the context."""
        context = fused(self.model, seen)
        attended = seen.attended
        if attended is None:
            attended = self.model.attend(context)
        added = None
        if self._bfloat16:
            # Only the branch, which begins at zero: the parent's answer stays exact, and what
            # eight bits lose is 0.4 % of what training has added.
            with torch.autocast(context.device.type, torch.bfloat16):
                added = self.model.added(context)
            added = None if added is None else added.float()
        return self.model.answer(context, attended, added), context

    def policy_parameters(self) -> list[nn.Parameter]:
        """Return what the policy's optimiser moves."""
        trained = [p for p in self.model.parameters() if p.requires_grad]
        return [*trained, *self.exploration.parameters()]


def fused(model: S2EModel, seen: Seen) -> Tensor:
    """Return the fused tokens of states, at hand or made by a network. [B, K + 1, D]"""
    if seen.context is not None:
        return seen.context
    assert seen.features is not None
    assert seen.goal is not None
    assert seen.mask is not None
    return model.fuse(model.tokens(seen.features.float()), seen.goal, seen.mask)


def freeze(model: S2EModel, mode: Mode) -> None:
    """Let only the weights train that the mode names; the encoder never does."""
    model.requires_grad_(False)
    parts: list[nn.Module]
    if mode == 'ram':
        assert model.residual is not None
        parts = [model.residual]
    elif mode == 'decoder':
        parts = [model.decoder, model.decoder_norm, model.score, model.regression]
    else:
        parts = [model]
    for part in parts:
        part.requires_grad_(True)
    model.encoder.requires_grad_(False)
