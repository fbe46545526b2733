"""A policy's own modes, chosen by who knows better: how much of its failures is the choice."""

from __future__ import annotations

import dataclasses

import numpy as np

from navbench_gs.agents.privileged import PrivilegedPlanner, World
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.contract import Observation, Policy, PolicyOutput


class InformedChoice:
    """Proposes as a policy does and scores by what following each mode would cost.

    Where the policy fails and this does not, a good mode was among those proposed, and the images
    did not tell it which. Where both fail, none was.
    """

    def __init__(self, policy: Policy, planner: PrivilegedPlanner) -> None:
        """Take the parts.

        Args:
            policy: Proposes.
            planner: Chooses; what it knows of people is its own affair.
        """
        self._policy, self._planner = policy, planner
        # Who knows what each mode costs needs no votes.
        self.spec = dataclasses.replace(
            policy.spec, name=f'informed:{policy.spec.name}', vote=0.0, memory=0.0
        )

    def reset(self) -> None:
        """Forget the images."""
        self._policy.reset()

    def bind(self, world: World, spec: EpisodeSpec) -> None:
        """Take the world and route of one episode."""
        self._planner.bind(world, spec)

    def infer(self, observation: Observation) -> PolicyOutput:
        """Answer with the policy's modes, scored by softmax(-cost), cost in metres of way.

        Raises:
            TaskError: It is not bound to a world.
            ContractError: The observation does not fit ``spec``.
        """
        answer = self._policy.infer(observation)
        cost = self._planner.foresee(answer.modes)
        scores = np.exp(cost.min() - cost)
        return dataclasses.replace(answer, scores=(scores / scores.sum()).astype(np.float32))
